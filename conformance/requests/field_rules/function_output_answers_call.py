"""Responses: an output belongs to a call of the input, or to one of the previous response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.requests.field_rules.reading import objects


def broken(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield each output without a call."""
    if body.get("previous_response_id") is not None:
        return
    items = objects(body.get("input"))
    calls = [item.get("call_id") for item in items if item.get("type") == "function_call"]
    for item in items:
        if item.get("type") == "function_call_output" and item.get("call_id") not in calls:
            yield f"the output of {item.get('call_id')!r} has no call"
