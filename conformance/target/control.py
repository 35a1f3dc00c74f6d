"""The control request: a cheap one that a working target answers. It tells a broken answer from a broken target."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from attrs import evolve

from conformance.evidence.exchange import BROKEN_OFF, Exchange, FaultKind
from conformance.requests.case import Case
from conformance.target.limits import Withheld, stopped
from conformance.target.transport import Answer

__all__ = ["Control"]

#: Statuses with which a gateway or server says that it can't serve at present (RFC 9110 section 15.6).
_DOWN = (502, 503, 504)

#: Seconds for which the answer to a control request remains valid after a 5xx.
_LASTS = 2.0


class Control:
    """Asks control requests, and remembers for a moment what came. Thread-safe.

    ``send`` sends one over a new connection: some servers close theirs after an error without announcing it. It raises
    :class:`Withheld` if nothing more may be sent.
    """

    def __init__(self, send: Callable[[Case], Answer]) -> None:
        self._send = send
        self._at, self._ok = float("-inf"), True
        self._lock = threading.Lock()

    def judged(self, case: Case, exchange: Exchange, control: Case | None) -> Exchange:
        """The exchange with the result of the control request, if only that can tell a faulty answer from a target that
        is down. ``control`` is None if no such request is known.
        """
        now = time.monotonic()
        if exchange.fault is not None and exchange.fault.kind in BROKEN_OFF:
            # Did the target cut off this answer only, or did it just stop? Only a request afterwards can tell.
            try:
                return evolve(exchange, control_ok=self._ask(control, now))
            except Withheld:
                if case.creates or case.undo is not None:  # the journal must know that it was sent
                    return evolve(exchange, control_ok=False)
                raise
        if exchange.status is not None and exchange.status >= 500:
            try:
                alive = self._ask(control, now - _LASTS)
            except Withheld:
                alive = None
            # If no control request is known, 502, 503 and 504 are taken to mean that the target is down.
            return evolve(exchange, control_ok=False if alive is None and exchange.status in _DOWN else alive)
        return exchange

    def _ask(self, control: Case | None, since: float) -> bool | None:
        """True if the target answered the control request below 500 at ``since`` (monotonic) or later, False if it
        didn't, None if no such request is known. Raises :class:`Withheld` if nothing more may be sent.
        """
        if control is None:
            return None
        with self._lock:
            if self._at < since:
                began = time.monotonic()
                answer = self._send(control)
                if answer.fault is not None and answer.fault.kind is FaultKind.CANCELLED:
                    raise stopped()
                self._ok = answer.response is not None and answer.response.status < 500
                # A success is valid from the moment of the request, a failure from the moment at which it was given up.
                self._at = began if self._ok else time.monotonic()
            return self._ok
