"""Routes and targets that don't answer in time: after a few such answers the others are not waited for one by one.

Each silent answer costs a whole time limit, so a route that never answers would hold a run for as many limits as it has
requests. What is not sent is told with the reason, and never counted as good.
"""

from __future__ import annotations

import threading
from collections import Counter

from conformance.evidence.exchange import Exchange, Fault, FaultKind
from conformance.target.limits import Withheld
from conformance.verdict import Outcome

__all__ = ["ROUTE", "TARGET", "Silence", "endless"]

#: After so many answers in a row that didn't end within the limits, an operation gets no more requests.
ROUTE = 3

#: After so many in a row, of whatever operation, the target gets no more requests.
TARGET = 12

#: How an answer ends that didn't end within the limits.
_ENDLESS = (FaultKind.READ_TIMEOUT, FaultKind.TOTAL_TIMEOUT, FaultKind.TOO_LARGE)


def endless(fault: Fault | None) -> bool:
    """True for an answer that was given up."""
    return fault is not None and fault.kind in _ENDLESS


class Silence:
    """Counts answers that didn't end within the limits. Thread-safe."""

    def __init__(self) -> None:
        self._routes: Counter[str] = Counter()
        self._target = 0
        self._lock = threading.Lock()

    def check(self, operation: str) -> None:
        """Raise :class:`Withheld` if an operation, or the whole target, is not asked any more."""
        with self._lock:
            if self._target >= TARGET:
                message = f"the last {TARGET} answers of the target did not end within the limits"
                raise Withheld(message, Outcome.UNAVAILABLE, final=True)
            if self._routes[operation] >= ROUTE:
                message = f"{ROUTE} answers of {operation} in a row did not end within the limits"
                raise Withheld(message, Outcome.UNAVAILABLE)

    def answers(self, operation: str) -> bool:
        """True if the last request of an operation was answered."""
        with self._lock:
            return self._routes.get(operation) == 0

    def note(self, operation: str, exchange: Exchange) -> None:
        """Note an exchange. One that ended resets the count of its operation and of the target.

        What was silent beside other requests of this run says nothing: our own load may be the reason.
        """
        if exchange.outside or (exchange.fault is not None and exchange.fault.kind is FaultKind.CANCELLED):
            return
        silent = endless(exchange.fault)
        with self._lock:
            self._routes[operation] = self._routes[operation] + 1 if silent else 0
            # A control request that was answered meanwhile shows that the target is there.
            self._target = self._target + 1 if silent and not exchange.control_ok else 0
