"""What the senders of a run do next: which request, or which script goes on. Not thread-safe: the runner's lock guards
it.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Iterable

from conformance.run.scenario_state import ScenarioState

__all__ = ["SCRIPT", "Agenda"]

#: In place of the number of a case: the script itself goes on.
SCRIPT = -1


class Agenda:
    """The scenarios of a run in the order in which they begin, and the work of those that have begun.

    Among these the earliest goes first.
    """

    def __init__(self, states: Iterable[ScenarioState]) -> None:
        self._waiting = iter(tuple(states))
        self._ready: list[tuple[int, int, ScenarioState, int]] = []
        self._timers: list[tuple[float, int, ScenarioState]] = []
        self._tickets = itertools.count()

    def add(self, state: ScenarioState, number: int = SCRIPT) -> None:
        """Add a case of a scenario's step by its number, or its script."""
        # The ticket keeps the order of insertion, and keeps the heap from comparing states, which have no order.
        heapq.heappush(self._ready, (state.index, next(self._tickets), state, number))

    def pause(self, state: ScenarioState, until: float) -> None:
        """Let a script go on at a moment of the monotonic clock."""
        heapq.heappush(self._timers, (until, next(self._tickets), state))

    def take(self) -> tuple[ScenarioState, int] | None:
        """The next work of the scenarios that have begun; None if there is none now."""
        # Pauses that are over come before new work: their scenarios have been started earlier.
        while self._timers and self._timers[0][0] <= time.monotonic():
            _, _, state = heapq.heappop(self._timers)
            self.add(state)
        if not self._ready:
            return None
        _, _, state, number = heapq.heappop(self._ready)
        return state, number

    def begin(self) -> ScenarioState | None:
        """The next scenario that has not begun; None if all have."""
        return next(self._waiting, None)

    @property
    def seconds(self) -> float | None:
        """The seconds until the first pause is over; None without one."""
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None
