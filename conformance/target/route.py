"""The way to an origin: directly, or through a proxy. httpcore opens the streams (TCP, TLS, TLS inside TLS)."""

from __future__ import annotations

import base64
import ssl
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpcore
from attrs import frozen

from conformance.settings.configuration import Timeouts
from conformance.target.connection import Connection, Fields
from conformance.target.proxy import Proxy

__all__ = ["Route"]


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
