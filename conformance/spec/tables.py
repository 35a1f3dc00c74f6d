"""The form of the TOML files of ``specs/``: ``version.toml``, ``clauses.toml``, ``errata.toml``, ``operations.toml``,
``profiles.toml``.

A JSON Schema beside the data, ``specs/<file>.schema.json``, describes each file. This module turns its errors into
problems with file, line and key. It also checks that ids are unique, which JSON Schema can't express.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from attrs import field, frozen

from conformance.errors import SpecError
from conformance.spec.misfits import Kind, Misfit, misfits, nearest
from conformance.spec.shipped import specs_dir
from conformance.spec.textfile import toml_lines

__all__ = ["FILES", "Problem", "problems_of", "schema_file"]

#: The files of a version's folder that have a schema.
FILES = ("version.toml", "clauses.toml", "errata.toml", "operations.toml", "profiles.toml")

_NAMES = {
    "string": "a string",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table",
    "integer": "a whole number",
    "number": "a number",
}


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


def schema_file(name: str) -> Path:
    """The JSON Schema of one of :data:`FILES`."""
    return specs_dir() / f"{name.removesuffix('.toml')}.schema.json"


def problems_of(path: Path, data: Mapping[str, Any]) -> Iterator[Problem]:
    """The mistakes in the form of one TOML file: unknown, missing and invalid keys, ids that occur twice."""
    file = _File(path, data)
    for misfit in misfits(schema_file(path.name), data):
        yield file.problem(misfit)
    for table, items in data.items():
        seen: dict[str, int] = {}
        for index, item in enumerate(items if isinstance(items, list) else ()):
            id = item.get("id") if isinstance(item, dict) else None
            if isinstance(id, str) and seen.setdefault(id, index) != index:
                first = file.lines.get((table, seen[id], ""), 1)
                yield file.at(table, index, "id", f"{table} {id}", f"the id is already used on line {first}")


@frozen(slots=False)
class _File:
    """One TOML file and the values read from it. Line numbers are computed only if there is a mistake."""

    path: Path
    data: Mapping[str, Any] = field(repr=False)

    @cached_property
    def lines(self) -> Mapping[tuple[str, int, str], int]:
        return toml_lines(self.path.read_text("utf-8"))

    def at(self, table: str, index: int, key: str, name: str, message: str) -> Problem:
        line = self.lines.get((table, index, key)) or self.lines.get((table, index, "")) or 1
        return Problem(str(self.path), line, name, message)

    def problem(self, misfit: Misfit) -> Problem:
        """The problem with its line, and the table, its id and the key as its name."""
        node: Any = self.data
        tables: list[str] = []
        index, name, key = 0, "", misfit.key
        for token in misfit.path:
            node = node[token]
            if isinstance(token, int) and isinstance(node, dict):
                index = token
                name = f"{tables[-1]} {node['id']}" if isinstance(node.get("id"), str) else tables[-1]
            elif isinstance(node, dict) or (isinstance(node, list) and any(isinstance(item, dict) for item in node)):
                tables.append(str(token))
                name = name or str(token)
            elif not key:
                key = str(token)
        return self.at(".".join(tables), index, key, ", ".join(filter(None, (name, key))), _told(misfit))


def _told(misfit: Misfit) -> str:
    match misfit.kind:
        case Kind.UNKNOWN:
            return f"unknown key{_meant(misfit.key, misfit)}"
        case Kind.MISSING:
            return "is missing"
        case Kind.TYPE:
            return f"must be {' or '.join(_NAMES[name] for name in misfit.types)}"
        case Kind.CHOICE:
            return f"{misfit.value!r} is none of {', '.join(misfit.known)}{_meant(str(misfit.value), misfit)}"
    return f"must be {misfit.title or 'what the schema of the file says'}"


def _meant(word: str, misfit: Misfit) -> str:
    near = nearest(word, misfit.known)
    return f"; did you mean {near}?" if near else ""
