"""The runner with a target that answers from memory: what is known before, and what a scenario receives."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from conformance.errors import HarnessError
from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case
from conformance.run.runner import Event, default_concurrency, settings_of
from conformance.scenarios.scenario import Scenario, Script, Settings, Wait
from conformance.settings.configuration import Budget, Poll
from conformance.spec.spec import Spec
from conformance.target.preflight import Preflight

from .memory import PATIENCE, Memory, answer, case, corpus, roles, runner, told

#: Whoever waits for a runner that never answers fails.
pytestmark = pytest.mark.usefixtures("bounded")

# -- what is known before ---------------------------------------------------------------------------------------------


def test_a_live_resource_is_asked_less_at_a_time() -> None:
    assert (8, 2) == (default_concurrency(live=False), default_concurrency(live=True))


@pytest.mark.parametrize(
    ("interval", "live", "wanted"), [(1.0, False, 0.05), (0.01, False, 0.01), (1.0, True, 1.0), (0.01, True, 0.01)]
)
def test_an_emulator_is_polled_quickly(interval: float, live: bool, wanted: float) -> None:
    target = Memory(live=live, poll=Poll(interval, 9.0), budget=Budget(expensive=frozenset({"video"})))
    made = settings_of(target, "deep")  # type: ignore[arg-type]
    assert ("deep", wanted, 9.0, live, frozenset({"video"}), target.config.target.deployments, False) == (
        made.profile,
        made.poll_interval,
        made.deadline,
        made.live,
        made.expensive,
        made.capabilities,
        made.deterministic,
    )
    assert "standard" == settings_of(target).profile  # type: ignore[arg-type]


@pytest.mark.parametrize(("threads", "concurrency", "live"), [(8, 0, False), (2, 0, True), (3, 3, False)])
def test_a_runner_starts_its_threads_once(threads: int, concurrency: int, live: bool) -> None:
    with runner(Memory(live=live), told("a", (case("1"),)), concurrency=concurrency) as made:
        made.start()
        made.start()
        names = [thread.name for thread in made._threads]
        assert [f"exchange-{number}" for number in range(threads)] == names
        assert all(thread.daemon for thread in made._threads)
        made.trace("a")
    assert not any(thread.is_alive() for thread in made._threads)


def test_without_a_number_a_runner_chooses_its_threads() -> None:
    with runner(Memory(live=True), told("a", (case("1"),))) as made:
        made.trace("a")
        assert default_concurrency(live=True) == len(made._threads)


def test_a_script_is_told_the_settings_that_were_given() -> None:
    told_settings: list[Settings] = []

    def script(spec: Spec, settings: Settings) -> Script:
        told_settings.append(settings)
        yield ()

    own = Settings(poll_interval=7.0)
    with runner(Memory(), Scenario("a", ("chat.completions.create",), script), settings=own) as made:
        made.trace("a")
    assert [own] == told_settings


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


def test_the_cases_of_a_step_wake_the_threads_that_wait() -> None:
    """All but one thread wait long before the second step, whose cases must be in flight together."""
    free, together = threading.Event(), threading.Barrier(3, timeout=PATIENCE)
    threading.Timer(0.2, free.set).start()

    def send(one: Case) -> Exchange:
        if one.role == "first":
            free.wait(PATIENCE)
        else:
            together.wait()
        return answer(one)

    with runner(Memory(send), told("a", (case("first"),), tuple(map(case, "123"))), concurrency=3) as made:
        assert ["first", "1", "2", "3"] == roles(made, "a")


def test_a_short_pause_ends_before_a_long_one() -> None:
    target = Memory()
    with runner(target, told("a", Wait(300.0)), told("b", Wait(0.05), (case("1"),)), concurrency=1) as made:
        assert ["1"] == roles(made, "b")
    assert ["stop"] == target.called


def test_a_case_that_has_a_scenario_or_a_step_keeps_it() -> None:
    own, step, mine = case("1", scenario="else", step="x"), case("2", step="x"), case("3")
    with runner(Memory(), told("a", (own, step)), corpus("corpus.a", mine)) as made:
        assert [("else", "x"), ("a", "x")] == [(seen.case.scenario, seen.case.step) for seen in made.trace("a")]
        assert [mine] == [seen.case for seen in made.trace("corpus.a")]


def test_scenarios_start_in_the_order_in_which_they_are_given() -> None:
    target = Memory()
    with runner(
        target, corpus("c", case("3")), told("a", (case("1"),)), told("b", (case("2"),)), concurrency=1
    ) as made:
        made.trace("c")
    assert ["3", "1", "2"] == target.sent


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


# -- the target's clock ------------------------------------------------------------------------------------------------


def test_a_clock_that_moves_makes_waits_for_another_second_unnecessary() -> None:
    """No other wait, and no request, has to do with it."""
    moved: list[str] = []
    story = told("a", (case("1"),), Wait(3_000.0, apart=True), (case("2"),), Wait(0.01), (case("3"),))
    target = Memory()
    with runner(target, story, another_second=lambda: moved.append("") is None) as made:
        made.trace("a")
    assert (["1", "2", "3"], [""]) == (target.sent, moved)


def test_without_such_a_clock_they_are_waited_for() -> None:
    began = time.monotonic()
    with runner(Memory(), told("a", (case("1"),), Wait(0.1, apart=True), (case("2"),))) as made:
        made.trace("a")
    assert time.monotonic() - began >= 0.1
