"""Schemas in a normal form for comparison: references followed, ``allOf`` merged, null kept apart, unions flattened.

Each part keeps the JSON Pointer of its place in the document, so that a change can say where it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from conformance.pointer import escape, follow
from conformance.spec.openapi import TAGS

__all__ = ["Node", "Shape", "branches", "key_values", "resolve", "shape"]


@frozen
class Node:
    """A schema and the pointer of its place. ``beside`` are the keywords that stand beside the unions of which it is a
    branch and the references that lead to it, each with the pointer of its place: they hold for every branch.
    """

    pointer: str
    schema: Any = field(repr=False, eq=False)
    beside: Mapping[str, tuple[str, Any]] = field(factory=dict, repr=False, eq=False)


@frozen
class Shape:
    """One branch of a schema, without unions: its keywords, properties and other sub-schemas by keyword.

    ``places`` are the pointers of keywords that don't stand in the branch itself.
    """

    pointer: str
    keywords: Mapping[str, Any]
    properties: Mapping[str, Node]
    required: frozenset[str]
    inner: Mapping[str, Node]
    places: Mapping[str, str] = field(factory=dict)


#: Keywords whose value is one schema.
INNER = ("items", "additionalProperties", "propertyNames", "contentSchema", "not", "contains", "unevaluatedProperties")
_STRUCTURE = {"$ref", "properties", "required", "allOf", "oneOf", "anyOf", "discriminator", *INNER}


def resolve(document: Any, node: Node) -> Node:
    """The node that a chain of references ends at, with what stands beside the references (OpenAPI 3.1)."""
    seen = set()
    # A reference that leads back to itself would never end.
    while isinstance(node.schema, Mapping) and "$ref" in node.schema and node.pointer not in seen:
        seen.add(node.pointer)
        pointer = node.schema["$ref"].removeprefix("#")
        own = {key: (f"{node.pointer}/{key}", value) for key, value in node.schema.items() if _plain_keyword(key)}
        node = Node(pointer, follow(document, pointer), {**own, **node.beside})
    return node


def branches(document: Any, node: Node) -> tuple[bool, tuple[Node, ...]]:
    """(whether null is allowed, the branches other than null). A schema that isn't a union is its own only branch."""
    nullable = False
    found: list[Node] = []
    for leaf in _leaves(document, node, 0):
        kinds = leaf.schema.get("type") if isinstance(leaf.schema, Mapping) else None
        if kinds == "null" or (isinstance(kinds, list) and kinds == ["null"]):
            nullable = True
            continue
        if isinstance(kinds, list) and "null" in kinds:
            nullable = True
        if leaf not in found:
            found.append(leaf)
    return nullable, tuple(found)


def _leaves(document: Any, node: Node, depth: int) -> Iterator[Node]:
    """Yield the branches of a union, those of unions inside it included."""
    node = resolve(document, node)
    schema = node.schema
    union = next((key for key in ("oneOf", "anyOf") if isinstance(schema, Mapping) and key in schema), None)
    # A schema with properties of its own is no plain choice: its union adds to them. The depth ends unions that contain
    # themselves.
    if union is None or "properties" in schema or depth > 8:
        yield node
        return
    own = {key: (f"{node.pointer}/{key}", value) for key, value in schema.items() if _plain_keyword(key)}
    beside = {**node.beside, **own}
    for index, branch in enumerate(schema[union]):
        yield from _leaves(document, Node(f"{node.pointer}/{union}/{index}", branch, beside), depth + 1)


def _plain_keyword(key: str) -> bool:
    """Return True for a keyword that holds no schema and is no extension."""
    return key not in _STRUCTURE and not key.startswith("x-")


def shape(document: Any, node: Node) -> Shape:
    """The normal form of one branch."""
    # The types beside a union include null, which is no type of this branch alone.
    outer = {key: found for key, found in node.beside.items() if key != "type"}
    keywords: dict[str, Any] = {key: value for key, (_, value) in outer.items()}
    properties: dict[str, Node] = {}
    required: set[str] = set()
    inner: dict[str, Node] = {}
    for part in _parts(document, node, 0):
        schema = part.schema
        if not isinstance(schema, Mapping):
            keywords["schema"] = schema
            continue
        # A union beside properties says which of them go together; it is compared as it stands.
        unions = ("oneOf", "anyOf") if "properties" in schema else ()
        own = {key: value for key, value in schema.items() if _plain_keyword(key) or key in unions}
        keywords.update(own)
        outer = {key: found for key, found in outer.items() if key not in own}
        inner.update((key, Node(f"{part.pointer}/{key}", schema[key])) for key in INNER if key in schema)
        required.update(schema.get("required", ()))
        for name, value in schema.get("properties", {}).items():
            properties[name] = Node(f"{part.pointer}/properties/{escape(name)}", value)
    places = {key: place for key, (place, _) in outer.items()}
    return Shape(node.pointer, _plain(keywords), properties, frozenset(required), inner, places)


def _plain(keywords: dict[str, Any]) -> dict[str, Any]:
    """The keywords without null in types and values. A constant becomes an enum of one value."""
    kinds = keywords.get("type")
    if isinstance(kinds, list):
        plain = [kind for kind in kinds if kind != "null"]
        keywords["type"] = plain[0] if len(plain) == 1 else plain
    values = [value for value in keywords.pop("enum", ()) if value is not None]
    # ``const`` and an enum of one value mean the same; one form lets the two be compared.
    if "const" in keywords:
        values = [keywords.pop("const")]
    if values:
        keywords["enum"] = values
    return keywords


def _parts(document: Any, node: Node, depth: int) -> Iterator[Node]:
    """Yield the members of ``allOf`` and the schema itself, references followed."""
    node = resolve(document, node)
    if isinstance(node.schema, Mapping) and depth < 8:
        for index, part in enumerate(node.schema.get("allOf", ())):
            yield from _parts(document, Node(f"{node.pointer}/allOf/{index}", part), depth + 1)
    yield node


def key_values(document: Any, node: Node) -> frozenset[tuple[str, str]]:
    """The (property, value) pairs that a branch fixes. They tell the branches of a union apart."""
    found: set[tuple[str, str]] = set()
    for name, value in shape(document, node).properties.items():
        schema = resolve(document, value).schema
        if isinstance(schema, Mapping):
            values = [schema["const"]] if "const" in schema else schema.get("enum", ())
            # These names select branches by convention, also where a branch allows several values; other fields only
            # with one value.
            if name in TAGS or len(values) == 1:
                found.update((name, str(item)) for item in values)
    return frozenset(found)
