"""A finished response as a stream of events: created, in progress, the growth of each item, the end."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from itertools import count, zip_longest

from conformance.emulator.call import Call
from conformance.emulator.events import Event
from conformance.emulator.resources.hosted_tools import begun, growth
from conformance.emulator.resources.objects import Value, members
from conformance.emulator.resources.reply import parts
from conformance.evidence.exchange import Response

__all__ = ["as_stream"]

#: Name of an event → what other documents call the same event.
_OTHER_NAMES: Mapping[str, str] = {
    "response.mcp_call.arguments_delta": "response.mcp_call_arguments.delta",
    "response.mcp_call.arguments_done": "response.mcp_call_arguments.done",
    "response.audio_transcript.delta": "response.audio.transcript.delta",
    "response.audio_transcript.done": "response.audio.transcript.done",
}

#: The bytes of sound in each delta: a multiple of three, so that each delta is base64 of its own (RFC 4648 section 4).
_SOUND = 1536


def as_stream(call: Call, done: Value) -> Response:
    """The whole stream. Every event has its type as its name and in its data, and the next sequence number."""
    numbers = count()
    events: list[Event] = []
    for data in _events(done):
        name = str(data["type"])
        if name in _OTHER_NAMES:
            name = call.documented.event_name(name, _OTHER_NAMES[name])
        events.append(call.event({**data, "type": name, "sequence_number": next(numbers)}, name))
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
    if done["error"]:
        # The event of an error comes first, as recorded.
        yield {"type": "error", **done["error"], "param": None}
    yield {"type": f"response.{done['status']}", "response": done}


#: Type of an item → what it lacks when it is announced.
_BEGUN: Mapping[str, Value] = {
    "message": {"status": "in_progress", "content": []},
    "function_call": {"status": "in_progress", "arguments": ""},
    "custom_tool_call": {"input": ""},
    "reasoning": {"summary": []},
}


def _item(item: Value, place: int, done: Value) -> Iterator[Value]:
    """Yield the events of one output item."""
    here = {"output_index": place, "item_id": item["id"]}
    kind = item["type"]
    announced = {**item, **_BEGUN[kind]} if kind in _BEGUN else begun(item)
    if "content" in item:
        announced["content"] = []
    yield {"type": "response.output_item.added", "output_index": place, "item": announced}
    if kind == "function_call":
        for text in parts(item["arguments"]):
            yield {"type": "response.function_call_arguments.delta", **here, "delta": text}
        yield {"type": "response.function_call_arguments.done", **here, "arguments": item["arguments"]}
    elif kind == "custom_tool_call":
        for text in parts(item["input"]):
            yield {"type": "response.custom_tool_call_input.delta", **here, "delta": text}
        yield {"type": "response.custom_tool_call_input.done", **here, "input": item["input"]}
    elif kind == "reasoning":
        yield from _reasoning(item, here, done)
    elif kind != "message":
        yield from growth(item, here, done["tools"])
    for index, part in enumerate(item.get("content", ())):
        yield from _part(part, {**here, "content_index": index})
    yield {"type": "response.output_item.done", "output_index": place, "item": item}


def _reasoning(item: Value, here: Value, done: Value) -> Iterator[Value]:
    """Yield the events of the summary of reasoning, and those of the reasoning under their older names."""
    for index, part in enumerate(item["summary"]):
        yield from _summary(part, {**here, "summary_index": index})
    if "content" not in item and members(done["reasoning"]).get("generate_summary") and item["summary"]:
        yield from _older_summary(item["summary"], here)


#: Type of a part → (field with its text, prefix of the names of its events).
_TEXTS = {
    "output_text": ("text", "response.output_text"),
    "refusal": ("refusal", "response.refusal"),
    "reasoning_text": ("text", "response.reasoning_text"),
}


def _part(part: Value, here: Value) -> Iterator[Value]:
    """Yield the events of one part of an item: a text, a refusal, reasoning or sound."""
    kind = part["type"]
    if kind == "output_audio":
        yield {"type": "response.content_part.added", **here, "part": {**part, "data": "", "transcript": ""}}
        yield from _sound(part)
        yield {"type": "response.content_part.done", **here, "part": part}
        return
    field, name = _TEXTS[kind]
    spoken: Value = {"logprobs": []} if kind == "output_text" else {}
    empty = {**part, field: ""} | ({"annotations": []} if kind == "output_text" else {})
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


def _sound(part: Value) -> Iterator[Value]:
    """Yield the events of sound and its transcript, in turn. They name no item."""
    data = base64.b64decode(part["data"])
    pieces = [data[start : start + _SOUND] for start in range(0, len(data), _SOUND)]
    for piece, text in zip_longest(pieces, parts(part["transcript"])):
        if piece is not None:
            yield {"type": "response.audio.delta", "delta": base64.b64encode(piece).decode()}
        if text is not None:
            yield {"type": "response.audio_transcript.delta", "delta": text}
    yield {"type": "response.audio.done"}
    yield {"type": "response.audio_transcript.done"}


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
