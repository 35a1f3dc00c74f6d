"""``conformance.toml``: what to test, with which key, within which limits.

A value comes from the file, is overridden by the environment (``AOAI_TARGET_URL`` for ``[target] url``; ``AOAI_TARGET``
for the same) and then by options. A key is never a value here: ``key_env`` or ``key_file`` say where it is read from.
Times are seconds, sizes bytes.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from conformance.errors import ConfigError
from conformance.settings.readers import EXPENSIVE_KINDS, SECTIONS, WAIVER, Reader
from conformance.settings.waivers import Waiver

__all__ = ["EXPENSIVE_KINDS", "Budget", "Config", "Poll", "Target", "Timeouts", "Waiver", "is_loopback", "load_config"]


@frozen
class Timeouts:
    """Seconds: to connect, until the first byte, between two reads, for the whole exchange."""

    connect: float = 10.0
    read: float = 60.0
    idle: float = 60.0
    whole: float = 300.0


@frozen
class Target:
    """Where requests go and what the target claims. ``key`` never appears in a repr."""

    url: str = ""
    auth: str = "api-key"
    key_env: str = "AZURE_OPENAI_API_KEY"
    key_file: str = ""
    key: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    base_path: str | None = None
    api_version: str | None = None
    deterministic: bool = False
    allow_http: bool = False
    retries: int = 3
    max_body: int = 64 * 1024 * 1024
    timeouts: Timeouts = Timeouts()
    deployments: Mapping[str, frozenset[str]] = field(factory=dict)
    unsupported: Mapping[str, str] = field(factory=dict)

    @property
    def loopback(self) -> bool:
        """True where the target is on this machine; the strictest guards then don't apply."""
        return is_loopback(self.url)

    def deployment_for(self, capability: str) -> str | None:
        """The first deployment with every capability in ``a+b``; one that reasons only where asked for or alone."""
        wanted = frozenset(capability.split("+")) - {""}
        able = [name for name, can in self.deployments.items() if wanted <= can]
        plain = [name for name in able if "reasoning" not in self.deployments[name] or "reasoning" in wanted]
        return next(iter(plain or able), None)

    def unsupported_reason(self, *names: str) -> str | None:
        """Why a feature, operation or resource is not claimed; None where it is."""
        for glob, reason in self.unsupported.items():
            if any(fnmatchcase(name, glob) for name in names):
                return reason
        return None


@frozen
class Budget:
    """Hard caps of a run; None is no cap. ``expensive`` names the kinds that may be sent at all."""

    requests: int | None = None
    tokens: int | None = None
    images: int | None = None
    seconds: float | None = None
    expensive: frozenset[str] = frozenset()


@frozen
class Poll:
    """How often and how long a scenario polls."""

    interval: float = 1.0
    deadline: float = 60.0


@frozen
class Config:
    """A whole configuration. ``source`` names the file it came from."""

    target: Target = Target()
    budget: Budget = Budget()
    poll: Poll = Poll()
    waivers: tuple[Waiver, ...] = ()
    source: str = ""


def is_loopback(url: str) -> bool:
    """True for an URL whose host is this machine: ``localhost`` or a loopback address."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _read(table: Mapping[str, Any], readers: Mapping[str, Reader], where: str, prefix: str) -> dict[str, Any]:
    found = {}
    for key, value in table.items():
        if key not in readers:
            near = difflib.get_close_matches(key, readers, n=1)
            if key in ("key", "api_key", "token"):
                hint = "a key is never written here: key_env or key_file say where it is"
            else:
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(readers)}"
            raise ConfigError(f"unknown key {prefix}{key}", where=where, hint=hint)
        found[key] = _value(readers[key], value, where, prefix + key)
    return found


def _value(reader: Reader, value: Any, where: str, key: str) -> Any:
    try:
        return reader(value)
    except TypeError as expected:
        raise ConfigError(f"{key} is not what it should be", where=where, hint=f"expected {expected}") from None


def _file(path: Path) -> tuple[dict[str, dict[str, Any]], tuple[Waiver, ...]]:
    where = str(path)
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror}", where=where) from None
    except UnicodeDecodeError:
        raise ConfigError("is not UTF-8", where=where, hint="save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not TOML: {error}", where=where) from None
    top = ("target", "budget", "poll", "waiver")
    for key in document:
        if key not in top:
            near = difflib.get_close_matches(key, top, n=1)
            hint = f"did you mean [{near[0]}]?" if near else f"known: {', '.join(top)}"
            raise ConfigError(f"unknown section [{key}]", where=where, hint=hint)
    waivers = document.pop("waiver", [])
    if not isinstance(waivers, list):
        raise ConfigError("waiver is not what it should be", where=where, hint="expected [[waiver]] tables")
    values: dict[str, dict[str, Any]] = {}
    for section, readers in SECTIONS.items():
        parent, _, child = section.partition(".")
        table = document.get(parent, {})
        table = table.get(child, {}) if child and isinstance(table, dict) else table
        if not isinstance(table, dict):
            raise ConfigError(f"{section} is not what it should be", where=where, hint=f"expected a table [{section}]")
        nested = [name.partition(".")[2] for name in SECTIONS if name.startswith(section + ".")]
        plain = {key: value for key, value in table.items() if key not in nested}
        values[section] = _read(plain, readers, where, f"{section}.")
    return values, tuple(_waiver(item, where, number) for number, item in enumerate(waivers, 1))


def _waiver(item: Any, where: str, number: int) -> Waiver:
    prefix = f"waiver {number}: "
    if not isinstance(item, dict):
        raise ConfigError(f"{prefix}is not a table", where=where, hint="expected [[waiver]]")
    found = _read(item, WAIVER, where, prefix)
    for key in ("check", "owner", "reason", "expires"):
        if key not in found:
            raise ConfigError(f"{prefix}{key} is missing", where=where, hint="needs check, owner, reason and expires")
    return Waiver(**found)


def _from_environment(env: Mapping[str, str]) -> dict[str, str]:
    found = {"target.url": env["AOAI_TARGET"]} if "AOAI_TARGET" in env else {}
    known = {"AOAI_TARGET"}
    for section, readers in SECTIONS.items():
        for key in readers:
            name = f"AOAI_{section}_{key}".upper().replace(".", "_")
            known.add(name)
            if name in env and key not in ("headers", "deployments", "unsupported"):
                found[f"{section}.{key}"] = env[name]
    for name in env:
        if name.startswith(("AOAI_TARGET", "AOAI_BUDGET", "AOAI_POLL")) and name not in known:
            # A cap that is misspelt would be no cap.
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "a key comes from target.key_env or target.key_file"
            raise ConfigError(f"unknown variable {name}", where="the environment", hint=hint)
    return found


def load_config(path: Path | str | None, overrides: Mapping[str, Any], env: Mapping[str, str]) -> Config:
    """Read a configuration. ``overrides`` are options by dotted name (``target.url``); None values are left out.

    Without a path, ``conformance.toml`` of the current folder is read where it exists. Raises :class:`ConfigError`
    that names file, key, what is expected and the nearest valid key.
    """
    given = Path(path) if path is not None else Path("conformance.toml")
    values: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    waivers: tuple[Waiver, ...] = ()
    if path is not None or given.is_file():
        values, waivers = _file(given)
    layers = (("the environment", _from_environment(env)), ("an option", overrides))
    for where, layer in layers:
        for dotted, value in layer.items():
            section, _, key = dotted.rpartition(".")
            if value is None:
                continue
            if section not in SECTIONS:
                raise ConfigError(f"unknown key {dotted}", where=where, hint=f"sections: {', '.join(SECTIONS)}")
            values[section].update(_read({key: value}, SECTIONS[section], where, f"{section}."))
    target = values["target"]
    timeouts = Timeouts(**values["target.timeouts"])
    made = Target(**target, timeouts=timeouts, key=_key(target, env))
    source = str(given) if path is not None or given.is_file() else ""
    return Config(made, Budget(**values["budget"]), Poll(**values["poll"]), waivers, source)


def _key(target: Mapping[str, Any], env: Mapping[str, str]) -> str:
    """The key from the file, else from the environment; "" where there is none. Raises ConfigError for a bad file."""
    if target.get("auth") == "none":
        return ""
    if target.get("key_file"):
        try:
            return Path(target["key_file"]).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ConfigError("target.key_file can't be read", where=target["key_file"]) from None
    return env.get(target.get("key_env", "AZURE_OPENAI_API_KEY"), "").strip()
