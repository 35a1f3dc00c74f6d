"""A forced function is among the tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.emulator.request_rules.reading import objects_of


def fault(body: Any) -> str | None:
    """The dotted path of the field that breaks the rule; None if the body keeps it."""
    choice = body.get("tool_choice") if isinstance(body, Mapping) else None
    function = choice.get("function") if isinstance(choice, Mapping) else None
    if not isinstance(function, Mapping):
        return None
    offered = [tool.get("function") for tool in objects_of(body, "tools")]
    names = [each.get("name") for each in offered if isinstance(each, Mapping)]
    return None if function.get("name") in names else "tool_choice"
