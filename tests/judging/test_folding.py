"""How findings fold into a verdict: the reason that decides, errata, what could not be judged, witnesses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from attrs import evolve

from conformance.evidence.exchange import Exchange, Fault, FaultKind, Response
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Check, Needs, check, trace_check
from conformance.judging.judge import NOTHING_TO_BREAK, judge, outcome_of
from conformance.requests.case import Case, Expect
from conformance.requests.request import Request
from conformance.spec.spec import ApiVersion, Erratum, Spec
from conformance.verdict import Finding, Level, Outcome, Unjudged

PASS, FAIL, WARN, NONE = Outcome.PASS, Outcome.FAIL, Outcome.WARN, Outcome.NOT_APPLICABLE
SPEC = Spec("v", "preview", "dated", "/openai", ApiVersion(), {}, {})


def spoil(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """The same answer with a reason phrase that the rules below take for a defect."""
    response = exchange.response
    return None if response is None else evolve(exchange, response=evolve(response, reason="spoiled"))


def spoiled(seen: Observation) -> bool:
    return seen.exchange.response is not None and seen.response.reason == "spoiled"


def rule(**values: Any) -> Check:
    @check("a.check", Level.MUST, clause="c", **{"counterexample": spoil, "needs": Needs.SUCCESS, **values})
    def judged(spec: Spec, seen: Observation) -> Iterator[Finding]:
        """A rule."""
        if spoiled(seen):
            yield seen.finding("wrong", pointer="/a/b")

    return judged


def story(**values: Any) -> Check:
    @trace_check("a.story", Level.MUST, clause="c", scenarios=("*",), **{"counterexample": spoil, **values})
    def judged(spec: Spec, trace: Trace) -> Iterator[Finding]:
        """A rule."""
        yield from (seen.finding("wrong") for seen in trace if spoiled(seen))

    return judged


def seen(status: int | None = 200, *, reason: str = "", fault: Fault | None = None, **case: Any) -> Observation:
    response = Response(status, (("content-type", "application/json"),), reason=reason) if status else None
    made = Case(**{"operation": "o", "method": "POST", "path": "/p", **case})
    return Observation(made, Exchange(Request("POST", "http://t.example/p"), response, fault))


def trace(*observations: Observation, **more: Any) -> Trace:
    return Trace(more.pop("scenario", "s"), observations, **more)


WRONG = seen(reason="spoiled")

# -- outcomes and reasons ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "findings"),
    [
        (PASS, []),
        (FAIL, [Finding("m", "c")]),
        (WARN, [Finding("m", "c", level=Level.SHOULD)]),
        (PASS, [Finding("m", "c", level=Level.OBS)]),
        (WARN, [Finding("m", "c", outcome=WARN)]),
        (Outcome.ERROR, [Finding("m", "c", outcome=Outcome.ERROR, level=Level.OBS)]),
        (PASS, [Finding("m", "c", note=True)]),
        (WARN, [Finding("m", "c", note=True), Finding("m", "c", level=Level.SHOULD)]),
        (FAIL, [Finding("m", "c", level=Level.SHOULD), Finding("m", "c")]),
    ],
)
def test_the_heaviest_finding_that_scores_decides(expected: Outcome, findings: list[Finding]) -> None:
    assert expected is outcome_of(rule(), findings)


@pytest.mark.parametrize(
    ("outcome", "reason", "statuses"),
    [
        (Outcome.UNAVAILABLE, "429 after all retries", (500, 429, 404)),
        (Outcome.NOT_TESTABLE, "the target answered 500", (500, 404)),
        (Outcome.NOT_TESTABLE, "needs a success, the target answered 404", (404, 500)),
    ],
)
def test_the_reason_is_that_of_the_deciding_part(outcome: Outcome, reason: str, statuses: tuple[int, ...]) -> None:
    """Of several reasons the first one that weighs as much as the outcome; never the reason of a lighter part."""
    verdict = judge(SPEC, rule(), trace(*map(seen, statuses)))
    assert (outcome, reason, 0, ()) == (verdict.outcome, verdict.reason, verdict.judged, verdict.unjudged)


def test_a_part_without_a_reason_gives_none() -> None:
    rejected = seen(400, expect=Expect.REJECT)
    assert (NONE, NOTHING_TO_BREAK) == (
        judge(SPEC, rule(), trace(rejected)).outcome,
        judge(SPEC, rule(), trace(rejected)).reason,
    )


def test_a_check_that_is_about_nothing_here_is_not_applicable() -> None:
    about = rule(about=lambda _spec, case: case.role == "x")
    elsewhere = rule(operations=("other.*",))
    for one in (about, elsewhere):
        verdict = judge(SPEC, one, trace(seen(), WRONG))
        assert (NONE, 0, (), ()) == (verdict.outcome, verdict.judged, verdict.findings, verdict.cases)
    both = judge(SPEC, about, trace(WRONG, seen(reason="spoiled", role="x")))
    assert (FAIL, 1, 1) == (both.outcome, both.judged, len(both.findings))


def test_a_finding_stands_beside_what_could_not_be_judged() -> None:
    verdict = judge(SPEC, rule(), trace(WRONG, seen(), seen(500), seen(500), seen(400, expect=Expect.REJECT)))
    assert (FAIL, 2, "", (Unjudged(Outcome.NOT_TESTABLE, "the target answered 500", 2),)) == (
        verdict.outcome,
        verdict.judged,
        verdict.reason,
        verdict.unjudged,
    )
    assert 2 == len(verdict.cases)


@pytest.mark.parametrize(
    ("outcome", "ended", "unjudged"),
    [
        (PASS, None, ()),
        (PASS, Outcome.INCONCLUSIVE, (Unjudged(Outcome.INCONCLUSIVE, "why", 0, rest=True),)),
        (PASS, NONE, ()),
    ],
)
def test_what_was_not_sent_can_not_have_passed(outcome: Outcome, ended: Outcome | None, unjudged: Any) -> None:
    verdict = judge(SPEC, rule(), trace(seen(), ended="why", outcome=ended))
    assert (outcome, unjudged) == (verdict.outcome, verdict.unjudged)


@pytest.mark.parametrize("made", [rule(), story()])
def test_a_scenario_that_sent_nothing_says_why(made: Check) -> None:
    verdict = judge(SPEC, made, trace(ended="why", outcome=Outcome.INCONCLUSIVE))
    assert (Outcome.INCONCLUSIVE, "why", 0) == (verdict.outcome, verdict.reason, verdict.judged)
    early = judge(SPEC, rule(), trace(seen(400, expect=Expect.REJECT), ended="why", outcome=Outcome.INCONCLUSIVE))
    assert (Outcome.INCONCLUSIVE, "why") == (early.outcome, early.reason)


def test_a_verdict_names_its_check_its_scenario_and_its_cases() -> None:
    one = seen()
    verdict = judge(SPEC, rule(), trace(one))
    assert ("a.check", "s", (one.case.id,), one.case.id) == (
        verdict.check,
        verdict.scenario,
        verdict.cases,
        verdict.witness,
    )


# -- errata -----------------------------------------------------------------------------------------------------------


def erratum(id: str, *pointers: str) -> Erratum:
    patch = tuple({"op": "replace", "path": pointer} for pointer in pointers)
    return Erratum(id, "", "", "", "", "", "", patch)


@pytest.mark.parametrize(
    ("errata", "pointers"),
    [
        (("e",), ["/a/b"]),
        (("e",), ["/a"]),
        (("e",), [""]),
        ((), ["/a/b/c"]),
        ((), ["/a/bb"]),
        ((), ["/a/"]),
        ((), ["/x"]),
        (("e",), ["/x", "/a"]),
        (("e",), ["/a", "/a/b"]),
    ],
)
def test_a_finding_rests_on_the_errata_of_its_place_and_of_what_holds_it(errata: Any, pointers: list[str]) -> None:
    """The changed place is the rule's own, or a JSON Pointer above it (RFC 6901); never one below or beside it."""
    spec = evolve(SPEC, errata=(erratum("e", *pointers), erratum("other", "/y")))
    assert errata == judge(spec, rule(), trace(WRONG, WRONG)).errata


def test_a_finding_without_a_place_rests_on_no_erratum() -> None:
    spec = evolve(SPEC, errata=(erratum("e", ""),))
    assert () == judge(spec, story(), trace(WRONG)).errata


# -- refusals that say something only in contrast ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "valid"),
    [
        (PASS, 200),
        (PASS, 404),
        (PASS, 428),
        (Outcome.NOT_TESTABLE, 400),
        (Outcome.UNAVAILABLE, 429),
        (PASS, 499),
        (Outcome.NOT_TESTABLE, 500),
    ],
)
def test_a_refusal_is_judged_beside_another_answer_of_the_same_target(outcome: Outcome, valid: int) -> None:
    contrast = rule(contrast=True, needs=Needs.REFUSAL, about=lambda _spec, case: case.expect is Expect.REJECT)
    refused = seen(400, expect=Expect.REJECT)
    assert outcome is judge(SPEC, contrast, trace(refused, seen(valid))).outcome
    assert PASS is judge(SPEC, evolve(contrast, contrast=False), trace(refused, seen(valid))).outcome


def test_a_defect_needs_no_contrast() -> None:
    contrast = rule(contrast=True, needs=Needs.REFUSAL)
    assert FAIL is judge(SPEC, contrast, trace(seen(400, reason="spoiled", expect=Expect.REJECT))).outcome


def test_other_bad_requests_are_no_contrast() -> None:
    contrast = rule(contrast=True, needs=Needs.REFUSAL, about=lambda _spec, case: case.role == "x")
    refused, other = seen(400, expect=Expect.REJECT, role="x"), seen(404, expect=Expect.REJECT)
    verdict = judge(SPEC, contrast, trace(refused, other))
    assert (NONE, True) == (verdict.outcome, "answered with 400 too" in verdict.reason)


# -- a corpus that is excused from everything -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "scenario", "others"),
    [
        (Outcome.INCONCLUSIVE, "corpus.o", ()),
        (NONE, "chat.o", ()),
        (NONE, "xcorpus.o", ()),
        (PASS, "corpus.o", (200,)),
        (Outcome.NOT_TESTABLE, "corpus.o", (500,)),
    ],
)
def test_a_corpus_of_which_nothing_was_accepted_is_not_green(outcome: Outcome, scenario: str, others: Any) -> None:
    one = seen(400)
    excused = evolve(one, exchange=evolve(one.exchange, response=one.response.with_json({"code": "unsupported_value"})))
    verdict = judge(SPEC, rule(needs=Needs.ANSWER), trace(excused, *map(seen, others), scenario=scenario))
    assert (outcome, outcome is Outcome.INCONCLUSIVE) == (
        verdict.outcome,
        verdict.reason.startswith("no valid request was accepted: refused with unsupported_value"),
    )


# -- stories ----------------------------------------------------------------------------------------------------------

DNS = Fault(FaultKind.DNS, "unknown", 0.0)


def test_a_story_that_the_network_cut_is_not_judged() -> None:
    verdict = judge(SPEC, story(), trace(WRONG, seen(None, fault=DNS)))
    assert (Outcome.UNAVAILABLE, "dns: unknown", ()) == (verdict.outcome, verdict.reason, verdict.findings)


def test_a_story_counts_the_exchanges_that_its_check_covers() -> None:
    verdict = judge(SPEC, story(operations=("o",)), trace(seen(), WRONG, seen(operation="other")))
    assert (FAIL, 2, 2) == (verdict.outcome, verdict.judged, len(verdict.cases))


def needing(*needs: Any) -> Check:
    return story(needs=needs)


@pytest.mark.parametrize(
    ("outcome", "reason", "steps"),
    [
        (PASS, "", [seen(role="create")]),
        (PASS, "", [seen(404, role="create"), seen(role="create", step="again")]),
        (FAIL, "", [seen(reason="spoiled", role="other")]),
        (NONE, "this scenario has no step 'create'", [seen(role="other")]),
        (Outcome.NOT_TESTABLE, "the step 'first' was answered with 500", [seen(500, role="first")]),
        (NONE, "this scenario has no step 'create'", [seen(500, role="first"), seen(role="first", step="2")]),
        (NONE, "this scenario has no step 'create'", [seen(404, role="first", expect=Expect.EITHER)]),
        (
            Outcome.NOT_TESTABLE,
            "the step 'create' was answered with 404",
            [seen(500, role="first"), seen(500, role="create"), seen(404, role="create", step="2")],
        ),
    ],
)
def test_a_story_without_a_step_says_why_it_is_missing(outcome: Outcome, reason: str, steps: Any) -> None:
    verdict = judge(SPEC, needing("create"), trace(*steps))
    assert (outcome, reason) == (verdict.outcome, verdict.reason)


def test_a_story_may_be_asked_what_it_lacks() -> None:
    def lacks(whole: Trace) -> str:
        return "" if len(whole.observations) > 1 else "a second page"

    assert PASS is judge(SPEC, needing(lacks), trace(seen(), seen())).outcome
    short = judge(SPEC, needing(lacks), trace(seen()))
    assert (Outcome.NOT_TESTABLE, "a second page") == (short.outcome, short.reason)
    broken = judge(SPEC, needing(lacks), trace(seen(500, role="first")))
    assert "the step 'first' was answered with 500" == broken.reason
    both = judge(SPEC, needing(lacks, "create"), trace(seen(role="other"), seen(role="other", step="2")))
    assert "this scenario has no step 'create'" == both.reason


def test_a_story_in_which_nothing_could_break_says_what_was_broken_before() -> None:
    blind = story(counterexample=lambda exchange, _earlier: None)
    assert (NONE, NOTHING_TO_BREAK) == (
        judge(SPEC, blind, trace(seen())).outcome,
        judge(SPEC, blind, trace(seen())).reason,
    )
    assert "the step 'first' was answered with 500" == judge(SPEC, blind, trace(seen(), seen(500, role="first"))).reason
