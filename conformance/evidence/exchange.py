"""One request as sent with the answer as received: frozen evidence.

The values here know no case and no check. Bodies are raw bytes; a response keeps the arrival time of each
chunk, because the framing and the timing of a stream are judged from them. Secrets are removed when an
:class:`Exchange` is built from live traffic (:func:`redact`), so that no later stage can leak them.
"""

from __future__ import annotations

import json
from enum import StrEnum
from functools import cached_property
from typing import Any

from attrs import evolve, frozen

from conformance.requests.headers import Headers, first_value
from conformance.requests.request import Request

__all__ = [
    "BROKEN_OFF",
    "Chunk",
    "Exchange",
    "Fault",
    "FaultKind",
    "Response",
]


@frozen
class Chunk:
    """Bytes that arrived together, ``at`` seconds after the request was sent."""

    at: float
    data: bytes


class FaultKind(StrEnum):
    """How an exchange ended without a whole answer."""

    CONNECT = "connect"
    DNS = "dns"
    TLS = "tls"
    CONNECT_TIMEOUT = "connect-timeout"
    READ_TIMEOUT = "read-timeout"
    TOTAL_TIMEOUT = "total-timeout"
    CLOSED = "closed"
    PROTOCOL = "protocol"
    TOO_LARGE = "too-large"
    CANCELLED = "cancelled"


#: Faults of the way to the target, not of its answer.
NETWORK_FAULTS = frozenset(
    {FaultKind.CONNECT, FaultKind.DNS, FaultKind.TLS, FaultKind.CONNECT_TIMEOUT, FaultKind.CANCELLED}
)

#: An answer that stopped coming. A broken target does this, and so does one that dies at that moment.
BROKEN_OFF = frozenset({FaultKind.CLOSED, FaultKind.READ_TIMEOUT, FaultKind.TOTAL_TIMEOUT})


@frozen
class Fault:
    """A transport error: what kind, what the library said, when (seconds after sending)."""

    kind: FaultKind
    message: str
    at: float


@frozen(slots=False)
class Response:
    """Status, headers in order, and the body as it arrived.

    ``complete`` is True when the message body ended as HTTP says it ends (RFC 9112 section 6.3). ``elapsed`` counts
    seconds from sending to the end of the body; ``headers_at`` to the end of the header section.
    """

    status: int
    headers: Headers = ()
    chunks: tuple[Chunk, ...] = ()
    complete: bool = True
    elapsed: float = 0.0
    headers_at: float = 0.0
    reason: str = ""
    http_version: str = "HTTP/1.1"

    @cached_property
    def body(self) -> bytes:
        """All the bytes of the content, joined."""
        return b"".join(chunk.data for chunk in self.chunks)

    def header(self, name: str) -> str | None:
        """The first value of a header, matched without case; None where absent."""
        return first_value(self.headers, name)

    @cached_property
    def media_type(self) -> str:
        """Type and subtype of Content-Type in lower case, without parameters; "" where absent."""
        return (self.header("content-type") or "").split(";", 1)[0].strip().lower()

    @cached_property
    def is_json(self) -> bool:
        """True when the whole body parses as JSON (RFC 8259)."""
        return self._parsed[0]

    @cached_property
    def json(self) -> Any:
        """The parsed body; None where it isn't JSON (ask :attr:`is_json` to tell from ``null``)."""
        return self._parsed[1]

    @cached_property
    def _parsed(self) -> tuple[bool, Any]:
        try:
            # Decoded here: from bytes, json.loads would also take UTF-16 and a byte order mark.
            return True, json.loads(str(self.body, "utf-8"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            return False, None

    def with_body(self, body: bytes) -> Response:
        """The same answer with another body in one chunk; Content-Length follows."""
        at = self.chunks[-1].at if self.chunks else self.headers_at
        headers = tuple(
            (key, str(len(body)) if key.lower() == "content-length" else value) for key, value in self.headers
        )
        return evolve(self, chunks=(Chunk(at, body),) if body else (), headers=headers)

    def with_json(self, value: Any) -> Response:
        """The same answer with a JSON body."""
        return self.with_body(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())

    def with_header(self, name: str, value: str | None) -> Response:
        """The same answer with a header replaced, or removed when ``value`` is None."""
        kept = tuple((k, v) for k, v in self.headers if k.lower() != name.lower())
        return evolve(self, headers=kept if value is None else (*kept, (name, value)))


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


@frozen
class Exchange:
    """A request with its response, or with the fault that took the response's place.

    Both may be there: an answer that was cut off has a response (``complete`` False) and a fault. ``attempts`` holds
    the earlier tries of the same request, oldest first. ``started`` is seconds since the Unix epoch. ``control_ok``
    says, after a repeated 5xx or an answer that broke off, whether a control request succeeded; None where none was
    sent. ``outside`` says why the answer tells nothing about the target's contract, where that is known when it comes:
    the account, or the run itself; "" where it does tell something.
    """

    request: Request
    response: Response | None = None
    fault: Fault | None = None
    attempts: tuple[Exchange, ...] = ()
    started: float = 0.0
    control_ok: bool | None = None
    outside: str = ""

    @property
    def status(self) -> int | None:
        """The status code, or None where no answer came."""
        return self.response.status if self.response else None

    @property
    def unreached(self) -> bool:
        """True where the way to the target failed, the target was away, or the answer lies outside the contract: no
        judgement can rest on it.
        """
        return bool(self.unreached_because)

    @property
    def unreached_because(self) -> str:
        """Why no judgement can rest on this exchange; "" where one can."""
        if self.outside:
            return self.outside
        if self.fault is None or not (self.fault.kind in NETWORK_FAULTS or self.control_ok is False):
            return ""
        away = "; then the target was away" if self.control_ok is False else ""
        return f"{self.fault.kind}: {self.fault.message}{away}"

    @property
    def ok(self) -> bool:
        """True for a whole answer with a 2xx status."""
        return self.response is not None and self.fault is None and 200 <= self.response.status < 300

    def answered(self, response: Response) -> Exchange:
        """The same exchange with another response and no fault: what a counterexample returns."""
        return evolve(self, response=response, fault=None)
