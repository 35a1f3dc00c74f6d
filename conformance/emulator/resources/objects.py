"""What all resources do with objects: read the ids in a path, change fields, confirm a deletion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.emulator.call import Call
from conformance.evidence.exchange import Response

__all__ = ["changed", "deleted", "ids", "members"]

Value = dict[str, Any]


def ids(call: Call) -> tuple[str, ...]:
    """The ids in the path, outermost first. Versions name the parameters differently, but their order is the same."""
    return tuple(call.path.values())


def changed(value: Value, changes: Any, defaults: Mapping[str, Any]) -> Value:
    """A copy with the fields that were sent. A null restores the default; fields not in ``defaults`` stay as they
    are.
    """
    sent = changes if isinstance(changes, dict) else {}
    return {
        **value,
        **{name: defaults[name] if item is None else item for name, item in sent.items() if name in defaults},
    }


def deleted(call: Call, id: str, object: str, *, key: str = "id") -> Response:
    """The answer that confirms a deletion."""
    return call.json({key: id, "object": object, "deleted": True})


def members(value: Any) -> Value:
    """The value if it is an object, else an empty object."""
    return value if isinstance(value, dict) else {}
