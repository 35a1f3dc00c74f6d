"""Responses: ``tools`` contains the function that ``tool_choice`` names.

A tool of this API has its name directly in it, not in an object ``function``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.requests.field_rules.reading import objects


def broken(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message if ``tool_choice`` names a function that no tool has."""
    choice = body.get("tool_choice")
    if isinstance(choice, Mapping) and choice.get("type") == "function":
        offered = [tool.get("name") for tool in objects(body.get("tools")) if tool.get("type") == "function"]
        if choice.get("name") not in offered:
            yield f"tool_choice names {choice.get('name')!r}, the functions are {offered}"
