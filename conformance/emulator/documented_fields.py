"""Which fields a schema documents, asked by name, and values reduced to documented fields.

Handlers build the fullest answer they know; :meth:`Shape.fit` leaves out what a version does not document. So one
handler serves every version, and no version is named in code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from attrs import define, field, frozen

from conformance.spec.openapi import of_other_names
from conformance.spec.spec import Spec

__all__ = ["Shape"]

#: The largest number of alternatives of one schema. Combinations of large unions would grow without bound.
_MOST = 400

#: The largest number of plans that a shape keeps by the texts of objects.
_KEPT = 400


@frozen(eq=False)
class _Alternative:
    """One way to satisfy a schema.

    ``properties``, ``items`` and ``extra`` (values under undocumented names) are tuples of schemas that all apply.
    ``open`` is False where undocumented names are forbidden; ``types`` and ``consts`` are None if anything is allowed.
    """

    properties: Mapping[str, tuple[Any, ...]] = field(factory=dict)
    items: tuple[Any, ...] = ()
    extra: tuple[Any, ...] = ()
    open: bool = True
    types: frozenset[str] | None = None
    consts: tuple[Any, ...] | None = None
    required: frozenset[str] = frozenset()
    default: Any = None

    def merged(self, other: _Alternative) -> _Alternative:
        """The alternative that satisfies both."""
        properties = dict(self.properties)
        for name, schemas in other.properties.items():
            properties[name] = properties.get(name, ()) + schemas
        types = self.types if other.types is None else other.types if self.types is None else self.types & other.types
        return _Alternative(
            properties=properties,
            items=self.items + other.items,
            extra=self.extra + other.extra,
            open=self.open and other.open,
            types=types,
            consts=self.consts if other.consts is None else other.consts,
            required=self.required | other.required,
            default=self.default if other.default is None else other.default,
        )


@frozen(eq=False)
class _Cut:
    """How objects that match some alternatives are reduced: a ``free`` one is kept whole."""

    free: bool
    shapes: Mapping[str, Shape]
    never_null: frozenset[str]
    extra: bool


@define(eq=False)
class Shape:
    """What values of some schemas look like: the union of all their alternatives."""

    spec: Spec
    schemas: tuple[Any, ...]
    #: The shapes below this one by the identity of their schemas, which many places share.
    family: dict[tuple[int, ...], Shape] = field(factory=dict)
    _alternatives: tuple[_Alternative, ...] | None = field(default=None, init=False)
    _objects: tuple[int, ...] | None = field(default=None, init=False)
    _children: dict[Any, Shape] = field(factory=dict, init=False)
    _plans: dict[tuple[int, ...], _Cut] = field(factory=dict, init=False)
    #: The plan of every object, where there is no choice; None until it is known.
    _sole: _Cut | None = field(default=None, init=False)
    #: The plans of objects by the texts that tell alternatives apart.
    _known: dict[tuple[tuple[str, str], ...], _Cut] = field(factory=dict, init=False)
    _tells: dict[str, Mapping[int, tuple[Any, ...]]] = field(factory=dict, init=False)

    @property
    def alternatives(self) -> tuple[_Alternative, ...]:
        """Every way to satisfy one of the schemas."""
        if self._alternatives is None:
            found: list[_Alternative] = []
            for schema in self.schemas:
                found.extend(_expand(self.spec, schema, ()))
            self._alternatives = tuple(found[:_MOST])
        return self._alternatives

    def child(self, name: str, chosen: Iterable[int] | None = None) -> Shape | None:
        """The shape of a property (``"*"``: of array items or map values), or None if it isn't documented.

        ``chosen`` limits the question to some alternatives, by index.
        """
        indexes = tuple(range(len(self.alternatives)) if chosen is None else chosen)
        key = (name, indexes)
        if key not in self._children:
            self._children[key] = self._child(name, indexes)
        found = self._children[key]
        return found if found.schemas else None

    def _child(self, name: str, indexes: tuple[int, ...]) -> Shape:
        """The shape of a property in some alternatives; it has no schemas if none of them documents it."""
        seen: dict[int, Any] = {}
        for index in indexes:
            one = self.alternatives[index]
            # ``*`` stands for both: items of an array and values of a map.
            for schema in (*one.items, *one.extra) if name == "*" else one.properties.get(name, ()):
                seen[id(schema)] = schema
        key = tuple(seen)
        found = self.family.get(key)
        if found is None:
            found = self.family[key] = Shape(self.spec, tuple(seen.values()), self.family)
        return found

    def at(self, *path: str) -> Shape | None:
        """The shape at a path of property names (``"*"`` for items), or None."""
        here: Shape | None = self
        for name in path:
            here = here.child(name) if here is not None else None
        return here

    def has(self, *path: str) -> bool:
        """Return True if the path is documented, such as ``has("choices", "*", "logprobs")``."""
        return self.at(*path) is not None

    def values(self, *path: str) -> tuple[Any, ...]:
        """The documented enum values at a path, in order; empty if there is no enum."""
        here = self.at(*path)
        if here is None:
            return ()
        return tuple(dict.fromkeys(value for one in here.alternatives for value in one.consts or ()))

    def default(self, *path: str) -> Any:
        """The documented default at a path, or None."""
        here = self.at(*path)
        found = () if here is None else tuple(one.default for one in here.alternatives if one.default is not None)
        return found[0] if found else None

    def allows(self, type: str) -> bool:
        """Return True if a value of this JSON type (``"null"``, ``"string"`` …) is allowed."""
        return any(
            (one.types is None or type in one.types) and (type != "null" or one.consts is None or None in one.consts)
            for one in self.alternatives
        )

    @property
    def _plain(self) -> bool:
        """True if no alternative documents anything inside, so that values need not be looked into."""
        return not any(one.properties or one.items or one.extra for one in self.alternatives)

    def fit(self, value: Any) -> Any:
        """The value without undocumented fields, and without optional nulls if null isn't documented.

        An object whose schema lists no properties is kept whole. Objects are dicts, arrays lists or tuples; other
        values are returned unchanged.
        """
        if isinstance(value, dict):
            return self._fit_object(value)
        if isinstance(value, (list, tuple)):
            items = self.child("*")
            if items is None or items._plain:
                return value
            return [items.fit(item) for item in value]
        return value

    def _fit_object(self, value: dict[str, Any]) -> dict[str, Any]:
        """The object with documented fields only."""
        plan = self._sole or self._plan(value)
        if plan.free:
            return value
        kept: dict[str, Any] = {}
        # An answer may have a hundred thousand fields, so only what can have fields of its own costs a call.
        shapes = plan.shapes
        for name, item in value.items():
            if name not in shapes:
                if plan.extra:
                    kept[name] = item
            elif isinstance(item, (dict, list, tuple)):
                kept[name] = shapes[name].fit(item)
            elif item is not None or name not in plan.never_null:
                kept[name] = item
        return kept

    def _plan(self, value: dict[str, Any]) -> _Cut:
        """How this object is reduced. That depends on the texts alone that tell alternatives apart."""
        told = tuple([pair for pair in value.items() if isinstance(pair[1], str) and self._telling(pair[0])])
        plan = self._known.get(told)
        if plan is None:
            chosen = self._matching(value)
            plan = self._plans.get(chosen)
            if plan is None:
                plan = self._plans[chosen] = self._cut(chosen)
            if self._objects is not None and len(self._objects) <= 1:
                self._sole = plan
            # The texts may be the caller's, who may send ever new ones.
            elif len(self._known) < _KEPT:
                self._known[told] = plan
        return plan

    def _cut(self, chosen: tuple[int, ...]) -> _Cut:
        """How objects of some alternatives are reduced."""
        known = [self.alternatives[index] for index in chosen]
        names = {name for one in known for name in one.properties}
        shapes = {name: shape for name in names if (shape := self.child(name, chosen)) is not None}
        required = {name for one in known for name in one.required}
        return _Cut(
            # Nothing is documented about its fields, so all of them may stay.
            free=not known or any(one.open and not one.properties and not one.extra for one in known),
            shapes=shapes,
            never_null=frozenset(n for n, shape in shapes.items() if n not in required and not shape.allows("null")),
            extra=any(one.extra for one in known),
        )

    def _matching(self, value: dict[str, Any]) -> tuple[int, ...]:
        """The alternatives whose constant fields agree with the object; all of them if none agrees."""
        if self._objects is None:
            self._objects = tuple(
                index for index, one in enumerate(self.alternatives) if one.types is None or "object" in one.types
            )
        # With one alternative there is nothing to choose.
        if len(self._objects) <= 1:
            return self._objects
        agreeing = []
        for index in self._objects:
            properties = self.alternatives[index].properties
            for name, item in value.items():
                # Only texts tell branches apart: types, roles and states.
                if isinstance(item, str) and name in properties:
                    allowed = self._telling(name).get(index)
                    if allowed and item not in allowed:
                        break
            else:
                agreeing.append(index)
        # A value that fits no branch is not cut to nothing; validation of the answer will show it.
        return tuple(agreeing) or self._objects

    def _telling(self, name: str) -> Mapping[int, tuple[Any, ...]]:
        """The values that alternatives allow for a property, by index; those that allow any are left out."""
        found = self._tells.get(name)
        if found is None:
            documented = [index for index, one in enumerate(self.alternatives) if name in one.properties]
            found = {index: allowed for index in documented if (allowed := self._constants(index, name))}
            if documented:  # other names are the caller's
                self._tells[name] = found
        return found

    def _constants(self, index: int, name: str) -> tuple[Any, ...]:
        """The values that one alternative allows for a property, or () if it allows any."""
        shape = self.child(name, (index,))
        if shape is None or any(one.consts is None for one in shape.alternatives):
            return ()
        return tuple(value for one in shape.alternatives for value in one.consts or ())


def _expand(spec: Spec, schema: Any, path: tuple[int, ...]) -> list[_Alternative]:
    """All alternatives of a schema. A schema that refers to itself without a property in between ends the recursion."""
    if not isinstance(schema, Mapping) or id(schema) in path:
        return [_Alternative()]
    path = (*path, id(schema))
    alternatives = [_own(schema)]
    parts = list(schema.get("allOf", ()))
    # Either consequence may apply, so the fields of both count as documented.
    parts += [schema[key] for key in ("then", "else") if key in schema]
    if "$ref" in schema:
        parts.append(spec.resolve(schema["$ref"]))
    for part in parts:
        alternatives = _joined(alternatives, _expand(spec, part, path))
    for key in ("oneOf", "anyOf"):
        if key in schema:
            branches = [one for branch in schema[key] for one in _expand(spec, branch, path)]
            alternatives = _joined(alternatives, branches)
    return alternatives


def _joined(left: list[_Alternative], right: list[_Alternative]) -> list[_Alternative]:
    """All combinations of two sets of alternatives, up to the limit."""
    return [one.merged(other) for one, other in product(left, right)][:_MOST]


def _own(schema: Mapping[str, Any]) -> _Alternative:
    """The alternative that a schema describes by itself, without references and combinations."""
    types = schema.get("type")
    extra = of_other_names(schema)
    items = schema.get("items")
    consts = (schema["const"],) if "const" in schema else tuple(schema["enum"]) if "enum" in schema else None
    return _Alternative(
        properties={name: (sub,) for name, sub in schema.get("properties", {}).items()},
        items=(items,) if isinstance(items, Mapping) else (),
        extra=(extra,) if isinstance(extra, Mapping) and extra else (),
        open=extra is not False,
        types=None if types is None else frozenset([types] if isinstance(types, str) else types),
        consts=consts,
        required=frozenset(schema.get("required", ())),
        default=schema.get("default"),
    )
