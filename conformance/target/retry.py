"""Whether and when a request is sent again. Pure.

429 obeys ``retry-after-ms`` (milliseconds) and ``Retry-After`` (seconds or a date, RFC 9110 section 10.2.3), up to 60 s
each. A 5xx is repeated twice with back-off, so that one hiccup is no verdict; so is an answer whose connection was
closed, where the request changes nothing. A request that creates something is never
sent again while it is unknown whether the first one did.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

from attrs import frozen

from conformance.evidence.exchange import FaultKind, Response
from conformance.requests.case import Case
from conformance.target.transport import Answer

__all__ = ["LONGEST", "Pace", "delay", "retry_after"]

#: Seconds that a retry waits at most.
LONGEST = 60.0

#: How often a request is sent in all before a 5xx or a closed connection counts as repeated.
_REPEATS = 3

_NOTHING_SENT = (FaultKind.CONNECT, FaultKind.CONNECT_TIMEOUT, FaultKind.DNS)


@frozen
class Pace:
    """Retries after the first try, and the first back-off in seconds (it doubles)."""

    retries: int = 3
    backoff: float = 0.5


def retry_after(response: Response) -> float | None:
    """Seconds that the answer asks to wait; None where it doesn't say or can't be read."""
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
    """Seconds to wait before attempt ``attempt + 1`` (the first is 1); None: this one stands.

    ``again``: the request may be repeated though it changes something (a removal that may have been done already).
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
        # Where no byte came: a kept connection that the server closed at the same moment, a fresh one decides.
        wait = backoff if answer.heard or attempt > 1 else 0.0
        return wait if harmless and attempt < min(_REPEATS, pace.retries + 1) else None
    if response is None:
        if fault is None or attempt > pace.retries:
            return None
        return backoff if fault.kind in _NOTHING_SENT and not answer.sent else None
    if response.status >= 500 and attempt < min(_REPEATS, pace.retries + 1):
        if not harmless and response.status in (502, 504):
            return None  # a gateway speaks; what happened behind it is unknown
        asked = retry_after(response)
        return min(LONGEST, backoff if asked is None else asked)
    return None
