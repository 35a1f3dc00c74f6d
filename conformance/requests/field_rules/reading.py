"""Reads values that may be of any JSON type. A value of another type than expected counts as absent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["every_object", "named_function", "number", "objects"]


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects among the items of an array; an empty list if the value is no array."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def every_object(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every object in a value, the outer ones first."""
    if isinstance(value, Mapping):
        yield value
        for item in value.values():
            yield from every_object(item)
    elif isinstance(value, list):
        for item in value:
            yield from every_object(item)


def number(value: Any) -> float | None:
    """A number, or None for anything else; true and false are no numbers in JSON."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def named_function(value: Any) -> Any:
    """The name in the object ``function`` of a tool or a choice; None where there is none."""
    function = value.get("function") if isinstance(value, Mapping) else None
    return function.get("name") if isinstance(function, Mapping) else None
