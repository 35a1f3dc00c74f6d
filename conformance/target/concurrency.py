"""Limits how many requests are in flight, and lets one request be alone.

A server that works on one request at a time lets the others wait without an answer. A request that got no answer while
others were in flight is sent again alone before the target is blamed. If it is answered then, fewer requests are sent
at the same time from then on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define

__all__ = ["ConcurrencyLimit", "InFlight"]


@define(eq=False)
class InFlight:
    """A request in flight. ``others`` is the greatest number of other requests that were in flight at the same time."""

    others: int = 0


class ConcurrencyLimit:
    """Counts the requests in flight and admits new ones. Thread-safe. ``most`` is how many may be in flight
    together.
    """

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._in_flight: list[InFlight] = []
        self._waiting_alone = 0
        self.most: int | None = None

    @contextmanager
    def shared(self) -> Iterator[InFlight]:
        """One request that may be in flight together with others. What is yielded counts them until the request is
        over.
        """
        with self._turn:
            self._turn.wait_for(self._admits)
            request = self._begun()
        try:
            yield request
        finally:
            self._ended(request)

    def _begun(self) -> InFlight:
        """Register a request, and count it for those already in flight. Called under the lock."""
        request = InFlight()
        self._in_flight.append(request)
        for each in self._in_flight:
            each.others = max(each.others, len(self._in_flight) - 1)
        return request

    def _admits(self) -> bool:
        """True if another request may be sent. One that waits to be alone comes first, otherwise it might wait for
        ever.
        """
        full = self.most is not None and len(self._in_flight) >= self.most
        return not self._waiting_alone and not full

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """One request while nothing else is in flight. Others wait until it is over."""
        with self._turn:
            self._waiting_alone += 1
            self._turn.wait_for(lambda: not self._in_flight)
            request = self._begun()
        try:
            yield
        finally:
            with self._turn:
                self._waiting_alone -= 1
            self._ended(request)

    def _ended(self, request: InFlight) -> None:
        """Remove a request that is over, and wake those that wait."""
        with self._turn:
            self._in_flight.remove(request)
            self._turn.notify_all()

    def reduce(self, others: int) -> None:
        """Allow half as many requests as were in flight, at least one."""
        with self._turn:
            self.most = max(1, min(self.most or others + 1, others + 1) // 2)
