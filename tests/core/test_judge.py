"""What a check gets to see, and what becomes of what it says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve

from conformance.evidence.exchange import Chunk, Exchange, Fault, FaultKind, Response
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Check, Needs, check, trace_check
from conformance.judging.judge import judge
from conformance.requests.case import Case, Expect
from conformance.requests.request import Request
from conformance.spec.spec import ApiVersion, Spec
from conformance.verdict import Finding, Level, Outcome

SPEC = Spec("v", "preview", "dated", "/openai", ApiVersion(), {}, {})


def made(level: Level = Level.MUST, needs: Needs = Needs.SUCCESS, *, find: bool = True) -> Check:
    @check("a.check", level, clause="c", counterexample=lambda exchange, _earlier: exchange, needs=needs)
    def judged(spec: Spec, seen: Observation) -> Iterator[Finding]:
        """A rule."""
        if find:
            yield seen.finding("wrong")

    return judged


def seen(status: int | None, body: bytes = b"{}", expect: Expect = Expect.ACCEPT, fault: Fault | None = None) -> Trace:
    headers = (("content-type", "application/json"),)
    response = Response(status, headers, (Chunk(0.0, body),)) if status is not None else None
    case = Case(operation="o", method="POST", path="/p", expect=expect)
    return Trace("s", (Observation(case, Exchange(Request("POST", "http://t/p"), response, fault)),))


@pytest.mark.parametrize(
    ("outcome", "level"), [(Outcome.FAIL, Level.MUST), (Outcome.WARN, Level.SHOULD), (Outcome.PASS, Level.OBS)]
)
def test_the_level_decides_what_a_finding_weighs(outcome: Outcome, level: Level) -> None:
    assert outcome == judge(SPEC, made(level), seen(200)).outcome


@pytest.mark.parametrize(
    ("outcome", "trace"),
    [
        (Outcome.PASS, seen(200)),
        (Outcome.NOT_TESTABLE, seen(400)),
        (Outcome.NOT_APPLICABLE, seen(400, expect=Expect.EITHER)),
        (Outcome.NOT_APPLICABLE, seen(400, expect=Expect.REJECT)),
        (Outcome.INCONCLUSIVE, seen(400, b'{"error": {"code": "content_filter", "message": "m"}}')),
        (Outcome.NOT_APPLICABLE, seen(400, b'{"error": {"code": "OperationNotSupported", "message": "m"}}')),
        (Outcome.UNAVAILABLE, seen(429)),
        (Outcome.NOT_TESTABLE, seen(500)),
        (Outcome.UNAVAILABLE, seen(None, fault=Fault(FaultKind.CONNECT, "refused", 0.0))),
        (Outcome.NOT_TESTABLE, seen(200, b'{"choi', fault=Fault(FaultKind.TOTAL_TIMEOUT, "too long", 0.0))),
        (Outcome.NOT_TESTABLE, seen(None, fault=Fault(FaultKind.PROTOCOL, "not HTTP", 0.0))),
    ],
)
def test_what_can_not_be_judged_is_never_green(outcome: Outcome, trace: Trace) -> None:
    assert outcome == judge(SPEC, made(find=False), trace).outcome


@pytest.mark.parametrize("needs", list(Needs))
@pytest.mark.parametrize("status", [None, 200])
def test_an_answer_that_broke_off_while_the_target_went_away_breaks_no_rule(needs: Needs, status: int | None) -> None:
    trace = seen(status, fault=Fault(FaultKind.CLOSED, "reset by peer", 0.0))
    (observation,) = trace
    away = evolve(observation, exchange=evolve(observation.exchange, control_ok=False))
    assert Outcome.UNAVAILABLE == judge(SPEC, made(needs=needs), Trace("s", (away,))).outcome


@pytest.mark.parametrize(
    ("outcome", "broken", "sent"),
    [
        (Outcome.UNAVAILABLE, 1, 1),
        (Outcome.UNAVAILABLE, 1, 9),
        (Outcome.UNAVAILABLE, 2, 9),
        (Outcome.FAIL, 2, 8),
        (Outcome.FAIL, 2, 2),
    ],
)
@pytest.mark.parametrize(("status", "fault"), [(None, Fault(FaultKind.CLOSED, "reset", 0.0)), (502, None)])
def test_a_hiccup_is_no_verdict_on_what_may_not_be_sent_again(
    outcome: Outcome, broken: int, sent: int, status: int | None, fault: Fault | None
) -> None:
    """One creation that a connection cut is a hiccup; a target that cuts a quarter of them is broken."""
    bad, good = seen(status, fault=fault).observations[0], seen(200).observations[0]
    trace = tuple(
        evolve(one, case=evolve(one.case, query=(("n", str(n)),)))
        for n, one in enumerate([bad] * broken + [good] * (sent - broken))
    )
    rule = made(needs=Needs.ANY)
    clean = evolve(rule, judge=lambda spec, one: rule.judge(spec, one) if not one.exchange.ok else ())
    assert outcome == judge(SPEC, clean, Trace("s", trace)).outcome


def test_a_story_that_the_network_cut_breaks_no_rule() -> None:
    """What is missing from it may be missing for that reason."""

    @trace_check("a.story", Level.MUST, clause="c", counterexample=lambda exchange, _e: exchange, scenarios=("*",))
    def lacks(spec: Spec, trace: Trace) -> Iterator[Finding]:
        """A rule."""
        yield trace.observations[-1].finding("something is missing")

    whole, (observation,) = seen(200), seen(200, fault=Fault(FaultKind.CLOSED, "reset by peer", 0.0))
    cut = evolve(observation, exchange=evolve(observation.exchange, control_ok=False))
    assert Outcome.FAIL == judge(SPEC, lacks, whole).outcome
    assert Outcome.FAIL == judge(SPEC, lacks, Trace("s", (observation,))).outcome
    assert Outcome.UNAVAILABLE == judge(SPEC, lacks, Trace("s", (*whole, cut))).outcome


def test_a_check_that_crashes_is_our_error() -> None:
    @trace_check("a.crash", Level.MUST, clause="c", counterexample=lambda exchange, _e: exchange, scenarios=("*",))
    def crash(spec: Spec, trace: Trace) -> Any:
        """A bug."""
        raise ZeroDivisionError("oops")

    verdict = judge(SPEC, crash, seen(200))
    assert (Outcome.ERROR, "ZeroDivisionError: oops") == (verdict.outcome, verdict.reason)


def test_a_note_is_shown_and_does_not_count() -> None:
    @check("a.note", Level.MUST, clause="c", counterexample=lambda exchange, _earlier: exchange)
    def note(spec: Spec, one: Observation) -> Iterator[Finding]:
        """A rule."""
        yield one.finding("by the way", note=True)

    verdict = judge(SPEC, note, seen(200))
    assert (Outcome.PASS, 1) == (verdict.outcome, len(verdict.findings))


def corpus(*statuses: int) -> Trace:
    excused = b'{"error": {"code": "unsupported_value", "message": "m"}}'
    made = [seen(status, b"{}" if status == 200 else excused) for status in statuses]
    return Trace("corpus.o", tuple(one.observations[0] for one in made))


@pytest.mark.parametrize(
    ("outcome", "statuses"),
    [(Outcome.INCONCLUSIVE, (400, 400)), (Outcome.INCONCLUSIVE, (400,)), (Outcome.PASS, (400, 200))],
)
def test_a_target_that_excuses_itself_from_everything_is_not_green(outcome: Outcome, statuses: tuple[int, ...]) -> None:
    assert outcome == judge(SPEC, made(needs=Needs.ANSWER, find=False), corpus(*statuses)).outcome
