"""What every resource does with its objects: read the ids of a path, change fields, say that something is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.emulator.call import Call
from conformance.evidence.exchange import Response

__all__ = ["changed", "deleted", "ids", "members"]

Value = dict[str, Any]


def ids(call: Call) -> tuple[str, ...]:
    """The ids in the path, outermost first. Versions spell the parameters differently, their order is the same."""
    return tuple(call.path.values())


def changed(value: Value, changes: Any, defaults: Mapping[str, Any]) -> Value:
    """A copy with the fields that were sent; a null puts the default back, fields outside ``defaults`` stay."""
    sent = changes if isinstance(changes, dict) else {}
    return {
        **value,
        **{name: defaults[name] if item is None else item for name, item in sent.items() if name in defaults},
    }


def deleted(call: Call, id: str, object: str, *, key: str = "id") -> Response:
    """The answer to a deletion."""
    return call.json({key: id, "object": object, "deleted": True})


def members(value: Any) -> Value:
    """An object as it came, or an empty one."""
    return value if isinstance(value, dict) else {}
