"""Lost arguments are counted by requests: several calls in one answer are one decision of the model."""

from __future__ import annotations

import pytest
from kinds.tool_calls import NAMED, asked, plain_of
from wild_answers import LATER, spec_of
from wire_stage import answer, exchanged

from conformance.checks.catalogue import all_checks
from conformance.evidence.trace import Observation, Trace
from conformance.judging.judge import judge
from conformance.verdict import Outcome


def called(number: int, *arguments: str) -> Observation:
    """A forced request, with a choice for each of the arguments."""
    choices = [{**plain_of(one)["choices"][0], "index": place} for place, one in enumerate(arguments)]
    body = {**plain_of("{}"), "choices": choices}
    asked_for = asked(NAMED, n=len(arguments), seed=number)
    return exchanged("chat.completions.create", asked_for, answer({"body": body}), LATER)


@pytest.mark.parametrize(
    ("requests", "arguments", "outcome"),
    [
        (5, ("{}",), Outcome.FAIL),
        (5, ("{}", "{}"), Outcome.FAIL),
        (3, ("{}", "{}"), Outcome.PASS),
        (5, ("{}", '{"city":"Rome"}'), Outcome.PASS),
    ],
    ids=["five-requests", "five-with-two-calls", "three-with-six-calls", "one-call-is-whole"],
)
def test_five_requests_whose_calls_are_all_empty_are_the_targets_doing(
    requests: int, arguments: tuple[str, ...], outcome: Outcome
) -> None:
    trace = Trace("corpus.chat.completions.create", tuple(called(n, *arguments) for n in range(requests)))
    verdict = judge(spec_of(LATER), all_checks()["chat.tool.arguments.always-lost"], trace)
    assert (outcome is Outcome.FAIL) is (verdict.outcome is Outcome.FAIL), verdict
