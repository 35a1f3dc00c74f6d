"""Which kinds of things a request holds, as their ``type`` fields name them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["types_in"]

#: Items of an array that are read. Longer arrays are boundary values that repeat one item.
_READ = 200


def types_in(value: Any) -> Iterator[str]:
    """Yield every ``type`` in a JSON value, at any depth. Long arrays are read in part."""
    if isinstance(value, dict):
        if isinstance(value.get("type"), str):
            yield value["type"]
        for item in value.values():
            yield from types_in(item)
    elif isinstance(value, list):
        for item in value[:_READ]:
            yield from types_in(item)
