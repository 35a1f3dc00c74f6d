"""The end of a runner: by a stop, by a close, and what becomes of the evidence then."""

from __future__ import annotations

import gc
import inspect
import threading
import weakref
from typing import Any

import pytest
from attrs import evolve

from conformance.errors import HarnessError
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.requests.case import Case
from conformance.run.runner import Event
from conformance.run.scenario_state import ScenarioState
from conformance.run.store import InMemory
from conformance.scenarios.scenario import Script, Settings, Wait
from conformance.spec.spec import Spec
from conformance.verdict import Outcome

from .memory import PATIENCE, Memory, answer, case, roles, runner, told, withholding

#: Whoever waits for a runner that never answers fails.
pytestmark = pytest.mark.usefixtures("bounded")


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
            free.wait(PATIENCE)
        return answer(one)

    target = Memory(send)
    target.abort = lambda: (target.called.append("abort"), free.set())  # type: ignore[method-assign,assignment,func-returns-value]
    made = runner(target, told("a", (case("0"),), (case("1"), case("2"))), told("b", (case("3"),)), concurrency=1)
    made.start()
    assert entered.wait(PATIENCE)
    made.stop(grace=0.01)
    assert ["stop", "abort"] == target.called
    assert "3" not in target.sent
    assert ("interrupted", Outcome.INCONCLUSIVE) == (made.trace("b").ended, made.trace("b").outcome)
    assert ["0", "1"] == roles(made, "a")[:2]
    assert not any(thread.is_alive() for thread in made._threads)


def test_what_ends_in_time_is_not_cut() -> None:
    free, entered = threading.Event(), threading.Event()

    def send(one: Case) -> Exchange:
        entered.set()
        free.wait(PATIENCE)
        return answer(one)

    target = Memory(send)
    target.stop = lambda: threading.Timer(0.2, free.set).start()  # type: ignore[method-assign]
    made = runner(target, told("a", (case("1"),)), concurrency=1)
    made.start()
    assert entered.wait(PATIENCE)
    made.stop(grace=PATIENCE)
    assert ([], ["1"]) == (target.called, roles(made, "a"))


def test_a_step_that_is_cut_in_the_middle_keeps_what_came() -> None:
    """Even an exchange that never ends holds up neither the stop nor the observations beside it."""
    entered, free = threading.Event(), threading.Event()

    def send(one: Case) -> Exchange:
        if one.role == "2":
            entered.set()
            free.wait(PATIENCE)
        return answer(one)

    made = runner(Memory(send), told("a", (case("0"),), (case("1"), case("2"), case("3"))), concurrency=1)
    made.start()
    assert entered.wait(PATIENCE)
    made.stop(grace=0.01)
    assert (["0", "1"], "interrupted") == (roles(made, "a"), made.trace("a").ended)
    free.set()
    for thread in made._threads:
        thread.join(PATIENCE)
    assert ["0", "1"] == roles(made, "a")


def test_a_close_waits_for_what_the_workers_still_tell() -> None:
    over = threading.Event()

    def listen(event: Event) -> None:
        if event.kind == "ended":
            threading.Event().wait(0.2)
            over.set()

    with runner(Memory(), told("a", (case("1"),)), notify=listen) as made:
        made.trace("a")
    assert over.is_set()


def test_a_runner_that_is_left_before_its_end_stops() -> None:
    target = Memory()
    with runner(target, told("a", Wait(300.0))) as made:
        made.start()
    assert (["stop"], "interrupted") == (target.called, made.trace("a").ended)


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


def test_a_script_that_is_left_in_the_middle_is_closed_though_somebody_holds_it() -> None:
    """A generator that nothing refers to is closed by Python; what its ``finally`` does may not depend on that."""
    held: list[Any] = []
    plain = told("a", (case("1"),), (case("2"),))

    def script(spec: Spec, settings: Settings) -> Script:
        held.append(plain.script(spec, settings))
        return held[0]  # type: ignore[no-any-return]

    with runner(Memory(withholding(Outcome.INCONCLUSIVE, "1")), evolve(plain, script=script)) as made:
        made.trace("a")
    assert "GEN_CLOSED" == inspect.getgeneratorstate(held[0])


def test_the_evidence_of_a_scenario_that_has_ended_is_the_stores_alone() -> None:
    """A run has more of it than fits into memory."""
    sent: list[weakref.ref[Exchange]] = []

    def send(one: Case) -> Exchange:
        made = answer(one)
        sent.append(weakref.ref(made))
        return made

    class Lost(InMemory):
        """Keeps nothing of what it gets."""

        def put(self, trace: Trace) -> None:
            super().put(evolve(trace, observations=()))

    with runner(Memory(send), told("a", (case("1"),)), store=Lost()) as made:
        made.trace("a")
        made.close()
        gc.collect()
        assert [None] == [one() for one in sent]


def test_evidence_that_cannot_be_written_is_told_with_its_scenario() -> None:
    class Full(InMemory):
        """A full disk."""

        def put(self, trace: Trace) -> None:
            raise OSError(28, "No space left on device")

    made = runner(Memory(), told("a", (case("1"),)), store=Full())
    with made, pytest.raises(HarnessError, match="No space left on device"):
        made.trace("a")


def test_evidence_is_put_together_while_nobody_adds_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that comes back late, after a stop, may change its scenario. To write evidence holds nobody up."""
    free: dict[str, bool] = {}

    def look(name: str, patience: float) -> None:
        def ask() -> None:
            free[name] = made._lock.acquire(timeout=patience)
            if free[name]:
                made._lock.release()

        asking = threading.Thread(target=ask)
        asking.start()
        asking.join()

    class Watched(InMemory):
        def put(self, trace: Trace) -> None:
            look("written", PATIENCE)  # another worker may have it for a moment
            super().put(trace)

    def watched(state: ScenarioState) -> Trace:
        look("put together", 0.0)
        return put_together(state)

    put_together = ScenarioState.trace
    monkeypatch.setattr(ScenarioState, "trace", watched)
    with runner(Memory(), told("a", (case("1"),)), store=Watched()) as made:
        made.trace("a")
    assert {"put together": False, "written": True} == free


def test_a_stop_leaves_evidence_that_is_being_written_to_who_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written once, whole, though the stop came in the middle and waited for some time."""
    began, released = threading.Event(), threading.Event()
    put: list[Trace] = []

    class Slow(InMemory):
        def put(self, trace: Trace) -> None:
            put.append(trace)
            began.set()
            released.wait(PATIENCE)
            super().put(trace)

    monkeypatch.setattr("conformance.run.runner._CUT_OFF", 0.05)
    made = runner(Memory(), told("a", (case("1"),)), store=Slow(), concurrency=1)
    made.start()
    assert began.wait(PATIENCE)
    stopping = threading.Thread(target=made.stop, args=(0.0,), daemon=True)
    stopping.start()
    stopping.join(0.3)
    released.set()
    stopping.join(PATIENCE)
    assert (["1"], "", None) == (roles(made, "a"), made.trace("a").ended, made.trace("a").outcome)
    assert ["a"] == [trace.scenario for trace in put]
