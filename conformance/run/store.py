"""Where a runner leaves the evidence of scenarios that have ended, and from where it is judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from conformance.evidence.trace import Trace
from conformance.judging.repeats import as_first, as_repetition, name_of
from conformance.run.recorder import Recorder

__all__ = ["InFile", "InMemory", "Store"]


class Store(Protocol):
    """A store of traces. Thread-safe."""

    def put(self, trace: Trace) -> None:
        """Take the evidence of a scenario. Raises :class:`OSError` if it can't be written."""

    def get(self, scenario: str) -> Trace:
        """The evidence of a scenario that was put here."""


class InMemory:
    """A store for a few scenarios."""

    def __init__(self) -> None:
        self._traces: dict[str, Trace] = {}

    def put(self, trace: Trace) -> None:
        """Keep it."""
        self._traces[trace.scenario] = trace

    def get(self, scenario: str) -> Trace:
        """What was kept."""
        return self._traces[scenario]


class InFile:
    """The report of a run: evidence is written as soon as its scenario has ended.

    ``number`` says for which time the scenarios are sent; from 2 on their evidence has names of its own.

    A scenario that sent nothing is written only when it is judged: one that was not begun before a stop is no part of
    the evidence.
    """

    def __init__(self, recorder: Recorder, number: int = 1) -> None:
        self._recorder, self._number = recorder, number
        self._empty = InMemory()

    def put(self, trace: Trace) -> None:
        """Write it."""
        if trace.observations:
            self._recorder.trace(as_repetition(trace, self._number))
        else:
            self._empty.put(trace)

    def get(self, scenario: str) -> Trace:
        """Read it."""
        written = self._recorder.written(name_of(scenario, self._number))
        return self._empty.get(scenario) if written is None else as_first(written)

    def judged(self, scenario: str, trace: Callable[[], Trace]) -> None:
        """Write the evidence of a scenario that is judged now, if that was not done before."""
        if not self._recorder.holds(name_of(scenario, self._number)):
            self._recorder.trace(as_repetition(trace(), self._number))
