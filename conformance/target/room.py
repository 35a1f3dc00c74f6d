"""How much of the answers of a run is kept: larger bodies are kept whole as long as there is room for them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from attrs import evolve

from conformance.evidence.body import SMALL, depth, parsed_size, shortened
from conformance.evidence.content_coding import MOST, codings, unpacked
from conformance.evidence.event_stream import MOST_LINES
from conformance.evidence.exchange import Exchange, FaultKind, Response

__all__ = ["DEEPEST", "LARGE", "MOST_PARSED", "Room", "Turns", "kept"]

#: The most memory, in bytes, that the values of one JSON body may take when it is judged, by estimate. While one answer
#: is hidden or judged there are three copies of them (the values, a changed copy, the parts of its text), and another
#: one may be hidden at the same time. An answer with 8 MB of embeddings takes 30 MB.
MOST_PARSED = 40_000_000

#: Answers with more bytes are worked on one at a time.
LARGE = 500_000

#: The deepest nesting of values that is judged. Documented answers have fewer than twenty levels, and deeper ones could
#: not be walked through by recursion.
DEEPEST = 100

_FULL = "the run keeps no more of its large answers (limits.evidence_bytes)"


def kept(exchange: Exchange, keep: Callable[[int], bool]) -> Exchange:
    """The exchange as it becomes evidence, with its earlier attempts.

    ``keep`` takes room for a large body of so many bytes, and returns False if there is none.
    """
    response = exchange.response
    if response is not None:
        cut = exchange.fault is not None and exchange.fault.kind is FaultKind.TOO_LARGE
        response = shortened(response, "the rest was not read") if cut else _fitted(response, keep)
    attempts = tuple(kept(attempt, keep) for attempt in exchange.attempts)
    if response is exchange.response and attempts == exchange.attempts:
        return exchange
    return evolve(exchange, response=response, attempts=attempts)


def _fitted(response: Response, keep: Callable[[int], bool]) -> Response:
    """The response, shortened if there is no room for it or if its values would fill the memory."""
    if response.shortened is not None:
        return response
    size, found = len(response.body), unpacked(codings(response.headers), response.body)
    if found.too_long:
        return shortened(response, f"it unpacks to more than {MOST} bytes", small=True)
    # What is judged is what comes out of the codings, if they can be undone.
    content = found.data if found.whole else response.body
    if len(content) > MOST_LINES and _lines(content) > MOST_LINES and not response.media_type.endswith("json"):
        return shortened(response, f"it has more than {MOST_LINES} lines", small=True)
    if _depth(response.media_type, content) > DEEPEST:
        return shortened(response, f"its values are nested more than {DEEPEST} levels deep", small=True)
    if len(content) > SMALL and parsed_size(content) > MOST_PARSED:
        return shortened(response, "its values would take too much memory", small=True)
    if size <= SMALL:
        return response
    if not keep(size):
        return shortened(response, _FULL)
    response.forget()
    return response


class Room:
    """How many bytes of large answers are still kept whole. Each api-version has its own: its report is one file."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Take room for a body of so many bytes; False if there isn't as much left."""
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True


class Turns:
    """Lets one thread at a time work on a large answer: what is made of it takes many times its size."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def turn(self, response: Response | None) -> AbstractContextManager[object]:
        """Wait for the turn of an answer, if it is large."""
        size = sum(len(chunk.data) for chunk in response.chunks) if response is not None else 0
        return self._lock if size > LARGE else nullcontext()


def _lines(body: bytes) -> int:
    """The number of line ends: CRLF, LF and CR (WHATWG HTML section 9.2.5)."""
    return body.count(b"\n") + body.count(b"\r") - body.count(b"\r\n")


def _depth(media_type: str, content: bytes) -> int:
    """How deeply the JSON of an answer is nested, or that of its events; 0 for sound, pictures and pages."""
    if media_type == "text/event-stream":
        return max(map(depth, content.splitlines()), default=0)
    return depth(content) if content.lstrip()[:1] in (b"[", b"{") else 0
