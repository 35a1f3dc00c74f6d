"""How many requests are under way, and a turn for one that must be alone.

A server that works on one request at a time lets the others wait without a word. What was silent beside others is asked
again alone before the target is blamed; where that helps, fewer requests go out together from then on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define

__all__ = ["Company", "Flight"]


@define(eq=False)
class Company:
    """How many other requests were under way beside one, at the most."""

    others: int = 0


class Flight:
    """Counts requests under way and admits them. Thread-safe. ``most`` is how many may go out together."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._under_way: list[Company] = []
        self._waiting_alone = 0
        self.most: int | None = None

    @contextmanager
    def beside_others(self) -> Iterator[Company]:
        """One request among others; what is yielded counts them until the request is over."""
        with self._turn:
            self._turn.wait_for(self._admits)
            mine = self._begun()
        try:
            yield mine
        finally:
            self._ended(mine)

    def _begun(self) -> Company:
        mine = Company()
        self._under_way.append(mine)
        for each in self._under_way:
            each.others = max(each.others, len(self._under_way) - 1)
        return mine

    def _admits(self) -> bool:
        full = self.most is not None and len(self._under_way) >= self.most
        return not self._waiting_alone and not full

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One request while nothing else is under way; others wait until it is over."""
        with self._turn:
            self._waiting_alone += 1
            self._turn.wait_for(lambda: not self._under_way)
            mine = self._begun()
        try:
            yield
        finally:
            with self._turn:
                self._waiting_alone -= 1
            self._ended(mine)

    def _ended(self, mine: Company) -> None:
        with self._turn:
            self._under_way.remove(mine)
            self._turn.notify_all()

    def fewer(self, others: int) -> None:
        """Half as many as were under way are enough for this target."""
        with self._turn:
            self.most = max(1, min(self.most or others + 1, others + 1) // 2)
