"""One request as sent, with the answer as received: immutable evidence.

These values know nothing of cases and checks. Bodies are raw bytes, and a response keeps the arrival time of each
chunk, because framing and timing of a stream are judged from them. Secrets are removed when an :class:`Exchange` is
built from live traffic (``requests/headers.py``), so that no later stage can leak them.
"""

from __future__ import annotations

import json
import weakref
from enum import StrEnum
from functools import cached_property
from typing import Any

from attrs import evolve, field, frozen

from conformance.evidence.content_coding import MOST, codings, undone, unpacked
from conformance.requests.headers import Headers, first_value
from conformance.requests.pickled import fields_of
from conformance.requests.request import Request

__all__ = [
    "BROKEN_OFF",
    "Chunk",
    "Exchange",
    "Fault",
    "FaultKind",
    "Response",
    "Shortened",
    "only_last",
]

#: With more bytes than this, the parsed form of a body is kept only until the next such body is parsed: it can take
#: twenty times as much memory as the text.
_LARGE = 65_536

#: The longest message of a fault, in characters. Libraries quote bytes of the target in theirs.
_LONGEST = 500


@frozen
class Chunk:
    """Bytes that arrived together, ``at`` seconds after the request was sent."""

    at: float
    data: bytes


class FaultKind(StrEnum):
    """How an exchange ended without a complete answer."""

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


#: Faults on the way to the target. They say nothing about its answers.
NETWORK_FAULTS = frozenset(
    {FaultKind.CONNECT, FaultKind.DNS, FaultKind.TLS, FaultKind.CONNECT_TIMEOUT, FaultKind.CANCELLED}
)

#: Faults of an answer that stopped in the middle. A broken target does this, but also one that is just shutting down.
BROKEN_OFF = frozenset({FaultKind.CLOSED, FaultKind.READ_TIMEOUT, FaultKind.TOTAL_TIMEOUT})


def _cut(message: str) -> str:
    """A message, cut after some characters."""
    return message if len(message) <= _LONGEST else message[: _LONGEST - 1] + "…"


@frozen
class Fault:
    """A transport error: its kind, the message of the library, and when it happened (seconds after sending)."""

    kind: FaultKind
    message: str = field(converter=_cut)
    at: float


@frozen
class Shortened:
    """A body that is not kept whole: its length in bytes, its SHA-256 in hexadecimal digits, and why.

    The first ``head`` bytes that are kept are its beginning, the others its end.
    """

    size: int
    sha256: str
    head: int
    reason: str


@frozen(slots=False)
class Response:
    """Status, headers in order, and the body as it arrived.

    ``complete`` is True if the message body ended properly (RFC 9112 section 6.3). ``elapsed`` is the time in seconds
    from sending to the end of the body, ``headers_at`` to the end of the header section. If ``shortened`` is set, the
    chunks hold only the beginning and the end of the body, and it isn't parsed.
    ``timed`` is False if nobody noted when the chunks arrived, as in most recordings of other tools. ``surplus`` is the
    number of bytes that came after the end of the message, on the same connection; they belong to no message.
    """

    status: int
    headers: Headers = ()
    chunks: tuple[Chunk, ...] = ()
    complete: bool = True
    elapsed: float = 0.0
    headers_at: float = 0.0
    reason: str = ""
    http_version: str = "HTTP/1.1"
    shortened: Shortened | None = None
    timed: bool = True
    surplus: int = 0

    __getstate__ = fields_of

    @cached_property
    def body(self) -> bytes:
        """The content that is kept: all of it, unless it was shortened."""
        return b"".join(chunk.data for chunk in self.chunks)

    @property
    def size(self) -> int:
        """The number of bytes of the content that arrived."""
        return len(self.body) if self.shortened is None else self.shortened.size

    @property
    def content(self) -> bytes:
        """The body without its content codings; the body itself where they are none, unknown or not those applied."""
        undone_body = undone(codings(self.headers), self.body)
        return self.body if undone_body is None else undone_body

    @cached_property
    def unread(self) -> str:
        """Why the content isn't read: it is not kept whole, or unpacks to more than is allowed; "" if neither is so."""
        if self.shortened is not None:
            return f"the answer is not kept whole: {self.shortened.reason}"
        names = codings(self.headers)
        too_long = bool(names) and unpacked(names, self.body).too_long
        return f"the answer unpacks to more than {MOST} bytes, which are not read" if too_long else ""

    def header(self, name: str) -> str | None:
        """The first value of a header, matched without case; None where absent."""
        return first_value(self.headers, name)

    @cached_property
    def media_type(self) -> str:
        """Type and subtype of the Content-Type in lower case, without parameters; "" if absent."""
        return (self.header("content-type") or "").split(";", 1)[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """True when the whole content parses as JSON (RFC 8259)."""
        return self._parsed[0]

    @property
    def json(self) -> Any:
        """The parsed body; None if it isn't JSON. :attr:`is_json` tells that from null."""
        return self._parsed[1]

    @cached_property
    def _parsed(self) -> tuple[bool, Any]:
        if self.shortened is not None:
            return False, None
        only_last(self)
        try:
            # Decoded here: from bytes, json.loads would also take UTF-16 and a byte order mark.
            return True, json.loads(str(self.content, "utf-8"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            return False, None

    def forget(self) -> None:
        """Let go of what was computed from the chunks. It is computed again when it is asked for."""
        for name in ("body", "_parsed", "_stream", "_reading"):
            vars(self).pop(name, None)

    def with_body(self, body: bytes) -> Response:
        """The same answer with another body, in one chunk and without a content coding. Content-Length is adjusted."""
        # The new body arrives when the old one was complete, so that the times stay in order.
        at = self.chunks[-1].at if self.chunks else self.headers_at
        headers = tuple(
            (key, str(len(body)) if key.lower() == "content-length" else value)
            for key, value in self.headers
            if key.lower() != "content-encoding"
        )
        return evolve(self, chunks=(Chunk(at, body),) if body else (), headers=headers, shortened=None)

    def with_json(self, value: Any) -> Response:
        """The same answer with a JSON body. Half a surrogate pair, which UTF-8 can't hold, is written as an escape.

        The value must be one that :func:`json.loads` may return, and must not be changed afterwards: it is what the
        answer's :attr:`json` gives, so that nobody parses what was just written.
        """
        try:
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        except ValueError:  # a number that JSON doesn't have
            return self.with_body(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
        try:
            made = self.with_body(text.encode())
        except UnicodeEncodeError:
            return self.with_body(json.dumps(value, separators=(",", ":")).encode())
        only_last(made)
        vars(made)["_parsed"] = True, value
        return made

    def with_header(self, name: str, value: str | None) -> Response:
        """The same answer with a header replaced, or removed if ``value`` is None."""
        kept = tuple((k, v) for k, v in self.headers if k.lower() != name.lower())
        return evolve(self, headers=kept if value is None else (*kept, (name, value)))


class _LastParsed:
    """The large response that was parsed last. The parsed forms of the one before it are forgotten."""

    def __init__(self) -> None:
        self._last: weakref.ref[Response] | None = None

    def replace(self, response: Response) -> None:
        """Forget the parsed forms of the last response, because this one is parsed now."""
        last = self._last() if self._last is not None else None
        if last is response:
            return
        self._last = weakref.ref(response)
        if last is not None:
            last.forget()


_last_parsed = _LastParsed()


def only_last(response: Response) -> None:
    """Note that a response is parsed now: of large ones only the last keeps its parsed forms."""
    if len(response.body) > _LARGE:
        _last_parsed.replace(response)


def _refuse_constant(name: str) -> Any:
    """Refuse NaN and Infinity, which Python reads but JSON doesn't have."""
    raise ValueError(f"{name} is not JSON")


@frozen
class Exchange:
    """A request with its response, or with the fault that happened in place of one.

    There may be both: an answer that was cut off has a response (``complete`` False) and a fault. ``attempts`` are the
    earlier attempts of the same request, oldest first. ``started`` is in seconds since the Unix epoch. ``control_ok``
    tells, after a repeated 5xx or an answer that broke off, whether a control request succeeded; None if none was sent.
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
        """The status code, or None if there was no answer."""
        return self.response.status if self.response else None

    @property
    def unreached(self) -> bool:
        """True if the target was not reached or not available: the exchange can't be judged."""
        return bool(self.unreached_because)

    @property
    def unreached_because(self) -> str:
        """The reason why the exchange can't be judged: the target was not reached or not available. Else ""."""
        if self.outside:
            return self.outside
        if self.fault is None or not (self.fault.kind in NETWORK_FAULTS or self.control_ok is False):
            return ""
        away = "; then the target was away" if self.control_ok is False else ""
        return f"{self.fault.kind}: {self.fault.message}{away}"

    @property
    def ok(self) -> bool:
        """True for a complete answer with a 2xx status."""
        return self.response is not None and self.fault is None and 200 <= self.response.status < 300

    def answered(self, response: Response) -> Exchange:
        """The same exchange with another response and no fault, as counterexamples return it."""
        return evolve(self, response=response, fault=None)
