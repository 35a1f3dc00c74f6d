"""Canaries: a text in a request by which it is found at the upstream, whatever becomes of its header fields.

With them several requests can be under way at once. A request has the text at the end of the last text that a person
would write into it: of a message, a prompt or an input.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from attrs import evolve

from conformance.evidence.upstream import UpstreamCall
from conformance.requests.case import Case, JsonBody

__all__ = ["ambiguous", "calls_with", "canary", "planted"]


def canary() -> str:
    """A text that nobody else writes."""
    return f"canary-{uuid.uuid4().hex[:16]}"


def planted(case: Case, text: str) -> Case | None:
    """The case with a canary; None if it has no text to which one can be added."""
    value = deepcopy(case.json)
    if not isinstance(value, dict) or case.cancel_after is not None:
        return None
    found = any(_added(value, key, text) for key in ("prompt", "input")) or _in_messages(value.get("messages"), text)
    return evolve(case, body=JsonBody(value)) if found else None


def _added(holder: Any, key: str | int, text: str) -> bool:
    """Add the canary to a text, or to the last of a list of texts. False if there is none."""
    held = holder.get(key) if isinstance(holder, dict) else holder[key]
    if isinstance(held, list) and held:
        return _added(held, len(held) - 1, text)
    if isinstance(held, str) and held:
        holder[key] = f"{held} {text}"
        return True
    return False


def _in_messages(messages: Any, text: str) -> bool:
    """Add the canary to the last text of the messages. False if there is none."""
    for message in reversed(messages) if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, str) and _added(message, "content", text):
            return True
        for part in reversed(content) if isinstance(content, list) else ():
            if isinstance(part, dict) and isinstance(part.get("text"), str) and _added(part, "text", text):
                return True
    return False


def calls_with(text: str, calls: Sequence[UpstreamCall]) -> tuple[UpstreamCall, ...]:
    """The requests at the upstream that have a canary: none, one, or repeats."""
    return tuple(call for call in calls if text.encode() in call.request.body)


def ambiguous(found: Mapping[str, Sequence[UpstreamCall]], calls: Sequence[UpstreamCall]) -> dict[str, str]:
    """Canary → why what belongs to it isn't known.

    A request with several canaries may belong to each of them, and one without any to each that was found nowhere.
    """
    shared = [call for call in calls if sum(text.encode() in call.request.body for text in found) > 1]
    stray = [call for call in calls if not any(text.encode() in call.request.body for text in found)]
    why: dict[str, str] = {}
    for text, own in found.items():
        if any(call in shared for call in own):
            why[text] = "a request at the upstream has the canaries of several clients"
        elif stray and not own:
            why[text] = "a request at the upstream has no canary: it may be this one"
    return why
