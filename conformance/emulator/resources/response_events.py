"""A finished response as a stream of events: created, in progress, the growth of each item, the end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from conformance.emulator.call import Call
from conformance.emulator.events import Event
from conformance.emulator.resources.hosted_tools import begun, growth
from conformance.emulator.resources.objects import Value, members
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
    started = {**done, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None, "error": None}
    waiting = {**started, "status": "queued"} if done["background"] else started
    yield {"type": "response.created", "response": waiting}
    if done["background"]:
        yield {"type": "response.queued", "response": waiting}
    yield {"type": "response.in_progress", "response": started}
    for place, item in enumerate(done["output"]):
        yield from _item(item, place, done)
    yield {"type": f"response.{done['status']}", "response": done}


def _item(item: Value, place: int, done: Value) -> Iterator[Value]:
    """Yield the events of one output item."""
    here = {"output_index": place, "item_id": item["id"]}
    kind = item["type"]
    if kind == "message":
        announced: Value = {**item, "status": "in_progress", "content": []}
    elif kind == "function_call":
        announced = {**item, "status": "in_progress", "arguments": ""}
    elif kind == "reasoning":
        announced = {**item, "summary": []}
    else:
        announced = begun(item)
    yield {"type": "response.output_item.added", "output_index": place, "item": announced}
    if kind == "message":
        for index, part in enumerate(item["content"]):
            yield from _part(part, {**here, "content_index": index})
    elif kind == "function_call":
        for text in parts(item["arguments"]):
            yield {"type": "response.function_call_arguments.delta", **here, "delta": text}
        yield {"type": "response.function_call_arguments.done", **here, "arguments": item["arguments"]}
    elif kind == "reasoning":
        for index, part in enumerate(item["summary"]):
            yield from _summary(part, {**here, "summary_index": index})
        if members(done["reasoning"]).get("generate_summary") and item["summary"]:
            yield from _older_summary(item["summary"], here)
    else:
        yield from growth(item, here, done["tools"])
    yield {"type": "response.output_item.done", "output_index": place, "item": item}


def _part(part: Value, here: Value) -> Iterator[Value]:
    """Yield the events of one part of a message: a text or a refusal."""
    field = "refusal" if part["type"] == "refusal" else "text"
    name = "response.refusal" if field == "refusal" else "response.output_text"
    spoken: Value = {} if field == "refusal" else {"logprobs": []}
    empty = {**part, field: ""} | ({} if field == "refusal" else {"annotations": []})
    if "logprobs" in part:
        empty["logprobs"] = []
    yield {"type": "response.content_part.added", **here, "part": empty}
    for text in parts(part[field]):
        yield {"type": f"{name}.delta", **here, "delta": text, **spoken}
    for index, annotation in enumerate(part.get("annotations", ())):
        told = {"annotation_index": index, "annotation": annotation}
        yield {"type": "response.output_text.annotation.added", **here, **told}
    yield {"type": f"{name}.done", **here, field: part[field], **spoken}
    yield {"type": "response.content_part.done", **here, "part": part}


def _summary(part: Value, here: Value) -> Iterator[Value]:
    """Yield the events of one part of a summary."""
    yield {"type": "response.reasoning_summary_part.added", **here, "part": {**part, "text": ""}}
    for text in parts(part["text"]):
        yield {"type": "response.reasoning_summary_text.delta", **here, "delta": text}
    yield {"type": "response.reasoning_summary_text.done", **here, "text": part["text"]}
    yield {"type": "response.reasoning_summary_part.done", **here, "part": part}


def _older_summary(summary: list[Value], here: Value) -> Iterator[Value]:
    """Yield the events of reasoning and its summary under their older names, which belong to ``generate_summary``."""
    text = " ".join(part["text"] for part in summary)
    for name, index in (("reasoning", "content_index"), ("reasoning_summary", "summary_index")):
        place = {**here, index: 0}
        yield {"type": f"response.{name}.delta", **place, "delta": {"text": text}}
        yield {"type": f"response.{name}.done", **place, "text": text}
