"""The judge: which evidence a check receives, and how its findings become a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from attrs import evolve

from conformance.evidence.body import shortened
from conformance.evidence.exchange import Chunk, Exchange, Fault, FaultKind, Response
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Check, Needs, check, trace_check
from conformance.judging.judge import NOTHING_TO_BREAK, judge
from conformance.requests.case import Case, Expect
from conformance.requests.request import Request
from conformance.spec.spec import ApiVersion, Spec
from conformance.verdict import Conclusion, Finding, Level, Outcome, Unjudged, conclude

SPEC = Spec("v", "preview", "dated", "/openai", ApiVersion(), {}, {})


def spoil(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """The same answer with a word in its reason phrase that the rule below takes for a defect."""
    response = exchange.response
    return None if response is None else evolve(exchange, response=evolve(response, reason="spoiled"))


def made(level: Level = Level.MUST, needs: Needs = Needs.SUCCESS, *, find: bool = True) -> Check:
    @check("a.check", level, clause="c", counterexample=spoil, needs=needs)
    def judged(spec: Spec, seen: Observation) -> Iterator[Finding]:
        """A rule."""
        if find or (seen.exchange.response is not None and seen.response.reason == "spoiled"):
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
    clean = evolve(
        rule,
        judge=lambda spec, one: rule.judge(spec, one) if not one.exchange.ok else (),
        counterexample=lambda exchange, _earlier: None,
    )
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


def test_a_pass_rests_on_an_answer_that_could_have_broken_the_rule() -> None:
    """Where the counterexample finds nothing to break, the check looked at nothing: no pass."""
    whole = seen(200)
    assert (Outcome.PASS, whole.observations[0].case.id) == (
        judge(SPEC, made(find=False), whole).outcome,
        judge(SPEC, made(find=False), whole).witness,
    )
    blind = evolve(made(find=False), counterexample=lambda exchange, _earlier: None)
    assert (Outcome.NOT_APPLICABLE, NOTHING_TO_BREAK) == (
        judge(SPEC, blind, whole).outcome,
        judge(SPEC, blind, whole).reason,
    )


def test_a_broken_answer_that_the_check_does_not_notice_is_no_witness() -> None:
    """A counterexample that applies proves nothing where the check stays silent on it."""
    deaf = evolve(made(find=False), judge=lambda spec, one: ())
    assert Outcome.NOT_APPLICABLE == judge(SPEC, deaf, seen(200)).outcome


def test_an_answer_that_a_check_can_not_read_is_left_out_and_proves_nothing() -> None:
    """What can't be read is told beside the outcome of the rest; that a broken answer can't be read is no witness."""
    rule = made(find=False)

    def unreadable(spec: Spec, one: Observation) -> Iterator[Finding]:
        if one.response.body == b"?" or one.response.reason == "spoiled":
            yield one.finding("it can't be read", outcome=Outcome.NOT_TESTABLE)

    (good,), (odd,) = seen(200), seen(200, b"?")
    picky = evolve(rule, judge=lambda spec, one: [*unreadable(spec, one), *rule.judge(spec, one)])
    mixed = judge(SPEC, picky, Trace("s", (good, odd)))
    assert (Outcome.PASS, 1, "it can't be read") == (mixed.outcome, mixed.judged, mixed.unjudged[0].reason)
    alone = judge(SPEC, evolve(rule, judge=unreadable), Trace("s", (odd,)))
    assert (Outcome.NOT_TESTABLE, "it can't be read") == (alone.outcome, alone.reason)
    assert Outcome.NOT_APPLICABLE == judge(SPEC, evolve(rule, judge=unreadable), Trace("s", (good,))).outcome


@pytest.mark.parametrize("level", [Level.SHOULD, Level.OBS])
def test_a_note_on_a_refusal_rests_on_another_answer_too(level: Level) -> None:
    """A target that refuses everything in the same way shows nothing by its refusal, and is told nothing of it."""

    def noted(spec: Spec, one: Observation) -> Iterator[Finding]:
        yield one.finding("by the way", note=level is not Level.OBS)

    rule = evolve(made(level, Needs.ANSWER), judge=noted, contrast=True, about=lambda _s, case: case.expect != "accept")
    assert Outcome.PASS == judge(SPEC, rule, refusing(403, valid=200)).outcome
    assert (Outcome.NOT_TESTABLE, ()) == (
        judge(SPEC, rule, refusing(403, valid=403)).outcome,
        judge(SPEC, rule, refusing(403, valid=403)).findings,
    )


@pytest.mark.parametrize("level", [Level.MUST, Level.SHOULD])
def test_a_finding_is_not_hidden_by_what_could_not_be_judged(level: Level) -> None:
    """72 answers were judged, one of them is wrong, 8 were server errors: the finding stands, and the count is told."""
    trace = Trace("s", tuple(one.observations[0] for one in [*([seen(200)] * 72), *([seen(500)] * 8)]))
    wrong = {Level.MUST: Outcome.FAIL, Level.SHOULD: Outcome.WARN}[level]
    verdict = judge(SPEC, made(level), trace)
    assert (wrong, 72, (Unjudged(Outcome.NOT_TESTABLE, "the target answered 500", 8),)) == (
        verdict.outcome,
        verdict.judged,
        verdict.unjudged,
    )
    assert "judged 72 of 80; 8 not: the target answered 500" == verdict.coverage


def test_what_passes_tells_what_was_left_out() -> None:
    trace = Trace("s", tuple(one.observations[0] for one in [seen(200), seen(429), seen(429), seen(500)]))
    verdict = judge(SPEC, made(find=False), trace)
    assert (Outcome.PASS, 1) == (verdict.outcome, verdict.judged)
    assert {("429 after all retries", 2), ("the target answered 500", 1)} == {
        (part.reason, part.count) for part in verdict.unjudged
    }


def test_nothing_judged_is_told_by_the_heaviest_reason() -> None:
    trace = Trace("s", tuple(one.observations[0] for one in [seen(500), seen(429)]))
    verdict = judge(SPEC, made(find=False), trace)
    assert (Outcome.UNAVAILABLE, "429 after all retries", 0) == (verdict.outcome, verdict.reason, verdict.judged)


def test_a_scenario_that_ended_early_says_so_beside_its_outcome() -> None:
    """The part that was sent is judged; the rest can't have passed and leaves the run inconclusive."""
    trace = evolve(seen(200), ended="the budget of requests is used up", outcome=Outcome.INCONCLUSIVE)
    verdict = judge(SPEC, made(find=False), trace)
    assert (Outcome.PASS, True) == (verdict.outcome, verdict.unjudged[0].rest)
    assert Conclusion.INCONCLUSIVE == conclude([verdict], executed=1)


def test_what_was_left_out_on_purpose_is_not_missing() -> None:
    """A kind that is too expensive ends a script. That its rest is missing says nothing of the target."""

    lacks = (lambda trace: "no walk ended",)

    @trace_check("a.walk", Level.MUST, clause="c", counterexample=spoil, scenarios=("*",), needs=lacks)
    def walked(spec: Spec, trace: Trace) -> Iterator[Finding]:
        """A rule of a walk."""
        yield from ()

    out = evolve(seen(200), ended="too expensive", outcome=Outcome.NOT_APPLICABLE)
    traces = (out, evolve(out, outcome=None, ended=""), evolve(out, observations=seen(404).observations))
    found = [judge(SPEC, walked, trace) for trace in traces]
    assert [Outcome.NOT_APPLICABLE, Outcome.NOT_TESTABLE, Outcome.NOT_TESTABLE] == [one.outcome for one in found]
    assert ["too expensive", "no walk ended"] == [one.reason for one in found[:2]]


def refusing(status: int, *, valid: int) -> Trace:
    """A bad request answered with one status, a valid one with another."""
    bad, good = seen(status, expect=Expect.REJECT), seen(valid)
    return Trace("s", (bad.observations[0], good.observations[0]))


@pytest.mark.parametrize(
    ("outcome", "trace"),
    [
        (Outcome.PASS, refusing(404, valid=200)),
        (Outcome.PASS, refusing(401, valid=404)),
        (Outcome.NOT_TESTABLE, refusing(404, valid=404)),
        (Outcome.NOT_TESTABLE, refusing(400, valid=500)),
        (Outcome.NOT_TESTABLE, refusing(400, valid=429)),
        (Outcome.NOT_APPLICABLE, seen(400, expect=Expect.REJECT)),
    ],
)
def test_a_refusal_says_something_only_where_something_else_was_answered_otherwise(
    outcome: Outcome, trace: Trace
) -> None:
    rule = evolve(made(needs=Needs.ANSWER, find=False), contrast=True, about=lambda _s, case: case.expect != "accept")
    found = judge(SPEC, rule, trace).outcome
    assert outcome == found or {outcome, found} == {Outcome.NOT_TESTABLE, Outcome.UNAVAILABLE}


def told(*roles: tuple[str, int]) -> Trace:
    """A story of steps with their statuses."""
    steps = []
    for number, (role, status) in enumerate(roles):
        (one,) = seen(status)
        steps.append(evolve(one, case=evolve(one.case, role=role, step=f"{number}")))
    return Trace("story", tuple(steps))


@pytest.mark.parametrize(
    ("outcome", "reason", "trace"),
    [
        (Outcome.PASS, "", told(("create", 200), ("get", 200))),
        (Outcome.PASS, "", told(("create", 200), ("get", 404), ("get", 200))),
        (Outcome.NOT_TESTABLE, "the step 'get' was answered with 404", told(("create", 200), ("get", 404))),
        (Outcome.NOT_TESTABLE, "the step 'create' was answered with 500", told(("create", 500))),
        (Outcome.UNAVAILABLE, "the step 'create' was answered with 429 after all retries", told(("create", 429))),
        (Outcome.NOT_APPLICABLE, "this scenario has no step 'get'", told(("create", 200), ("delete", 200))),
    ],
)
def test_a_story_is_judged_only_where_its_steps_succeeded(outcome: Outcome, reason: str, trace: Trace) -> None:
    @trace_check("a.story", Level.MUST, clause="c", counterexample=spoil, scenarios=("*",), needs=("create", "get"))
    def story(spec: Spec, whole: Trace) -> Iterator[Finding]:
        """A rule."""
        for one in whole:
            if one.exchange.response is not None and one.response.reason == "spoiled":
                yield one.finding("wrong")

    verdict = judge(SPEC, story, trace)
    assert (outcome, reason) == (verdict.outcome, verdict.reason)


def test_one_exchange_that_says_nothing_leaves_the_others_judged() -> None:
    """A check may find out itself that an answer can't be judged; that is told beside the outcome of the others."""

    @check("a.stream", Level.MUST, clause="c", counterexample=spoil)
    def stream(spec: Spec, one: Observation) -> Iterator[Finding]:
        """A rule."""
        if one.response.body == b"?":
            yield one.finding("it can't be read", outcome=Outcome.NOT_TESTABLE)
        elif one.response.reason == "spoiled":
            yield one.finding("wrong")

    (odd,), (good,) = seen(200, b"?"), seen(200)
    verdict = judge(SPEC, stream, Trace("s", (odd, good, good)))
    assert (Outcome.PASS, 2, (Unjudged(Outcome.NOT_TESTABLE, "it can't be read", 1),)) == (
        verdict.outcome,
        verdict.judged,
        verdict.unjudged,
    )
    alone = judge(SPEC, stream, Trace("s", (odd,)))
    assert (Outcome.NOT_TESTABLE, "it can't be read") == (alone.outcome, alone.reason)


@pytest.mark.parametrize(
    ("outcome", "reason", "statuses"),
    [
        (Outcome.NOT_APPLICABLE, "others were at it", (200, 200)),
        (Outcome.NOT_TESTABLE, "the step 'create' was answered with 400", (400, 200)),
    ],
)
def test_a_story_that_others_disturb_is_not_judged(outcome: Outcome, reason: str, statuses: tuple[int, int]) -> None:
    """What makes a rule silent is told as such, unless a step failed: then that is the reason."""
    quiet: Any = lambda spec, whole: ()  # noqa: E731 - a check in one word
    quiet.__doc__ = "A rule."
    named = {"clause": "c", "counterexample": spoil, "scenarios": ("*",), "needs": ("get",)}
    rule = trace_check("a.story", Level.MUST, unless=(lambda whole: "others were at it",), **named)(quiet)
    verdict = judge(SPEC, rule, told(("create", statuses[0]), ("get", statuses[1])))
    assert (outcome, reason) == (verdict.outcome, verdict.reason)


@pytest.mark.parametrize(
    ("reason", "body"),
    [
        ("", b'{"id": "x_1"}'),
        ("the step 'create' was answered with 200 and without an id at /id", b"{}"),
        ("the step 'create' was answered with 200 and without an id at /id", b'{"id": ""}'),
        ("the step 'create' was answered with 200 and without an id at /id", b"[]"),
    ],
)
def test_a_creation_without_an_id_is_no_success(reason: str, body: bytes) -> None:
    """Nothing can be built on it, so what comes after it isn't part of the story for that reason."""
    (one,) = seen(200, body)
    creating = evolve(one, case=evolve(one.case, role="create", creates={"x": "/id"}))

    @trace_check("a.story", Level.MUST, clause="c", counterexample=spoil, scenarios=("*",), needs=("create",))
    def story(spec: Spec, whole: Trace) -> Iterator[Finding]:
        """A rule."""
        if whole.observations[0].response.reason == "spoiled":
            yield whole.observations[0].finding("wrong")

    verdict = judge(SPEC, story, Trace("s", (creating,)))
    assert (Outcome.NOT_TESTABLE if reason else Outcome.PASS, reason) == (verdict.outcome, verdict.reason)


def test_a_scenario_with_a_shortened_answer_is_not_judged_as_a_whole() -> None:
    """Rules about a whole scenario compare what its answers hold."""

    @trace_check("a.check", Level.MUST, clause="c", counterexample=spoil, scenarios=["*"])
    def judged(spec: Spec, trace: Trace) -> Iterator[Finding]:
        """A rule."""
        yield from (one.finding("wrong") for one in trace)

    (one,) = trace = seen(200, b'["' + b"a" * 10_000 + b'"]')
    short = evolve(one, exchange=evolve(one.exchange, response=shortened(one.response, "no room")))
    assert Outcome.FAIL is judge(SPEC, judged, trace).outcome
    verdict = judge(SPEC, judged, evolve(trace, observations=(short,)))
    assert (Outcome.NOT_TESTABLE, "the answer is not kept whole: no room") == (verdict.outcome, verdict.reason)
