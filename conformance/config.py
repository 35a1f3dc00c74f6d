"""``conformance.toml``: what to test, with which key, within which limits.

A value comes from the file, is overridden by the environment (``AOAI_TARGET_URL`` for ``[target] url``; ``AOAI_TARGET``
for the same) and then by options. A key is never a value here: ``key_env`` or ``key_file`` say where it is read from.
Times are seconds, sizes bytes.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from fnmatch import fnmatchcase
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

from conformance.errors import ConfigError
from conformance.waiver import Waiver

__all__ = ["EXPENSIVE_KINDS", "Budget", "Config", "Poll", "Target", "Timeouts", "Waiver", "is_loopback", "load_config"]


#: What costs more than a few tokens; off loopback each kind is sent only where it is allowed by name.
EXPENSIVE_KINDS = (
    "batch",
    "code-interpreter",
    "evals",
    "file-search",
    "fine-tuning",
    "images",
    "large-body",
    "n",
    "video",
)


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


Reader = Callable[[Any], Any]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a text")
    return value


def _choice(*allowed: str) -> Reader:
    def read(value: Any) -> str:
        if value not in allowed:
            raise TypeError("one of " + ", ".join(allowed))
        return str(value)

    return read


def _flag(value: Any) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise TypeError("true or false")


def _number(kind: type[int] | type[float], lowest: float, says: str) -> Reader:
    def read(value: Any) -> int | float:
        try:
            made = kind(value) if isinstance(value, str) else value
        except ValueError:
            raise TypeError(says) from None
        fits = isinstance(made, int) or (kind is float and isinstance(made, float))
        if isinstance(made, bool) or not fits or not lowest <= made < float("inf"):
            raise TypeError(says)
        return kind(made)

    return read


_COUNT = _number(int, 0, "a whole number of 0 or more")
_SIZE = _number(int, 1, "a whole number of bytes, at least 1")
_SECONDS = _number(float, 0.001, "seconds, more than 0")


def _names(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        value = [name.strip() for name in value.split(",") if name.strip()]
    if not isinstance(value, list | tuple | set | frozenset) or not all(isinstance(name, str) for name in value):
        raise TypeError("a list of names")
    return frozenset(value)


def _kinds(value: Any) -> frozenset[str]:
    found = _names(value)
    if not found <= frozenset(EXPENSIVE_KINDS):
        raise TypeError("names out of " + ", ".join(EXPENSIVE_KINDS))
    return found


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(item, str) for item in value.values()):
        raise TypeError("a table of texts")
    return dict(value)


def _headers(value: Any) -> dict[str, str]:
    found = _texts(value)
    for name, text in found.items():
        # RFC 9110, sections 5.1 and 5.5: a name is a token, a value holds no control characters.
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text):
            raise TypeError(f"headers that HTTP can carry, not {name!r}")
    return found


def _deployments(value: Any) -> dict[str, frozenset[str]]:
    if not isinstance(value, Mapping):
        raise TypeError("a table: name = [capabilities]")
    try:
        return {name: _names(can) for name, can in value.items()}
    except TypeError:
        raise TypeError('name = ["capability", …], such as gpt-4o = ["chat", "tools"]') from None


def _url(value: Any) -> str:
    text = _text(value).rstrip("/")
    try:
        parts = urlsplit(text)
        port_ok = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_ok = urlsplit(""), False
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_ok or parts.query or parts.fragment:
        raise TypeError("an http or https URL without query, such as https://name.openai.azure.com")
    if "@" in parts.netloc:
        raise TypeError("an URL without user name and password")
    return text


def _base_path(value: Any) -> str:
    text = _text(value)
    if text and (not text.startswith("/") or text.startswith("//") or "?" in text or "#" in text):
        raise TypeError('a path that begins with one "/", or ""')
    return text.rstrip("/")


def _day(value: Any) -> date:
    try:
        if isinstance(value, datetime):  # a date with a time can't be compared with a day
            return value.date()
        return value if isinstance(value, date) else date.fromisoformat(_text(value))
    except ValueError:
        raise TypeError("a date such as 2030-01-31") from None


_TARGET: dict[str, Reader] = {
    "url": _url,
    "auth": _choice("api-key", "bearer", "none"),
    "key_env": _text,
    "key_file": _text,
    "headers": _headers,
    "base_path": _base_path,
    "api_version": _text,
    "deterministic": _flag,
    "allow_http": _flag,
    "retries": _COUNT,
    "max_body": _SIZE,
    "deployments": _deployments,
    "unsupported": _texts,
}
_SECTIONS: dict[str, dict[str, Reader]] = {
    "target": _TARGET,
    "target.timeouts": dict.fromkeys(("connect", "read", "idle", "whole"), _SECONDS),
    "budget": {"requests": _COUNT, "tokens": _COUNT, "images": _COUNT, "seconds": _SECONDS, "expensive": _kinds},
    "poll": {"interval": _SECONDS, "deadline": _SECONDS},
}
_WAIVER: dict[str, Reader] = {
    "check": _text,
    "operation": _text,
    "scenario": _text,
    "owner": _text,
    "reason": _text,
    "link": _text,
    "expires": _day,
}


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
    for section, readers in _SECTIONS.items():
        parent, _, child = section.partition(".")
        table = document.get(parent, {})
        table = table.get(child, {}) if child and isinstance(table, dict) else table
        if not isinstance(table, dict):
            raise ConfigError(f"{section} is not what it should be", where=where, hint=f"expected a table [{section}]")
        nested = [name.partition(".")[2] for name in _SECTIONS if name.startswith(section + ".")]
        plain = {key: value for key, value in table.items() if key not in nested}
        values[section] = _read(plain, readers, where, f"{section}.")
    return values, tuple(_waiver(item, where, number) for number, item in enumerate(waivers, 1))


def _waiver(item: Any, where: str, number: int) -> Waiver:
    prefix = f"waiver {number}: "
    if not isinstance(item, dict):
        raise ConfigError(f"{prefix}is not a table", where=where, hint="expected [[waiver]]")
    found = _read(item, _WAIVER, where, prefix)
    for key in ("check", "owner", "reason", "expires"):
        if key not in found:
            raise ConfigError(f"{prefix}{key} is missing", where=where, hint="needs check, owner, reason and expires")
    return Waiver(**found)


def _from_environment(env: Mapping[str, str]) -> dict[str, str]:
    found = {"target.url": env["AOAI_TARGET"]} if "AOAI_TARGET" in env else {}
    known = {"AOAI_TARGET"}
    for section, readers in _SECTIONS.items():
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
    values: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS}
    waivers: tuple[Waiver, ...] = ()
    if path is not None or given.is_file():
        values, waivers = _file(given)
    layers = (("the environment", _from_environment(env)), ("an option", overrides))
    for where, layer in layers:
        for dotted, value in layer.items():
            section, _, key = dotted.rpartition(".")
            if value is None:
                continue
            if section not in _SECTIONS:
                raise ConfigError(f"unknown key {dotted}", where=where, hint=f"sections: {', '.join(_SECTIONS)}")
            values[section].update(_read({key: value}, _SECTIONS[section], where, f"{section}."))
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
