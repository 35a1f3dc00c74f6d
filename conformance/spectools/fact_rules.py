"""Rules of ``operations.toml``: its words are known, and a version has the operations that its own file names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.settings.form import CAPABILITIES, EXPENSIVE_KINDS
from conformance.spec.folder import listed_problems
from conformance.spec.misfits import nearest
from conformance.spec.operations import operations_of
from conformance.spec.shipped import specs_dir
from conformance.spec.spec import Spec
from conformance.spec.tables import Problem
from conformance.spec.textfile import read_toml, toml_lines
from conformance.spectools.request_pointers import named_operations, request_schemas

__all__ = ["fact_problems", "shared_fact_problems"]

_TABLES = ("operation", "gate", "ability", "need")


def fact_problems(spec: Spec) -> Iterator[Problem]:
    """Problems of one version's own ``operations.toml``; none where it has no such file."""
    file = (spec.path or specs_dir() / spec.version) / "operations.toml"
    data = read_toml(file, optional=True)
    for table in _TABLES:
        items = enumerate(data.get(table, ()))
        found = {index: text for index, item in items if (text := _unknown_word(item) or _nowhere(spec, item))}
        yield from listed_problems(file, data, table, found)
    for name in data.get("probes", {}).get("wrong_key", ()):
        if name not in operations_of(spec):
            line = toml_lines(file.read_text("utf-8")).get(("probes", 0, "wrong_key"), 1)
            yield Problem(str(file), line, "probes", f"wrong_key: {name} is no operation of this version")


def shared_fact_problems() -> Iterator[Problem]:
    """Problems of the ``operations.toml`` that all versions share. It may name operations of versions to come."""
    file = specs_dir() / "operations.toml"
    data = read_toml(file)
    for table in _TABLES:
        found = {index: text for index, item in enumerate(data.get(table, ())) if (text := _unknown_word(item))}
        yield from listed_problems(file, data, table, found)


def _unknown_word(item: Mapping[str, Any]) -> str:
    """A word that no configuration could name: a capability or an expensive kind that the suite doesn't know."""
    for key, known in (("capability", tuple(CAPABILITIES)), ("expensive", EXPENSIVE_KINDS)):
        word = item.get(key)
        if word and word not in known:
            near = nearest(word, known)
            return f"{key}: {word} is not known{f'; did you mean {near}?' if near else ''}"
    return ""


def _nowhere(spec: Spec, item: Mapping[str, Any]) -> str:
    """An operation or a field that the version doesn't have."""
    globs = tuple(item.get("operations", ("*",)))
    for glob in globs:
        if not named_operations(spec, (glob,)):
            return f"operations: {glob} names no operation of this version"
    named = named_operations(spec, globs)
    for pointer in item.get("fields", ()):
        if not any(request_schemas(spec, operation, pointer) for operation in named):
            return f"fields: {pointer} names no place in the request of {named[0].id}"
    return ""
