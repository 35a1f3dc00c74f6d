"""Reads values that may be of any JSON type. A value of another type than expected counts as absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["objects_of"]


def objects_of(value: Any, name: str) -> list[Mapping[str, Any]]:
    """The objects among the items of an array field; an empty list if the field is absent or no array."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
