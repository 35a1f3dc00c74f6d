"""The credential of a target: how it is sent, how it is hidden in evidence, what happens if it is refused.

A key that was accepted before and is refused now has expired or was revoked. That concerns the account and not the
contract of the target. The key is read again if it comes from a file, the request is repeated once, and a further
refusal says nothing about the target.
"""

from __future__ import annotations

import json
import threading
from urllib.parse import quote

from attrs import evolve

from conformance.errors import ConfigError
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.requests.case import Auth
from conformance.requests.headers import REDACTED, Headers, redact
from conformance.settings.configuration import Target as Settings
from conformance.settings.configuration import read_key_file

__all__ = ["REFUSED_SINCE", "Credential"]

#: The key of probes with a wrong key: as long as a real one, and surely none.
WRONG_KEY = "0" * 32

#: Keys shorter than this are hidden in headers only, not in URLs and bodies, where they could be part of any word.
SHORTEST_HIDDEN = 8

#: Why a 401 or 403 after earlier successes says nothing about the contract.
REFUSED_SINCE = "the key was accepted before and is refused now: it expired, was revoked, or may not do this"


class Credential:
    """The credential of one target. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._key = settings.key
        self._accepted = False
        self._lock = threading.Lock()
        self.secrets: tuple[str, ...] = ()
        self.in_text: tuple[str, ...] = ()
        self._register(self._key)

    def headers(self, auth: Auth) -> Headers:
        """The header with the credential. Empty for ``Auth.NONE`` and for a target without keys."""
        key = self._key if auth is Auth.VALID else WRONG_KEY
        if auth is Auth.NONE or self._settings.auth == "none" or not key:
            return ()
        return (("authorization", f"Bearer {key}"),) if self._settings.auth == "bearer" else (("api-key", key),)

    def note(self, auth: Auth, exchange: Exchange) -> None:
        """Remember that the key was accepted."""
        if auth is Auth.VALID and exchange.ok:
            self._accepted = True

    def refused_since(self, auth: Auth, status: int | None) -> bool:
        """True if a key that was accepted before is refused now."""
        return auth is Auth.VALID and self._settings.auth != "none" and self._accepted and status in (401, 403)

    def renew(self, used: Headers) -> bool:
        """Read the key again. True if the next request will carry another key than ``used``.

        Only a key from a file can change: the environment of a process is fixed.
        """
        with self._lock:
            if used != self.headers(Auth.VALID):
                return True  # another thread read it in the meantime
            if not self._settings.key_file:
                return False
            try:
                key = read_key_file(self._settings.key_file)
            except ConfigError:
                return False
            if not key or key == self._key:
                return False
            self._key = key
            self._register(key)
            return True

    def hide(self, text: str) -> str:
        """The text without any form of the key."""
        for secret in self.in_text:
            text = text.replace(secret, REDACTED)
        return text

    def hide_bytes(self, data: bytes) -> bytes:
        """The bytes without any form of the key."""
        for secret in self.in_text:
            data = data.replace(secret.encode(), REDACTED.encode())
        return data

    def clean(self, response: Response) -> Response:
        """The response without any form of the key."""
        headers = redact(response.headers, self.secrets)
        chunks = response.chunks
        hidden = [secret.encode() for secret in self.in_text]
        if any(secret in response.body for secret in hidden):
            cleaned = tuple(Chunk(chunk.at, self.hide_bytes(chunk.data)) for chunk in chunks)
            joined = b"".join(chunk.data for chunk in cleaned)
            if any(secret in joined for secret in hidden):  # the key was split between two chunks
                cleaned = (Chunk(chunks[-1].at, self.hide_bytes(response.body)),)
            chunks = cleaned
        elif headers == response.headers:
            return response
        return evolve(response, headers=headers, chunks=chunks, reason=self.hide(response.reason))

    def _register(self, key: str) -> None:
        """From now on hide this key in evidence, in three forms: plain, escaped for a URL, escaped for JSON.

        The longest form comes first, so that no part of it remains visible.
        """
        if not key:
            return
        forms = {key, quote(key, safe=""), json.dumps(key)[1:-1]}
        self.secrets = tuple(sorted({*self.secrets, *forms}, key=len, reverse=True))
        # A very short key (an emulator's ``k``) is a part of ordinary words; blanking it in bodies would spoil them.
        if len(key) >= SHORTEST_HIDDEN:
            self.in_text = tuple(sorted({*self.in_text, *forms}, key=len, reverse=True))
