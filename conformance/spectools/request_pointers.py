"""Finds the schemas that a pointer of ``[[refusal]]``, ``[[widest]]`` or ``[clause.rule]`` names in a request.

The pointer names a place in the value that is sent (``/messages/*/name``), or a parameter (``query:limit``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from conformance.pointer import tokens
from conformance.spec.openapi import of_other_names
from conformance.spec.operations import Operation, operations_of
from conformance.spec.spec import Spec

__all__ = ["named_operations", "request_schemas"]


def named_operations(spec: Spec, globs: tuple[str, ...]) -> tuple[Operation, ...]:
    """The operations of a version that globs such as ``threads.*`` match."""
    return tuple(op for id, op in operations_of(spec).items() if any(fnmatchcase(id, glob) for glob in globs))


def request_schemas(spec: Spec, operation: Operation, pointer: str) -> tuple[Any, ...]:
    """Every schema that describes the place, one for each way through unions. Empty if there is no such place."""
    if not pointer.startswith("/") and pointer:
        location, _, name = pointer.partition(":")
        parameter = operation.parameter(location, name)
        return (spec.deref(parameter.schema),) if parameter else ()
    found: list[Any] = [spec.deref(media.schema) for media in operation.body.values()]
    for name in tokens(pointer):
        found = [inner for schema in found for part in _parts(spec, schema) for inner in _child(part, name)]
    return tuple(part for schema in found for part in _parts(spec, schema))


def _parts(spec: Spec, schema: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and the branches of its unions, with references followed."""
    node = spec.deref(schema)
    if not isinstance(node, Mapping) or depth > 12:
        return
    yield node
    for keyword in ("oneOf", "anyOf", "allOf"):
        for branch in node.get(keyword, ()):
            yield from _parts(spec, branch, depth + 1)


def _child(schema: Mapping[str, Any], name: str) -> Iterator[Any]:
    """Yield the schemas of a child: a property, a value of an open object, or an array item."""
    properties = schema.get("properties", {})
    if name in properties:
        yield properties[name]
    elif isinstance(others := of_other_names(schema), Mapping) and name == "*":
        yield others
    if name == "*" or name.isdigit():
        if "items" in schema:
            yield schema["items"]
        yield from schema.get("prefixItems", ())
