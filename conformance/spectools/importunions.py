"""Unions of an imported document whose branches fit the same value: ``oneOf`` that means ``anyOf``.

``oneOf`` refuses a value that fits two branches (JSON Schema 2020-12, Core, section 10.2.1.3). Published documents use
it where one branch is a shorter form of the other, so that a correct answer would be refused. Where the branches are
not told apart by types or constants, ``anyOf`` says what is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from attrs import field, frozen

from conformance.pointer import follow, look_up
from conformance.spec.openapi import places
from conformance.spec.overlay import patched

__all__ = ["contradictory", "overlapping"]

#: References and combinations are followed down to this depth.
_DEEPEST = 8


@frozen
class _Kind:
    """What values of a schema have in common: their types (None: any), and constants of properties of objects.

    ``closed`` objects have no other properties than ``names``. ``values`` are the only ones, or None.
    """

    types: frozenset[str] | None = None
    values: tuple[Any, ...] | None = None
    constants: Mapping[str, tuple[Any, ...]] = field(factory=dict)
    required: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    closed: bool = False

    def apart(self, other: _Kind) -> bool:
        """Return True if no value can be of both kinds."""
        if self.types is not None and other.types is not None and not self.types & other.types:
            return True
        if self.values is not None and other.values is not None:
            return not any(value in other.values for value in self.values)
        both = self.required & other.required & set(self.constants) & set(other.constants)
        if any(not any(v in other.constants[name] for v in self.constants[name]) for name in both):
            return True
        return bool((self.closed and other.required - self.names) or (other.closed and self.required - other.names))


def contradictory(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The steps of a JSON Patch that removes unions which refuse every value of the type beside them.

    No value at all would fit such a schema. Generators write it for an encoded type: a date that is sent as a number
    has the union of the date and null beside the type of the number. Null stays allowed.
    """
    steps: list[Mapping[str, Any]] = []
    for place in places(document):
        node = place.node
        if place.kind != "schema" or not isinstance(node, Mapping) or "type" not in node:
            continue
        for keyword in ("anyOf", "oneOf"):
            if keyword not in node:
                continue
            own, union = _kind(document, {"type": node["type"]}, 0), _kind(document, {keyword: node[keyword]}, 0)
            if own.types is None or union.types is None or (own.types - {"null"}) & union.types:
                continue
            at = f"{place.pointer}/{keyword}"
            steps += [{"op": "test", "path": at, "value": node[keyword]}, {"op": "remove", "path": at}]
            kinds = [node["type"]] if isinstance(node["type"], str) else node["type"]
            if "null" in union.types and "null" not in kinds:
                steps.append({"op": "replace", "path": f"{place.pointer}/type", "value": [*kinds, "null"]})
    return tuple(steps)


def overlapping(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The steps of a JSON Patch that turns ``oneOf`` into ``anyOf`` where branches overlap; the inner unions first."""
    current: Mapping[str, Any] = document
    steps: list[Mapping[str, Any]] = []
    for place in reversed(list(places(document))):
        node = place.node
        # With both keywords, or a discriminator, something else tells what is meant.
        if place.kind != "schema" or not isinstance(node, Mapping) or {"anyOf", "discriminator"} & set(node):
            continue
        kinds = [_kind(document, branch, 0) for branch in node.get("oneOf", ())]
        if all(one.apart(other) for one, other in combinations(kinds, 2)):
            continue
        at = f"{place.pointer}/oneOf"
        change = (
            {"op": "test", "path": at, "value": look_up(current, at)},
            {"op": "move", "from": at, "path": f"{place.pointer}/anyOf"},
        )
        # The test holds the inner unions as the steps before leave them.
        current = patched(current, at, change)
        steps += change
    return tuple(steps)


def _kind(document: Mapping[str, Any], node: Any, depth: int) -> _Kind:
    """The kind of values of a schema."""
    if not isinstance(node, Mapping) or depth > _DEEPEST:
        return _Kind()
    given = node.get("type")
    types = None if given is None else frozenset([given] if isinstance(given, str) else given)
    # Every integer is a number.
    types = types | {"integer"} if types and "number" in types else types
    values = (node["const"],) if "const" in node else node.get("enum")
    properties = node.get("properties", {})
    fixed = {name: _kind(document, schema, depth + 1).values for name, schema in properties.items()}
    made = _Kind(
        types=types,
        values=None if values is None else tuple(values),
        constants={name: one for name, one in fixed.items() if one is not None},
        required=frozenset(node.get("required", ())),
        names=frozenset(properties),
        closed=node.get("additionalProperties") is False,
    )
    for part in _parts(document, node):
        made = _joined(made, _kind(document, part, depth + 1))
    for keyword in ("oneOf", "anyOf"):
        branches = [_kind(document, branch, depth + 1) for branch in node.get(keyword, ())]
        if branches:
            made = _joined(made, _either(branches))
    return made


def _parts(document: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the schemas that apply besides a schema's own keywords."""
    if "$ref" in node:
        yield follow(document, node["$ref"])
    yield from node.get("allOf", ())


def _joined(one: _Kind, other: _Kind) -> _Kind:
    """The kind of values that are of both kinds."""
    types = one.types if other.types is None else other.types if one.types is None else one.types & other.types
    return _Kind(
        types=types,
        values=one.values if other.values is None else other.values,
        constants={**one.constants, **other.constants},
        required=one.required | other.required,
        names=one.names | other.names,
        closed=one.closed or other.closed,
    )


def _either(kinds: Sequence[_Kind]) -> _Kind:
    """What all branches of a union have in common."""
    open_types = any(one.types is None for one in kinds)
    open_values = any(one.values is None for one in kinds)
    common = set.intersection(*({*one.constants} for one in kinds))
    return _Kind(
        types=None if open_types else frozenset().union(*(one.types or () for one in kinds)),
        values=None if open_values else tuple(value for one in kinds for value in one.values or ()),
        constants={name: tuple(value for one in kinds for value in one.constants[name]) for name in common},
        required=frozenset.intersection(*(one.required for one in kinds)),
        names=frozenset().union(*(one.names for one in kinds)),
        closed=all(one.closed for one in kinds),
    )
