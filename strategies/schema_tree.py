"""Schemas as a tree of nodes: references followed, ``allOf`` joined, unions split into branches, null kept apart.

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
from conformance.spec.openapi import BOUNDS, OTHER_NAMES
from conformance.spec.operations import Operation
from conformance.spec.spec import Spec

from .schema_joining import UNEVALUATED, UNIONS, constraints, joined, of_unlisted, only_union

__all__ = ["Node", "Path", "Shapes", "Slot", "describe", "request_node"]

Path = tuple[str, ...]

#: End of a bound's keyword → the JSON type that it limits. The other bounds limit numbers.
_LIMITED = {"Length": {"string"}, "Items": {"array"}, "Properties": {"object"}}

#: Requests are explored down to this many nested properties.
DEEPEST = 9


@frozen(slots=False, eq=False)
class Node:
    """One schema with references resolved and ``allOf`` joined. A branch of a union holds together with what stands
    beside the union.

    ``pointer`` is its place in the corrected document, "" for a schema that stands nowhere in it. ``parts`` are the
    schemas that were joined, each with its own pointer. ``inherited`` are the steps of a branch that only the schema
    beside the union describes; ``demanded`` are those of them that only this branch requires.
    """

    shapes: Shapes = field(repr=False)
    schema: Mapping[str, Any]
    pointer: str = ""
    parts: tuple[tuple[Mapping[str, Any], str], ...] = field(default=(), repr=False)
    inherited: frozenset[str] = field(default=frozenset(), repr=False)
    demanded: frozenset[str] = field(default=frozenset(), repr=False)

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
            said = "enum" not in self.schema or None in self.schema["enum"]
        elif kind is not None:
            said = kind == "null"
        else:
            said = any(node.only_null or node.nullable for node in self._union)
        # ``oneOf`` refuses null where two branches allow it; a type may allow it and the union beside it none.
        return said and (not self._union or self.fits(None))

    @cached_property
    def only_null(self) -> bool:
        """True for ``{type: null}``."""
        return self.schema.get("type") == "null"

    @cached_property
    def _keyword(self) -> str:
        """The keyword of the union, or ""."""
        return next((keyword for keyword in UNIONS if keyword in self.schema), "")

    @cached_property
    def _union(self) -> tuple[Node, ...]:
        """The members of ``oneOf`` or ``anyOf`` as they stand there, null included."""
        where = self._at(self._keyword)
        return tuple(
            self.shapes.node(branch, f"{where}/{self._keyword}/{index}" if where else "")
            for index, branch in enumerate(self.schema.get(self._keyword, ()))
        )

    @cached_property
    def branches(self) -> tuple[Node, ...]:
        """The alternatives of a union, without null, each with what stands beside the union; several plain types count
        as alternatives too. Where values are listed beside the union, these are all there are.
        """
        if self._union and self.enum:
            return ()
        union = tuple(self._within(node) for node in self._union if not node.only_null)
        if union or len(self.types) < 2:
            return union
        # ``type: [string, array]`` is a union of two branches.
        rest = {key: value for key, value in self.schema.items() if key != "type"}
        return tuple(Node(self.shapes, {**rest, "type": name}) for name in self.types)

    @cached_property
    def _beside(self) -> Mapping[str, Any]:
        """What holds for every branch of the union."""
        parts = self.schema.get("allOf", ())
        apart = (self._keyword, "discriminator", "allOf")
        made = {key: value for key, value in constraints(self.schema).items() if key not in apart}
        if rest := [part for part in parts if not only_union(part)]:
            made["allOf"] = rest
        # A second union becomes one of each branch.
        for part in parts:
            made = joined(made, part) if only_union(part) else made
        return made

    def _within(self, branch: Node) -> Node:
        """A branch in conjunction with what stands beside the union."""
        beside = self._beside
        over, rest = _split(beside)
        made = _overlaid(joined(rest, branch.schema), over)
        if constraints(made) == constraints(branch.schema):
            return branch
        inherited = _steps(beside) - _steps(branch.schema)
        demanded = {"." + name for name in branch.required - {*beside.get("required", ())}}
        places = (*self._places, *branch._places)
        return Node(self.shapes, made, branch.pointer, places, inherited, inherited & demanded)

    @property
    def _places(self) -> tuple[tuple[Mapping[str, Any], str], ...]:
        """The schemas that were joined, with their pointers."""
        return self.parts or ((self.schema, self.pointer),)

    def _at(self, keyword: str, name: str = "") -> str:
        """The pointer of the last schema that has a keyword, and in it a name; "" if it stands nowhere."""
        return next(
            (
                pointer
                for schema, pointer in reversed(self._places)
                if keyword in schema and (not name or name in (schema[keyword] or ()))
            ),
            "",
        )

    @cached_property
    def discriminator(self) -> str:
        """The property that selects the branch, or ""."""
        named = self.schema.get("discriminator")
        return str(named.get("propertyName", "")) if isinstance(named, Mapping) else ""

    @cached_property
    def properties(self) -> Mapping[str, Node]:
        """The documented properties."""
        found: dict[str, Node] = {}
        for name, value in (self.schema.get("properties") or {}).items():
            where = self._at("properties", name)
            found[name] = self.shapes.node(value, f"{where}/properties/{escape(name)}" if where else "")
        return found

    @cached_property
    def required(self) -> frozenset[str]:
        """The names of the required properties."""
        return frozenset(self.schema.get("required") or ())

    @cached_property
    def items(self) -> Node | None:
        """The items of an array."""
        value = self.schema.get("items")
        where = self._at("items")
        return self.shapes.node(value, f"{where}/items" if where else "") if value else None

    @cached_property
    def others(self) -> Any:
        """What holds for properties under names that the document doesn't list: a schema, or a boolean."""
        return of_unlisted(self.schema)

    @cached_property
    def extra(self) -> Node | None:
        """The schema of properties under names that the document doesn't list, or None."""
        if not isinstance(self.others, Mapping):
            return None
        keyword = next(key for key in OTHER_NAMES if key in self.schema)
        where = self._at(keyword) if self.others is self.schema[keyword] else ""
        return self.shapes.node(self.others, f"{where}/{keyword}" if where else "")

    @cached_property
    def enum(self) -> tuple[Any, ...]:
        """The documented values, null apart."""
        if "const" in self.schema:
            return (self.schema["const"],)
        listed = tuple(value for value in self.schema.get("enum") or () if value is not None)
        return tuple(value for value in listed if self.fits(value)) if self._union else listed

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The documented values as texts. A boolean has two, as if an enum listed them."""
        if self.types == ("boolean",) and not self.enum:
            return "True", "False"
        return tuple(map(str, self.enum))

    @cached_property
    def bounds(self) -> tuple[str, ...]:
        """The keywords of bounds that can be broken: they concern its types, and a minimum size is above 0."""
        return tuple(keyword for keyword in BOUNDS if keyword in self.schema and self._breakable(keyword))

    def _breakable(self, keyword: str) -> bool:
        meant = next((types for end, types in _LIMITED.items() if keyword.endswith(end)), {"integer", "number"})
        empty = keyword in ("minLength", "minItems", "minProperties") and self.schema[keyword] == 0
        return not empty and (not self.types or not meant.isdisjoint(self.types))

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
        schema = _as_mapping(schema)
        key = (pointer, id(schema))
        if key not in self._nodes:
            self._keep.append(schema)
            merged, at, parts = self._merge(schema, pointer, frozenset())
            self._nodes[key] = Node(self, merged, at, tuple(parts))
        return self._nodes[key]

    def _merge(
        self, schema: Mapping[str, Any], pointer: str, seen: frozenset[str]
    ) -> tuple[Mapping[str, Any], str, list[tuple[Mapping[str, Any], str]]]:
        """Follow ``$ref`` and join ``allOf``: (joined schema, its pointer, the parts with their pointers)."""
        ref = schema.get("$ref")
        if isinstance(ref, str) and ref not in seen:
            target, at, parts = self._merge(self.spec.resolve(ref), ref[1:], seen | {ref})
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            # Beside a description a reference is the component itself; with a constraint beside it, it is a schema of
            # its own.
            if not constraints(rest):
                return {**target, **rest}, at, parts
            inner, _, inner_parts = self._merge(rest, pointer, seen | {ref})
            over, others = _split(inner)
            return _overlaid(joined(target, others), over), pointer or at, [*parts, *inner_parts]
        if "allOf" not in schema:
            return schema, pointer, [(schema, pointer)]
        over, own = _split({key: value for key, value in schema.items() if key != "allOf"})
        parts = []
        merged: Mapping[str, Any] = {}
        for index, part in enumerate([*schema["allOf"], own]):
            where = pointer and (f"{pointer}/allOf/{index}" if index < len(schema["allOf"]) else pointer)
            inner, _, inner_parts = self._merge(_as_mapping(part), where, seen)
            parts += inner_parts
            merged = joined(merged, inner)
        return _overlaid(merged, over), pointer, parts

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
                # What stands beside a union is explored there. That a branch requires it is said only here.
                if step.path[-1] in node.demanded:
                    yield step
                elif step.path[-1] not in node.inherited:
                    queue.append((step, inside))
            if node.items is not None and "*" not in node.inherited:
                queue.append((Slot((*slot.path, "*"), node.items, slot.name, False, slot.depth + 1), inside))
            if node.extra is not None and "%" not in node.inherited:
                queue.append((Slot((*slot.path, "%"), node.extra, slot.name, False, slot.depth + 1), inside))
            for index, branch in enumerate(node.branches):
                queue.append((Slot((*slot.path, f"|{index}"), branch, slot.name, slot.required, slot.depth), inside))


def _split(schema: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a schema says of unevaluated names and items, and the rest of it."""
    over = {key: value for key, value in schema.items() if key in UNEVALUATED}
    return over, {key: value for key, value in schema.items() if key not in UNEVALUATED}


def _overlaid(made: Mapping[str, Any], over: Mapping[str, Any]) -> Mapping[str, Any]:
    """A conjunction, with what a schema around its parts says of unevaluated names and items: that is about all of
    them together, and each part alone would leave out the others.
    """
    if any(key in made and made[key] != value for key, value in over.items()):
        # What a part says of them is about that part alone.
        _, rest = _split(made)
        made = {**rest, "allOf": [*made.get("allOf", ()), constraints(made)]}
    return {**made, **over}


def _steps(schema: Mapping[str, Any]) -> frozenset[str]:
    """The steps into a value that a schema describes."""
    found = {"." + name for name in schema.get("properties") or ()}
    return frozenset(found | {step for step, key in (("*", "items"), ("%", "additionalProperties")) if key in schema})


def _as_mapping(schema: Any) -> Mapping[str, Any]:
    """A schema as an object. Booleans are schemas too: true allows everything, false nothing."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    made: Mapping[str, Any] = schema
    return made


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
