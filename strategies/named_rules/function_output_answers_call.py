"""Responses: each function output among the input items answers a function call there.

With ``previous_response_id`` the call may be in the earlier response, so the rule says nothing then.
"""

from __future__ import annotations

from typing import Any

from . import NamedRule
from .json_objects import items_of


def _ids(body: Any, kind: str) -> list[Any]:
    """The ``call_id`` of each input item of a type."""
    return [item.get("call_id") for item in items_of(body, "input") if item.get("type") == kind]


def _continued(body: Any) -> bool:
    """Return True if a request continues an earlier response."""
    return isinstance(body, dict) and bool(body.get("previous_response_id"))


def _holds(body: Any) -> bool:
    """Return True if no output lacks its call."""
    calls = _ids(body, "function_call")
    return _continued(body) or all(output in calls for output in _ids(body, "function_call_output"))


def _broken(body: Any) -> Any:
    """The body with a function output that answers no call, or None if the input is no list of items."""
    if not isinstance(body, dict) or not isinstance(body.get("input"), list) or _continued(body):
        return None
    stray = {"type": "function_call_output", "call_id": "call_none", "output": "7"}
    return {**body, "input": [*body["input"], stray]}


def _mended(body: Any) -> Any:
    """The body with a function call put before each output."""
    if not isinstance(body, dict) or not isinstance(body.get("input"), list):
        return body
    ids: list[Any] = []
    for output in _ids(body, "function_call_output"):
        if output not in ids:
            ids.append(output)
    calls = [
        {"type": "function_call", "call_id": id, "name": "get_weather", "arguments": "{}"}
        for id in sorted(ids, key=str)
    ]
    return {**body, "input": [*calls, *body["input"]]}


RULE = NamedRule(_holds, _broken, "/input", (), _mended)
