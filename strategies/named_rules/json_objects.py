"""The objects in a JSON value, for rules about things that may stand anywhere in a body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

__all__ = ["items_of", "objects_in"]


def objects_in(value: Any, kind: str = "") -> Iterator[dict[str, Any]]:
    """Yield the objects in a JSON value, the outer ones first; with ``kind`` only those of that ``type``."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if not kind or node.get("type") == kind:
                yield node
            waiting += reversed(node.values())
        elif isinstance(node, list):
            waiting += reversed(node)


def items_of(body: Any, name: str) -> list[dict[str, Any]]:
    """The objects in a top-level array of a body; none where there is no such array."""
    found = body.get(name) if isinstance(body, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
