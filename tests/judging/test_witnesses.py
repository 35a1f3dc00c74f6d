"""Witnesses of a pass: the answers that a check would have reported if they had been broken; and what a check is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from attrs import evolve
from test_folding import NONE, PASS, SPEC, rule, seen, spoil, story, trace

from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, Scope, check
from conformance.judging.judge import judge
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level, Outcome

# -- witnesses --------------------------------------------------------------------------------------------------------


def only(n: int) -> Callable[..., Exchange | None]:
    """Breaks the exchange before which ``n`` others stand."""
    return lambda exchange, earlier: spoil(exchange, earlier) if len(earlier) == n else None


@pytest.mark.parametrize("made", [rule, story])
def test_the_witness_is_the_first_answer_that_could_have_broken_the_rule(made: Any) -> None:
    steps = [seen(step=str(n)) for n in range(3)]
    verdict = judge(SPEC, made(counterexample=only(1)), trace(*steps))
    assert (PASS, steps[1].case.id) == (verdict.outcome, verdict.witness)


@pytest.mark.parametrize(("earlier", "place"), [(199, 199), (200, 200), (200, 201), (200, 250)])
def test_a_counterexample_may_look_back_on_the_last_two_hundred_exchanges(earlier: int, place: int) -> None:
    lengths: list[int] = []

    def note(exchange: Exchange, before: Sequence[Exchange]) -> Exchange | None:
        lengths.append(len(before))
        return None

    judge(SPEC, rule(counterexample=note), trace(*[seen()] * (place + 1)))
    assert earlier == lengths[place]


def test_a_second_counterexample_sees_all_other_exchanges() -> None:
    steps = [seen(step=str(n), role=str(n)) for n in range(3)]
    others: list[list[Exchange]] = []

    def last(exchange: Exchange, rest: Sequence[Exchange]) -> Exchange | None:
        others.append(list(rest))
        return spoil(exchange, rest) if exchange is steps[2].exchange else None

    blind = rule(counterexample=lambda exchange, _earlier: None, witness=last)
    assert steps[2].case.id == judge(SPEC, blind, trace(*steps)).witness
    exchanges = [step.exchange for step in steps]
    assert [exchanges[1:], [exchanges[0], exchanges[2]], exchanges[:2]] == others


@pytest.mark.parametrize("error", [AttributeError, KeyError, IndexError, TypeError, ValueError])
def test_a_counterexample_that_falls_over_an_answer_proves_nothing(error: type[Exception]) -> None:
    def fall(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
        raise error

    assert NONE is judge(SPEC, rule(counterexample=fall), trace(seen())).outcome
    assert PASS is judge(SPEC, rule(counterexample=fall, witness=spoil), trace(seen())).outcome


def test_a_counterexample_with_another_fault_is_our_error() -> None:
    def fall(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
        raise ZeroDivisionError("oops")

    verdict = judge(SPEC, rule(counterexample=fall), trace(seen()))
    assert (Outcome.ERROR, "ZeroDivisionError: oops") == (verdict.outcome, verdict.reason)


def test_an_answer_that_a_counterexample_does_not_change_is_no_witness() -> None:
    assert NONE is judge(SPEC, rule(counterexample=lambda exchange, _earlier: exchange), trace(seen())).outcome


def test_a_broken_answer_that_would_not_be_judged_is_no_witness() -> None:
    def fail(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
        made = spoil(exchange, earlier)
        return made and evolve(made, response=made.response and evolve(made.response, status=500))

    assert NONE is judge(SPEC, rule(counterexample=fail), trace(seen())).outcome


def test_only_what_was_judged_can_be_a_witness() -> None:
    good = seen(step="good")
    verdict = judge(SPEC, rule(), trace(seen(500), seen(operation="x"), good))
    assert (PASS, good.case.id) == (judge(SPEC, rule(operations=("o",)), trace(seen(500), good)).outcome, good.case.id)
    assert verdict.witness != seen(500).case.id


# -- what a check is --------------------------------------------------------------------------------------------------


def test_a_check_is_told_by_its_function() -> None:
    made = rule(entails=["b"], features=["auth"], provenance="spec", scenarios=["x.*"])
    assert ("A rule.", rule.__module__, Scope.EXCHANGE, ("b",), ("auth",), "spec", ("x.*",)) == (
        made.doc,
        made.module,
        made.scope,
        made.entails,
        made.features,
        made.provenance,
        made.scenarios,
    )
    assert (Scope.TRACE, Needs.ANY) == (story().scope, story().needs)
    assert Needs.ANSWER is evolve(rule(), needs=Needs.ANSWER).needs
    assert ("First line", "a.check") == (evolve(made, doc="First line\nsecond").title, evolve(made, doc="").title)


@pytest.mark.parametrize(
    ("area", "module"),
    [
        ("chat", "conformance.checks.chat.answers"),
        ("streams", "conformance.checks.streams.deep.text"),
        ("single", "checks.single"),
        ("", "tests.judging.test_witnesses"),
        ("", "conformance.checks"),
        ("", ""),
    ],
)
def test_the_area_of_a_check_is_its_folder(area: str, module: str) -> None:
    assert area == evolve(rule(), module=module).area


def test_the_function_of_a_check_may_have_no_docstring() -> None:
    def judged(spec: Spec, seen: Observation) -> Iterator[Finding]:
        yield from ()

    made = check("a.check", Level.MUST, clause="c", counterexample=spoil)(judged)
    assert ("", Needs.ANSWER, ("*",), True) == (made.doc, made.needs, made.operations, made.about(SPEC, seen().case))
    assert (False, None) == (made.contrast, made.witness)


@pytest.mark.parametrize(
    ("covers", "globs"),
    [(True, ["*"]), (True, ["o"]), (True, ["x", "o*"]), (False, ["x"]), (False, ["O"]), (False, [])],
)
def test_a_check_covers_the_operations_of_its_globs(covers: bool, globs: list[str]) -> None:
    assert covers is rule(operations=globs).covers("o")


@pytest.mark.parametrize(
    ("concerns", "scenarios", "operations", "sent"),
    [
        (True, ["*"], ["*"], ["o"]),
        (True, ["a.*"], ["o"], ["x", "o"]),
        (False, ["b.*"], ["o"], ["o"]),
        (False, ["a.*"], ["o"], ["x"]),
        (False, ["a.*"], ["*"], []),
    ],
)
def test_a_check_concerns_the_scenarios_that_send_its_operations(
    concerns: bool, scenarios: list[str], operations: list[str], sent: list[str]
) -> None:
    assert concerns is rule(scenarios=scenarios, operations=operations).concerns("a.b", sent)
