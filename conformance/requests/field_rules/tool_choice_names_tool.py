"""Chat and runs: ``tools`` contains the function that ``tool_choice`` names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.requests.field_rules.reading import named_function, objects


def broken(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message if ``tool_choice`` names a function that no tool has."""
    wanted = named_function(body.get("tool_choice"))
    offered = [named_function(tool) for tool in objects(body.get("tools"))]
    if wanted is not None and wanted not in offered:
        yield f"tool_choice names {wanted!r}, the tools are {offered}"
