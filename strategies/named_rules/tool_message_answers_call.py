"""Chat: each tool call is answered by a tool message before the next other message, and no tool message answers
nothing.
"""

from __future__ import annotations

from typing import Any

from . import NamedRule
from .json_objects import items_of


def _holds(body: Any) -> bool:
    """Return True if tool calls and tool messages belong together."""
    open_calls: list[Any] = []
    for message in items_of(body, "messages"):
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in open_calls:
                return False
            open_calls.remove(message["tool_call_id"])
            continue
        if open_calls:
            return False
        open_calls = [call.get("id", "") for call in items_of(message, "tool_calls")]
    return not open_calls


def _broken(body: Any) -> Any:
    """The body with a tool message that answers no call, or None without messages."""
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        return None
    stray = {"role": "tool", "tool_call_id": "call_none", "content": "7"}
    return {**body, "messages": [*body["messages"], stray]}


RULE = NamedRule(_holds, _broken, "/messages")
