"""Schemas as a tree of nodes: references followed, ``allOf`` merged, unions split into branches, null kept apart.

A *path* leads from the root of a request to a node. Its steps: ``.name`` for a property, ``*`` for the items of an
array, ``%`` for values of an object under names that aren't documented, ``|2`` for the third branch of a union.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from attrs import field, frozen

from conformance.pointer import escape, pointer_to
from conformance.schema.validators import Validator, validator_for
from conformance.spec.operations import Operation
from conformance.spec.spec import Spec

__all__ = ["Node", "Path", "Shapes", "Slot", "describe", "request_node"]

Path = tuple[str, ...]

#: Requests are explored down to this many nested properties.
DEEPEST = 9


@frozen(slots=False, eq=False)
class Node:
    """One schema with references resolved and ``allOf`` merged.

    ``pointer`` is its place in the corrected document, "" for a schema that stands nowhere in it. ``parts`` are the
    members of ``allOf``, each with its own pointer.
    """

    shapes: Shapes = field(repr=False)
    schema: Mapping[str, Any]
    pointer: str = ""
    parts: tuple[tuple[Mapping[str, Any], str], ...] = field(default=(), repr=False)

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The JSON types that fit, null apart."""
        kind = self.schema.get("type")
        names = (kind,) if isinstance(kind, str) else tuple(kind or ())
        # Published documents often leave out ``type: object``.
        if not names and "properties" in self.schema:
            names = ("object",)
        return tuple(name for name in names if name != "null")

    @cached_property
    def nullable(self) -> bool:
        """True when null fits."""
        kind = self.schema.get("type")
        if isinstance(kind, list) and "null" in kind:
            # An enum without null excludes null, whatever the type says (JSON Schema 2020-12).
            return "enum" not in self.schema or None in self.schema["enum"]
        if kind is not None:
            return bool(kind == "null")
        return any(node.only_null or node.nullable for node in self._union)

    @cached_property
    def only_null(self) -> bool:
        """True for ``{type: null}``."""
        return self.schema.get("type") == "null"

    @cached_property
    def _union(self) -> tuple[Node, ...]:
        """The members of ``oneOf`` or ``anyOf``, null included."""
        for keyword in ("oneOf", "anyOf"):
            if keyword in self.schema:
                return tuple(
                    self.shapes.node(branch, f"{self.pointer}/{keyword}/{index}")
                    for index, branch in enumerate(self.schema[keyword])
                )
        return ()

    @cached_property
    def branches(self) -> tuple[Node, ...]:
        """The alternatives of a union, without null; several plain types count as alternatives too."""
        union = tuple(node for node in self._union if not node.only_null)
        if union or len(self.types) < 2:
            return union
        # ``type: [string, array]`` is a union of two branches.
        rest = {key: value for key, value in self.schema.items() if key != "type"}
        return tuple(Node(self.shapes, {**rest, "type": name}) for name in self.types)

    @cached_property
    def discriminator(self) -> str:
        """The property that selects the branch, or ""."""
        named = self.schema.get("discriminator")
        return str(named.get("propertyName", "")) if isinstance(named, Mapping) else ""

    @cached_property
    def properties(self) -> Mapping[str, Node]:
        """The documented properties."""
        found: dict[str, Node] = {}
        for schema, pointer in self.parts or ((self.schema, self.pointer),):
            for name, value in (schema.get("properties") or {}).items():
                found[name] = self.shapes.node(value, f"{pointer}/properties/{escape(name)}" if pointer else "")
        return found

    @cached_property
    def required(self) -> frozenset[str]:
        """The names of the required properties."""
        return frozenset(self.schema.get("required") or ())

    @cached_property
    def items(self) -> Node | None:
        """The items of an array."""
        value = self.schema.get("items")
        return self.shapes.node(value, f"{self.pointer}/items" if self.pointer else "") if value else None

    @cached_property
    def extra(self) -> Node | None:
        """The schema of properties under names that the document doesn't list, or None."""
        value = self.schema.get("additionalProperties")
        if not isinstance(value, Mapping):
            return None
        return self.shapes.node(value, f"{self.pointer}/additionalProperties" if self.pointer else "")

    @cached_property
    def enum(self) -> tuple[Any, ...]:
        """The documented values, null apart."""
        if "const" in self.schema:
            return (self.schema["const"],)
        return tuple(value for value in self.schema.get("enum") or () if value is not None)

    def fits(self, value: Any) -> bool:
        """Return True if the value is valid against the schema."""
        return self.validator.is_valid(value)

    @cached_property
    def validator(self) -> Validator:
        """The validator of this node alone."""
        return validator_for(self.shapes.spec, self.schema)


@frozen
class Slot:
    """A place in a request that the document describes. ``name`` is the name of the nearest property on the path."""

    path: Path
    node: Node
    name: str
    required: bool = False
    depth: int = 0

    @property
    def pointer(self) -> str:
        """The path as a pattern: ``/messages/*/content`` (branches left out)."""
        return describe(self.path)


def describe(path: Path) -> str:
    """A path as a JSON Pointer pattern, without the location (``body``) and without branches."""
    return pointer_to(step[1:] if step[0] == "." else "*" for step in path[1:] if step[0] != "|")


@frozen(slots=False, eq=False)
class Shapes:
    """The schema nodes of one Spec, each built once."""

    spec: Spec = field(repr=False)
    _nodes: dict[tuple[str, int], Node] = field(factory=dict, repr=False, init=False)
    # Keys contain ``id(schema)``; keeping the schemas alive stops Python from reusing an id.
    _keep: list[Any] = field(factory=list, repr=False, init=False)

    def node(self, schema: Any, pointer: str = "") -> Node:
        """The node of a schema. ``pointer`` is its place in the document, "" if it stands nowhere in it."""
        if isinstance(schema, bool):
            # Booleans are schemas too: true allows everything, false nothing.
            schema = {} if schema else {"not": {}}
        key = (pointer, id(schema))
        if key not in self._nodes:
            self._keep.append(schema)
            merged, at, parts = self._merge(schema, pointer, frozenset())
            self._nodes[key] = Node(self, merged, at, tuple(parts))
        return self._nodes[key]

    def _merge(
        self, schema: Mapping[str, Any], pointer: str, seen: frozenset[str]
    ) -> tuple[Mapping[str, Any], str, list[tuple[Mapping[str, Any], str]]]:
        """Follow ``$ref`` and merge ``allOf``: (merged schema, its pointer, the parts with their pointers)."""
        ref = schema.get("$ref")
        if isinstance(ref, str) and ref not in seen:
            target, at, parts = self._merge(self.spec.resolve(ref), ref[1:], seen | {ref})
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            narrows = [
                key for key in rest if key not in ("description", "deprecated", "default", "readOnly", "writeOnly")
            ]
            # Beside a description a reference is the component itself; with a constraint beside it, it is a schema of
            # its own.
            return {**target, **rest}, pointer if narrows and pointer else at, parts
        if "allOf" not in schema:
            return schema, pointer, [(schema, pointer)]
        own = {key: value for key, value in schema.items() if key != "allOf"}
        merged: dict[str, Any] = {}
        parts = []
        for index, part in enumerate([*schema["allOf"], own]):
            where = f"{pointer}/allOf/{index}" if index < len(schema["allOf"]) else pointer
            inner, _, inner_parts = self._merge(part, where, seen)
            parts += inner_parts
            merged = {
                **merged,
                **inner,
                "properties": {**merged.get("properties", {}), **(inner.get("properties") or {})},
                "required": list(dict.fromkeys([*merged.get("required", []), *(inner.get("required") or [])])),
            }
        return (
            {key: value for key, value in merged.items() if value or key not in ("properties", "required")},
            pointer,
            parts,
        )

    def slots(self, root: Node) -> Iterator[Slot]:
        """Yield every place of a request, outer ones first. On each way down a component is entered once."""
        # Breadth first: outer places come before inner ones.
        queue: list[tuple[Slot, tuple[str, ...]]] = [(Slot((), root, ""), ())]
        while queue:
            slot, entered = queue.pop(0)
            node = slot.node
            if slot.path:
                yield slot
            # A component within itself repeats the same slots.
            if slot.depth >= DEEPEST or (node.pointer and entered.count(node.pointer) > 0):
                continue
            inside = (*entered, node.pointer) if node.pointer else entered
            for name, child in node.properties.items():
                step = Slot((*slot.path, "." + name), child, name, name in node.required, slot.depth + 1)
                queue.append((step, inside))
            if node.items is not None:
                queue.append((Slot((*slot.path, "*"), node.items, slot.name, False, slot.depth + 1), inside))
            if node.extra is not None:
                queue.append((Slot((*slot.path, "%"), node.extra, slot.name, False, slot.depth + 1), inside))
            for index, branch in enumerate(node.branches):
                queue.append((Slot((*slot.path, f"|{index}"), branch, slot.name, slot.required, slot.depth), inside))


def request_node(shapes: Shapes, operation: Operation, media: str = "") -> Node:
    """The schema of a whole request to an operation: an object with ``body``, ``query`` and ``header``."""
    version = shapes.spec.api_version.name
    made: dict[str, Any] = {}
    required = []
    for location in ("query", "header"):
        found = [p for p in operation.parameters if p.location == location and p.name != version]
        if found:
            made[location] = {
                "type": "object",
                "properties": {p.name: p.schema for p in found},
                "required": [p.name for p in found if p.required],
            }
            if made[location]["required"]:
                required.append(location)
    node = Node(shapes, {"type": "object", "properties": made, "required": required})
    chosen = operation.body.get(media)
    if chosen is not None:
        body = shapes.node(chosen.schema, chosen.pointer)
        properties = {"body": body, **node.properties}
        node = Node(
            shapes,
            {**node.schema, "properties": {"body": chosen.schema, **made}, "required": ["body", *required]},
        )
        # The cached property is preset, so that the body node keeps its pointer into the document.
        node.__dict__["properties"] = properties
    return node
