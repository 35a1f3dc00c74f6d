"""Recorded shapes of the Responses API."""

from __future__ import annotations

from conformance.emulator.call import Call
from conformance.emulator.dialects import dialect
from conformance.emulator.edits import Value, each_object, with_data, with_events
from conformance.emulator.handlers import Handler
from conformance.evidence.exchange import Response

#: What items of hosted tools were recorded without while they are worked on.
_LATER = {"image_generation_call": ("result",), "web_search_call": ("action",)}


@dialect(
    "responses.bare-items",
    "Items of hosted tools that are worked on lack what they have when they are done.",
    "responses.create",
    surfaces=("v1",),
)
def bare_items(call: Call, answer: Handler) -> Response:
    def bare(event: Value) -> None:
        item = event.get("item")
        if event.get("type") == "response.output_item.added" and isinstance(item, dict):
            for name in _LATER.get(str(item.get("type")), ()):
                item.pop(name, None)

    return with_events(answer(call), lambda events: [(name, with_data(data, bare)) for name, data in events])


def _timed(value: Value) -> None:
    if value.get("object") == "response":
        done = value.get("status") == "completed"
        value["completed_at"] = value["created_at"] + 1 if done else None


@dialect(
    "responses.completed-at",
    "A response has completed_at, an integer.",
    "responses.create",
    "responses.get",
    surfaces=("v1",),
)
def completed_at(call: Call, answer: Handler) -> Response:
    def inside(event: Value) -> None:
        if isinstance(event.get("response"), dict):
            _timed(event["response"])

    response = answer(call)
    if response.media_type != "text/event-stream":
        return each_object(response, _timed)
    return with_events(response, lambda events: [(name, with_data(data, inside)) for name, data in events])
