"""The credential of a target: how it is sent, how it is hidden in evidence, what happens if it is refused.

A key that was accepted before and is refused now has expired or was revoked. That concerns the account and not the
contract of the target. The key is read again if it comes from a file, the request is repeated once, and a further
refusal says nothing about the target.
"""

from __future__ import annotations

import threading
from collections.abc import Collection

from attrs import evolve

from conformance.evidence.body import content_without, shortened, without_content, without_edges
from conformance.evidence.exchange import Exchange, Fault, Response
from conformance.redaction import Secrets, looks_random, parts_of
from conformance.requests.case import Auth
from conformance.requests.headers import Headers, is_secret, redact
from conformance.requests.request import Request
from conformance.settings.configuration import Target as Settings
from conformance.target.proxy import Proxy
from conformance.target.tokens import tokens_of

__all__ = ["REFUSED_SINCE", "Credential"]

#: The key of probes with a wrong key: as long as a real one, and surely none.
WRONG_KEY = "0" * 32

#: Why a 401 or 403 after earlier successes says nothing about the contract.
REFUSED_SINCE = "the key was accepted before and is refused now: it expired, was revoked, or may not do this"


#: Why the content of an answer is not kept.
_PACKED = "it shows a secret of the request, is packed, and can't be unpacked as a whole"


class Credential:
    """The credential of one target. Thread-safe.

    ``secrets`` are those of the target: the key, the values of configured headers, what a proxy asks for, and the
    cookies that the target sets. ``words`` are those of the api-version and names of deployments.
    """

    def __init__(self, settings: Settings, words: Collection[str] = (), proxy: Proxy | None = None) -> None:
        self._settings = settings
        self._tokens = tokens_of(settings)
        self._key = settings.key
        self._accepted = False
        self._lock = threading.Lock()
        self._keys = [self._key] if self._key else []
        self.secrets = Secrets(words)
        self.secrets.add(self._key)
        for name, value in settings.headers.items():
            for part in parts_of(value):
                # A gateway's header may name a model or a region, which answers may name too.
                self.secrets.add(part, credential=is_secret(name) or looks_random(part))
        if proxy is not None and proxy.login is not None:
            self.secrets.add(proxy.login[1], ":".join(proxy.login))
        if settings.asks_for_tokens:
            self._current()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that were used so far: a probe without a credential may carry none of them."""
        return tuple(self._keys)

    def headers(self, auth: Auth) -> Headers:
        """The header with the credential. Empty for ``Auth.NONE`` and for a target without keys."""
        key = self._current() if auth is Auth.VALID else WRONG_KEY
        if auth is Auth.NONE or self._settings.auth == "none" or not key:
            return ()
        bearer = self._settings.auth in ("bearer", "entra")
        return (("authorization", f"Bearer {key}"),) if bearer else (("api-key", key),)

    def _current(self) -> str:
        """The key to send now; a token is renewed before it ends. Raises :class:`UsageError` if there is none."""
        return self._key if self._tokens is None else self._use(self._tokens.current())

    def _use(self, key: str) -> str:
        """Send this key from now on, and hide it."""
        if key != self._key:
            self._keys.append(key)
            self.secrets.add(key)
            self._key = key
        return key

    def note(self, auth: Auth, exchange: Exchange) -> None:
        """Remember that the key was accepted."""
        if auth is Auth.VALID and exchange.ok:
            self._accepted = True

    def trust(self) -> None:
        """Note that the key was accepted in the preflight."""
        self._accepted = True

    def refused_since(self, auth: Auth, status: int | None) -> bool:
        """True if a key that was accepted before is refused now."""
        return auth is Auth.VALID and self._settings.auth != "none" and self._accepted and status in (401, 403)

    def renew(self, used: Headers) -> bool:
        """Read the key or token again. True if the next request will carry another one than ``used``.

        A key from the environment can't change: that of a process is fixed.
        """
        with self._lock:
            if used != self.headers(Auth.VALID):
                return True  # another thread read it in the meantime
            if self._tokens is None:
                return False
            refused = self._key
            return self._use(self._tokens.renewed(refused)) != refused

    def evidence(self, sent: Request, response: Response | None, fault: Fault | None, started: float) -> Exchange:
        """The exchange as it may be kept: without secrets, wherever they stand in what was sent or came."""
        hidden = self.secrets
        if fault is not None:
            fault = evolve(fault, message=hidden.text(fault.message))
        request = Request(
            method=sent.method,
            url=hidden.text(sent.url),
            headers=self._cleaned(sent.headers),
            body=hidden.data(sent.body),
        )
        return Exchange(request, response and self._answer(response), fault, started=started)

    def _cleaned(self, headers: Headers) -> Headers:
        """Headers without secrets: those that are secret by name, and what is known elsewhere."""
        return redact((name, self.secrets.header(name, value)) for name, value in headers)

    def _answer(self, response: Response) -> Response:
        """The answer without secrets. A Content-Length that was right stays so."""
        self.secrets.cookies([value for name, value in response.headers if name.lower() == "set-cookie"])
        headers, reason = self._cleaned(response.headers), self.secrets.text(response.reason)
        chunks, short = content_without(self.secrets, response), response.shortened
        if chunks is None:
            return without_content(shortened(evolve(response, headers=headers, reason=reason), _PACKED, small=True))
        if short is not None:
            # Half of a secret may stand beside the gap. Escaped, it has up to six times as many characters.
            chunks = without_edges(chunks, 6 * max(map(len, self.secrets.values), default=0))
            short = evolve(short, head=sum(len(chunk.data) for chunk in chunks[:-1]))
        elif chunks != response.chunks:
            lengths = [str(sum(len(chunk.data) for chunk in some)) for some in (response.chunks, chunks)]
            headers = tuple(
                (name, lengths[1] if (name.lower(), value) == ("content-length", lengths[0]) else value)
                for name, value in headers
            )
        chunks = tuple(chunk for chunk in chunks if chunk.data)
        return evolve(response, headers=headers, reason=reason, chunks=chunks, shortened=short)
