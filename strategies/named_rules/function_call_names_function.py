"""Chat: ``function_call`` names one of ``functions``."""

from __future__ import annotations

from typing import Any

from . import NamedRule
from .json_objects import items_of


def _holds(body: Any) -> bool:
    """Return True if no function is named, or one that is offered."""
    call = body.get("function_call") if isinstance(body, dict) else None
    names = [function.get("name", "") for function in items_of(body, "functions")]
    return not isinstance(call, dict) or call.get("name") in names


def _broken(body: Any) -> Any:
    """The body with a ``function_call`` that names no function, or None where it names none."""
    if not isinstance(body, dict) or not isinstance(body.get("function_call"), dict):
        return None
    return {**body, "function_call": {"name": "not_among_the_functions"}}


RULE = NamedRule(_holds, _broken, "/function_call", ("functions", "function_call"))
