"""The form of ``conformance.toml``: its JSON Schema, and the error messages for values that don't fit.

Values of the file, of environment variables and of options are validated against the same schema,
``conformance.schema.json`` beside this module. The schema uses two formats of its own: ``target-url``, a URL with a
host and a valid port, and ``free-header``, a header that a user may set.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from conformance.errors import ConfigError
from conformance.spec.misfits import Kind, Misfit, choices, misfits, nearest, schema_at

if TYPE_CHECKING:
    from jsonschema import FormatChecker

__all__ = [
    "CAPABILITIES",
    "EXPENSIVE_KINDS",
    "SCHEMA",
    "finite",
    "from_text",
    "is_table",
    "keys",
    "must_fit",
    "plain",
    "typed",
]

SCHEMA = Path(__file__).with_name("conformance.schema.json")

#: Headers that this suite or the HTTP library sets: another value would break the connection or reach another host.
_OF_HTTP = frozenset(
    ("connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
)

#: With more valid words than this, an error message names only the nearest one.
_FEW = 5


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """A subschema, or what its ``$ref`` names in ``$defs``."""
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    return schema_at(SCHEMA)["$defs"][name] if name else schema


def _leaves(schema: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (dotted name, schema) of every key below an object schema."""
    for key, held in schema["properties"].items():
        inner = _resolved(held)
        # Tables without fixed keys, such as ``target.headers``, are one value.
        if "properties" in inner:
            yield from _leaves(inner, f"{prefix}{key}.")
        else:
            # What stands beside a reference, such as a default, belongs to this key alone.
            yield f"{prefix}{key}", {**inner, **{name: value for name, value in held.items() if name != "$ref"}}


@cache
def keys() -> Mapping[str, Mapping[str, Any]]:
    """The schema of every key by dotted name (``target.timeouts.idle``). All waivers together are one key."""
    return dict(_leaves(schema_at(SCHEMA), ""))


#: The capabilities of ``[target.deployments]``, with what a deployment must be able to do to have each.
CAPABILITIES: Mapping[str, str] = choices(keys()["target.deployments"]["additionalProperties"]["items"])

#: Kinds of requests that cost more than a few tokens. To a live target, each is sent only if it is allowed by name.
EXPENSIVE_KINDS: tuple[str, ...] = tuple(choices(keys()["budget.expensive"]["items"]))


def is_table(schema: Mapping[str, Any]) -> bool:
    """True for a list of tables, such as all waivers together: no variable can hold it."""
    return schema.get("type") == "array" and "properties" in _resolved(schema["items"])


def finite(text: str) -> float | str:
    """A TOML float. ``nan`` and ``inf`` stay text: JSON has no such numbers, so a schema could not refuse them."""
    number = float(text)
    return number if math.isfinite(number) else text


def plain(value: Any) -> Any:
    """A TOML value as JSON would have it: a date becomes text, a date with a time the text of its day."""
    match value:
        case datetime():
            return value.date().isoformat()
        case date() | time():
            return value.isoformat()
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


def from_text(text: str, schema: Mapping[str, Any]) -> Any:
    """Convert the text of an option or variable to the schema's type; the text itself if that isn't possible."""
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    try:
        match schema.get("type"):
            case "boolean":
                # A word that is no boolean stays text, so that the schema refuses it with a proper message.
                return words.get(text.lower(), text)
            case "integer":
                return int(text)
            case "number":
                return finite(text)
            case "array":
                return [name.strip() for name in text.split(",") if name.strip()]
    except ValueError:
        pass
    return text


def typed(value: Any, schema: Mapping[str, Any]) -> Any:
    """A valid value in the Python type that the code uses: dates, frozensets, tuples of waivers."""
    match _resolved(schema):
        case {"type": "integer"}:
            return int(value)
        case {"type": "number"}:
            return float(value)
        case {"type": "string", "format": "date"}:
            return date.fromisoformat(value)
        case {"type": "array", "items": items} as rows if is_table(rows):
            return tuple(typed(item, items) for item in value)
        case {"type": "array"}:
            return frozenset(value)
        case {"type": "object", "additionalProperties": Mapping() as each}:
            return {key: typed(item, each) for key, item in value.items()}
        case {"type": "object", "properties": properties}:
            return {key: typed(item, properties[key]) for key, item in value.items()}
    return value


def must_fit(data: Mapping[str, Any], where: str) -> None:
    """Raise :class:`ConfigError` for the first misfit with the schema. It quotes no value, which might be a key."""
    if data:  # what has no values has no misfits, and an emulator starts without the library that looks for them
        for misfit in misfits(SCHEMA, data, _formats()):
            raise _error(misfit, where)


@cache
def _formats() -> FormatChecker:
    """The formats that are checked: ``date``, and our own ``target-url`` and ``free-header``."""
    from jsonschema import FormatChecker

    made = FormatChecker(formats=("date",))
    made.checks("target-url", raises=ValueError)(_is_url)
    made.checks("free-header")(_is_free)
    return made


def _is_url(value: object) -> bool:
    """True for a URL with a host and without port 0. ``urlsplit`` raises ValueError for what is no URL at all."""
    if not isinstance(value, str):
        return True
    parts = urlsplit(value)
    (parts.hostname or "").encode("idna")  # raises a ValueError for what is no name of a host
    return bool(parts.hostname) and parts.port != 0


def _is_free(value: object) -> bool:
    """False for a header of HTTP itself: the length of a message, its host, its connection (RFC 9110, RFC 9112)."""
    name = str(value).lower()
    return name not in _OF_HTTP and not name.startswith("proxy-")


def _error(misfit: Misfit, where: str) -> ConfigError:
    """The message for one misfit."""
    place = _dotted(misfit.path)
    inner = "" if not place else f"{place}: " if isinstance(misfit.path[-1], int) else f"{place}."
    match misfit.kind:
        case Kind.UNKNOWN:
            what = f"unknown key {inner}{misfit.key}" if place else f"unknown section [{misfit.key}]"
            return ConfigError(what, where=where, hint=_known(misfit))
        case Kind.MISSING:
            # All required keys are named, because an item such as a waiver is often written from scratch.
            *most, last = misfit.known
            needs = f"needs {', '.join(most)} and {last}"
            return ConfigError(f"{inner}{misfit.key} is missing", where=where, hint=needs)
    if misfit.key:
        place = f"{inner}{_quoted(misfit.key)}"
    return ConfigError(f"{place} is not what it should be", where=where, hint=f"expected {_expected(misfit, place)}")


def _dotted(path: tuple[str | int, ...]) -> str:
    """A path as people write it: ``target.timeouts``, ``waiver 1: expires``."""
    told = ""
    for token in path:
        match token:
            case int() if path[0] != "waiver":  # an item of a list has no name of its own
                continue
            case int():
                told += f" {token + 1}"
            case _:
                between = "" if not told else ": " if told[-1].isdigit() and path[0] == "waiver" else "."
                told += between + _quoted(token)
    return told


def _quoted(key: str) -> str:
    """A key as TOML writes it: bare if it may be, else quoted."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def _known(misfit: Misfit) -> str:
    """The hint for an unknown key."""
    if misfit.key in ("key", "api_key", "token"):
        return "a key is never written here: key_env or key_file say where it is"
    near = nearest(misfit.key, misfit.known)
    if near:
        return f"did you mean {near}?" if misfit.path else f"did you mean [{near}]?"
    return f"known: {', '.join(misfit.known)}"


def _expected(misfit: Misfit, place: str) -> str:
    """What should stand at the place of a misfit, in words."""
    words = ", ".join(misfit.known)
    match misfit.kind:
        case Kind.TYPE if "object" in misfit.types and not misfit.title:
            return f"a table [{place}]"
        case Kind.CHOICE:
            near = nearest(str(misfit.value), misfit.known) if len(misfit.known) > _FEW else ""
            return f"{near!r} instead of {misfit.value!r}" if near else f"one of {words}"
        case Kind.VALUE if misfit.known:
            return f"one or more of {words}"
    return misfit.title
