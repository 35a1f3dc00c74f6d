"""Verdicts on items of which nothing was judged, or of which the check itself reports that it can't judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from attrs import evolve
from test_folding import SPEC, rule, seen, spoil, spoiled, story, trace

from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Check, Needs, Scope, trace_check
from conformance.judging.judge import NOTHING_TO_BREAK, judge
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level, Outcome

UNTESTABLE, NONE = Outcome.NOT_TESTABLE, Outcome.NOT_APPLICABLE


def blind(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """A counterexample that never applies."""
    return None


def saying(*outcomes: Outcome) -> Check:
    """A trace check that says for itself why it can't judge."""

    @trace_check("a.story", Level.MUST, clause="c", counterexample=spoil, scenarios=("*",))
    def judged(spec: Spec, whole: Trace) -> Iterator[Finding]:
        """A rule."""
        yield from (Finding(f"as {outcome}", "", outcome=outcome) for outcome in outcomes)

    return judged


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (UNTESTABLE, (UNTESTABLE,)),
        (UNTESTABLE, (NONE, UNTESTABLE)),
        (Outcome.INCONCLUSIVE, (UNTESTABLE, Outcome.INCONCLUSIVE)),
    ],
)
def test_what_a_story_says_for_itself_is_told_by_its_heaviest_word(outcome: Outcome, said: Any) -> None:
    verdict = judge(SPEC, saying(*said), trace(seen(), seen()))
    assert (outcome, f"as {outcome}", 2, len(said)) == (
        verdict.outcome,
        verdict.reason,
        verdict.judged,
        len(verdict.findings),
    )


def test_what_a_check_says_of_one_exchange_is_shown_only_where_it_decides() -> None:
    def undecided(spec: Spec, one: Observation) -> Iterator[Finding]:
        if one.exchange.status == 204:
            yield one.finding("no body", outcome=UNTESTABLE)
        elif spoiled(one):
            yield one.finding("wrong")

    made = evolve(rule(), judge=undecided)
    alone, among = judge(SPEC, made, trace(seen(204))), judge(SPEC, made, trace(seen(204), seen()))
    assert (UNTESTABLE, "no body", ["no body"]) == (alone.outcome, alone.reason, [f.message for f in alone.findings])
    assert (Outcome.PASS, []) == (among.outcome, [f.message for f in among.findings])


def test_a_scenario_that_sent_nothing_leaves_no_rest() -> None:
    """Nothing was judged of it, so there is no part to tell apart from the rest."""
    verdict = judge(SPEC, rule(), trace(ended="", outcome=Outcome.INCONCLUSIVE))
    assert (Outcome.INCONCLUSIVE, "", ()) == (verdict.outcome, verdict.reason, verdict.unjudged)


def test_what_was_broken_elsewhere_is_no_reason_of_a_check_that_covers_other_operations() -> None:
    broken = seen(500, role="first", operation="other")
    for made in (story(operations=("x.*",)), rule(operations=("o",), counterexample=blind)):
        verdict = judge(SPEC, made, trace(seen(), broken))
        assert (NONE, NOTHING_TO_BREAK, "", 0) == (verdict.outcome, verdict.reason, verdict.witness, verdict.judged)


def test_of_several_excuses_the_first_is_told() -> None:
    def excused(code: str) -> Observation:
        one = seen(400)
        return evolve(one, exchange=evolve(one.exchange, response=one.response.with_json({"code": code})))

    both = (excused("unsupported_value"), excused("unsupported_model"))
    verdict = judge(SPEC, rule(needs=Needs.ANSWER), trace(*both, scenario="corpus.o"))
    told = "no valid request was accepted: refused with unsupported_value, which is not about conformance"
    assert (Outcome.INCONCLUSIVE, told) == (verdict.outcome, verdict.reason)


def test_a_step_that_was_repeated_counts_by_its_last_answer() -> None:
    """Repetitions have the same step, whatever else they ask for."""
    steps = [seen(500, step="s", query=(("n", "1"),)), seen(step="s", query=(("n", "2"),))]
    assert "this scenario has no step 'create'" == judge(SPEC, story(needs=("create",)), trace(*steps)).reason
    other = [seen(500, step="s"), seen(step="t")]
    assert "the step 's' was answered with 500" == judge(SPEC, story(needs=("create",)), trace(*other)).reason


def test_a_story_is_judged_again_whole_and_in_order_with_the_broken_answer() -> None:
    steps = [seen(step=str(number)) for number in range(3)]

    def whole(spec: Spec, told: Trace) -> Iterator[Finding]:
        if [one.case.step for one in told] == ["0", "1", "2"] and sum(map(spoiled, told)) == 1:
            yield told.observations[0].finding("wrong")

    for number in range(3):
        last = steps[number].exchange

        def only(exchange: Exchange, earlier: Sequence[Exchange], last: Exchange = last) -> Exchange | None:
            return spoil(exchange, earlier) if exchange is last else None

        verdict = judge(SPEC, evolve(story(counterexample=only), judge=whole), trace(*steps))
        assert (Outcome.PASS, steps[number].case.id) == (verdict.outcome, verdict.witness)


def test_a_check_made_by_hand_needs_no_contrast_and_shows_no_code() -> None:
    bare = Check("a", Level.MUST, "c", "", Scope.EXCHANGE, lambda spec, one: (), spoil)
    assert (False, None, ()) == (bare.contrast, bare.witness, bare.prerequisites)
    assert "function" not in repr(rule(witness=spoil))


def test_what_a_scenario_left_out_on_purpose_is_no_fault_of_the_target() -> None:
    """Steps that are missing because they were not to be sent say nothing; because of a failure, they say that."""
    lacking = story(needs=(lambda _trace: "no end was seen",))
    for outcome, reason in ((NONE, "left out"), (UNTESTABLE, "no end was seen")):
        verdict = judge(SPEC, lacking, trace(seen(), ended="left out", outcome=outcome))
        assert (outcome, reason) == (verdict.outcome, verdict.reason)


def test_a_failed_step_is_no_reason_where_the_requests_are_not_what_a_rule_is_about() -> None:
    about = evolve(saying(), subject=lambda whole: "" if len(whole.observations) > 2 else "it is about three requests")
    few, enough = judge(SPEC, about, trace(seen(500), seen(500))), judge(SPEC, about, trace(*[seen(500)] * 3))
    assert (NONE, "it is about three requests") == (few.outcome, few.reason)
    assert UNTESTABLE is enough.outcome


def _marked(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """The same answer with a mark, unless its reason forbids it."""
    kept = exchange.response is None or exchange.response.reason == "kept"
    return None if kept else spoil(exchange, ())


def common(*, together: bool = True) -> Check:
    """A rule that reports only what all answers with an odd number have in common."""

    def judged(spec: Spec, whole: Trace) -> Iterator[Finding]:
        if whole.observations and all(spoiled(one) for one in whole if one.exchange.response.reason != "kept"):
            yield whole.observations[0].finding("all are wrong")

    return evolve(story(counterexample=_marked, together=together), judge=judged)


def test_what_all_answers_have_in_common_is_proved_by_breaking_all_at_once() -> None:
    steps = (seen(reason="kept"), seen(step="1"), seen(step="2"))
    proved, alone = (judge(SPEC, common(together=both), trace(*steps)) for both in (True, False))
    assert (Outcome.PASS, steps[1].case.id) == (proved.outcome, proved.witness)
    assert (NONE, NOTHING_TO_BREAK, "") == (alone.outcome, alone.reason, alone.witness)


def test_what_the_check_does_not_notice_though_all_is_broken_proves_nothing() -> None:
    def blind_to_it(spec: Spec, whole: Trace) -> Iterator[Finding]:
        yield from (one.finding("wrong") for one in whole if one.case.step == "never")

    verdict = judge(SPEC, evolve(common(), judge=blind_to_it), trace(seen(step="1"), seen(step="2")))
    assert (NONE, NOTHING_TO_BREAK, "") == (verdict.outcome, verdict.reason, verdict.witness)


def test_a_trace_check_looks_at_single_answers_unless_it_says_otherwise() -> None:
    @trace_check("a.story", Level.MUST, clause="c", counterexample=spoil, scenarios=("*",))
    def judged(spec: Spec, whole: Trace) -> Iterator[Finding]:
        """A rule."""
        yield from ()

    assert judged.together is False
