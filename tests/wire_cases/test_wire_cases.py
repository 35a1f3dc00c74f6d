"""Each wrong answer is found at its level by a message that names the cause; each legal one raises nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from attrs import evolve
from kinds.validation import unchecked
from wild_answers import spec_of
from wire_stage import ELSEWHERE, WireCase, scored, verdicts, wire_cases

from conformance.checks.catalogue import all_checks
from conformance.judging.judge import judge
from conformance.verdict import Outcome


def judged(case: WireCase, example: object) -> None:
    """Compare what the checks say with what the case expects."""
    found = verdicts(case.build(example))  # type: ignore[arg-type]
    bad = scored(case.build(example))  # type: ignore[arg-type]
    if case.expected in ("quiet", "note"):
        assert {} == bad
        return
    for check, words in case.told.items():
        assert check in bad, f"{case.id}: {check} says nothing; scored: {bad}"
        assert words in " ".join(finding.message + finding.expected for finding in found[check].findings)
    assert case.expected == min((found[check].outcome.value for check in case.told), key=("fail", "warn").index)


@pytest.mark.parametrize("name", wire_cases())
def test_a_case_of_our_own(name: str) -> None:
    """The miniature gets the expected verdict."""
    judged(wire_cases()[name], wire_cases()[name].example)


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, case in wire_cases().items() for number in range(len(case.near))]
)
def test_what_is_near_to_it_raises_nothing(name: str, number: int) -> None:
    """An answer without the defect is quiet."""
    case = wire_cases()[name]
    said = scored(case.build(case.near[number]))
    assert {} == {check: text for check, text in said.items() if check in case.told}


@pytest.mark.parametrize("named", sorted({one for tests in ELSEWHERE.values() for one in tests}))
def test_a_case_that_stands_elsewhere_has_its_test_there(named: str) -> None:
    file, _, function = named.partition("::")
    tree = ast.parse((Path(__file__).parents[1] / file).read_text("utf-8"))
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("violations", "outcome"), [(9, Outcome.NOT_APPLICABLE), (10, Outcome.NOT_TESTABLE)])
def test_too_few_violations_are_no_subject_where_everything_fails(violations: int, outcome: Outcome) -> None:
    """A target that answers 500 leaves only those items open that would have been about something."""
    version, trace = unchecked({"violations": violations, "statuses": [500]})
    failed = [evolve(seen, exchange=trace.observations[-1].exchange) for seen in trace]
    verdict = judge(spec_of(version), all_checks()["errors.some-rejected"], evolve(trace, observations=tuple(failed)))
    assert outcome is verdict.outcome
