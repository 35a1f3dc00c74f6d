"""One request over one kept connection. The result is raw bytes with arrival times, or a fault.

Each thread has a connection of its own (``connection.py``). Two reasons speak against a client of httpx. Measured with
``benchmarks/clients.py``, its layers and those of httpcore cost more than the sending. And only the byte stream below
can limit the time of a whole exchange: httpx restarts its read timeout with every byte, so headers that arrive byte by
byte would never end. Nothing is retried, redirected or decoded here: a compressed body stays compressed, so that it
can't grow.

Every answer is bounded (``[limits]``): what it may hold, how much of it is kept, and how long the exchange may take,
however slowly bytes arrive.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import httpcore
from attrs import define, evolve, field, frozen

from conformance.errors import HarnessError
from conformance.evidence.body import Body
from conformance.evidence.exchange import Fault, FaultKind, Response
from conformance.requests.request import Request
from conformance.settings.configuration import Limits, Timeouts
from conformance.target.connection import Connection, Final
from conformance.target.head import Head, OverLimit
from conformance.target.proxy import Proxy
from conformance.target.route import Route
from conformance.target.tail import has_no_content

__all__ = ["Answer", "Transport"]

#: What httpcore raises if an exchange fails on the way; ``ProxyError`` if a proxy refuses a tunnel.
_FAULTS = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, httpcore.ProxyError)

#: Bytes that are written at once. The deadline is checked before each piece, because a server may read slowly.
_PIECE = 16_384


@frozen
class Answer:
    """The result of one attempt. ``sent`` is False if no byte of the request was sent, ``heard`` True once any byte
    came.
    """

    response: Response | None
    fault: Fault | None
    sent: bool
    heard: bool


@define(eq=False)
class _Clock:
    """The limits and the progress of the exchange on this thread, for the byte stream.

    ``handshakes`` counts the TLS handshakes that stand before the first byte of a request. Until they are over, what is
    written and read is between us and a proxy.
    """

    head: Head
    deadline: float = float("inf")
    limit: float = float("inf")
    idle: float = 60.0
    wrote: bool = False
    heard: bool = False
    late: bool = False
    handshakes: int = 0
    sockets: set[httpcore.NetworkStream] = field(factory=set)
    connection: Connection | None = None

    def close(self) -> None:
        """Close the connection of this thread, if it has one."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()


class _Stream(httpcore.NetworkStream):
    """A byte stream whose reads and writes end at the deadline of the exchange."""

    def __init__(self, inner: httpcore.NetworkStream, clock: _Clock) -> None:
        self._inner, self._clock = inner, clock
        clock.sockets.add(self)

    def _left(self, timeout: float | None) -> float:
        """The seconds that the next read or write may take. Raises ``ReadTimeout`` after the deadline."""
        left = self._clock.deadline - time.monotonic()
        if left <= 0:
            self._clock.late = True
            raise httpcore.ReadTimeout("the exchange took too long")
        limit = timeout if timeout is not None else self._clock.idle
        # Tells afterwards which of the two limits ended the wait.
        self._clock.late = left < limit
        return min(limit, left)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # Until the first byte the read limit holds, between bytes the idle limit.
        limit = self._left(self._clock.idle if self._clock.heard else timeout)
        data = self._inner.read(max_bytes, limit)
        if not self._clock.handshakes:
            self._clock.heard = self._clock.heard or bool(data)
            self._clock.head.feed(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            limit = self._left(timeout)
            # Before the write: after an error nobody knows how much of it arrived.
            self._clock.wrote = self._clock.wrote or not self._clock.handshakes
            self._inner.write(buffer[start : start + _PIECE], limit)

    def close(self) -> None:
        self._clock.sockets.discard(self)
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self._clock.sockets.discard(self)
        secured = _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._clock)
        self._clock.handshakes -= 1
        return secured

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Opens connections, and remembers them so that a stop can shut them down."""

    def __init__(self, clock: _Clock, handshakes: int) -> None:
        self._inner, self._clock, self._handshakes = httpcore.SyncBackend(), clock, handshakes

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        inner = self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        self._clock.handshakes = self._handshakes
        return _Stream(inner, self._clock)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class Transport:
    """Sends requests to one origin from any number of threads. Thread-safe; close it at the end.

    A ``proxy`` is asked for a tunnel (CONNECT) to an ``https`` origin. A request to an ``http`` origin is sent to it in
    the absolute form (RFC 9112 section 3.2.2).
    """

    def __init__(self, origin: str, timeouts: Timeouts, limits: Limits, proxy: Proxy | None = None) -> None:
        self._origin, self._authority = origin.encode("idna"), urlsplit(origin).netloc.encode("idna")
        self._timeouts, self._limits = timeouts, limits
        #: The moment (``time.monotonic``) at which every exchange ends: the end of the run's time.
        self.until = float("inf")
        self._route, self._proxy = Route.to(origin, proxy), proxy
        # A connection for each thread was measured to be faster than one shared pool (see the head of this module).
        self._local = threading.local()
        self._opened: list[_Clock] = []
        self._lock = threading.Lock()
        self._aborted = False

    def send(
        self,
        request: Request,
        cancel_after: int | None = None,
        *,
        fresh: bool = False,
        seconds: float = float("inf"),
    ) -> Answer:
        """Make one attempt. ``cancel_after`` closes the connection after that many bytes of the body. It may take so
        many ``seconds``, and never longer than any exchange.

        ``fresh`` opens a new connection. A kept one may just be closing, and then nobody knows whether the request
        arrived.
        """
        clock = self._clock()
        if fresh:
            clock.close()
        began = time.monotonic()
        clock.limit, clock.idle = min(self._timeouts.whole, seconds), self._timeouts.idle
        clock.deadline = min(began + clock.limit, self.until)
        clock.wrote = clock.heard = clock.late = False
        clock.head = Head(self._limits, request.method)
        body = Body(self._limits.kept_bytes)
        answer: Final | None = None
        headers_at, fault, ended = 0.0, None, False
        try:
            if self._aborted:
                return Answer(None, Fault(FaultKind.CANCELLED, "the run was stopped", 0.0), False, False)
            connection = self._connection(clock)
            answer = connection.ask(request.method, self._target(request), self._fields(request), request.body)
            headers_at = time.monotonic() - began
            events = _Events(answer, self._limits.events)
            for data in connection.content():
                now = time.monotonic()
                body.add(now - began, data)
                if cancel_after is not None and body.size >= cancel_after:
                    break
                if body.size > self._limits.answer_bytes:
                    raise OverLimit(f"the body has more than {self._limits.answer_bytes} bytes (limits.answer_bytes)")
                events.count(data)
                if now > clock.deadline:  # bytes that were read before may take long to be taken apart
                    clock.late = True
                    raise httpcore.ReadTimeout("the exchange took too long")
            else:
                ended = True
                patient = has_no_content(request.method, answer.status_code)
                _read_on(clock, self._timeouts.surplus if patient else 0.0)
        except httpcore.LocalProtocolError as error:
            raise HarnessError(f"a request that HTTP can't carry: {error}", where=request.url) from None
        except (*_FAULTS, OSError) as error:
            fault = self._fault(error, clock, time.monotonic() - began)
        finally:
            if clock.connection is not None:
                clock.connection.end()
        elapsed = time.monotonic() - began
        response = self._response(answer, body, ended, elapsed, headers_at) if answer else None
        tail = clock.head.tail
        if response is not None and ended and tail is not None and tail.surplus:
            response = evolve(response, surplus=tail.surplus)
            # The next request must not take these bytes for its answer.
            clock.close()
        return Answer(response, fault, clock.wrote, clock.heard)

    def abort(self) -> None:
        """Shut down every connection. Exchanges in flight end with :attr:`FaultKind.CANCELLED`."""
        self._aborted = True
        with self._lock:
            opened = list(self._opened)
        for clock in opened:
            for stream in list(clock.sockets):
                sock = stream.get_extra_info("socket")
                try:
                    # Not ``close``: shutting down wakes a thread that waits in a read, closing doesn't.
                    sock.shutdown(socket.SHUT_RDWR)
                except (OSError, AttributeError):
                    continue  # it was closed by its own thread in the meantime

    def resume(self) -> None:
        """Allow sending again after :meth:`abort`, to remove what was created."""
        self._aborted = False

    def close(self) -> None:
        """Close the connections. No thread may be sending."""
        with self._lock:
            opened, self._opened = self._opened, []
        for clock in opened:
            clock.close()

    def _clock(self) -> _Clock:
        """The clock of this thread, created at its first use."""
        mine: _Clock | None = getattr(self._local, "mine", None)
        if mine is None:
            mine = self._local.mine = _Clock(Head(self._limits))
            with self._lock:
                self._opened.append(mine)
        return mine

    def _connection(self, clock: _Clock) -> Connection:
        """The kept connection of this thread if it can be used, else a new one."""
        if clock.connection is None or not clock.connection.can_be_used():
            clock.close()
            clock.connection = self._route.opened(_Backend(clock, self._route.handshakes), self._timeouts)
        return clock.connection

    def _target(self, request: Request) -> bytes:
        """The request's target (RFC 9112 section 3.2). The path is sent exactly as it was built: HTTP libraries tend to
        resolve dot segments and normalise escapes.
        """
        parts = urlsplit(request.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return (self._origin if self._route.is_absolute else b"") + path.encode("utf-8")

    def _fields(self, request: Request) -> list[tuple[bytes, bytes]]:
        """The header fields that are sent."""
        named = {name.lower() for name, _ in request.headers}
        headers = [(b"host", self._authority)] if "host" not in named else []
        # Names are ASCII by the grammar (RFC 9110 section 5.1); values may be UTF-8 in practice.
        headers += [(name.encode("ascii"), value.encode("utf-8")) for name, value in request.headers]
        if (request.body or request.method in ("POST", "PUT", "PATCH")) and "content-length" not in named:
            headers.append((b"content-length", str(len(request.body)).encode()))
        return headers

    def _response(self, answer: Final, body: Body, ended: bool, elapsed: float, headers_at: float) -> Response:
        """The response as evidence."""
        return Response(
            status=answer.status_code,
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in _raw(answer)),
            chunks=body.chunks(),
            shortened=body.shortened(),
            complete=ended,
            elapsed=elapsed,
            headers_at=headers_at,
            reason=answer.reason.decode("latin-1"),
            http_version=f"HTTP/{answer.http_version.decode('latin-1')}",
        )

    def _fault(self, error: Exception, clock: _Clock, at: float) -> Fault:
        """The fault that an exception stands for."""
        text = str(error) or type(error).__name__
        if self._proxy is not None:
            text = f"{text} (through the proxy {self._proxy.url})"
        if self._aborted or time.monotonic() >= self.until:
            why = "the run was stopped" if self._aborted else "the time of the run was over"
            return Fault(FaultKind.CANCELLED, why, at)
        match error:
            case OverLimit():
                return Fault(FaultKind.TOO_LARGE, text, at)
            case httpcore.ConnectTimeout():
                return Fault(FaultKind.CONNECT_TIMEOUT, f"no connection in {self._timeouts.connect:g} s", at)
            case httpcore.ConnectError():
                return Fault(_connect_kind(error), text, at)
            case _ if clock.handshakes:
                late = isinstance(error, httpcore.TimeoutException)
                return Fault(FaultKind.CONNECT_TIMEOUT if late else FaultKind.CONNECT, text, at)
            case httpcore.TimeoutException() if clock.late:
                return Fault(FaultKind.TOTAL_TIMEOUT, f"not over after {clock.limit:g} s", at)
            case httpcore.TimeoutException():
                silence = self._timeouts.idle if clock.heard else self._timeouts.read
                return Fault(FaultKind.READ_TIMEOUT, f"silent for {silence:g} s", at)
            case httpcore.RemoteProtocolError() if "disconnected" in text or "peer closed" in text:
                return Fault(FaultKind.CLOSED, text, at)
            case httpcore.ProtocolError():
                return Fault(FaultKind.PROTOCOL, text, at)
            case _:
                return Fault(FaultKind.CLOSED, text, at)


def _raw(answer: Final) -> list[tuple[bytes, bytes]]:
    """The header fields with their names as they came."""
    return answer.headers.raw_items()


def _read_on(clock: _Clock, seconds: float) -> None:
    """Look for bytes after the end of an answer, for at most so many seconds. They stay in the socket.

    Nothing is looked for in TLS: what can be read from its socket may be no content.
    """
    limit = min(seconds, max(0.0, clock.deadline - time.monotonic()))
    for stream in list(clock.sockets):
        sock = stream.get_extra_info("socket")
        if clock.head.tail is None or clock.head.tail.surplus or not isinstance(sock, socket.socket):
            continue
        try:
            if not isinstance(sock, ssl.SSLSocket) and select.select([sock], [], [], limit)[0]:
                clock.head.tail.feed(sock.recv(_PIECE, socket.MSG_PEEK))
        except (OSError, ValueError):
            continue  # it was closed in the meantime


class _Events:
    """Counts the events of an event stream as they arrive: each ends with a blank line."""

    def __init__(self, answer: Final, most: int) -> None:
        kinds = [value for name, value in answer.headers if name == b"content-type"]
        self._counted = any(value.strip().lower().startswith(b"text/event-stream") for value in kinds)
        self._most, self._number, self._last = most, 0, b""

    def count(self, data: bytes) -> None:
        """Count the ends of events in the next bytes. Raises :class:`OverLimit`."""
        if not self._counted:
            return
        lines = (self._last + data).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self._number += lines.count(b"\n\n")
        self._last = data[-1:] if not lines.endswith(b"\n\n") else b""
        if self._number > self._most:
            raise OverLimit(f"the stream has more than {self._most} events (limits.events)")


def _connect_kind(error: BaseException) -> FaultKind:
    """Whether a failed connection is due to DNS, TLS or else, by the causes of the exception."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return FaultKind.DNS
        if isinstance(cause, ssl.SSLError):
            return FaultKind.TLS
        # httpcore wraps the exception of the socket, sometimes twice.
        cause = cause.__cause__ or cause.__context__
    return FaultKind.CONNECT
