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

from conformance.cases import Case
from conformance.exchange import FaultKind, Response
from conformance.transport import Answer

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


def delay(case: Case, answer: Answer, attempt: int, pace: Pace) -> float | None:
    """Seconds to wait before attempt ``attempt + 1`` (the first is 1); None: this one stands."""
    creates = bool(case.creates) or case.undo is not None
    backoff = min(LONGEST, pace.backoff * 2.0 ** (attempt - 1))
    response, fault = answer.response, answer.fault
    if response is not None and response.status == 429:
        if attempt > pace.retries:
            return None
        asked = retry_after(response)
        return min(LONGEST, backoff if asked is None else asked)
    if fault is not None and fault.kind is FaultKind.CLOSED and (response is None or response.status < 500):
        return _closed(case, answer, attempt, pace, backoff)
    if response is None:
        if fault is None or attempt > pace.retries:
            return None
        return backoff if fault.kind in _NOTHING_SENT and not answer.sent else None
    if response.status >= 500 and attempt < min(_REPEATS, pace.retries + 1):
        if creates and response.status in (502, 504):
            return None  # a gateway speaks; what happened behind it is unknown
        asked = retry_after(response)
        return min(LONGEST, backoff if asked is None else asked)
    return None


def _closed(case: Case, answer: Answer, attempt: int, pace: Pace, backoff: float) -> float | None:
    """A connection that was closed before the answer's end."""
    if case.creates or case.undo is not None or attempt >= min(_REPEATS, pace.retries + 1):
        return None
    if changes_nothing(case):
        return backoff if answer.heard or attempt > 1 else 0.0
    # A kept connection that the server closed at the same moment: no byte came, a fresh one decides.
    return 0.0 if not answer.heard and attempt == 1 else None


def changes_nothing(case: Case) -> bool:
    """True for a request that may be repeated whatever became of the first one.

    It reads (RFC 9110 section 9.2.1), or it asks a deployment for an answer.
    """
    return case.method in ("GET", "HEAD", "OPTIONS") or "/deployments/" in case.path
