"""What breaks inside a run: a script, a listener, the runner itself. Nobody waits for ever, and the rest goes on."""

from __future__ import annotations

import threading
import time
from datetime import date
from typing import Any

import pytest
from attrs import evolve

from conformance.errors import HarnessError
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation
from conformance.judging.check import check
from conformance.requests.case import Case
from conformance.run.known_failures import KnownFailures
from conformance.run.runner import Event, Runner
from conformance.scenarios.scenario import Scenario, Script, Settings, Step, Wait
from conformance.settings.waivers import Waiver
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level, Outcome

from .memory import PATIENCE, Memory, answer, case, roles, runner, told

#: Whoever waits for a runner that never answers fails.
pytestmark = pytest.mark.usefixtures("bounded")


def crashing(id: str, *steps: Step) -> Scenario:
    """A scenario whose script raises after its steps."""

    def script(spec: Spec, settings: Settings) -> Script:
        for step in steps:
            assert (yield step) is not None
        raise ZeroDivisionError(id)

    return Scenario(id, ("chat.completions.create",), script)


def alive(made: Runner) -> bool:
    return any(thread.is_alive() for thread in made._threads)


# -- a script ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [(), ((case("1"),),), (Wait(0.0),)])
def test_a_script_that_crashes_ends_its_scenario_and_the_others_go_on(steps: tuple[Step, ...]) -> None:
    target = Memory()
    with runner(target, crashing("a", *steps), told("b", (case("2"),)), crashing("c"), concurrency=1) as made:
        for id in "ac":
            with pytest.raises(HarnessError, match=f"ZeroDivisionError: {id}"):
                made.trace(id)
        assert (["2"], (3, 3)) == (roles(made, "b"), made.progress)
    assert not alive(made)
    assert [] == target.called


def test_what_is_no_step_ends_its_scenario_with_an_error() -> None:
    with runner(Memory(), told("a", 5), told("b", (case("1"),))) as made:  # type: ignore[arg-type]
        with pytest.raises(HarnessError, match="the script yielded 5, which is no step"):
            made.trace("a")
        assert ["1"] == roles(made, "b")


# -- a listener -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "sent"), [("started", []), ("sent", ["1"]), ("ended", ["1", "2"])])
def test_a_listener_that_raises_ends_its_scenario_with_an_error(kind: str, sent: list[str]) -> None:
    """A script that was not begun yet is not begun."""

    def listen(event: Event) -> None:
        if (event.kind, event.scenario) == (kind, "a"):
            raise ZeroDivisionError(kind)

    got: list[Any] = []
    target = Memory()
    scenarios = told("a", (case("1"),), (case("2"),), got=got), told("b", (case("3"),))
    with runner(target, *scenarios, concurrency=1, notify=listen) as made:
        with pytest.raises(HarnessError, match=f"ZeroDivisionError: {kind}"):
            made.trace("a")
        assert ["3"] == roles(made, "b")
    assert [*sent, "3"] == target.sent
    assert bool(sent) == (got[-1:] == ["closed"])


# -- the runner -------------------------------------------------------------------------------------------------------


def test_a_bug_of_the_runner_is_told_to_all_who_wait_and_ends_all_workers() -> None:
    """A target that answers with something else than an exchange stands for any bug. What was over stays as it is.

    One worker waits for a job and one stands at the beginning of a scenario while the third one breaks down.
    """
    begun, broken = threading.Event(), threading.Event()

    def send(one: Case) -> Exchange:
        if one.role == "bad":
            begun.wait(PATIENCE)
            threading.Event().wait(0.2)  # so that the third worker waits too
            return "nonsense"  # type: ignore[return-value]
        return answer(one)

    def listen(event: Event) -> None:
        if (event.kind, event.scenario) == ("started", "c"):
            begun.set()
            broken.wait(PATIENCE)

    got: list[str] = []

    def script(spec: Spec, settings: Settings) -> Script:
        got.append("begun")
        yield ()

    target = Memory(send)
    scenarios = told("a", (case("1"),)), told("b", (case("bad"),)), Scenario("c", ("chat.completions.create",), script)
    made = runner(target, *scenarios, concurrency=3, notify=listen)
    assert ["1"] == roles(made, "a")
    for id in "bc":
        with pytest.raises(HarnessError, match="AttributeError"):
            made.trace(id)
    broken.set()
    made.close()
    assert not alive(made)
    assert (["1"], ["1", "bad"], []) == (roles(made, "a"), sorted(target.sent), got)


def test_a_bug_of_the_runner_wakes_the_workers_that_wait() -> None:
    waits = threading.Event()

    def send(one: Case) -> Exchange:
        waits.wait(PATIENCE)
        return "nonsense"  # type: ignore[return-value]

    made = runner(Memory(send), told("a", (case("1"),)), concurrency=2)
    sleep = made._lock.wait

    def wait(timeout: float | None = None) -> bool:
        waits.set()
        return sleep(timeout)

    made._lock.wait = wait  # type: ignore[method-assign]
    with pytest.raises(HarnessError, match="AttributeError"):
        made.trace("a")
    made.close()
    assert not alive(made)


def test_no_script_waits_beyond_the_end_of_the_run() -> None:
    with runner(Memory(), told("a", Wait(300.0), (case("1"),)), until=time.monotonic() + 0.05) as made:
        assert ["1"] == roles(made, "a")


def test_after_a_bug_of_the_runner_nothing_more_is_begun() -> None:
    def send(one: Case) -> Exchange:
        return "nonsense" if one.role == "bad" else answer(one)  # type: ignore[return-value]

    free, events = threading.Event(), list[Event]()

    def listen(event: Event) -> None:
        events.append(event)
        if (event.kind, event.scenario) == ("started", "b"):
            free.wait(PATIENCE)

    scenarios = told("a", (case("bad"),)), told("b", (case("1"),)), told("c", (case("2"),))
    made = runner(Memory(send), *scenarios, concurrency=2, notify=listen)
    with pytest.raises(HarnessError, match="AttributeError"):
        made.trace("a")
    free.set()
    made.close()
    assert not alive(made)
    assert "c" not in [event.scenario for event in events]


def test_a_worker_sleeps_through_a_pause() -> None:
    """It doesn't look again and again whether the pause is over."""
    target, waited = Memory(), list[float | None]()
    made = runner(target, told("a", Wait(0.2), (case("1"),)), concurrency=1)
    sleep = made._lock.wait

    def wait(timeout: float | None = None) -> bool:
        waited.append(timeout)
        return sleep(timeout)

    made._lock.wait = wait  # type: ignore[method-assign]
    with made:
        assert ["1"] == roles(made, "a")
    assert waited
    assert len(waited) < 20


# -- what belongs to others -------------------------------------------------------------------------------------------


def test_a_script_receives_what_is_hidden_in_the_trace() -> None:
    class Foreign:
        def hidden(self, seen: Observation) -> Observation:
            return Observation(evolve(seen.case, role=f"hidden {seen.case.role}"), seen.exchange)

    got: list[Any] = []
    target = Memory()
    target.foreign = Foreign  # type: ignore[method-assign,assignment]
    with runner(target, told("a", (case("1"),), (case("2"),), got=got)) as made:
        story = made.trace("a")
    assert ["hidden 1", "hidden 2"] == [seen.case.role for seen in story]
    assert [seen.exchange for seen in story] == [*got[0], *got[1]]


# -- verdicts ---------------------------------------------------------------------------------------------------------


@check("a.check", Level.MUST, clause="c", counterexample=lambda exchange, _earlier: None)
def failing(spec: Spec, seen: Observation) -> Any:
    """A rule that everything breaks."""
    yield Finding("wrong", seen.case.id)


def waiver(expires: date) -> Waiver:
    return Waiver("a.*", "ann", "known", expires)


@pytest.mark.parametrize(
    ("outcome", "config", "known"),
    [
        (Outcome.FAIL, (), None),
        (Outcome.FAIL, (waiver(date.min),), None),
        (Outcome.WAIVED, (waiver(date.max),), None),
        (Outcome.WAIVED, (), (waiver(date.max),)),
        (Outcome.FAIL, (waiver(date.max),), ()),
    ],
)
def test_a_verdict_is_waived_by_the_known_failures_or_else_by_the_configuration(
    outcome: Outcome, config: tuple[Waiver, ...], known: tuple[Waiver, ...] | None
) -> None:
    failures = None if known is None else KnownFailures("2024-05-01-preview", date(2026, 1, 1), known)
    target = Memory(waivers=config)
    with runner(target, told("a", (case("1"),)), checks=[failing], known=failures) as made:
        verdict = made.verdict("a", "a.check")
    assert (outcome, "a", "a.check") == (verdict.outcome, verdict.scenario, verdict.check)
