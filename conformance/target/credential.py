"""The key of a target: how it goes out, how it may look in evidence, and what is done when it is refused.

A key that was accepted and is refused later has expired or was revoked. That is the account's matter, not the target's
contract: the key is read again where its file may hold a new one, the request is repeated once, and what is refused
then says nothing about the target.
"""

from __future__ import annotations

import json
import threading
from urllib.parse import quote

from conformance.errors import ConfigError
from conformance.evidence.exchange import Exchange
from conformance.requests.case import Auth
from conformance.requests.headers import Headers
from conformance.settings.configuration import Target as Settings
from conformance.settings.configuration import read_key_file

__all__ = ["REFUSED_SINCE", "Credential"]

#: What stands for a key in probes with a wrong one: as long as a real one, and none.
WRONG_KEY = "0" * 32

#: Characters that a key has at least, to be looked for in URLs and bodies; in headers it is always blanked.
SHORTEST_HIDDEN = 8

#: Why an answer with 401 or 403 says nothing about the contract.
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
        self._hide(self._key)

    def headers(self, auth: Auth) -> Headers:
        """The header that carries the credential, none for ``Auth.NONE`` and for a target without keys."""
        key = self._key if auth is Auth.VALID else WRONG_KEY
        if auth is Auth.NONE or self._settings.auth == "none" or not key:
            return ()
        return (("authorization", f"Bearer {key}"),) if self._settings.auth == "bearer" else (("api-key", key),)

    def note(self, auth: Auth, exchange: Exchange) -> None:
        """Remember that a success came with the key."""
        if auth is Auth.VALID and exchange.ok:
            self._accepted = True

    def refused_since(self, auth: Auth, status: int | None) -> bool:
        """True where a key that was accepted before is refused now."""
        return auth is Auth.VALID and self._settings.auth != "none" and self._accepted and status in (401, 403)

    def renew(self, used: Headers) -> bool:
        """Read the key again; True where the next request may carry another one than ``used``.

        A key of the environment can't change while the run lives; a key file may.
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
            self._hide(key)
            return True

    def _hide(self, key: str) -> None:
        """Look for this key in evidence too, from now on: plain, in an URL, inside a JSON text; longest first."""
        if not key:
            return
        forms = {key, quote(key, safe=""), json.dumps(key)[1:-1]}
        self.secrets = tuple(sorted({*self.secrets, *forms}, key=len, reverse=True))
        # A very short key (an emulator's ``k``) is a part of ordinary words; blanking it in bodies would spoil them.
        if len(key) >= SHORTEST_HIDDEN:
            self.in_text = tuple(sorted({*self.in_text, *forms}, key=len, reverse=True))
