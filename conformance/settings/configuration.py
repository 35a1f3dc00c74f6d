"""``conformance.toml``: what to test, with which key and within which limits.

A value of the file is overridden by the environment (``AOAI_TARGET_URL``, or ``AOAI_TARGET`` for short, overrides
``[target] url``) and that one by options. A key is never written into the file: ``key_env`` or ``key_file`` say where
to read it. Times are in seconds, sizes in bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from conformance.errors import ConfigError
from conformance.redaction import PROCESS, looks_random, parts_of
from conformance.settings.files import read_text
from conformance.settings.form import keys, typed
from conformance.settings.gateway import Declared, Gateway
from conformance.settings.layers import nested, read_layers
from conformance.settings.waivers import Waiver

__all__ = [
    "Budget",
    "Config",
    "Limits",
    "Poll",
    "Run",
    "Target",
    "Timeouts",
    "Waiver",
    "is_loopback",
    "load_config",
    "read_key_file",
    "usable_key",
]

#: The most bytes of a file with a key.
LONGEST_KEY = 64_000


@frozen
class Timeouts:
    """Time limits in seconds: to connect, until the first byte, between two reads, and for the whole exchange.

    ``surplus`` is how long content is awaited after an answer that must not have any (to HEAD, 204, 304).
    """

    connect: float = 10.0
    read: float = 60.0
    idle: float = 60.0
    whole: float = 300.0
    surplus: float = 0.2


@frozen
class Target:
    """Where requests go, and what the target claims to support. ``key`` never appears in a repr.

    ``deployments`` holds the capabilities of each deployment, ``unsupported`` the reason for each glob of operations,
    resources or features that the target doesn't claim. ``live`` says whether it is a live resource; None if that is
    decided by who answers (``target/preflight.py``).
    """

    url: str = ""
    auth: str = "api-key"
    key_env: str = "AZURE_OPENAI_API_KEY"
    key_file: str = ""
    token_command: str = ""
    token_scope: str = "https://cognitiveservices.azure.com/.default"  # noqa: S105 - what a token is for, not a token
    key: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    base_path: str | None = None
    api_version: str | None = None
    deterministic: bool = False
    allow_http: bool = False
    retries: int = 3
    timeouts: Timeouts = Timeouts()
    deployments: Mapping[str, frozenset[str]] = field(factory=dict)
    unsupported: Mapping[str, str] = field(factory=dict)
    live: bool | None = None

    @property
    def asks_for_tokens(self) -> bool:
        """True if what is sent as a key is asked for when it is needed: of Entra, or by a command."""
        return self.auth == "entra" or bool(self.token_command)

    @property
    def loopback(self) -> bool:
        """True if the target's host is this machine: nothing that is sent leaves it, unless something there passes it
        on.
        """
        return is_loopback(self.url)

    @property
    def protected(self) -> bool:
        """True if the target must be treated as somebody's live resource: the owner says so, or nobody has said or
        found out yet that it is an emulator.
        """
        return self.live is not False

    def at_emulator(self, url: str, key: str) -> Target:
        """The same settings for an embedded emulator: with a key of its own, wherever another one comes from."""
        own = evolve(self, url=url, key=key, auth="api-key", deterministic=True)
        return evolve(own, key_file="", token_command="")

    def deployment_for(self, capability: str) -> str | None:
        """The first deployment that has every capability in ``a+b``; None if there is none.

        A deployment that reasons is taken only if reasoning is asked for or no other deployment is able: it spends many
        more tokens.
        """
        wanted = frozenset(capability.split("+")) - {""}
        able = [name for name, can in self.deployments.items() if wanted <= can]
        # Empty if only reasoning models are able; then one of them is taken.
        plain = [name for name in able if "reasoning" not in self.deployments[name] or "reasoning" in wanted]
        return next(iter(plain or able), None)

    def unsupported_reason(self, *names: str) -> str | None:
        """Why the target doesn't claim a feature, operation or resource; None if it does."""
        for glob, reason in self.unsupported.items():
            if any(fnmatchcase(name, glob) for name in names):
                return reason
        return None

    def unclaimed(self, operation: str, resource: str) -> str | None:
        """Why the target doesn't claim an operation; None if it does.

        ``[target.unsupported]`` may list the operation, its resource (``files``) or everything of that resource
        (``files.*``).
        """
        # The name with a dot stands for everything of the resource: ``files.*`` matches it, ``files.get`` doesn't.
        return self.unsupported_reason(operation, resource, f"{resource}.")

    def unclaimed_resource(self, resource: str) -> str | None:
        """Why the target doesn't claim a whole resource; None if it claims at least a part."""
        return self.unsupported_reason(resource, f"{resource}.")


@frozen
class Budget:
    """Upper limits of a run; None is no limit. ``expensive`` names the kinds of expensive requests that may be sent.

    ``wall_seconds`` is the time that a whole run may take, over all its api-versions and processes; what it created is
    removed after that, in a time of its own.
    """

    requests: int | None = None
    tokens: int | None = None
    images: int | None = None
    seconds: float | None = None
    wall_seconds: float | None = 43_200.0
    expensive: frozenset[str] = frozenset()

    @property
    def capped(self) -> bool:
        """True if something else than time may end the run before everything is sent."""
        return any(cap is not None for cap in (self.requests, self.tokens, self.images, self.seconds))

    def divided(self, parts: int) -> Budget:
        """The caps of one of so many equal parts, rounded down: all parts together stay within the whole.

        The time isn't divided, because the parts run at the same time.
        """
        if parts == 1:
            return self

        def part(cap: int | None) -> int | None:
            return None if cap is None else cap // parts

        seconds = None if self.seconds is None else self.seconds / parts
        return evolve(
            self, requests=part(self.requests), tokens=part(self.tokens), images=part(self.images), seconds=seconds
        )


@frozen
class Poll:
    """How often a scenario polls (``interval``) and for how long at most (``deadline``), in seconds."""

    interval: float = 1.0
    deadline: float = 60.0


@frozen
class Limits:
    """What one answer may hold, and how much of a run's answers is kept. A larger answer is not read to its end.

    The header section of an answer may have ``header_bytes`` bytes and ``headers`` fields, ``interim_answers`` 1xx
    answers may come before it, its body may have ``answer_bytes`` bytes, and a stream ``events`` events.

    Of a body with more than ``kept_bytes`` bytes the report holds beginning, end, length and digest. So it does of all
    larger bodies once those that are kept whole have ``evidence_bytes`` bytes in all.
    """

    header_bytes: int = 65_536
    headers: int = 200
    interim_answers: int = 20
    answer_bytes: int = 67_108_864
    events: int = 50_000
    kept_bytes: int = 8_388_608
    evidence_bytes: int = 33_554_432


@frozen
class Run:
    """How a run goes about its work. ``repeat`` is how often a scenario with a failure or warning is judged in all.

    ``give_up_after`` is how many equal refusals of valid requests end the corpus of an operation; 0 if none do.
    ``judge_beside``: a process of its own judges, where the system can copy one and has a second processor.
    """

    repeat: int = 1
    give_up_after: int = 5
    judge_beside: bool = True


@frozen
class Config:
    """A whole configuration. ``source`` is the name of the file it came from, or ""."""

    target: Target = Target()
    budget: Budget = Budget()
    limits: Limits = Limits()
    poll: Poll = Poll()
    run: Run = Run()
    waivers: tuple[Waiver, ...] = ()
    gateway: Gateway = field(factory=Gateway)
    source: str = ""


def is_loopback(url: str) -> bool:
    """True for a URL whose host is this machine: ``localhost`` or a loopback address."""
    host = urlsplit(url).hostname or ""
    # RFC 6761 section 6.3 reserves the name and all names below it for this machine.
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def load_config(path: Path | str | None, overrides: Mapping[str, Any], env: Mapping[str, str]) -> Config:
    """Read the configuration. ``overrides`` are options by dotted name (``target.url``); None values are ignored.

    Without a path, ``conformance.toml`` in the current folder is read if it exists. Raises :class:`ConfigError`, which
    names the file, the key, what is expected and the nearest valid key.
    """
    layers = read_layers(path, overrides, env)
    source = next((layer.name for layer in layers if layer.file), "")
    values = {name: value for layer in layers for name, value in layer.values.items()}
    made = nested({name: typed(value, keys()[name]) for name, value in values.items()})
    target = {"timeouts": {}} | made.get("target", {})
    PROCESS.add(*(part for value in target.get("headers", {}).values() for part in parts_of(value)))
    for name in ("url", "base_path"):
        if name in target:
            target[name] = target[name].rstrip("/")
    return Config(
        Target(**target | {"timeouts": Timeouts(**target["timeouts"]), "key": _key(target, env, source)}),
        Budget(**made.get("budget", {})),
        Limits(**made.get("limits", {})),
        Poll(**made.get("poll", {})),
        Run(**made.get("run", {})),
        tuple(Waiver(**waiver) for waiver in made.get("waiver", ())),
        Gateway(**{does: tuple(Declared(**one) for one in many) for does, many in made.get("gateway", {}).items()}),
        source,
    )


def read_key_file(path: str) -> str:
    """The key in a file, without surrounding white space. Raises :class:`ConfigError` if the file can't be read."""
    try:
        text = read_text(Path(path), LONGEST_KEY)
    except OSError as error:
        raise ConfigError(f"target.key_file can't be read: {error.strerror or error}", where=path) from None
    except UnicodeDecodeError:
        raise ConfigError("target.key_file is not UTF-8", where=path, hint="save it as UTF-8, one line") from None
    key = usable_key(text, path)
    if not key:
        raise ConfigError("target.key_file is empty", where=path, hint="it holds the key, one line")
    return key


def usable_key(text: str, where: str) -> str:
    """A key or token without surrounding white space.

    Raises :class:`ConfigError`, which doesn't quote it, if it isn't a line that HTTP can carry.
    """
    key = text.strip(" \t\r\n")
    PROCESS.add(key)
    if re.fullmatch(r"[!-~]*", key):
        return key
    named = {"\n": "a line break", "\r": "a line break", "\0": "a NUL", "\ufeff": "a byte order mark", " ": "a space"}
    odd = next(char for char in key if not "!" <= char <= "~")
    kind = named.get(odd, "a control character" if ord(odd) < 0x20 or odd == "\x7f" else "a character beyond ASCII")
    hint = "a key is one line of visible ASCII characters"
    raise ConfigError(f"the key holds {kind} at character {key.index(odd) + 1}", where=where, hint=hint)


def _key(target: Mapping[str, Any], env: Mapping[str, str], where: str) -> str:
    """The key from ``key_file``, else from the variable ``key_env``; "" if there is none. Raises ConfigError for a bad
    file.
    """
    auth = target.get("auth", "api-key")
    if target.get("token_command") and (auth != "bearer" or target.get("key_file")):
        told = "a token comes from one place" if target.get("key_file") else f"auth is {auth}"
        raise ConfigError(f"target.token_command: {told}", where=where, hint='auth = "bearer", and no key_file')
    if auth in ("none", "entra") or target.get("token_command"):
        return ""
    if target.get("key_file"):
        return read_key_file(target["key_file"])
    name = target.get("key_env", "AZURE_OPENAI_API_KEY")
    if name not in env and looks_random(name):
        PROCESS.add(name)  # somebody wrote the key itself here: no message may quote it
    return usable_key(env.get(name, ""), f"the environment variable {name}")
