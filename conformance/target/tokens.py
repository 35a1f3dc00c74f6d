"""Tokens that end: from Microsoft Entra ID, from a command, or from a file that somebody writes anew.

A token is read when a target is opened, and again before it ends. Each process of a run does that for itself. A token
that can't be renewed is used until the target refuses it: the account decides, not this suite.
"""

from __future__ import annotations

import base64
import json
import math
import shlex
import subprocess
import threading
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Protocol

from attrs import field, frozen

from conformance.errors import ConfigError, UsageError
from conformance.redaction import PROCESS
from conformance.settings.configuration import Target as Settings
from conformance.settings.configuration import read_key_file, usable_key

__all__ = ["MARGIN", "Token", "Tokens", "from_command", "from_entra", "token_in", "tokens_of"]

#: Seconds before its end at which a token is read again; of a short-lived one a third of its time.
MARGIN = 300.0

#: Seconds between two attempts to renew a token that could not be renewed.
AGAIN = 10.0

#: Seconds that a command may take. Its user may have to unlock something.
PATIENCE = 60.0

#: The longest output of a command, in characters.
LONGEST = 64_000


@frozen
class Token:
    """A token, and when it ends in seconds since the Unix epoch; None if it doesn't say."""

    value: str = field(repr=False)
    ends: float | None = None


class Tokens:
    """The tokens of one source, one after the other. Thread-safe.

    ``read`` gets a token or raises :class:`UsageError`; ``first`` is the one that is known already, ``now`` a clock in
    seconds since the Unix epoch.
    """

    def __init__(
        self, read: Callable[[], Token], first: Token | None = None, *, now: Callable[[], float] = time.time
    ) -> None:
        self._read, self._now = read, now
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._due = math.inf
        if first is not None:
            self._take(first)

    def current(self) -> str:
        """The token to send now, renewed if it ends soon. Raises :class:`UsageError` if there never was one."""
        token = self._token
        if token is not None and self._now() < self._due:
            return token.value
        # While one thread reads a new token, the others go on with the old one.
        if self._lock.acquire(blocking=token is None):
            try:
                if self._token is None or self._now() >= self._due:
                    self._renew()
            finally:
                self._lock.release()
        return self._token.value if self._token is not None else ""

    def renewed(self, refused: str) -> str:
        """The token after one was refused: another one if there is any, else the same."""
        with self._lock:
            if self._token is not None and self._token.value == refused:
                self._renew()
            return self._token.value if self._token is not None else ""

    def _renew(self) -> None:
        """Read a token. If that fails, the old one stays."""
        try:
            self._take(self._read())
        except UsageError:
            if self._token is None:
                raise
            self._due = self._now() + AGAIN

    def _take(self, token: Token) -> None:
        """Use a token, and note when the next one is due."""
        began = self._now()
        left = math.inf if token.ends is None else token.ends - began
        self._due = began + max(AGAIN, left - min(MARGIN, left / 3)) if left < math.inf else math.inf
        self._token = token


def token_in(text: str, where: str) -> Token:
    """The token in a text: the text itself, or a JSON object as ``az account get-access-token`` prints it.

    When it ends stands in ``expires_on`` (seconds since the epoch), ``expires_in`` (seconds), or in the ``exp`` of a
    JSON Web Token (RFC 7519 section 4.1.4). Raises :class:`ConfigError` if there is no token.
    """
    told: dict[str, Any] = {}
    if text.lstrip().startswith("{"):
        try:
            told = json.loads(text)
        except (ValueError, RecursionError):
            raise ConfigError("what it gives is neither a token nor JSON", where=where) from None
        found = next((told[key] for key in ("accessToken", "access_token", "token") if key in told), "")
        text = found if isinstance(found, str) else ""
    value = usable_key(text, where)
    if not value:
        raise ConfigError("it gives no token", where=where, hint="a token, or JSON with accessToken or access_token")
    lasts = _number(told.get("expires_in"))
    ends = _number(told.get("expires_on")) or (time.time() + lasts if lasts else None)
    return Token(value, ends or _end_of(value))


def _number(value: object) -> float | None:
    """A positive finite number, also one in a text; else None."""
    try:
        number = float(value) if isinstance(value, str | int | float) else 0.0
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < math.inf else None


def _end_of(token: str) -> float | None:
    """When a JSON Web Token ends; None for another token. Its signature is not our business."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return None
    return _number(claims.get("exp")) if isinstance(claims, dict) else None


def from_command(command: str) -> Token:
    """The token that a command prints. Raises :class:`ConfigError`, which shows nothing of what it printed."""
    where = "target.token_command"
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ConfigError(f"is no command: {error}", where=where) from None
    if not words:
        raise ConfigError("is empty", where=where)
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command, without a shell
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{words[0]} took more than {PATIENCE:g} s", where=where) from None
    except (OSError, ValueError) as error:  # a NUL is a ValueError
        told = getattr(error, "strerror", None) or error
        raise ConfigError(f"{words[0]} can't be run: {told}", where=where) from None
    if done.returncode:
        hint = "its output is not shown, as it may hold a secret: run it yourself"
        raise ConfigError(f"{words[0]} ended with {done.returncode}", where=where, hint=hint)
    try:
        return token_in(done.stdout[:LONGEST].decode("utf-8"), where)
    except UnicodeDecodeError:
        raise ConfigError(f"the output of {words[0]} is not UTF-8", where=where) from None


class _Credential(Protocol):
    """What ``azure-identity`` calls a ``TokenCredential``."""

    def get_token(self, *scopes: str) -> Any: ...


@cache
def _entra() -> _Credential:
    """The credential of this machine or user. It is imported here: most runs don't need it, and it takes a second."""
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError:
        raise UsageError(
            'target.auth = "entra" needs the package azure-identity', hint="pip install 'aoai-conformance[entra]'"
        ) from None
    made: _Credential = DefaultAzureCredential()
    return made


def from_entra(scope: str) -> Token:
    """A token of Microsoft Entra ID. Raises :class:`UsageError` without the package, or if nobody is signed in."""
    credential = _entra()
    try:
        token = credential.get_token(scope)
    except Exception as error:  # noqa: BLE001 - whatever the library raises, its user can't get a token
        told = " ".join(PROCESS.text(str(error)).split())[:300]
        raise UsageError(
            f"no token of Microsoft Entra ID: {type(error).__name__}: {told}",
            where='target.auth = "entra"',
            hint="sign in with az login, or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET",
        ) from None
    return Token(usable_key(token.token, 'target.auth = "entra"'), float(token.expires_on))


def _from_file(path: str) -> Token:
    """The token or key that stands in a file now."""
    return token_in(read_key_file(path), path)


@cache
def _shared(scope: str, command: str) -> Tokens:
    """The tokens of a command or of Entra in this process: all targets share them."""
    return Tokens(lambda: from_command(command)) if command else Tokens(lambda: from_entra(scope))


def tokens_of(settings: Settings) -> Tokens | None:
    """The source of a target's tokens; None if it has a fixed key or none."""
    if settings.auth == "entra" or settings.token_command:
        return _shared(settings.token_scope, settings.token_command)
    if settings.key_file and settings.auth != "none":
        read = partial(_from_file, settings.key_file)
        return Tokens(read, token_in(settings.key, settings.key_file) if settings.key else None)
    return None
