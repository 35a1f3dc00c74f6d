"""Scenarios and checks → verdicts. It prints nothing and knows nothing of pytest.

A :class:`Runner` sends scenarios before their traces are asked for, with at most ``concurrency`` exchanges in flight.
Its workers are threads with a connection each, the fastest model by measurement (``benchmarks/README.md``). A worker
takes the next case of the earliest scenario, or else starts another one, in the order in which they are given
(``order.py``). The cases of one step are sent together. A worker that finds no case removes what nobody needs any more
(``early.py``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial

from conformance.errors import HarnessError
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.judging.check import Check
from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.run.agenda import SCRIPT, Agenda
from conformance.run.claims import Claims
from conformance.run.early import EarlyRemoval
from conformance.run.judging import Here, Judging
from conformance.run.known_failures import KnownFailures
from conformance.run.scenario_settings import default_concurrency, settings_of
from conformance.run.scenario_state import Event, ScenarioState, checked, never_sent
from conformance.run.shared_objects import SharedObjects
from conformance.run.store import InMemory, Store
from conformance.scenarios.scenario import GiveUp, Scenario, Settings, Step, Wait
from conformance.spec.spec import Spec
from conformance.target.limits import Withheld
from conformance.target.preflight import Preflight
from conformance.target.target import Target
from conformance.verdict import Outcome, Verdict

__all__ = ["Event", "Runner"]


#: The seconds that a worker waits for a case before it removes something.
_MOMENT = 0.01

#: The most seconds that a worker needs to come back once its connection was shut down.
_CUT_OFF = 2.0


class Runner:
    """Sends scenarios, and returns their traces and verdicts. Thread-safe.

    ``preflight`` says what the target doesn't serve; scenarios that need it are ``not_applicable``, because that is
    judged once, as a claim. ``notify`` is called from the worker threads; an exception of it ends its scenario as a
    crash of the script does. No script waits beyond ``until`` (in seconds of ``time.monotonic``).
    ``another_second`` moves the target's clock, where that can be done, and says if it did. Evidence is left to the
    ``store``; without one it stays in memory. ``judging`` says who judges it; without one it is judged where a verdict
    is asked for. What scenarios created is left to ``removal``, if there is one.
    """

    def __init__(
        self,
        spec: Spec,
        scenarios: Iterable[Scenario],
        checks: Iterable[Check],
        target: Target,
        *,
        concurrency: int = 0,
        profile: str = Profile.STANDARD,
        settings: Settings | None = None,
        preflight: Preflight | None = None,
        notify: Callable[[Event], None] | None = None,
        known: KnownFailures | None = None,
        until: float = float("inf"),
        store: Store | None = None,
        judging: Judging | None = None,
        another_second: Callable[[], bool] = lambda: False,
        removal: EarlyRemoval | None = None,
    ) -> None:
        self.spec, self.target = spec, target
        self.checks: Mapping[str, Check] = {check.id: check for check in checks}
        self._states = {s.id: ScenarioState(index, s) for index, s in enumerate(scenarios)}
        self._shared = SharedObjects(self._states)
        self._concurrency = concurrency or default_concurrency(live=target.live)
        self._settings = settings or settings_of(target, profile)
        found = preflight or Preflight()
        self._claims = Claims(spec, target.config, found)
        self._known = known or KnownFailures(spec.version, datetime.now(UTC).date(), target.config.waivers)
        # A caller may have set another one; the preflight's is used only if there is none.
        if target.control is None:
            target.control = found.control
        self._notify, self._another_second = notify, another_second
        self._until = until
        self._store = store or InMemory()
        self._judging = judging or Here(spec, self._store)
        self._removal = removal
        self._lock = threading.Condition()
        self._agenda = Agenda(self._states.values())
        self._active = 0
        self._threads: list[threading.Thread] = []
        self._stopping = self._stopped = False
        #: Set where a scenario found the target dead: the next ones end at their first failure, until one succeeds.
        self._down = False

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def start(self) -> None:
        """Begin to send. A second call does nothing."""
        with self._lock:
            if self._threads or self._stopping:
                return
            self._threads = [
                threading.Thread(target=self._work, name=f"exchange-{number}", daemon=True)
                for number in range(self._concurrency)
            ]
        for thread in self._threads:
            thread.start()

    def trace(self, scenario_id: str) -> Trace:
        """The trace of a scenario; blocks until it has ended. Raises :class:`HarnessError` if its script crashed."""
        self._wait(scenario_id)
        return self._store.get(scenario_id)

    def _wait(self, scenario_id: str) -> None:
        """Wait until a scenario has ended. Raises :class:`HarnessError` if its script crashed."""
        state = self._states.get(scenario_id)
        if state is None:
            raise HarnessError(f"no scenario {scenario_id!r} in this run")
        self.start()
        # Without a limit: every exchange has one, so every scenario ends.
        state.done.wait()
        if state.error is not None:
            raise HarnessError(f"{type(state.error).__name__}: {state.error}", where=scenario_id) from state.error
        if not state.kept:
            raise HarnessError("a scenario ended without a trace", where=scenario_id)

    def verdict(self, scenario_id: str, check_id: str) -> Verdict:
        """The verdict of one check on one scenario, with claims and waivers. A crash is the outcome ``error``."""
        check, scenario = self.checks[check_id], self._states[scenario_id].scenario
        unclaimed = self._claims.unclaimed(check.features)
        try:
            self._wait(scenario_id)
        except HarnessError as error:
            return Verdict(check_id, scenario_id, Outcome.ERROR, reason=str(error))
        if unclaimed is not None:
            return Verdict(check_id, scenario_id, Outcome.NOT_APPLICABLE, reason=unclaimed)
        return self._known.applied(self._judging.verdict(check, scenario_id), scenario.operations)

    @property
    def progress(self) -> tuple[int, int]:
        """The number of scenarios that have ended, and of all."""
        return sum(state.done.is_set() for state in self._states.values()), len(self._states)

    def stop(self, grace: float = 2.0) -> None:
        """Send nothing new. Exchanges in flight get ``grace`` seconds and are cut off then.

        Scenarios that have not ended become ``inconclusive``.
        """
        with self._lock:
            self._stopping = True
            self._lock.notify_all()
        self.target.stop()
        deadline = time.monotonic() + grace
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            # Whoever has not come back by then waits for the target; its connection is shut down.
            self.target.abort()
            for thread in self._threads:
                thread.join(_CUT_OFF)
        self._stopped = True
        for state in self._states.values():
            with self._lock:
                if not (state.done.is_set() or state.ending):
                    # A scenario that had its own reason to end keeps it.
                    state.ended, state.outcome = state.ended or "interrupted", state.outcome or Outcome.INCONCLUSIVE
            self._finish(state)
            state.done.wait(_CUT_OFF)  # another thread may be writing its evidence

    def settle(self) -> None:
        """Stop the workers, unless all scenarios have ended: then they go on with what they remove, and end."""
        if self.progress[0] < len(self._states):
            self.stop()

    def close(self, seconds: float = float("inf")) -> None:
        """Wait for the workers if all scenarios have ended, for some seconds at most; else stop them."""
        self.settle()
        deadline = time.monotonic() + min(seconds, threading.TIMEOUT_MAX)
        try:
            # After a stop nobody waits for one that did not come back.
            for thread in () if self._stopped else self._threads:
                thread.join(max(0.0, deadline - time.monotonic()))
        finally:  # after a second Ctrl-C nothing more is removed, the journal keeps the rest
            if not self._stopped and any(thread.is_alive() for thread in self._threads):
                self.stop(0.0)

    # -- workers ------------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            while True:
                with self._lock:
                    job = self._next()
                if job is None:
                    return
                job()
        except Exception as error:  # noqa: BLE001 - a bug of this class; whoever waits for a trace must hear of it
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """End all scenarios that run, with an error: a worker broke down, and its scenario would never end."""
        with self._lock:
            self._stopping = True
            for state in self._states.values():
                if not state.done.is_set():
                    state.error, state.closing = error, True
                    state.done.set()
            self._lock.notify_all()

    def _next(self) -> Callable[[], None] | None:
        """The next job of a worker; blocks until there is one. None if there will be none. Called under the lock."""
        rested = False
        while not self._stopping:
            job = self._agenda.take()
            if job is not None:
                state, number = job
                return partial(self._advance, state) if number == SCRIPT else partial(self._send, state, number)
            fresh = self._agenda.begin()
            if fresh is not None:
                self._active += 1
                if self._shared.holds(fresh):
                    continue
                return partial(self._advance, fresh)
            # What has just been answered often has a next step in a moment, and that comes first.
            if self._removal is not None and (rested or not self._active):
                # A removal may hang: half of the workers stay with the scenarios.
                removal = self._removal.job(max(1, self._concurrency // (2 if self._active else 1)))
                if removal is not None:
                    return partial(self._remove, removal)
            if not self._active and not (self._removal is not None and self._removal.busy):
                self._lock.notify_all()  # nothing runs, so no work can appear: the others must see that too
                return None
            rested = self._removal is not None and not rested
            self._lock.wait(min(_MOMENT, self._agenda.seconds or _MOMENT) if rested else self._agenda.seconds)
        return None

    def _remove(self, job: Callable[[], None]) -> None:
        """Do a piece of the removal. Another may follow, for which the other workers are woken."""
        job()
        with self._lock:
            self._lock.notify_all()

    def _left(self, state: ScenarioState) -> None:
        """Note that nothing of a scenario is under way any more. Called under the lock."""
        self._active -= 1
        if self._removal is not None:
            self._removal.ended(state.scenario.id)
        self._lock.notify_all()

    def _advance(self, state: ScenarioState) -> None:
        """Run a script to its next step. Only one thread at a time does this for a scenario."""
        try:
            if state.script is None:
                self._tell("started", state)
            if state.closing:
                if state.script is not None:
                    state.script.close()
                raise StopIteration  # noqa: TRY301 - the same end as that of a script
            if state.script is None:
                reason = self._claims.not_run(state.scenario)
                if reason is not None:
                    state.ended, state.outcome = reason, Outcome.NOT_APPLICABLE
                    raise StopIteration  # noqa: TRY301 - as above
                state.foreign = self.target.foreign()
                state.script = state.scenario.script(self.spec, self._shared.settings(self._settings, state.scenario))
                step = checked(next(state.script))
            else:
                step = checked(state.script.send(tuple(state.results)))
        except StopIteration:
            self._tell("ended", state)
            self._finish(state)
            with self._lock:
                state.forget()
                self._left(state)
            return
        except Exception as error:  # noqa: BLE001 - a crash of a script is reported by trace()
            self._crash(state, error)
            with self._lock:
                self._left(state)
            return
        step = self._without_pause(step)
        with self._lock:
            if isinstance(step, Wait):
                state.cases, state.results, state.withheld = (), [], []
                self._agenda.pause(state, min(time.monotonic() + step.seconds, self._until))
            elif isinstance(step, GiveUp):
                state.give_up(step)
                self._agenda.add(state)
            else:
                state.step += 1
                state.cases = tuple(map(state.stamped, step))
                # Placeholders, replaced as answers come in: a step that is cut off still has a result for each case.
                state.results = [never_sent(case, "not sent") for case in state.cases]
                state.withheld = [True] * len(state.cases)
                state.open = len(state.cases)
                for number in range(len(state.cases)):
                    self._agenda.add(state, number)
                if not state.cases:
                    self._agenda.add(state)
            self._lock.notify_all()

    def _without_pause(self, step: Step) -> Step:
        """The step without its pause, if the target's clock was moved instead. Called without the lock: it may last."""
        return Wait(0.0) if isinstance(step, Wait) and step.apart and self._another_second() else step

    def _send(self, state: ScenarioState, number: int) -> None:
        case = state.cases[number]
        exchange: Exchange | None = None
        reason: Withheld | None = None
        if not state.closing:
            try:
                self._may_send(state, case)
                exchange = self.target.send(case)
            except Withheld as withheld:
                reason = withheld
            except Exception as error:  # noqa: BLE001 - a guard or a bug of ours: trace() reports it
                self._crash(state, error)
        if exchange is not None:
            self._tell("sent", state, case.id, exchange.status)
        with self._lock:
            if exchange is not None:
                state.results[number], state.withheld[number] = exchange, False
                state.creations.note(case, exchange)
                self._shared.note(case, exchange)
                self._down = state.ended_by(exchange, self._down)
            elif reason is not None:
                state.leave_out(number, reason)
            state.open -= 1
            over = state.open == 0
            if over:
                state.keep_step()
                self._agenda.add(state)
                self._lock.notify()

    def _may_send(self, state: ScenarioState, case: Case) -> None:
        """Raise :class:`Withheld` for what isn't claimed, and for what names an object that was not created."""
        unclaimed = self._claims.withheld(case)
        if unclaimed is not None:
            raise Withheld(unclaimed, Outcome.NOT_APPLICABLE)
        with self._lock:
            lacking = state.creations.lacking(case)
        if lacking is not None:
            raise Withheld(lacking.reason, lacking.outcome)

    def _finish(self, state: ScenarioState) -> None:
        """Build the trace of a scenario that has ended, unless somebody else does."""
        with self._lock:
            if state.done.is_set() or state.ending:
                return
            state.ending = True
            # Under the lock: a worker that comes back late, after a stop, changes the state too.
            trace = state.trace()
        # Without the lock: the others send while the evidence is written.
        try:
            self._store.put(trace)
            state.kept = True
            self._judging.begin(state.scenario.id)
        except OSError as error:
            state.error = error
        with self._lock:
            self._over(state)

    def _crash(self, state: ScenarioState, error: Exception) -> None:
        """Note an exception of a script or of the listener: it ends the scenario with an error."""
        with self._lock:
            state.error = state.error or error
            state.closing = True
            self._over(state)

    def _over(self, state: ScenarioState) -> None:
        """Note that a scenario has ended, and start those that waited for it. Called under the lock."""
        state.done.set()
        for freed in self._shared.released():
            self._agenda.add(freed)

    def _tell(self, kind: str, state: ScenarioState, case: str = "", status: int | None = None) -> None:
        """Report progress."""
        if self._notify is None:
            return
        try:
            self._notify(Event(kind, state.scenario.id, case, status))
        except Exception as error:  # noqa: BLE001 - the caller's code; trace() reports it
            self._crash(state, error)
