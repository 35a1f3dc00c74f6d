"""Reading what may not have the documented form: what is something else is passed over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["objects_of"]


def objects_of(value: Any, name: str) -> list[Mapping[str, Any]]:
    """The objects of an array field; none where it isn't one."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []
