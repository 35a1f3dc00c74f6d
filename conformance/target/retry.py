"""Whether and when a request is sent again. Pure functions.

A 429 is repeated after ``retry-after-ms`` (milliseconds) or ``Retry-After`` (seconds or a date, RFC 9110 section
10.2.3), at most 60 s later. A 5xx is repeated twice with back-off, so that one hiccup leads to no verdict. A closed
connection is repeated in the same way if the request changes nothing. A request that creates something is never sent
again while it is unknown whether the first one did.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

from attrs import frozen

from conformance.evidence.exchange import Exchange, FaultKind, Response
from conformance.requests.case import Case
from conformance.target.transport import Answer

__all__ = ["LONGEST", "Pace", "delay", "never_left", "retry_after"]

#: The longest wait before a retry, in seconds.
LONGEST = 60.0

#: How often a request is sent in all if each time a 5xx or a closed connection is the answer.
_REPEATS = 3

#: Faults after which the target surely received nothing.
_NOTHING_SENT = (FaultKind.CONNECT, FaultKind.CONNECT_TIMEOUT, FaultKind.DNS)


def never_left(exchange: Exchange) -> bool:
    """True if the request surely didn't reach the target."""
    return exchange.fault is not None and exchange.fault.kind in (*_NOTHING_SENT, FaultKind.TLS)


@frozen
class Pace:
    """The number of retries after the first attempt, and the first back-off in seconds; it doubles each time."""

    retries: int = 3
    backoff: float = 0.5

    def longest(self, whole: float) -> float:
        """The seconds that a request can take with all its repetitions, if each attempt may take ``whole``. One more
        attempt is counted, with a key that was read again or alone.
        """
        return (self.retries + 2) * (whole + LONGEST)


def retry_after(response: Response) -> float | None:
    """The seconds that the answer asks to wait; None if it doesn't say or can't be read."""
    try:
        milliseconds = response.header("retry-after-ms")
        if milliseconds is not None:
            return max(0.0, float(milliseconds) / 1000)
        seconds = response.header("retry-after")
        if seconds is None:
            return None
        if seconds.strip().replace(".", "", 1).isdigit():
            return float(seconds)
        return max(0.0, parsedate_to_datetime(seconds).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def delay(case: Case, answer: Answer, attempt: int, pace: Pace, *, again: bool = False) -> float | None:
    """The seconds to wait before attempt ``attempt + 1`` (the first is 1); None if this attempt is the last.

    ``again``: the request may be repeated although it changes something, such as a removal, which may be done twice.
    """
    harmless = again or case.changes_nothing
    backoff = min(LONGEST, pace.backoff * 2.0 ** (attempt - 1))
    response, fault = answer.response, answer.fault
    if response is not None and response.status == 429:
        if attempt > pace.retries:
            return None
        asked = retry_after(response)
        return min(LONGEST, backoff if asked is None else asked)
    if fault is not None and fault.kind is FaultKind.CLOSED and (response is None or response.status < 500):
        # If no byte came, the server closed a kept connection just when it was used: a new one is tried at once.
        wait = backoff if answer.heard or attempt > 1 else 0.0
        return wait if harmless and attempt < min(_REPEATS, pace.retries + 1) else None
    if response is None:
        if fault is None or attempt > pace.retries:
            return None
        return backoff if fault.kind in _NOTHING_SENT and not answer.sent else None
    if response.status >= 500 and attempt < min(_REPEATS, pace.retries + 1):
        if not harmless and response.status in (502, 504):
            return None  # a gateway answered; whether the server behind it did something is unknown
        asked = retry_after(response)
        return min(LONGEST, backoff if asked is None else asked)
    return None
