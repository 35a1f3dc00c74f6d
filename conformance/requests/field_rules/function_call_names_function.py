"""Chat: ``functions`` contains the function that ``function_call`` names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.requests.field_rules.reading import objects


def broken(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message if ``function_call`` names a function that ``functions`` lacks."""
    call = body.get("function_call")
    offered = [function.get("name") for function in objects(body.get("functions"))]
    if isinstance(call, Mapping) and call.get("name") not in offered:
        yield f"function_call names {call.get('name')!r}, the functions are {offered}"
