"""How much of the answers of a run is kept: larger bodies are kept whole as long as there is room for them."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from conformance.evidence.body import SMALL, depth, parsed_size, shortened
from conformance.evidence.event_stream import MOST_LINES
from conformance.evidence.exchange import Exchange, FaultKind, Response

__all__ = ["DEEPEST", "MOST_PARSED", "kept"]

#: The most memory, in bytes, that the values of one JSON body may take when it is judged, by estimate.
MOST_PARSED = 100_000_000

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
    size = len(response.body)
    if response.shortened is not None:
        return response
    if size > MOST_LINES and _lines(response.body) > MOST_LINES and not response.media_type.endswith("json"):
        return shortened(response, f"it has more than {MOST_LINES} lines")
    if _depth(response) > DEEPEST:
        return shortened(response, f"its values are nested more than {DEEPEST} levels deep", small=True)
    if size <= SMALL:
        return response
    if parsed_size(response.body) > MOST_PARSED:
        return shortened(response, "its values would take too much memory")
    return response if keep(size) else shortened(response, _FULL)


def _lines(body: bytes) -> int:
    """The number of line ends; CRLF counts twice."""
    return body.count(b"\n") + body.count(b"\r")


def _depth(response: Response) -> int:
    """How deeply the JSON of an answer is nested, or that of its events; 0 for sound, pictures and pages."""
    if response.media_type == "text/event-stream":
        return max(map(depth, response.body.splitlines()), default=0)
    return depth(response.body) if response.body.lstrip()[:1] in (b"[", b"{") else 0
