"""Chat and runs: a tool that is chosen by name is offered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.requests.field_rules.reading import named_function, objects


def broken(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield a choice of a function that no tool has."""
    wanted = named_function(body.get("tool_choice"))
    offered = [named_function(tool) for tool in objects(body.get("tools"))]
    if wanted is not None and wanted not in offered:
        yield f"tool_choice names {wanted!r}, the tools are {offered}"
