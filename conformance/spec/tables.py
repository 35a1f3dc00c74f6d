"""The form of the TOML files of ``specs/<version>/``: which keys there are, what they hold, which are required.

One table a file; ``problems_of`` compares a file with it and names the nearest valid key where one is unknown.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from conformance.errors import SpecError
from conformance.spec.textfile import toml_lines

__all__ = ["FORMS", "Key", "Problem", "problems_of"]


@frozen
class Key:
    """What a key holds. ``values`` limits it; ``items`` limits the elements of a list."""

    kind: type | tuple[type, ...] = str
    required: bool = False
    values: tuple[str, ...] = ()


@frozen(order=True)
class Problem:
    """One thing that is wrong with a spec folder."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"

    def error(self) -> SpecError:
        """The problem as an error of the caller."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return SpecError(f"{self.key}: {self.message}" if self.key else self.message, where=place)


_MUST = Key(required=True)
_KEYWORD = Key(required=True, values=("MUST", "SHOULD", "MAY"))
_PROVENANCE = Key(required=True, values=("spec", "docs", "observed", "standard"))
_LIST = Key(list)

#: file → table → key. The table "" is the top of the file; a table that is listed there too is an array of tables.
FORMS: Mapping[str, Mapping[str, Mapping[str, Key]]] = {
    "version.toml": {
        "": {
            "label": _MUST,
            "status": Key(required=True, values=("beta", "preview", "ga")),
            "live": Key(required=True, values=("yes", "no", "unknown")),
            "surface": Key(required=True, values=("dated", "v1")),
            "base_path": _MUST,
            "complete": Key(bool, required=True),
            "default": Key(bool),
            "gaps": _LIST,
            "features": Key(list, required=True),
            "extends": Key(),
            "drop": _LIST,
            "api_version": Key(dict, required=True),
            "source": Key(list, required=True),
        },
        "drop": {"id": _MUST, "reason": _MUST},
        "api_version": {
            "in": Key(required=True, values=("query", "none")),
            "name": Key(),
            "required": Key(bool),
            "accepted": _LIST,
        },
        "source": {"title": _MUST, "document": _MUST, "section": Key()},
    },
    "clauses.toml": {
        "": {"clause": _LIST, "refusal": _LIST, "widest": _LIST},
        "clause": {
            "id": _MUST,
            "text": _MUST,
            "source": _MUST,
            "provenance": _PROVENANCE,
            "keyword": _KEYWORD,
            "operations": _LIST,
            "checks": _LIST,
            "state": Key(values=("planned",)),
            "excluded": Key(),
            "rule": Key(dict),
        },
        "clause.rule": {"pointer": Key(), "schema": Key(), "break": Key(), "named": Key()},
        "refusal": {
            "id": _MUST,
            "operations": Key(list, required=True),
            "pointer": _MUST,
            "keyword": _MUST,
            "expect": Key(values=("reject", "either")),
            "level": Key(values=("MUST", "SHOULD")),
            "source": Key(),
        },
        "widest": {
            "id": _MUST,
            "operations": Key(list, required=True),
            "pointer": _MUST,
            "keyword": _MUST,
            "value": Key((int, float, str, list), required=True),
            "source": Key(),
        },
    },
    "errata.toml": {
        "": {"erratum": _LIST, "wrong_example": _LIST},
        "erratum": {
            "id": _MUST,
            "where": _MUST,
            "says": _MUST,
            "holds": _MUST,
            "why": _MUST,
            "source": _MUST,
            "provenance": _PROVENANCE,
            "patch": Key(),
        },
        "wrong_example": {"id": _MUST, "where": _MUST, "reason": _MUST},
    },
}


def problems_of(path: Path, data: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with the form of one TOML file: unknown, missing and mistyped keys, ids that occur twice."""
    if not data:
        return
    lines = toml_lines(path.read_text("utf-8"))
    form = FORMS[path.name]

    def at(table: str, index: int, key: str, message: str, name: str) -> Problem:
        line = lines.get((table, index, key)) or lines.get((table, index, "")) or 1
        return Problem(str(path), line, name, message)

    yield from (at("", 0, key, text, key) for key, text in _keys(data, form[""]))
    for table in (name for name in form if name and "." not in name):
        held = data.get(table)
        items = held if isinstance(held, list) else [held] if isinstance(held, dict) else []
        seen: dict[str, int] = {}
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                yield at(table, index, "", "must be a table", table)
                continue
            id = item.get("id")
            name = f"{table} {id}" if isinstance(id, str) else table
            yield from (
                at(place, index, key, text, f"{name}, {key}") for place, key, text in _tables(item, table, form)
            )
            if isinstance(id, str) and seen.setdefault(id, index) != index:
                first = lines.get((table, seen[id], ""), 1)
                yield at(table, index, "id", f"the id is already used on line {first}", name)


def _tables(
    item: Mapping[str, Any], table: str, form: Mapping[str, Mapping[str, Key]]
) -> Iterator[tuple[str, str, str]]:
    """(table, key, message) of one item and of the tables in it."""
    yield from ((table, key, text) for key, text in _keys(item, form[table]))
    for sub in (name for name in form if name.startswith(f"{table}.")):
        inner = item.get(sub.partition(".")[2])
        if isinstance(inner, dict):
            yield from ((sub, key, text) for key, text in _keys(inner, form[sub]))


def _keys(item: Mapping[str, Any], form: Mapping[str, Key]) -> Iterator[tuple[str, str]]:
    for key, value in item.items():
        if key not in form:
            yield key, f"unknown key{_nearest(key, list(form))}"
            continue
        wanted = form[key]
        kinds = wanted.kind if isinstance(wanted.kind, tuple) else (wanted.kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            yield key, f"must be {' or '.join(_NAMES[kind] for kind in kinds)}"
        elif wanted.values and value not in wanted.values:
            yield key, f"{value!r} is none of {', '.join(wanted.values)}{_nearest(str(value), wanted.values)}"
    for key, wanted in form.items():
        if wanted.required and key not in item:
            yield key, "is missing"


_NAMES = {str: "a string", bool: "true or false", list: "a list", dict: "a table", int: "a number", float: "a number"}


def _nearest(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""
