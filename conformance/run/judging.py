"""Who judges the scenarios of a run: this process, or a copy beside it (``copied.py``).

Sending and judging take about the same time of a processor. So a run judges in a process of its own where that can be
had. Judging is pure: it makes no difference to a verdict which process makes it. What the copy doesn't say, because it
broke down or was never asked, is judged here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Protocol

from conformance.judging.check import Check
from conformance.judging.judge import judge
from conformance.run.copied import copied, finished
from conformance.run.store import Store
from conformance.spec.spec import Spec
from conformance.verdict import Verdict

__all__ = ["Beside", "Here", "Judging"]

#: The most seconds that the other process needs to end once nothing more is asked of it. Then it is ended.
_GRACE = 5.0

#: After so many seconds without a word, twice, the other process hangs if it owed something all the time. It may wait
#: for a lock that was held when it was copied.
_PATIENCE = 30.0


class Judging(Protocol):
    """Who judges. Thread-safe."""

    def begin(self, scenario: str) -> None:
        """Note that a scenario's evidence is in the store: its checks may be judged now. Returns at once."""

    def verdict(self, check: Check, scenario: str) -> Verdict:
        """The verdict of a check on a scenario that was begun; blocks until it is made."""

    def close(self) -> None:
        """Judge nothing ahead any more."""


class Here:
    """Judges in this process, in the thread that asks."""

    def __init__(self, spec: Spec, store: Store) -> None:
        self._spec, self._store = spec, store

    def begin(self, scenario: str) -> None:
        """Nothing is judged before somebody asks."""

    def verdict(self, check: Check, scenario: str) -> Verdict:
        """Judge it."""
        return judge(self._spec, check, self._store.get(scenario))

    def close(self) -> None:
        """Nothing is under way."""


class Beside:
    """Judges in a process beside this one, scenario by scenario in the order in which they end.

    ``checks`` are the checks to judge, by scenario. Make it before there are other threads that hold locks: what they
    hold stays locked in the copy.
    """

    def __init__(self, spec: Spec, store: Store, checks: Mapping[str, Sequence[Check]]) -> None:
        self._here, self._store = Here(spec, store), store
        self._told: dict[str, Future[dict[str, Verdict]]] = {}
        self._ended: SimpleQueue[str | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._over = self._closing = False
        read, self._traces = Pipe(duplex=False)
        self._verdicts, write = Pipe(duplex=False)
        self._process = copied(_judge_all, spec, checks, read, write, (self._traces, self._verdicts))
        read.close()
        write.close()
        self._threads = [
            threading.Thread(target=work, name=f"judging-{name}", daemon=True)
            for name, work in (("asks", self._ask), ("hears", self._hear))
        ]
        for thread in self._threads:
            thread.start()

    def begin(self, scenario: str) -> None:
        """Have the checks of a scenario judged."""
        with self._lock:
            if self._over:
                return
            self._told[scenario] = Future()
        self._ended.put(scenario)

    def verdict(self, check: Check, scenario: str) -> Verdict:
        """What the other process says. It is judged here if that process says nothing about it."""
        with self._lock:
            told = self._told.get(scenario)
        said = None if told is None else told.result().pop(check.id, None)
        return said or self._here.verdict(check, scenario)

    def close(self) -> None:
        """End the process, after the scenario that it judges now."""
        self._closing = True
        self._ended.put(None)
        finished(self._process, _GRACE)
        for thread in self._threads:
            thread.join(_GRACE)

    @property
    def exit_code(self) -> int | None:
        """The exit code of the process; None while it lives."""
        return self._process.exitcode

    def _ask(self) -> None:
        """Send the evidence of scenarios, in the order in which they ended, until there are no more."""
        with self._traces:
            while (scenario := self._ended.get()) and not self._closing:
                try:
                    self._traces.send(self._store.get(scenario))
                except Exception:  # noqa: BLE001 - whatever can't be sent there can be judged here
                    self._say(scenario, ())

    def _hear(self) -> None:
        """Take the verdicts until the process ends, or hangs: then it is ended."""
        owed = frozenset[str]()
        # Of a message that was cut off, and from a process that was killed, nothing can be read. Whatever goes wrong
        # here, nobody must wait for it.
        with self._verdicts, suppress(Exception):
            while True:
                if self._verdicts.poll(_PATIENCE):
                    self._say(*self._verdicts.recv())
                    owed = frozenset()
                elif owed & (owed := self._unsaid()):
                    self._process.kill()
                    break
        with self._lock:
            self._over = True
        for scenario in self._unsaid():
            self._say(scenario, ())

    def _unsaid(self) -> frozenset[str]:
        """The scenarios on which nothing was said yet."""
        with self._lock:
            return frozenset(scenario for scenario, told in self._told.items() if not told.done())

    def _say(self, scenario: str, verdicts: Sequence[Verdict]) -> None:
        """Note the verdicts on a scenario; those that are missing are judged by who asks for them."""
        with self._lock:
            told = self._told[scenario]
            if not told.done():
                told.set_result({verdict.check: verdict for verdict in verdicts})


def _judge_all(
    spec: Spec,
    checks: Mapping[str, Sequence[Check]],
    traces: Connection,
    verdicts: Connection,
    theirs: Iterable[Connection],
) -> None:
    """The work of the other process: judge what comes, until nothing can come any more."""
    # The end of the run would not be noticed by who holds the other ends of the pipes open.
    for connection in theirs:
        connection.close()
    # The run may be gone, and its reports with it.
    with suppress(EOFError, OSError):
        while True:
            trace = traces.recv()
            verdicts.send((trace.scenario, [judge(spec, check, trace) for check in checks.get(trace.scenario, ())]))
