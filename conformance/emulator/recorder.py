"""An emulator that writes down what it receives: a server as ``emulator/server.py`` has it, with a tape around it.

The header section is kept as bytes, because intermediaries change the spelling and the order of names.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from attrs import define, field
from uvicorn.protocols.http.h11_impl import H11Protocol

from conformance.emulator.faults import NO_FAULT, UpstreamFault
from conformance.emulator.server import ASGI, Receive, Scope, Send, running
from conformance.emulator.tape import Tape
from conformance.evidence.exchange import Chunk, Response
from conformance.requests.request import Request

__all__ = ["KeptBytes", "recorded", "recording"]

#: The end of a header section (RFC 9112 section 2.1).
_BLANK = b"\r\n\r\n"

#: The end of an event (WHATWG event stream); the emulator ends lines with LF or CR LF.
_EVENT_ENDS = (b"\n\n", b"\r\n\r\n")

#: The text that chooses a fault stands in so many bytes of a body.
_KEYED = 1_048_576

_NUMBERS = count(1)

#: The header fields that a server decides about itself.
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


class KeptBytes(H11Protocol):
    """uvicorn's protocol, which also keeps the bytes of the request that arrives, and when the other side left."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.number = next(_NUMBERS)
        self.arrived = b""
        self.lost: float | None = None

    def data_received(self, data: bytes) -> None:
        """Keep what belongs to the header section."""
        if _BLANK not in self.arrived:
            self.arrived += data
        super().data_received(data)

    def on_response_complete(self) -> None:
        """The next bytes belong to the next request."""
        self.arrived = b""
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note when the other side left."""
        self.lost = time.monotonic()
        super().connection_lost(exc)

    @property
    def head(self) -> bytes:
        """The header section of the current request as it arrived, with the request line."""
        return self.arrived.partition(_BLANK)[0]


def recorded(inner: ASGI, tape: Tape) -> ASGI:
    """The application with a tape around it. It must be served with :class:`KeptBytes`."""

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await inner(scope, receive, send)
            return
        # An internal of uvicorn, as in ``emulator/server.py``: the callback of the cycle belongs to the protocol.
        protocol: KeptBytes = send.__self__.on_response.__self__  # type: ignore[attr-defined]
        request = _request(scope, protocol.head)
        one = _Recording(tape, tape.begin(protocol.number, request, protocol.head), protocol, receive, send)
        try:
            await one.answer(inner, scope)
        finally:
            one.note()

    return front


def _request(scope: Scope, head: bytes) -> Request:
    """The request without its body, header names as they were spelled."""
    lines = head.split(b"\r\n")[1:]
    pairs = (line.partition(b":") for line in lines if b":" in line)
    headers = tuple((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")) for name, _, value in pairs)
    host = next((value for name, value in headers if name.lower() == "host"), "localhost")
    query = scope["query_string"].decode("latin-1")
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    return Request(scope["method"], f"http://{host}{path}" + (f"?{query}" if query else ""), headers)


@define(eq=False)
class _Recording:
    """One request while it is answered."""

    tape: Tape
    index: int
    protocol: KeptBytes
    inner_receive: Receive
    inner_send: Send
    began: float = field(factory=time.monotonic, init=False)
    fault: UpstreamFault = field(default=NO_FAULT, init=False)
    pieces: list[bytes] = field(factory=list, init=False)
    held: list[Any] = field(factory=list, init=False)
    start: dict[str, Any] | None = field(default=None, init=False)
    started_at: float = field(default=0.0, init=False)
    chunks: list[Chunk] = field(factory=list, init=False)
    whole: bool = field(default=False, init=False)
    dropped: bool = field(default=False, init=False)
    read: bool = field(default=False, init=False)

    @property
    def transport(self) -> asyncio.Transport:
        """The connection, where the emulator looks for it in order to drop it."""
        return self.protocol.transport

    async def answer(self, inner: ASGI, scope: Scope) -> None:
        """Let the application answer, or the fault."""
        if any(one.contains for one in self.tape.armed):
            await self._read_ahead()
        self.fault = self.tape.meet(self.index, b"".join(self.pieces))
        if self.fault.status is None and not self.fault.reset:
            await inner(scope, self.receive, self.send)
            return
        while not self.read:
            if (await self._arriving())["type"] == "http.disconnect":
                return
        if self.fault.reset:
            self._drop()
            return
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.fault.headers]
        headers.append((b"content-length", str(len(self.fault.body)).encode()))
        await self.send({"type": "http.response.start", "status": self.fault.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": self.fault.body})

    async def receive(self) -> Any:
        """Pass on what arrives, and keep it."""
        return self.held.pop(0) if self.held else await self._arriving()

    async def _read_ahead(self) -> None:
        """Read the body, as far as faults are told apart by it, before it is known what becomes of the request."""
        messages = []
        while not self.read and sum(map(len, self.pieces)) < _KEYED:
            messages.append(await self._arriving())
            if messages[-1]["type"] == "http.disconnect":
                break
        self.held = messages

    async def _arriving(self) -> Any:
        message = await self.inner_receive()
        if message["type"] == "http.request":
            self.pieces.append(message.get("body", b""))
            if not message.get("more_body", False):
                self.read = True
                self.tape.body(self.index, b"".join(self.pieces))
        return message

    async def send(self, message: Any) -> None:
        """Pass on what the application sends, as the fault changes it."""
        if self.dropped:
            return
        while not self.tape.gathered(self.fault) and not self.protocol.transport.is_closing():
            await asyncio.sleep(0.01)
        if message["type"] == "http.response.start":
            if self.fault.malformed or self.fault.cut is not None:
                headers = [pair for pair in message["headers"] if pair[0].decode("latin-1").lower() not in _FRAMING]
                message = {**message, "headers": headers}
            await self._write(message)
            return
        body: bytes = message.get("body", b"")
        if self.fault.malformed and body:
            body = body[: len(body) * 2 // 3]
        if self.fault.cut is not None and self._events_with(body) > self.fault.cut:
            self._drop()
            return
        await self._pause(self._wait_before(body))
        if self.fault.cut is not None and not self._streams and body:
            await self._write({**message, "body": body[: len(body) // 2], "more_body": True})
            self._drop()
            return
        await self._write({**message, "body": body})

    @property
    def _streams(self) -> bool:
        """True if the answer is an event stream."""
        headers = self.start["headers"] if self.start is not None else ()
        return any(
            name.lower() == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers
        )

    def _events_with(self, body: bytes) -> int:
        """The number of events once these bytes are sent too; 0 if the answer is no stream."""
        if not self._streams:
            return 0
        data = b"".join(chunk.data for chunk in self.chunks) + body
        return max(data.count(end) for end in _EVENT_ENDS)

    def _wait_before(self, body: bytes) -> float:
        """The seconds to wait before these bytes."""
        if not self._streams:
            return self.fault.stall if not self.chunks else 0.0
        if not body or not self.chunks:
            return 0.0
        paced = self.fault.pauses is None or len(self.chunks) <= self.fault.pauses
        return (self.fault.interval if paced else 0.0) + (self.fault.stall if len(self.chunks) == 1 else 0.0)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not for somebody who has left."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self.protocol.transport.is_closing():
            await asyncio.sleep(min(left, 0.02))

    async def _write(self, message: Any) -> None:
        """Send, and note what was sent and when."""
        if self.protocol.transport.is_closing():
            return
        if message["type"] == "http.response.start":
            self.start, self.started_at = message, time.monotonic() - self.began
        elif message.get("body"):
            self.chunks.append(Chunk(time.monotonic() - self.began, message["body"]))
        # Noted before it is sent: after the last byte the server itself may close the connection.
        self.whole = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self.inner_send(message)

    def _drop(self) -> None:
        """Close the connection."""
        self.dropped = True
        self.protocol.transport.abort()

    def note(self) -> None:
        """Write the answer on the tape."""
        answer = None
        if self.start is not None:
            answer = Response(
                status=self.start["status"],
                headers=tuple(
                    (name.decode("latin-1"), value.decode("latin-1")) for name, value in self.start["headers"]
                ),
                chunks=tuple(self.chunks),
                complete=self.whole,
                elapsed=time.monotonic() - self.began,
                headers_at=self.started_at,
            )
        gone = self.protocol.lost
        # What we ourselves closed is an answer that ended, if early.
        self.tape.end(self.index, answer, whole=self.whole or self.dropped, gone=gone)


@contextmanager
def recording(app: ASGI, tape: Tape, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve an application with a tape around it in a thread of this process. Yields the base URL; raises OSError if
    it can't listen.
    """
    with running(recorded(app, tape), host=host, port=port, http=KeptBytes) as url:
        yield url
