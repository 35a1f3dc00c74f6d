"""Mutants of documented limits: the emulator accepts values beyond them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.emulator.mutants import loosened

Value = dict[str, Any]


def _nodes(node: Any) -> Iterator[Value]:
    """Yield every object in a document, at any depth."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)


def _parameters(document: Value, name: str) -> Iterator[Value]:
    """Yield the schemas of all query parameters with this name."""
    for node in _nodes(document):
        if node.get("name") == name and node.get("in") == "query" and isinstance(node.get("schema"), dict):
            yield node["schema"]


def _properties(document: Value, name: str) -> Iterator[Value]:
    """Yield the schemas of all properties with this name."""
    for node in _nodes(document):
        properties = node.get("properties")
        if isinstance(properties, dict) and isinstance(properties.get(name), dict):
            yield properties[name]


def _maps(document: Value) -> Iterator[Value]:
    """Yield the schemas of metadata and attributes: maps whose names have a maximum length."""
    return (node for node in _nodes(document) if isinstance(node.get("propertyNames"), dict))


@loosened("limits.page-below-minimum", "A limit below the documented minimum is refused.")
def page_below_minimum(document: Value) -> None:
    for schema in _parameters(document, "limit"):
        schema.pop("minimum", None)


@loosened("limits.page-above-maximum", "A limit above the documented maximum is refused.")
def page_above_maximum(document: Value) -> None:
    for schema in _parameters(document, "limit"):
        schema.pop("maximum", None)


@loosened("limits.unknown-order", "An undocumented value of the parameter order is refused.")
def unknown_order(document: Value) -> None:
    for schema in _parameters(document, "order"):
        schema.pop("enum", None)


@loosened("limits.unknown-filter", "An undocumented state is refused as a filter.")
def unknown_filter(document: Value) -> None:
    for name in ("filter", "status"):
        for schema in _parameters(document, name):
            schema.pop("enum", None)
            if "$ref" in schema:
                schema.clear()
                schema["type"] = "string"


@loosened("limits.metadata-pairs", "Metadata with more pairs than documented is refused.")
def metadata_pairs(document: Value) -> None:
    for schema in _maps(document):
        schema.pop("maxProperties", None)


@loosened("limits.metadata-names", "A metadata name longer than documented is refused.")
def metadata_names(document: Value) -> None:
    for schema in _maps(document):
        schema["propertyNames"].pop("maxLength", None)


@loosened("limits.metadata-values", "A metadata value longer than documented is refused.")
def metadata_values(document: Value) -> None:
    for schema in _maps(document):
        if isinstance(schema.get("additionalProperties"), dict):
            schema["additionalProperties"].pop("maxLength", None)


@loosened("limits.unknown-purpose", "An undocumented purpose of a file is refused.")
def unknown_purpose(document: Value) -> None:
    for schema in _properties(document, "purpose"):
        schema.pop("enum", None)
        if "$ref" in schema:
            schema.clear()
            schema["type"] = "string"


@loosened("limits.expiry-days", "An expiry policy with more or fewer days than documented is refused.")
def expiry_days(document: Value) -> None:
    for schema in _properties(document, "days"):
        schema.pop("minimum", None)
        schema.pop("maximum", None)


@loosened("limits.tools", "An assistant with more tools than documented is refused.")
def tools(document: Value) -> None:
    for schema in _properties(document, "tools"):
        schema.pop("maxItems", None)


@loosened("limits.names", "A name longer than documented is refused.")
def names(document: Value) -> None:
    for schema in _properties(document, "name"):
        schema.pop("maxLength", None)
