"""The runner with a target in memory: what a scenario receives, how it ends, which callbacks are called."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from conformance.errors import HarnessError
from conformance.evidence.exchange import Exchange, Fault, FaultKind, Response
from conformance.judging.check import check
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.run.runner import Event, Runner, default_concurrency, settings_of
from conformance.scenarios.scenario import Scenario, Script, Settings, Step, Wait
from conformance.settings.configuration import Budget, Config, Poll
from conformance.settings.configuration import Target as TargetConfig
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.target.limits import WINDOW, Withheld
from conformance.target.preflight import Preflight
from conformance.verdict import Level, Outcome

SPEC = load("2024-05-01-preview")


def answer(case: Case, status: int = 200) -> Exchange:
    return Exchange(Request(case.method, "http://t.example/x"), Response(status))


def refused(case: Case) -> Exchange:
    fault = Fault(FaultKind.CONNECT, "refused", 0.0)
    return Exchange(Request(case.method, "http://t.example/x"), None, fault)


class Memory:
    """What the runner asks of a target, without a network."""

    def __init__(self, send: Callable[[Case], Exchange] = answer, *, loopback: bool = True, **config: Any) -> None:
        can = {"gpt": frozenset({"chat"})}
        self.config = Config(TargetConfig(url="http://t.example", deployments=can), **config)
        self.loopback, self.control = loopback, None
        self.called: list[str] = []
        self.sent: list[str] = []
        self._send = send
        self._lock = threading.Lock()

    def send(self, case: Case) -> Exchange:
        with self._lock:
            self.sent.append(case.role)
        return self._send(case)

    def stop(self) -> None:
        self.called.append("stop")

    def abort(self) -> None:
        self.called.append("abort")


def case(role: str, operation: str = "chat.completions.create", **values: Any) -> Case:
    return Case(operation, "POST", "/x", role=role, query=(("r", role),), **values)


def told(id: str, *steps: Step, got: list[Any] | None = None, operation: str = "chat.completions.create") -> Scenario:
    def script(spec: Spec, settings: Settings) -> Script:
        try:
            for step in steps:
                received = yield step
                if got is not None:
                    got.append(received)
        finally:
            if got is not None:
                got.append("closed")

    return Scenario(id, (operation,), script)


def corpus(id: str, *cases: Case) -> Scenario:
    def script(spec: Spec, settings: Settings) -> Script:
        yield cases

    return Scenario(id, ("chat.completions.create",), script, cases=cases)


def runner(target: Memory, *scenarios: Scenario, checks: Any = (), **values: Any) -> Runner:
    return Runner(SPEC, scenarios, checks, target, **values)  # type: ignore[arg-type]


def roles(made: Runner, id: str) -> list[str]:
    return [seen.case.role for seen in made.trace(id)]


# -- what is known before ---------------------------------------------------------------------------------------------


def test_a_live_resource_is_asked_less_at_a_time() -> None:
    assert (8, 2) == (default_concurrency(loopback=True), default_concurrency(loopback=False))


@pytest.mark.parametrize(
    ("interval", "loopback", "wanted"), [(1.0, True, 0.05), (0.01, True, 0.01), (1.0, False, 1.0), (0.01, False, 0.01)]
)
def test_on_loopback_is_polled_quickly(interval: float, loopback: bool, wanted: float) -> None:
    target = Memory(loopback=loopback, poll=Poll(interval, 9.0), budget=Budget(expensive=frozenset({"video"})))
    made = settings_of(target, "deep")  # type: ignore[arg-type]
    assert ("deep", wanted, 9.0, loopback, frozenset({"video"}), target.config.target.deployments, False) == (
        made.profile,
        made.poll_interval,
        made.deadline,
        made.loopback,
        made.expensive,
        made.capabilities,
        made.deterministic,
    )
    assert "standard" == settings_of(target).profile  # type: ignore[arg-type]


@pytest.mark.parametrize(("threads", "concurrency", "loopback"), [(8, 0, True), (2, 0, False), (3, 3, True)])
def test_a_runner_starts_its_threads_once(threads: int, concurrency: int, loopback: bool) -> None:
    with runner(Memory(loopback=loopback), told("a", (case("1"),)), concurrency=concurrency) as made:
        made.start()
        made.start()
        names = [thread.name for thread in made._threads]
        assert [f"exchange-{number}" for number in range(threads)] == names
        assert all(thread.daemon for thread in made._threads)
        made.trace("a")
    assert not any(thread.is_alive() for thread in made._threads)


def test_a_control_request_of_preflight_is_used_where_there_is_none() -> None:
    control, other = case("control"), case("other")
    bare, has = Memory(), Memory()
    has.control = other  # type: ignore[assignment]
    for target in (bare, has):
        runner(target, preflight=Preflight(control=control)).close()
    assert (control, other) == (bare.control, has.control)


def test_a_scenario_that_is_not_there_is_our_mistake() -> None:
    with pytest.raises(HarnessError, match="no scenario 'x' in this run"), runner(Memory()) as made:
        made.trace("x")


# -- what a script receives -------------------------------------------------------------------------------------------


def test_a_script_receives_what_came_of_its_steps() -> None:
    got: list[Any] = []
    with runner(Memory(), told("a", (case("1"), case("2")), (), Wait(0.0), (case("3"),), got=got)) as made:
        story = made.trace("a")
    assert [2, 0, 0, 1] == [len(part) for part in got[:-1]]
    assert [seen.exchange for seen in story] == [*got[0], *got[3]]
    assert [("0", "1"), ("0", "2"), ("2", "3")] == [(seen.case.step, seen.case.role) for seen in story]
    assert ("", None) == (story.ended, story.outcome)


def test_a_case_that_has_a_scenario_or_a_step_keeps_it() -> None:
    own, step, mine = case("1", scenario="else", step="x"), case("2", step="x"), case("3")
    with runner(Memory(), told("a", (own, step)), corpus("corpus.a", mine)) as made:
        assert [("else", "x"), ("a", "x")] == [(seen.case.scenario, seen.case.step) for seen in made.trace("a")]
        assert [mine] == [seen.case for seen in made.trace("corpus.a")]


def test_scripts_start_before_corpora_and_in_their_order() -> None:
    target = Memory()
    with runner(
        target, corpus("c", case("3")), told("a", (case("1"),)), told("b", (case("2"),)), concurrency=1
    ) as made:
        made.trace("c")
    assert ["1", "2", "3"] == target.sent


def test_progress_is_told_with_scenario_case_and_status() -> None:
    events: list[Event] = []
    with runner(Memory(), told("a", (case("1"),)), told("b", (case("2"),)), notify=events.append) as made:
        assert 2 == made.progress[1]
        (seen,) = made.trace("a")
        made.trace("b")
        assert (2, 2) == made.progress
    assert [Event("started", "a"), Event("sent", "a", seen.case.id, 200), Event("ended", "a")] == [
        event for event in events if event.scenario == "a"
    ]
    assert ("", None) == (events[0].case, events[0].status)


# -- what is left out -------------------------------------------------------------------------------------------------


def withholding(outcome: Outcome, *names: str, final: bool = False) -> Callable[[Case], Exchange]:
    def send(one: Case) -> Exchange:
        if one.role in names:
            raise Withheld(f"no {one.role}", outcome, final=final)
        return answer(one)

    return send


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


# -- a stop -----------------------------------------------------------------------------------------------------------


def test_a_stop_before_the_start_sends_nothing() -> None:
    target = Memory()
    made = runner(target, told("a", (case("1"),)))
    made.stop()
    made.start()
    assert ([], [], ["stop"]) == (made._threads, target.sent, target.called)
    assert ("interrupted", Outcome.INCONCLUSIVE) == (made.trace("a").ended, made.trace("a").outcome)


def test_a_stop_keeps_what_came_and_cuts_what_hangs() -> None:
    entered, free = threading.Event(), threading.Event()

    def send(one: Case) -> Exchange:
        if one.role == "2":
            entered.set()
            free.wait(20)
        return answer(one)

    target = Memory(send)
    target.abort = lambda: (target.called.append("abort"), free.set())  # type: ignore[method-assign,assignment,func-returns-value]
    made = runner(target, told("a", (case("0"),), (case("1"), case("2"))), told("b", (case("3"),)), concurrency=1)
    made.start()
    assert entered.wait(20)
    made.stop(grace=0.01)
    assert ["stop", "abort"] == target.called
    assert "3" not in target.sent
    assert ("interrupted", Outcome.INCONCLUSIVE) == (made.trace("b").ended, made.trace("b").outcome)
    assert ["0", "1"] == roles(made, "a")[:2]
    assert not any(thread.is_alive() for thread in made._threads)


def test_a_close_after_the_end_stops_nothing() -> None:
    target = Memory()
    with runner(target, told("a", (case("1"),))) as made:
        made.trace("a")
    assert ([], None) == (target.called, made.trace("a").outcome)


def test_a_close_before_the_end_is_a_stop() -> None:
    target = Memory()
    runner(target, told("a", (case("1"),))).close()
    assert ["stop"] == target.called


def test_what_a_stop_found_over_stays_as_it_was() -> None:
    made = runner(Memory(), told("a", (case("1"),)), told("b", Wait(100.0)))
    made.trace("a")
    made.stop()
    assert (None, "", Outcome.INCONCLUSIVE) == (made.trace("a").outcome, made.trace("a").ended, made.trace("b").outcome)
