"""Chat and runs: ``tool_choice`` names a function only if it is among ``tools``."""

from __future__ import annotations

from typing import Any

from . import NamedRule
from .json_objects import items_of


def _function(value: Any) -> dict[str, Any]:
    """The object ``function`` of a tool or of a choice; an empty one where there is none."""
    inner = value.get("function") if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _holds(body: Any) -> bool:
    """Return True if the choice names no function, or one of the tools."""
    choice = _function(body.get("tool_choice") if isinstance(body, dict) else None)
    name = choice.get("name")
    offered = [_function(tool) for tool in items_of(body, "tools")]
    return name is None or name in [function["name"] for function in offered if "name" in function]


def _broken(body: Any) -> Any:
    """The body with a ``tool_choice`` that names no tool, or None if it doesn't name a function."""
    choice = body.get("tool_choice") if isinstance(body, dict) else None
    function = _function(choice)
    if not isinstance(choice, dict) or "name" not in function:
        return None
    return {**body, "tool_choice": {**choice, "function": {**function, "name": "not_among_the_tools"}}}


RULE = NamedRule(_holds, _broken, "/tool_choice", ("tools", "tool_choice"))
