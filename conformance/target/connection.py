"""One HTTP/1.1 connection to an origin, kept between requests, and how it is opened, through a proxy too.

h11 parses what comes: it is strict, and httpcore uses it as well. httpcore opens the streams (TCP, TLS, TLS inside
TLS). Its own connections and pools are not used, because they took half of what sending costs: see
``benchmarks/README.md``.
"""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import h11
import httpcore
from attrs import frozen

from conformance.settings.configuration import Timeouts
from conformance.target.proxy import Proxy

__all__ = ["Connection", "Final", "Route"]

#: Name and value of header fields, as they are sent.
Fields = Sequence[tuple[bytes, bytes]]

#: The head of a final answer.
Final = h11.Response | h11.InformationalResponse

#: Bytes that are read at once.
_READ = 65_536

#: The most bytes of a header section, or of the line of a chunk, that h11 waits for.
_INCOMPLETE = 102_400

#: Seconds that an idle connection is kept. Common servers close theirs after 5 s; a request must not meet a closing
#: one.
_KEPT = 4.0


@frozen
class _Origin:
    """Where a connection leads. ``context`` is that of TLS, None without."""

    host: str
    port: int
    context: ssl.SSLContext | None

    @classmethod
    def of(cls, url: str) -> _Origin:
        """The origin of a URL."""
        parts = urlsplit(url)
        context = None
        if parts.scheme == "https":
            import httpx  # late: it brings a command line of its own, which takes a tenth of a second

            context = httpx.create_ssl_context()
            context.set_alpn_protocols(["http/1.1"])
        host = (parts.hostname or "").encode("idna").decode("ascii")
        return cls(host, parts.port or (80 if context is None else 443), context)

    @property
    def authority(self) -> bytes:
        """Host and port as they stand in a CONNECT request (RFC 9112 section 3.2.3)."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{name}:{self.port}".encode()


@frozen
class Route:
    """The way to an origin: directly, or through a proxy. ``login`` are the fields that the proxy wants to see."""

    origin: _Origin
    proxy: _Origin | None
    login: Fields

    @classmethod
    def to(cls, origin: str, proxy: Proxy | None) -> Route:
        """The way to an origin (scheme and authority)."""
        if proxy is None:
            return cls(_Origin.of(origin), None, ())
        login = "" if proxy.login is None else base64.b64encode(":".join(proxy.login).encode()).decode()
        fields = ((b"Proxy-Authorization", f"Basic {login}".encode()),) if login else ()
        return cls(_Origin.of(origin), _Origin.of(proxy.url), fields)

    @property
    def handshakes(self) -> int:
        """How many TLS handshakes stand before the first byte of a request."""
        return sum(one is not None and one.context is not None for one in (self.origin, self.proxy))

    @property
    def is_absolute(self) -> bool:
        """True if requests name the whole URL, because a proxy passes them on (RFC 9112 section 3.2.2)."""
        return self.proxy is not None and self.origin.context is None

    def opened(self, backend: httpcore.NetworkBackend, timeouts: Timeouts) -> Connection:
        """A new connection. An origin with TLS is reached through a tunnel of the proxy (RFC 9110 section 9.3.6).

        Raises :class:`httpcore.ProxyError` if the proxy refuses the tunnel.
        """
        first = self.proxy or self.origin
        stream = _secured(backend.connect_tcp(first.host, first.port, timeouts.connect), first, timeouts)
        if self.proxy is None:
            return Connection(stream, timeouts)
        if self.is_absolute:
            return Connection(stream, timeouts, forward=self.login)
        authority = self.origin.authority
        with ExitStack() as failing:
            failing.callback(stream.close)
            asked = [(b"Host", authority), (b"Accept", b"*/*"), *self.login]
            answer = Connection(stream, timeouts).ask("CONNECT", authority, asked)
            if not 200 <= answer.status_code < 300:
                raise httpcore.ProxyError(f"{answer.status_code} {answer.reason.decode('ascii', 'ignore')}")
            made = Connection(_secured(stream, self.origin, timeouts), timeouts)
            failing.pop_all()
            return made


def _secured(stream: httpcore.NetworkStream, origin: _Origin, timeouts: Timeouts) -> httpcore.NetworkStream:
    """The stream with TLS, if the origin has it."""
    return stream if origin.context is None else stream.start_tls(origin.context, origin.host, timeouts.connect)


class Connection:
    """One connection. Not thread-safe. Raises the exceptions of httpcore."""

    def __init__(self, stream: httpcore.NetworkStream, timeouts: Timeouts, *, forward: Fields = ()) -> None:
        self._stream, self._timeouts = stream, timeouts
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_INCOMPLETE)
        self._until = float("inf")
        #: What a proxy that passes requests on wants to see in each of them.
        self._forward = tuple(forward)

    def can_be_used(self) -> bool:
        """True if another request can be sent. A server that says something unasked is closing the connection."""
        idle = self._h11.our_state is h11.IDLE and time.monotonic() <= self._until
        return idle and not self._stream.get_extra_info("is_readable")

    def ask(self, method: str, target: bytes, headers: Fields, body: bytes = b"") -> Final:
        """Send a request, and return the head of its final answer. Raises :class:`httpcore.LocalProtocolError` for a
        request that HTTP can't carry.
        """
        named = {name.lower() for name, _ in headers}
        extra = [(name, value) for name, value in self._forward if name.lower() not in named]
        try:
            request = h11.Request(method=method, target=target, headers=[*extra, *headers])
            data = self._h11.send(request) or b""
            data += self._h11.send(h11.Data(data=body)) or b"" if body else b""
            data += self._h11.send(h11.EndOfMessage()) or b""
        except h11.LocalProtocolError as error:
            raise httpcore.LocalProtocolError(error) from error
        with suppress(httpcore.WriteError):  # some servers answer before they have read everything, and close
            self._stream.write(data, self._timeouts.read)
        while True:
            event = self._event()
            if isinstance(event, h11.Response):
                return event
            # 101 is final: another protocol follows it.
            if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
                return event

    def content(self) -> Iterator[bytes]:
        """Yield the content of the answer as it arrives."""
        while True:
            event = self._event()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage) or event is h11.PAUSED:
                return

    def _event(self) -> h11.Event | type[h11.PAUSED | h11.NEED_DATA]:
        """The next event of the answer."""
        while True:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                raise httpcore.RemoteProtocolError(error) from error
            if event is not h11.NEED_DATA:
                return event
            data = self._stream.read(_READ, self._timeouts.read)
            if not data and self._h11.their_state is h11.SEND_RESPONSE:
                raise httpcore.RemoteProtocolError("Server disconnected without sending a response.")
            self._h11.receive_data(data)

    def end(self) -> None:
        """The answer was read, or won't be. Unless both sides are ready for another request, close the connection."""
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
            self._until = time.monotonic() + _KEPT
        else:
            self.close()

    def close(self) -> None:
        """Close it."""
        self._until = float("-inf")
        self._stream.close()
