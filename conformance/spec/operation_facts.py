"""Facts about operations that an OpenAPI document can't say, as ``operations.toml`` holds them.

``specs/operations.toml`` holds those of every api-version, ``specs/<version>/operations.toml`` adds to them. Code that
needs such a fact asks for it here; it names no operation itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from attrs import field, frozen

from conformance.pointer import look_up

__all__ = ["Ability", "FactTable"]

#: Of longer arrays only so many items are searched for a ``type``: bodies at a bound have thousands of equal ones.
_SEARCHED = 20


def _names(globs: tuple[str, ...], operation: str) -> bool:
    return any(fnmatchcase(operation, glob) for glob in globs)


def _types(value: Any) -> Iterator[str]:
    """Every ``type`` in a JSON value, at any depth."""
    if isinstance(value, Mapping):
        if isinstance(value.get("type"), str):
            yield value["type"]
        for item in value.values():
            yield from _types(item)
    elif isinstance(value, list):
        for item in value[:_SEARCHED]:
            yield from _types(item)


@frozen
class Ability:
    """What a request may ask for beyond the plain use of an operation.

    It shows in the body: one of ``fields`` (JSON Pointers) has a value other than null, false and an empty one; where
    there are ``types``, there must be an object with one of them as its ``type``. Only versions that list ``feature``
    are asked for it. ``capability`` is what a deployment must have for it, or "".
    """

    feature: str
    operations: tuple[str, ...]
    fields: tuple[str, ...]
    types: tuple[str, ...] = ()
    capability: str = ""

    def covers(self, operation: str) -> bool:
        """Return True if requests of an operation, given by its operationId, can show the ability."""
        return _names(self.operations, operation)

    def shown(self, body: Any) -> bool:
        """Return True if a request body, any JSON value, asks for it."""
        for pointer in self.fields:
            value = look_up(body, pointer)
            if value is None or value is False or value in ("", [], {}):
                continue
            if not self.types or any(found in self.types for found in _types(value)):
                return True
        return False


@frozen
class FactTable:
    """All that is known about the operations of one version."""

    abilities: tuple[Ability, ...] = field(default=(), repr=False)

    def extended(self, data: Mapping[str, Any]) -> FactTable:
        """The table with what a further ``operations.toml`` says, whose form was checked before."""
        own = tuple(Ability(**{key: _frozen(value) for key, value in item.items()}) for item in data.get("ability", ()))
        return FactTable(abilities=self.abilities + own)

    def abilities_of(self, operation: str) -> tuple[Ability, ...]:
        """The abilities that requests of an operation can show, in the order of the table."""
        return tuple(ability for ability in self.abilities if ability.covers(operation))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
