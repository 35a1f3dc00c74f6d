"""What an upstream does wrong in a fault script, each thing once: the table fault x what the client saw."""

from __future__ import annotations

from conformance.emulator.faults import UpstreamFault, answered_with

__all__ = ["PACE", "PACED", "faults"]

#: The name of the fault by which the upstream pauses between two events.
PACED = "pauses between events"

#: The upstream pauses between its events, so that late ones and streams that nobody reads any more are seen.
PACE = UpstreamFault(PACED, interval=0.15, pauses=20)

_FILTERED = "The response was filtered due to the prompt triggering the content management policy."


def faults() -> tuple[tuple[UpstreamFault, bool], ...]:
    """(fault, whether it is one of streams) in the order in which they are shown."""
    wait = (("retry-after", "1"), ("retry-after-ms", "1000"))
    return (
        (answered_with("429 with Retry-After", 429, "429", "Too many requests.", headers=wait), False),
        (answered_with("429 once, then success", 429, "429", "Too many requests.", headers=wait, times=1), False),
        (answered_with("500", 500, "InternalServerError", "The server had an error."), False),
        (answered_with("503", 503, "ServiceUnavailable", "The server is overloaded."), False),
        (answered_with("503 once, then success", 503, "ServiceUnavailable", "Overloaded.", times=1), False),
        (answered_with("content filter", 400, "content_filter", _FILTERED), False),
        (UpstreamFault("closed before the answer", reset=True), False),
        (UpstreamFault("closed in the middle of a body", cut=0), False),
        (UpstreamFault("malformed body", malformed=True), False),
        (UpstreamFault("silent for 1 s", stall=1.0), False),
        (UpstreamFault("closed after 2 events", cut=2), True),
        (UpstreamFault("silent for 1 s after the first event", stall=1.0), True),
        (PACE, True),
    )
