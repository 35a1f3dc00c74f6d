"""How much of the answers of a run is kept: larger bodies are kept whole as long as there is room for them."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from conformance.evidence.body import SMALL, parsed_size, shortened
from conformance.evidence.exchange import Exchange, Response

__all__ = ["MOST_PARSED", "kept"]

#: The most memory, in bytes, that the values of one JSON body may take when it is judged, by estimate.
MOST_PARSED = 100_000_000

_FULL = "the run keeps no more of its large answers (limits.evidence_bytes)"


def kept(exchange: Exchange, keep: Callable[[int], bool]) -> Exchange:
    """The exchange as it becomes evidence, with its earlier attempts.

    ``keep`` takes room for a large body of so many bytes, and returns False if there is none.
    """
    response = exchange.response and _fitted(exchange.response, keep)
    attempts = tuple(kept(attempt, keep) for attempt in exchange.attempts)
    if response is exchange.response and attempts == exchange.attempts:
        return exchange
    return evolve(exchange, response=response, attempts=attempts)


def _fitted(response: Response, keep: Callable[[int], bool]) -> Response:
    """The response, shortened if there is no room for it or if its values would fill the memory."""
    size = len(response.body)
    if size <= SMALL or response.shortened is not None:
        return response
    if parsed_size(response.body) > MOST_PARSED:
        return shortened(response, "its values would take too much memory")
    return response if keep(size) else shortened(response, _FULL)
