"""A target that gives one answer to everything passes nothing but what that answer keeps by itself."""

from __future__ import annotations

import pytest
from null_answers import ANSWERS, SATISFIED
from null_stage import told

from conformance.checks.catalogue import all_checks
from conformance.spec.loading import versions

NEWEST = versions()[-1]
SAMPLE = [pytest.param(name, marks=() if name == NEWEST else pytest.mark.prove) for name in versions()]
LOOKED = [pytest.param(False, id="all is sent"), pytest.param(True, id="after a preflight", marks=pytest.mark.prove)]


@pytest.mark.parametrize("looked", LOOKED)
@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("version", SAMPLE)
def test_nothing_passes_but_what_the_answer_keeps_by_itself(version: str, name: str, looked: bool) -> None:
    run = told(version, name, looked=looked)
    allowed = {check for check, (answers, _) in SATISFIED.items() if name in answers}
    assert [] == sorted(run.passed - allowed)
    assert [] == run.crashed
    assert 0 != run.exit_code
    assert frozenset() == run.literal


def test_the_list_says_no_more_than_is_so() -> None:
    """Each rule on the list is kept by each of its answers, in the newest api-version."""
    kept = {name: told(NEWEST, name, looked=False).passed for name in ANSWERS}
    claimed = {(check, name) for check, (answers, _) in SATISFIED.items() for name in answers}
    assert set() == {(check, name) for check, name in claimed if check not in kept[name]}
    assert set() == set(SATISFIED) - set(all_checks())
