"""A forced function is among the tools. In this API a tool has its name directly in it, not in an
object ``function``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.emulator.request_rules.reading import objects_of


def fault(body: Any) -> str | None:
    """The dotted path of the field that breaks the rule; None if the body keeps it."""
    choice = body.get("tool_choice") if isinstance(body, Mapping) else None
    if not isinstance(choice, Mapping) or choice.get("type") != "function":
        return None
    return None if choice.get("name") in [tool.get("name") for tool in objects_of(body, "tools")] else "tool_choice"
