"""Defects on the wire are found, and what no rule forbids is quiet.

A sample runs with the other tests, all of it on one version of each surface with ``tox -e prove``. ``python
tests/matrix`` prints the table of all versions.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from benign_variations import VARIATIONS
from kills import changed_by
from wire_defects import DEFECTS

from conformance.verdict import Outcome

#: Variations that a check objects to all the same → why it is right to warn.
OBJECTED = {
    "stream.no-blank": "legal, and many hand-written clients cut off six characters: sse.data.space is a SHOULD"
}

#: The least numbers of defects and variations.
FEWEST_DEFECTS, FEWEST_VARIATIONS = 40, 60

#: One version of each surface, with the most operations.
DATED, SURFACES = "2024-05-01-preview", ("2024-05-01-preview", "v1-preview")

SAMPLED_DEFECTS = ("stream.no-done", "json.wrong-total", "list.no-more", "http.refused-as-200", "http.cut")
SAMPLED_VARIATIONS = ("field.cookie", "json.reversed", "more.deep", "stream.crlf", "stream.pairs", "type.quoted")


def found(name: str, version: str) -> None:
    result = changed_by(version, DEFECTS[name][1], first=True)
    if not result.changed:
        pytest.skip(f"no answer of {version} can have this defect")
    assert result.outcome in (Outcome.FAIL, Outcome.WARN), DEFECTS[name][0]


def quiet(name: str, version: str) -> None:
    result = changed_by(version, VARIATIONS[name][1], profile="smoke")
    if not result.changed:
        pytest.skip(f"no answer of {version} can vary so")
    wanted = Outcome.WARN if name in OBJECTED else Outcome.PASS
    told = [(one.check, one.scenario, one.reason or one.findings[:1]) for one in result.verdicts[:3]]
    assert wanted is result.outcome, told


def test_the_lists_are_long_enough() -> None:
    assert len(DEFECTS) >= FEWEST_DEFECTS
    assert len(VARIATIONS) - len(OBJECTED) >= FEWEST_VARIATIONS
    assert set(OBJECTED) <= set(VARIATIONS)


@pytest.mark.parametrize("name", SAMPLED_DEFECTS)
def test_a_defect_on_the_wire_is_found(name: str) -> None:
    found(name, DATED)


@pytest.mark.parametrize("name", SAMPLED_VARIATIONS)
def test_a_variation_that_no_rule_forbids_is_quiet(name: str) -> None:
    quiet(name, DATED)


@pytest.mark.prove
@pytest.mark.parametrize("version", SURFACES)
@pytest.mark.parametrize("name", DEFECTS)
def test_every_defect_on_the_wire_is_found(name: str, version: str) -> None:
    found(name, version)


@pytest.mark.prove
@pytest.mark.parametrize("version", SURFACES)
@pytest.mark.parametrize("name", VARIATIONS)
def test_every_variation_that_no_rule_forbids_is_quiet(name: str, version: str) -> None:
    quiet(name, version)
