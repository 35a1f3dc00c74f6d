"""Values that break exactly one constraint of a schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from .facts import edge
from .sampler import NOTHING, Sampler
from .schema_tree import Node, Slot

__all__ = ["ABSENT", "Breach", "breaches_of", "constraints_of"]


class _Absent:
    """The type of :data:`ABSENT`."""

    def __repr__(self) -> str:
        return "ABSENT"


#: Stands for "leave the field out".
ABSENT: Any = _Absent()

#: JSON type → values of other types. The first one that no branch of the schema accepts is sent.
_WRONG: Mapping[str, tuple[Any, ...]] = {
    "string": (7, ["text"], {"text": "text"}, True),
    "integer": ("seven", 1.5, [1], {"value": 1}, True),
    "number": ("seven", [1], {"value": 1}, True),
    "boolean": ("yes", 2, [True]),
    "array": ({"0": "text"}, "text", 7),
    "object": ("text", ["text"], 7),
}


@frozen
class Breach:
    """One constraint broken at one slot. ``value`` is :data:`ABSENT` for a missing required field.

    ``note`` marks special cases: ``between`` (beyond the document's bound, within the widest documented one), ``float``
    (1.0 for an integer), ``null`` and ``extra`` (an undocumented field).
    """

    slot: Slot
    keyword: str
    value: Any
    note: str = ""


def breaches_of(slot: Slot, sampler: Sampler, widest: Mapping[str, Any]) -> Iterator[Breach]:
    """Yield every constraint of a slot, broken alone. ``widest`` maps a keyword to the widest bound that any source
    states.
    """
    node = slot.node
    if slot.required and slot.path[-1][0] == ".":
        yield Breach(slot, "required", ABSENT)
    # The type of a branch can't be broken alone: the value would then be judged by the other branches.
    if slot.path[-1][0] == "|":
        yield from _scalar(slot, sampler, widest)
        return
    yield from _wrong_type(slot)
    if not node.branches:
        yield from _scalar(slot, sampler, widest)
    elif node.discriminator:
        yield Breach(slot, "discriminator", {node.discriminator: "not-a-documented-type"})


def constraints_of(slot: Slot, media: str) -> Iterator[str]:
    """Yield the keywords that can be broken at a slot. In query, header and form everything is text, so fewer can."""
    node = slot.node
    text = slot.path[0] != ".body" or media.startswith("multipart/")
    if slot.required and slot.path[-1][0] == ".":
        yield "required"
    if slot.path[-1][0] != "|" and _kinds(node) and (not text or not {*_kinds(node)} & {"string", "array", "object"}):
        yield "type"
    if node.branches:
        if node.discriminator and slot.path[-1][0] != "|":
            yield "discriminator"
        return
    if "const" in node.schema:
        yield "const"
    elif node.enum and any(isinstance(v, str) for v in node.enum):
        yield "enum"
    yield from node.bounds
    yield from (k for k in ("pattern", "propertyNames") if k in node.schema)
    if node.schema.get("uniqueItems"):
        yield "uniqueItems"
    if node.schema.get("format") in ("uri", "date-time", "uuid"):
        yield "format"


def _names(slot: Slot) -> str:
    """The name of the property that contains the slot's own, or ""."""
    names = [step[1:] for step in slot.path if step[0] == "."]
    return names[-2] if len(names) > 1 else ""


def _wrong_type(slot: Slot) -> Iterator[Breach]:
    """Yield values of a wrong JSON type, among them null and 1.0 near the top of the request."""
    node = slot.node
    kinds = _kinds(node)
    if not kinds:
        return
    # For a union every branch must refuse the value, so values of all its types are tried.
    candidates = [value for kind in kinds for value in _WRONG.get(kind, ())]
    for value in candidates:
        if not node.fits(value) and not any(_same_type(value, kind) for kind in kinds):
            yield Breach(slot, "type", value)
            break
    # Only near the top: each null is a request, and nested ones add little.
    if not node.nullable and not node.fits(None) and slot.depth <= 2:
        yield Breach(slot, "type", None, "null")
    if kinds == ("integer",) and slot.depth <= 2:
        whole = edge_inside(node)
        if whole is not NOTHING:
            yield Breach(slot, "type", float(whole), "float")


def edge_inside(node: Node) -> Any:
    """A whole number that fits the node, or NOTHING."""
    return next((v for v in (1, 2, 16, 256, node.schema.get("minimum")) if v is not None and node.fits(v)), NOTHING)


def _kinds(node: Node) -> tuple[str, ...]:
    """The JSON types that fit, in the order of the document, so that every process picks the same wrong value."""
    if node.branches:
        found = [_kinds(branch) for branch in node.branches]
        # A branch of any type makes the union one of any type.
        return tuple(dict.fromkeys(kind for kinds in found for kind in kinds)) if all(found) else ()
    if node.types:
        return node.types
    return ("string",) if node.enum and all(isinstance(v, str) for v in node.enum) else ()


def _same_type(value: Any, kind: str) -> bool:
    """Return True if a value has a JSON type. JSON Schema counts no boolean as a number."""
    match kind:
        case "string":
            return isinstance(value, str)
        case "integer" | "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
    return False


def _scalar(slot: Slot, sampler: Sampler, widest: Mapping[str, Any]) -> Iterator[Breach]:
    """Yield breaches of the constraints on the value itself: enum, const, bounds, pattern, format, names,
    uniqueness.
    """
    node = slot.node
    schema = node.schema
    parent = _names(slot)
    if node.enum and "const" not in schema and any(isinstance(v, str) for v in node.enum):
        yield Breach(slot, "enum", "not-a-documented-value")
    elif "const" in schema and isinstance(schema["const"], str):
        yield Breach(slot, "const", "not-a-documented-value")
    yield from _bounds(slot, sampler, widest, parent)
    if "pattern" in schema:
        # Likely breaches of the published patterns: a space, nothing, a hyphen alone, too many characters.
        bad = next((t for t in ("not matching !", "", "-", "x" * 70) if not re.search(schema["pattern"], t)), None)
        if bad is not None:
            yield Breach(slot, "pattern", bad)
    if schema.get("format") in ("uri", "date-time", "uuid") and not node.fits("not of this form"):
        yield Breach(slot, "format", "not of this form")
    names = schema.get("propertyNames")
    if isinstance(names, Mapping):
        # Names are limited by length in the published documents; other limits get a name with a space.
        bad_name = "k" * (names["maxLength"] + 1) if "maxLength" in names else "not a name !"
        member = sampler.value(node.extra) if node.extra is not None else "text"
        yield Breach(slot, "propertyNames", {bad_name: member})
    if schema.get("uniqueItems") and node.items is not None:
        # The same item twice breaks nothing but ``uniqueItems``.
        item = sampler.value(node.items, slot.name, parent)
        yield Breach(slot, "uniqueItems", [item, item])
    if node.properties and "object" in node.types and slot.depth <= 2:
        yield Breach(slot, "additionalProperties", ABSENT, "extra")


def _bounds(slot: Slot, sampler: Sampler, widest: Mapping[str, Any], parent: str) -> Iterator[Breach]:
    """Yield a value just beyond each bound, and one between the document's bound and a wider documented one."""
    for keyword in slot.node.bounds:
        stated = slot.node.schema[keyword]
        bound = widest.get(keyword, stated)
        # The bound itself is the nearest value that is not allowed.
        if keyword.startswith("exclusive"):
            yield Breach(slot, keyword, bound)
            continue
        # Between the two bounds a target may rightly accept or refuse.
        if bound != stated:
            between = edge(slot.node, keyword, stated, (slot.name, parent), sampler, beyond=1)
            yield Breach(slot, keyword, between, "between")
        yield Breach(slot, keyword, edge(slot.node, keyword, bound, (slot.name, parent), sampler, beyond=1))
