"""Faults of an upstream, asked for one request at a time: what happens in place of the correct answer, or to it.

A fault names itself, so that reports can say what the upstream did. All times are seconds.
"""

from __future__ import annotations

import json

from attrs import field, frozen

from conformance.requests.headers import Headers

__all__ = ["NO_FAULT", "UpstreamFault", "answered_with"]


@frozen
class UpstreamFault:
    """What the upstream does wrong, or slowly, with one request.

    ``status``: this answer is given at once, with ``headers`` and ``body``. ``reset``: the connection is closed
    before the header section. ``cut``: it is closed after this many events of a stream, or after half of another body.
    ``stall``: seconds of silence after the first event, or before any other answer. ``interval``: seconds between two
    events, for the first ``pauses`` of them (None: all). ``malformed``: the last third of a body is missing although
    it ends properly. ``times``: only this many requests in a row meet the fault; None for all.
    """

    name: str
    status: int | None = None
    headers: Headers = ()
    body: bytes = field(default=b"", repr=False)
    reset: bool = False
    cut: int | None = None
    stall: float = 0.0
    interval: float = 0.0
    pauses: int | None = None
    malformed: bool = False
    times: int | None = None

    @property
    def breaks(self) -> bool:
        """True unless only the pace of the answer changes."""
        return self.status is not None or self.reset or self.cut is not None or self.malformed


#: Nothing is wrong.
NO_FAULT = UpstreamFault("")


def answered_with(
    name: str, status: int, code: str, message: str, *, headers: Headers = (), times: int | None = None
) -> UpstreamFault:
    """An error answer in the form of the service: ``{"error": {"code": …, "message": …}}``."""
    body = json.dumps({"error": {"code": code, "message": message}}, separators=(",", ":")).encode()
    return UpstreamFault(
        name, status=status, headers=(("content-type", "application/json"), *headers), body=body, times=times
    )
