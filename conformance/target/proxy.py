"""The proxy between this machine and a target, as the environment names it.

``urllib.request`` reads ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``, also in small letters, and the
proxy settings of macOS and Windows. A target on this machine is always reached without a proxy.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from attrs import field, frozen

from conformance.errors import UsageError
from conformance.redaction import PROCESS
from conformance.settings.configuration import is_loopback

__all__ = ["Proxy", "proxy_for"]


@frozen
class Proxy:
    """A proxy. ``url`` is scheme and authority without user and password, so that it may be shown."""

    url: str
    login: tuple[str, str] | None = field(default=None, repr=False)

    @property
    def is_tls(self) -> bool:
        """True if the connection to the proxy itself is encrypted."""
        return self.url.startswith("https:")


def proxy_for(origin: str) -> Proxy | None:
    """The proxy through which ``origin`` (scheme and authority) is reached, or None.

    Raises :class:`UsageError` for a proxy of another kind than ``http://`` or ``https://``.
    """
    parts = urlsplit(origin)
    if is_loopback(origin) or proxy_bypass(parts.netloc):
        return None
    known = getproxies()
    named = known.get(parts.scheme) or known.get("all")
    if not named:
        return None
    # Many environments name a proxy without a scheme: ``proxy:3128``.
    found = urlsplit(named if "://" in named else f"http://{named}")
    try:
        host, port = found.hostname or "", found.port
    except ValueError:
        host, port = "", None
    if found.scheme not in ("http", "https") or not host:
        raise UsageError(
            f"the proxy that the environment names for {origin} is of another kind than http:// or https://",
            hint=f"change {parts.scheme.upper()}_PROXY or ALL_PROXY, or set NO_PROXY={parts.hostname}",
        )
    name = f"[{host}]" if ":" in host else host
    login = (unquote(found.username), unquote(found.password or "")) if found.username else None
    if login is not None:
        PROCESS.add(login[1], ":".join(login))
    return Proxy(f"{found.scheme}://{name}" + (f":{port}" if port else ""), login)
