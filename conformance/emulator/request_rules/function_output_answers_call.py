"""A function output answers a call in the input, or one of a previous response, which the handler checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.emulator.request_rules.reading import objects_of


def fault(body: Any) -> str | None:
    """The dotted path of the field that breaks the rule; None if the body keeps it."""
    if isinstance(body, Mapping) and body.get("previous_response_id"):
        return None
    items = objects_of(body, "input")
    made = [item.get("call_id") for item in items if item.get("type") == "function_call"]
    outputs = [item for item in items if item.get("type") == "function_call_output"]
    return next(("input" for item in outputs if item.get("call_id") not in made), None)
