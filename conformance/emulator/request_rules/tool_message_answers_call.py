"""A tool message answers an open call of the assistant message before it, and every call is answered."""

from __future__ import annotations

from typing import Any

from conformance.emulator.request_rules.reading import objects_of


def fault(body: Any) -> str | None:
    """The dotted path of the field that breaks the rule; None if the body keeps it."""
    open_calls: list[str] = []
    asked = 0
    for index, message in enumerate(objects_of(body, "messages")):
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in open_calls:
                return f"messages[{index}].tool_call_id"
            open_calls.remove(message["tool_call_id"])
        elif open_calls:
            break
        else:
            open_calls, asked = [call["id"] for call in objects_of(message, "tool_calls") if "id" in call], index
    return f"messages[{asked}].tool_calls" if open_calls else None
