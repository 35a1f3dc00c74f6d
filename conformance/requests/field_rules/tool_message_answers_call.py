"""Chat: tool messages answer the calls of the message before them, each call once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.requests.field_rules.reading import objects


def broken(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield each answer without a call and each call without an answer."""
    waiting: list[Any] = []
    for number, message in enumerate(objects(body.get("messages"))):
        if message.get("role") == "tool":
            call = message.get("tool_call_id")
            if call in waiting:
                waiting.remove(call)
            else:
                yield f"message {number} answers {call!r}, which was not called"
        else:
            if waiting:
                yield f"message {number} comes before {waiting} was answered"
            waiting = [call.get("id") for call in objects(message.get("tool_calls"))]
    if waiting:
        yield f"{waiting} was never answered"
