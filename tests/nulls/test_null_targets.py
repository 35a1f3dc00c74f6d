"""A target that gives one answer to everything passes nothing but what that answer keeps by itself."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from imported import IMPORTED
from null_answers import ANSWERS, SATISFIED, SELDOM
from null_stage import told

from conformance.checks.catalogue import all_checks
from conformance.spec.loading import versions

NEWEST = versions()[-1]
#: The api-version that shows all that is seldom.
LARGEST = "v1"
SAMPLE = [pytest.param(name, marks=() if name == NEWEST else pytest.mark.prove) for name in (*versions(), *IMPORTED)]
#: Every other answer is tried with the other tests, all of them in ``prove``.
TRIED = [pytest.param(name, marks=pytest.mark.prove if turn % 2 else ()) for turn, name in enumerate(ANSWERS)]
LOOKED = [pytest.param(False, id="all is sent"), pytest.param(True, id="after a preflight", marks=pytest.mark.prove)]


def kept_by(name: str, listed: Mapping[str, tuple[frozenset[str], str]]) -> set[str]:
    """The checks of a list that an answer keeps by itself."""
    return {check for check, (answers, _) in listed.items() if name in answers}


@pytest.mark.parametrize("looked", LOOKED)
@pytest.mark.parametrize("name", TRIED)
@pytest.mark.parametrize("version", SAMPLE)
def test_nothing_passes_but_what_the_answer_keeps_by_itself(version: str, name: str, looked: bool) -> None:
    """In the newest api-version each rule on the list is kept by each of its answers, too."""
    run = told(version, name, looked=looked)
    allowed, seldom = kept_by(name, SATISFIED), kept_by(name, SELDOM)
    assert [] == sorted(run.passed - allowed - seldom)
    # The list says no more than is so.
    assert version != NEWEST or looked or [] == sorted(allowed - run.passed)
    assert version != LARGEST or looked or [] == sorted(seldom - run.passed)
    assert [] == run.crashed
    assert 0 != run.exit_code
    assert frozenset() == run.literal


def test_the_list_names_checks_and_answers_that_exist() -> None:
    for listed in (SATISFIED, SELDOM):
        assert set() == set(listed) - set(all_checks())
        assert set() == {name for answers, _ in listed.values() for name in answers} - set(ANSWERS)
    assert {} == {check: both for check in SELDOM if (both := SELDOM[check][0] & SATISFIED.get(check, (set(), ""))[0])}
