"""The places at which TOML data doesn't fit its JSON Schema, in the terms that an error message needs.

Two keywords are used beyond their meaning as annotations: ``title`` describes a valid value in a noun phrase ("seconds,
more than 0"), and a ``oneOf`` of constants is a choice of words, each with its ``description``.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from attrs import field, frozen

if TYPE_CHECKING:
    from jsonschema import FormatChecker
    from jsonschema.exceptions import ValidationError

__all__ = ["Kind", "Misfit", "choices", "misfits", "nearest", "schema_at"]


class Kind(StrEnum):
    """What is wrong at a place. ``VALUE`` is everything that the other four don't cover, such as a bound or a
    pattern.
    """

    UNKNOWN = "unknown"
    MISSING = "missing"
    TYPE = "type"
    CHOICE = "choice"
    VALUE = "value"


@frozen
class Misfit:
    """One thing that is wrong with a table.

    ``path`` leads from the root to the value. If ``key`` is missing, unknown or no valid name, it leads to the table.
    ``known`` are the words that may stand there: keys, values, or items of a list. ``title`` is the schema's own phrase
    for what is expected.
    """

    kind: Kind
    path: tuple[str | int, ...]
    key: str = ""
    types: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    title: str = ""
    value: Any = field(default=None, repr=False)


def misfits(path: Path, data: Any, formats: FormatChecker | None = None) -> tuple[Misfit, ...]:
    """Yield everything in ``data`` that the schema file at ``path`` refuses, in the order of the schema.

    Missing keys come last: often such a key is there with a misspelt name, and that is the more helpful message.
    """
    from jsonschema import Draft202012Validator

    found: dict[tuple[Kind, tuple[str | int, ...], str], Misfit] = {}
    for error in Draft202012Validator(schema_at(path), format_checker=formats).iter_errors(data):
        for misfit in _misfits(error):
            # jsonschema has an error for each missing key, and none of them names it
            found.setdefault((misfit.kind, misfit.path, misfit.key), misfit)
    # ``sorted`` is stable, so all other misfits keep the order of the schema.
    return tuple(sorted(found.values(), key=lambda misfit: misfit.kind is Kind.MISSING))


def _misfits(error: ValidationError) -> Iterable[Misfit]:
    """The misfits that one error of the validator stands for."""
    path, value = tuple(error.absolute_path), cast("Any", error.instance)
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    title = schema.get("title", "")
    match error.validator:
        case "additionalProperties":
            known = tuple(schema.get("properties", {}))
            return [Misfit(Kind.UNKNOWN, path, key, known=known) for key in value if key not in known]
        case "required":
            required = tuple(schema["required"])
            return [Misfit(Kind.MISSING, path, key, known=required) for key in required if key not in value]
        case "type":
            types = schema["type"]
            names = (types,) if isinstance(types, str) else tuple(types)
            return [Misfit(Kind.TYPE, path, types=names, title=title, value=value)]
        case "enum" | "oneOf":
            return [Misfit(Kind.CHOICE, path, known=tuple(choices(schema)), title=title, value=value)]
    # what propertyNames refuses is a key, and the path leads to the table that has it
    key = value if "propertyNames" in error.absolute_schema_path else ""
    items = tuple(choices(schema.get("items", {})))
    return [Misfit(Kind.VALUE, path, key, known=items, title=title, value=value)]


def choices(schema: Mapping[str, Any]) -> Mapping[str, str]:
    """The words that a schema allows, each with its description; empty if the schema is no choice of words."""
    if "enum" in schema:
        return dict.fromkeys(map(str, schema["enum"]), "")
    return {branch["const"]: branch.get("description", "") for branch in schema.get("oneOf", ()) if "const" in branch}


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most similar to a mistyped one; "" if none is."""
    near: Sequence[str] = difflib.get_close_matches(word, list(known), n=1)
    return near[0] if near else ""


@lru_cache(maxsize=8)
def schema_at(path: Path) -> Mapping[str, Any]:
    """A schema that comes with the suite."""
    made: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return made
