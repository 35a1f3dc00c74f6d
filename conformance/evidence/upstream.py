"""What a recording upstream noted: each request as it arrived, and the answer as it was sent."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from conformance.evidence.exchange import Response
from conformance.requests.headers import Headers
from conformance.requests.request import Request

__all__ = ["UpstreamCall"]


@frozen
class UpstreamCall:
    """One request that arrived at the upstream, with its answer. Times are seconds of one monotonic clock.

    ``number`` counts the requests of this upstream from 1, ``connection`` its connections. ``request`` is the request
    as it arrived: header names in their spelling and order, secrets replaced. ``head`` are the bytes of the header
    section as they arrived, without secrets. ``credentials`` maps the name of each header that held a secret to a
    keyed digest of the value, so that equal secrets are seen to be equal.

    ``answer`` is what was sent, its chunks with seconds since ``at``; None if nothing was. ``ended`` is when the last
    byte was sent, None if the answer was never sent whole. ``gone`` is when the other side closed the connection
    before the answer ended, None if it stayed. ``injected`` names the fault that was asked for, "" for none.
    """

    number: int
    connection: int
    at: float
    request: Request
    head: bytes = b""
    credentials: Mapping[str, str] = field(factory=dict)
    answer: Response | None = None
    ended: float | None = None
    gone: float | None = None
    injected: str = ""

    @property
    def headers(self) -> Headers:
        """The header fields as they arrived."""
        return self.request.headers

    @property
    def over(self) -> bool:
        """True once nothing more will be sent."""
        return self.ended is not None or self.gone is not None
