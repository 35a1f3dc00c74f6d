"""A connection that answers most requests at once, without a parser, a task and the layers of ASGI.

A request in its plainest form (the whole message in one read, nothing that a server treats specially) and an answer
whose head and content can be written together take this way. Everything else takes the way of the server, which is the
protocol class of uvicorn below: a request that it could refuse or read in another way, or one of a pipeline, goes there
as it came; an answer that waits, streams or breaks off is handed over with its request. Both ways write the same bytes,
which a test compares.
"""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from conformance.emulator.answer_fields import answer_fields
from conformance.evidence.exchange import Response
from conformance.requests.request import Request

if TYPE_CHECKING:
    from conformance.emulator.app import App

__all__ = ["direct", "plain_request"]

#: Longer header sections are left to the server, which has a limit of its own.
_LONGEST = 16_384

#: A header section that all servers read alike: narrower than RFC 9112 wherever parsers differ or routers look twice.
#: A path that begins with an underscore is not one of the API.
_HEAD = re.compile(
    rb"(GET|POST|DELETE|PUT|PATCH) (/(?![/_%])[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*) HTTP/1\.1\r\n"
    rb"((?:[A-Za-z0-9-]+: ?[!-~]+(?: +[!-~]+)*\r\n)+)\r\n"
)
#: An escaped control character.
_CONTROL = re.compile(r"%[01]|%7[fF]")
_LENGTH = re.compile(r"(?:0|[1-9]\d{0,8})\Z")

#: Fields that change how a message is framed, or what becomes of the connection.
_SPECIAL = frozenset({"transfer-encoding", "expect", "upgrade", "connection", "proxy-connection", "keep-alive", "te"})
_FRAMING = frozenset({b"transfer-encoding", b"connection"})

#: The status lines of final answers.
_LINES = {int(status): f"HTTP/1.1 {status:d} {status.phrase}\r\n".encode() for status in HTTPStatus if status >= 200}


def plain_request(data: bytes) -> Request | None:
    """The request, if the bytes are exactly one in its plainest form."""
    found = _HEAD.match(data, 0, _LONGEST)
    if found is None:
        return None
    method, target, lines = (part.decode("ascii") for part in found.groups())
    headers: list[tuple[str, str]] = []
    host, length = "", ""
    for line in lines[:-2].split("\r\n"):
        name, _, value = line.partition(":")
        name, value = name.lower(), value.lstrip(" ")
        if name in _SPECIAL or (name == "host" and host) or (name == "content-length" and length):
            return None
        if name == "host":
            host = value
        elif name == "content-length":
            length = value
        headers.append((name, value))
    body = data[found.end() :]
    path, _, query = target.partition("?")
    if not host or not _LENGTH.match(length or "0") or int(length or "0") != len(body) or _CONTROL.search(path):
        return None
    return Request(method, f"http://{host}{path}" + (f"?{query}" if query else ""), tuple(headers), body)


def _at_once(response: Response, given: list[tuple[bytes, bytes]]) -> bytes | None:
    """Head and content of an answer to the request that was plain; None if it has to be written by the server.

    ``given`` are the fields that the server writes in each answer.
    """
    line = _LINES.get(response.status)
    if line is None or not response.complete or response.headers_at > 0 or len(response.chunks) > 1:
        return None
    body = b""
    for chunk in response.chunks:
        if chunk.at > 0:
            return None
        body = chunk.data
    fields = answer_fields(response)
    pieces, sized = [line], False
    for name, value in (*given, *fields):
        # Framed in another way, the last answer of its connection, or a value that the server would refuse to write.
        if name in _FRAMING or not (value.isascii() and value.decode("ascii").isprintable()):
            return None
        sized = sized or name == b"content-length"
        pieces += (name, b": ", value, b"\r\n")
    return b"".join((*pieces, b"\r\n", body)) if sized else None


class _Direct(asyncio.Protocol):
    """What stands before the protocol class of uvicorn, whose internals it uses, as ``server.py`` does."""

    served: App
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    cycle: Any
    flow: Any
    server_state: Any
    timeout_keep_alive: float
    timeout_keep_alive_task: asyncio.TimerHandle | None

    #: The answer to the request that the server is given next, which is answered already.
    answer: Response | None = None
    #: True once the server was given bytes of which nobody knows whether they end with a request.
    _apart: bool = False

    def data_received(self, data: bytes) -> None:
        """Answer a plain request, or leave the bytes to the server."""
        self.answer = None
        if not self._apart:
            # The next request of a pipeline waits for the answer to the one before it, and so does one whose client
            # doesn't read.
            idle = (self.cycle is None or self.cycle.response_complete) and not self.flow.write_paused
            request = plain_request(data) if idle else None
            if request is not None:
                if self._answered(request):
                    return
            else:
                self._apart = True
        super().data_received(data)

    def _answered(self, request: Request) -> bool:
        """True if the request was answered; otherwise the answer waits to be written by the server."""
        response = self.served.handle(request)
        message = _at_once(response, self.server_state.default_headers)
        if message is None:
            self.answer = response
            return False
        # As uvicorn does at the end of each answer.
        self._unset_keepalive_if_required()
        self.transport.write(message)
        self.server_state.total_requests += 1
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
        return True

    if TYPE_CHECKING:

        def _unset_keepalive_if_required(self) -> None: ...

        def timeout_keep_alive_handler(self) -> None: ...


def direct(app: App) -> type[asyncio.Protocol]:
    """The class that speaks HTTP on the connections of a server of this app, as ``http`` of ``serve``."""
    return type("Direct", (_Direct, AutoHTTPProtocol), {"served": app})
