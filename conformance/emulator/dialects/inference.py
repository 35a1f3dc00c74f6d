"""Recorded shapes of chat answers, whole and streamed."""

from __future__ import annotations

import json
from collections.abc import Sequence

from conformance.emulator.call import Call
from conformance.emulator.dialects import dialect
from conformance.emulator.edits import Value, edited, with_data, with_events
from conformance.emulator.events import dumps
from conformance.emulator.handlers import Handler
from conformance.evidence.exchange import Response

_CHAT = "chat.completions.create"

#: The model of another maker whose streams were recorded.
_FOREIGN = "DeepSeek-R1"


def _null_details(value: Value) -> None:
    usage = value.get("usage") or {}
    for name in [name for name in usage if name.endswith("_details")]:
        usage[name] = None


@dialect("chat.null-details", "The details of usage are null.", _CHAT, surfaces=("v1",))
def null_details(call: Call, answer: Handler) -> Response:
    # No model that was recorded so takes predictions, whose tokens stand in the details.
    if call.get("prediction"):
        return answer(call)
    response = edited(answer(call), _null_details)
    return with_events(response, lambda events: [(name, with_data(data, _null_details)) for name, data in events])


#: What the asynchronous filter says of a choice of which it has seen nothing yet.
_MARK = {
    "finish_reason": None,
    "content_filter_results": {},
    "content_filter_offsets": {"check_offset": 0, "start_offset": 0, "end_offset": 0},
}


def _choices(data: str) -> Sequence[Value]:
    """The choices of a chunk; none of the sentinel."""
    return json.loads(data)["choices"] if data.startswith("{") else ()


def _bare(data: str) -> bool:
    """Return True for a chunk that gives roles and nothing else."""
    deltas = [choice.get("delta") or {} for choice in _choices(data)]
    return bool(deltas) and all(
        delta.get("role") and not any(value for name, value in delta.items() if name != "role") for delta in deltas
    )


@dialect(
    "chat.filter-before-role",
    "A stream begins with results of the asynchronous filter, and no delta has a role.",
    _CHAT,
    surfaces=("dated",),
)
def filter_before_role(call: Call, answer: Handler) -> Response:
    def changed(events: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        head = {**json.loads(events[0][1])}
        del head["prompt_filter_results"]
        chosen = {choice["index"] for _, data in events for choice in _choices(data)}
        marks = [("", dumps({**head, "choices": [{"index": index, **_MARK}]})) for index in sorted(chosen)]
        return [events[0], *marks, *(event for event in events[1:] if not _bare(event[1]))]

    response = answer(call)
    filtered = b'"prompt_filter_results"' in response.body.partition(b"\n\n")[0]
    return with_events(response, changed) if filtered else response


@dialect(
    "chat.other-maker",
    "A model of another maker repeats a null role, and its created moves within a stream.",
    _CHAT,
    surfaces=("v1",),
)
def other_maker(call: Call, answer: Handler) -> Response:
    def foreign(value: Value) -> None:
        if value.get("model"):
            value["model"] = _FOREIGN

    def moved(place: int, event: tuple[str, str]) -> tuple[str, str]:
        def inside(value: Value) -> None:
            foreign(value)
            if value.get("created"):
                value["created"] += place // 4
            for choice in value.get("choices", ()):
                if "content" in (choice.get("delta") or {}):
                    choice["delta"].setdefault("role", None)

        return event[0], with_data(event[1], inside)

    def changed(events: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        return [moved(place, event) for place, event in enumerate(events)]

    return with_events(edited(answer(call), foreign), changed)
