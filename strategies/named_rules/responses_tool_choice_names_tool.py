"""Responses: ``tool_choice`` names a function only if it is among ``tools``.

A tool of this API has its name directly in it, not in an object ``function``.
"""

from __future__ import annotations

from typing import Any

from . import NamedRule
from .json_objects import items_of


def _holds(body: Any) -> bool:
    """Return True if the choice names no function, or one of the tools."""
    choice = body.get("tool_choice") if isinstance(body, dict) else None
    name = choice.get("name") if isinstance(choice, dict) else None
    return name is None or name in [tool["name"] for tool in items_of(body, "tools") if "name" in tool]


def _broken(body: Any) -> Any:
    """The body with a ``tool_choice`` that names no tool, or None if it doesn't name a function."""
    choice = body.get("tool_choice") if isinstance(body, dict) else None
    if not isinstance(choice, dict) or "name" not in choice:
        return None
    return {**body, "tool_choice": {**choice, "name": "not_among_the_tools"}}


RULE = NamedRule(_holds, _broken, "/tool_choice", ("tools", "tool_choice"))
