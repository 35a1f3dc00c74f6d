"""In the deprecated form: a forced function is among the functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.emulator.request_rules.reading import objects_of


def fault(body: Any) -> str | None:
    """The dotted path of the field that breaks the rule; None if the body keeps it."""
    choice = body.get("function_call") if isinstance(body, Mapping) else None
    if not isinstance(choice, Mapping):
        return None
    names = [each.get("name") for each in objects_of(body, "functions")]
    return None if choice.get("name") in names else "function_call"
