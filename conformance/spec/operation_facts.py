"""Facts about operations that an OpenAPI document can't say, as ``operations.toml`` holds them.

``specs/operations.toml`` holds those of every api-version, ``specs/<version>/operations.toml`` adds to them. Code that
needs such a fact asks for it here; it names no operation itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from attrs import evolve, field, frozen

from conformance.pointer import look_up, matches, tokens

__all__ = ["Ability", "FactTable", "Gate", "Need", "OperationFacts", "names_operation"]

#: Of longer arrays only so many items are searched for a ``type``: bodies at a bound have thousands of equal ones.
_SEARCHED = 200


def names_operation(globs: tuple[str, ...], operation: str) -> bool:
    """Return True if one of some globs names an operation."""
    return any(fnmatchcase(operation, glob) for glob in globs)


def _types(value: Any) -> Iterator[str]:
    """Yield every ``type`` in a JSON value, at any depth, the outer ones first."""
    if isinstance(value, Mapping):
        if isinstance(value.get("type"), str):
            yield value["type"]
        for item in value.values():
            yield from _types(item)
    elif isinstance(value, list):
        for item in value[:_SEARCHED]:
            yield from _types(item)


@frozen
class Gate:
    """Why accepting a field, or an object of a type, depends on more than the document.

    ``fields`` are JSON Pointers into the body, ``names`` the last names of pointers; ``types`` are those of objects
    anywhere in a body, which holds ``text`` besides.
    """

    reason: str
    operations: tuple[str, ...] = ("*",)
    fields: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    text: str = ""

    def covers(self, pointer: str) -> bool:
        """Return True if the gate stands before a field or one that contains it."""
        inside = any(pointer == each or pointer.startswith(each + "/") for each in self.fields)
        return inside or any(name in self.names for name in tokens(pointer)[-1:])


@frozen
class Ability:
    """What a request may ask for beyond the plain use of an operation.

    It shows in the body: one of ``fields`` (JSON Pointers) has a value other than null, false, an empty one and those
    in ``nothing``; where there are ``types``, there must be an object with one of them as its ``type``. Only versions
    that list ``feature`` are asked for it.
    """

    feature: str
    operations: tuple[str, ...]
    fields: tuple[str, ...]
    types: tuple[str, ...] = ()
    nothing: tuple[Any, ...] = ()

    def shown(self, body: Any) -> bool:
        """Return True if a request body (any JSON value) asks for this ability."""
        for pointer in self.fields:
            value = look_up(body, pointer)
            asked = value is not None and value is not False and value not in ("", [], {}, *self.nothing)
            if asked and (not self.types or any(found in self.types for found in _types(value))):
                return True
        return False


@frozen
class Need:
    """What a deployment must be able to do for a request that shows one of ``fields``: the word ``capability``.

    ``fields`` are patterns of JSON Pointers into the body. A value there counts unless it is null, false, empty or one
    of ``nothing``. ``values`` and ``types`` narrow it: only these values count, or only values that hold an object with
    one of these as its ``type``. A value that breaks a constraint of the field often bears no such type any more;
    ``broken`` says that it counts nevertheless.
    """

    capability: str
    operations: tuple[str, ...]
    fields: tuple[str, ...]
    types: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()
    nothing: tuple[Any, ...] = ()
    broken: bool = False

    def shown(self, body: Any) -> bool:
        """Return True if a request body (any JSON value) needs this capability."""
        return any(self._counts(value) for pattern in self.fields for _, value in matches(body, pattern))

    def holds(self, pointer: str) -> bool:
        """Return True if a broken value in a place of the body, named by a JSON Pointer, is about the capability."""
        # A broken value is rarely still one of the wanted values or types, so nothing can be concluded from it.
        if (self.types or self.values) and not self.broken:
            return False
        steps = tokens(pointer)
        return any(
            len(steps) >= len(wanted) and all(name in ("*", step) for name, step in zip(wanted, steps, strict=False))
            for wanted in map(tokens, self.fields)
        )

    def _counts(self, value: Any) -> bool:
        if value is None or value is False or value in ("", [], {}) or value in self.nothing:
            return False
        if self.values and value not in self.values:
            return False
        return not self.types or any(found in self.types for found in _types(value))


@frozen
class OperationFacts:
    """How one operation is used.

    ``capability`` is what a deployment must have to answer it, or "". ``cost`` is the word for how its consumption is
    counted, ``expensive`` the opt-in kind of its POST requests; "" for neither. ``fresh`` are the path parameters whose
    objects each request gets anew, because a success changes them. ``prefixes`` maps path parameters to what the
    service's ids begin with. ``state_dependent``: a request is allowed only in some states of its object.
    ``model_optional``: the field ``model`` replaces that of an object. ``model_used_later``: a model is stored under
    its name, so that an unknown one may show only later. ``gates``, ``abilities`` and ``needs`` are those
    of its requests, in the order in which they count.
    """

    capability: str = ""
    cost: str = ""
    expensive: str = ""
    fresh: tuple[str, ...] = ()
    prefixes: Mapping[str, str] = field(factory=dict, repr=False)
    state_dependent: bool = False
    model_optional: bool = False
    model_used_later: bool = False
    gates: tuple[Gate, ...] = field(default=(), repr=False)
    abilities: tuple[Ability, ...] = field(default=(), repr=False)
    needs: tuple[Need, ...] = field(default=(), repr=False)

    def field_gate(self, pointer: str) -> str:
        """Why accepting a field depends on more than the document; "" if it doesn't. ``pointer`` is like
        ``/messages/*/name``.
        """
        return next((gate.reason for gate in self.gates if gate.covers(pointer)), "")

    def content_gate(self, body: Any) -> str:
        """Why accepting a body depends on more than the document, by the types of things in it; "" if it doesn't."""
        gates = [gate for gate in self.gates if gate.types]
        for found in _types(body) if gates else ():
            for gate in gates:
                if found in gate.types and (not gate.text or gate.text in str(body)):
                    return gate.reason
        return ""


@frozen
class FactTable:
    """All that is known about the operations of one version.

    ``entries`` are (globs of operationIds, facts by name): of each fact the last entry counts. ``wrong_key`` are the
    operationIds that may get the probe with a wrong key, the best first. ``closed_unions`` are the JSON Pointers of
    unions in answers that the service doesn't extend, ``closed_values`` the names of properties whose listed values it
    doesn't extend.
    """

    entries: tuple[tuple[tuple[str, ...], Mapping[str, Any]], ...] = field(default=(), repr=False)
    wrong_key: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = field(default=(), repr=False)
    abilities: tuple[Ability, ...] = field(default=(), repr=False)
    needs: tuple[Need, ...] = field(default=(), repr=False)
    closed_unions: tuple[str, ...] = field(default=(), repr=False)
    closed_values: frozenset[str] = field(default=frozenset(), repr=False)

    def extended(self, data: Mapping[str, Any]) -> FactTable:
        """The table with what a further ``operations.toml`` says, whose form was checked before.

        Its entries come last, and its gates and probes first: they count more than those that are there already.
        """
        entries = [_frozen(item) for item in data.get("operation", ())]
        answers = data.get("answers", {})
        return FactTable(
            entries=self.entries + tuple((item.pop("operations"), item) for item in entries),
            wrong_key=tuple(data.get("probes", {}).get("wrong_key", ())) + self.wrong_key,
            gates=tuple(Gate(**_frozen(item)) for item in data.get("gate", ())) + self.gates,
            abilities=self.abilities + tuple(Ability(**_frozen(item)) for item in data.get("ability", ())),
            needs=self.needs + tuple(Need(**_frozen(item)) for item in data.get("need", ())),
            closed_unions=self.closed_unions + tuple(answers.get("closed_unions", ())),
            closed_values=self.closed_values | frozenset(answers.get("closed_values", ())),
        )

    def of(self, operation: str) -> OperationFacts:
        """The facts of one operation, given by its operationId."""
        made = OperationFacts(
            gates=tuple(gate for gate in self.gates if names_operation(gate.operations, operation)),
            abilities=tuple(ability for ability in self.abilities if names_operation(ability.operations, operation)),
            needs=tuple(need for need in self.needs if names_operation(need.operations, operation)),
        )
        for globs, facts in self.entries:
            if names_operation(globs, operation):
                prefixes = {**made.prefixes, **facts.get("prefixes", {})}
                made = evolve(made, **{**facts, "prefixes": prefixes})
        return made


def _frozen(item: Mapping[str, Any]) -> dict[str, Any]:
    """A table of TOML with tuples for lists."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in item.items()}
