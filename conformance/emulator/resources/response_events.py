"""A finished response as a stream of events: created, in progress, the growth of each item, the end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from conformance.emulator.call import Call
from conformance.emulator.events import Event
from conformance.emulator.resources.objects import Value
from conformance.emulator.resources.reply import parts
from conformance.evidence.exchange import Response

__all__ = ["as_stream"]


def as_stream(call: Call, done: Value) -> Response:
    """The whole stream. Every event has its type as its name and in its data, and the next sequence number."""
    numbers = count()
    events: list[Event] = []
    for data in _events(done):
        name = str(data["type"])
        events.append(call.event({**data, "sequence_number": next(numbers)}, name))
    return call.stream(events)


def _events(done: Value) -> Iterator[Value]:
    """Yield the data of all events."""
    started = {**done, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    yield {"type": "response.created", "response": started}
    yield {"type": "response.in_progress", "response": started}
    for place, item in enumerate(done["output"]):
        yield from _item(item, place)
    yield {"type": f"response.{done['status']}", "response": done}


def _item(item: Value, place: int) -> Iterator[Value]:
    """Yield the events of one output item."""
    here = {"output_index": place, "item_id": item["id"]}
    begun: dict[str, Any] = {**item, "status": "in_progress"}
    if item["type"] == "message":
        begun["content"] = []
    elif item["type"] == "function_call":
        begun["arguments"] = ""
    else:
        begun = item
    yield {"type": "response.output_item.added", "output_index": place, "item": begun}
    if item["type"] == "message":
        for index, part in enumerate(item["content"]):
            yield from _text(part, {**here, "content_index": index})
    elif item["type"] == "function_call":
        for text in parts(item["arguments"]):
            yield {"type": "response.function_call_arguments.delta", **here, "delta": text}
        yield {"type": "response.function_call_arguments.done", **here, "arguments": item["arguments"]}
    yield {"type": "response.output_item.done", "output_index": place, "item": item}


def _text(part: Value, here: Value) -> Iterator[Value]:
    """Yield the events of one text part."""
    yield {"type": "response.content_part.added", **here, "part": {**part, "text": ""}}
    for text in parts(part["text"]):
        yield {"type": "response.output_text.delta", **here, "delta": text, "logprobs": []}
    yield {"type": "response.output_text.done", **here, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **here, "part": part}
