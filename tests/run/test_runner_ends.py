"""How the runner ends a scenario and a run: what is left out, targets that fail, crashes, a stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from conformance.errors import HarnessError
from conformance.evidence.exchange import Exchange, Fault, FaultKind
from conformance.judging.check import check
from conformance.requests.case import Case
from conformance.run.runner import Event
from conformance.scenarios.scenario import Scenario, Script, Settings, Wait
from conformance.spec.spec import Spec
from conformance.target.limits import WINDOW
from conformance.target.preflight import Preflight
from conformance.verdict import Level, Outcome

from .memory import Memory, answer, case, corpus, refused, roles, runner, told, withholding

#: Whoever waits for a runner that never answers fails.
pytestmark = pytest.mark.usefixtures("bounded")

# -- what is left out -------------------------------------------------------------------------------------------------


def test_a_script_ends_where_a_case_is_left_out_and_is_closed() -> None:
    got: list[Any] = []
    target = Memory(withholding(Outcome.INCONCLUSIVE, "2"))
    with runner(target, told("a", (case("1"),), (case("2"),), (case("3"),), got=got)) as made:
        story = made.trace("a")
    assert (["1"], "no 2; chat.completions.create was not sent", Outcome.INCONCLUSIVE) == (
        [seen.case.role for seen in story],
        story.ended,
        story.outcome,
    )
    assert (2, "closed", ["1", "2"]) == (len(got), got[-1], target.sent)


def test_the_first_reason_to_leave_something_out_stays() -> None:
    target = Memory(withholding(Outcome.NOT_TESTABLE, "1", "2"))
    with runner(target, told("a", (case("1"), case("2"))), concurrency=1) as made:
        story = made.trace("a")
    assert ((), "no 1; chat.completions.create was not sent", Outcome.NOT_TESTABLE) == (
        story.observations,
        story.ended,
        story.outcome,
    )


@pytest.mark.parametrize(
    ("found", "ended", "outcome", "withheld", "final"),
    [
        (["1", "3"], "", None, Outcome.NOT_APPLICABLE, False),
        (["1", "3"], "no 2; chat.completions.create was not sent", Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE, False),
        (["1"], "no 2; chat.completions.create was not sent", Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE, True),
        (["1"], "no 2; chat.completions.create was not sent", Outcome.NOT_APPLICABLE, Outcome.NOT_APPLICABLE, True),
    ],
)
def test_a_corpus_goes_on_without_a_case_unless_nothing_can_be_sent_any_more(
    found: list[str], ended: str, outcome: Outcome | None, withheld: Outcome, final: bool
) -> None:
    target = Memory(withholding(withheld, "2", final=final))
    with runner(target, corpus("c", *map(case, "123")), concurrency=1) as made:
        story = made.trace("c")
    assert (found, ended, outcome) == ([seen.case.role for seen in story], story.ended, story.outcome)


def test_a_script_receives_why_a_case_was_left_out() -> None:
    got: list[Any] = []

    def script(spec: Spec, settings: Settings) -> Script:
        got.extend((yield cases))

    cases = (case("1"), case("2"))
    target = Memory(withholding(Outcome.NOT_APPLICABLE, "2"))
    made = Scenario("c", ("chat.completions.create",), script, cases=cases)
    with runner(target, made) as running:
        running.trace("c")
    assert (None, Fault(FaultKind.CANCELLED, "no 2", 0.0), None) == (got[0].fault, got[1].fault, got[1].response)


@pytest.mark.parametrize(
    ("outcome", "reason", "send"),
    [
        (Outcome.NOT_TESTABLE, "what {thing} stands for was not created: ", answer),
        (None, "", withholding(Outcome.NOT_APPLICABLE, "create")),
    ],
)
def test_what_needs_an_object_that_was_not_created_is_not_sent(
    outcome: Outcome | None, reason: str, send: Callable[[Case], Exchange]
) -> None:
    """It counts as what became of the creation: a failure, or a case that isn't for this target."""
    cases = (case("create", creates={"thing": "/id"}), case("use", path_params={"id": "{thing}"}), case("other"))
    target = Memory(send)
    with runner(target, corpus("c", *cases), concurrency=1) as made:
        story = made.trace("c")
    assert (outcome, reason) == (story.outcome, story.ended[: len(reason)])
    assert ["create", "other"] == target.sent


def test_a_corpus_of_which_no_case_may_be_sent_says_so() -> None:
    with runner(Memory(withholding(Outcome.NOT_APPLICABLE, "1")), corpus("c", case("1"))) as made:
        story = made.trace("c")
    assert (Outcome.NOT_APPLICABLE, "no case of it may be sent to this target") == (story.outcome, story.ended)


def test_a_script_that_asks_for_nothing_ends_well() -> None:
    with runner(Memory(), told("a"), told("b", (), Wait(0.0))) as made:
        assert [((), None)] * 2 == [(made.trace(id).observations, made.trace(id).outcome) for id in "ab"]


def test_what_is_not_served_is_not_even_begun() -> None:
    got: list[Any] = []
    events: list[Event] = []
    found = Preflight(resources={"chat": "404"})
    with runner(Memory(), told("a", (case("1"),), got=got), preflight=found, notify=events.append) as made:
        story = made.trace("a")
    assert (Outcome.NOT_APPLICABLE, []) == (story.outcome, got)
    assert "chat.completions.create is not served (judged once): 404" == story.ended
    assert ["started", "ended"] == [event.kind for event in events]


def test_a_case_of_a_resource_that_is_not_served_is_not_sent() -> None:
    target = Memory()
    found = Preflight(resources={"files": "404"})
    with runner(target, told("a", (case("1"),), (case("2", "files.list"),)), preflight=found) as made:
        assert (["1"], Outcome.NOT_APPLICABLE) == (roles(made, "a"), made.trace("a").outcome)
    assert ["1"] == target.sent


# -- targets that fail ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ended", "good"), [(True, WINDOW // 2 - 1), (False, WINDOW // 2)])
def test_more_than_half_of_a_window_must_fail(ended: bool, good: int) -> None:
    def send(one: Case) -> Exchange:
        return answer(one) if int(one.role) < good else refused(one)

    steps = [(case(str(number)),) for number in range(WINDOW)]
    with runner(Memory(send), told("a", *steps, (case("0", operation="files.list"),))) as made:
        story = made.trace("a")
    assert ("more than half of the last exchanges failed" if ended else "") == story.ended
    assert (Outcome.UNAVAILABLE if ended else None) is story.outcome


def test_after_a_dead_target_the_next_scenario_ends_at_its_first_failure_until_one_succeeds() -> None:
    """Each scenario that follows costs one exchange; one success, and windows count again."""

    def send(one: Case) -> Exchange:
        return answer(one) if one.role == "good" else refused(one)

    dead = [(case(f"x{number}"),) for number in range(WINDOW + 5)]
    scenarios = (
        told("a", *dead),
        told("b", *dead),
        told("c", (case("good"),), *dead[:3]),
        told("d", *dead[:3]),
    )
    with runner(Memory(send), *scenarios, concurrency=1) as made:
        assert [WINDOW, 1, 4, 3] == [len(made.trace(id).observations) for id in "abcd"]
        assert [Outcome.UNAVAILABLE, Outcome.UNAVAILABLE, None, None] == [made.trace(id).outcome for id in "abcd"]


def test_a_failing_target_that_answers_is_not_dead() -> None:
    """A window full of 429 ends its scenario; the next one begins with a window of its own."""
    busy = [(case(f"x{number}"),) for number in range(WINDOW + 5)]
    with runner(Memory(lambda one: answer(one, 429)), told("a", *busy), told("b", *busy[:3]), concurrency=1) as made:
        assert [WINDOW, 3] == [len(made.trace(id).observations) for id in "ab"]


# -- crashes ----------------------------------------------------------------------------------------------------------


@check("a.check", Level.MUST, clause="c", counterexample=lambda exchange, _earlier: None, features=("logprobs",))
def silent(spec: Spec, seen: Any) -> Any:
    """A rule."""
    return ()


def test_a_crash_in_a_step_ends_the_scenario_and_its_first_error_is_told() -> None:
    def send(one: Case) -> Exchange:
        raise ZeroDivisionError(one.role)

    got: list[Any] = []
    target = Memory(send)
    with runner(
        target, told("a", (case("1"), case("2")), (case("3"),), got=got), checks=[silent], concurrency=1
    ) as made:
        with pytest.raises(HarnessError, match="ZeroDivisionError: 1") as caught:
            made.trace("a")
        verdict = made.verdict("a", "a.check")
    assert ("a", ZeroDivisionError) == (caught.value.where, type(caught.value.__cause__))
    assert (Outcome.ERROR, True) == (verdict.outcome, "ZeroDivisionError: 1" in verdict.reason)
    assert ["1"] == target.sent


def test_a_check_of_a_feature_that_is_not_claimed_gets_no_verdict_of_the_trace() -> None:
    target = Memory()
    target.config = evolve(target.config, target=evolve(target.config.target, unsupported={"logprobs": "why"}))
    with runner(target, told("a", (case("1"),)), checks=[silent]) as made:
        verdict = made.verdict("a", "a.check")
    assert (Outcome.NOT_APPLICABLE, "logprobs is not claimed: why", "a", "a.check") == (
        verdict.outcome,
        verdict.reason,
        verdict.scenario,
        verdict.check,
    )
