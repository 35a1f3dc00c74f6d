"""Small changes to answers, of which mutants are made."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from attrs import evolve

from conformance.emulator.call import Call
from conformance.emulator.error_answers import Refused
from conformance.emulator.events import dumps
from conformance.emulator.handlers import Handler
from conformance.emulator.store import Collection
from conformance.evidence.exchange import Chunk, Response

__all__ = ["Value", "asked", "edited", "fields", "ids", "in_stream", "listed", "memory", "objects", "refused"]

Value = dict[str, Any]


def edited(response: Response, change: Callable[[Value], Value | None]) -> Response:
    """A successful JSON answer after ``change``, which returns the new value, or None when it changed it in place."""
    if response.status >= 300 or not isinstance(response.json, dict):
        return response
    value = json.loads(response.body)
    changed = change(value)
    return response.with_json(value if changed is None else changed)


def objects(response: Response, change: Callable[[Value], Any]) -> Response:
    """``change`` applied to the object of an answer, or to each object of a page."""

    def inside(value: Value) -> None:
        data = value.get("data")
        for one in data if isinstance(data, list) else [value]:
            change(one)

    return edited(response, inside)


def fields(response: Response, **values: Any) -> Response:
    """Set fields of the object or objects of an answer, where they are."""
    return objects(response, lambda one: one.update({k: v for k, v in values.items() if k in one}))


def listed(response: Response, change: Callable[[list[Value]], list[Value]]) -> Response:
    """A page with other items; first_id and last_id follow where the page has them."""

    def inside(page: Value) -> None:
        page["data"] = data = change(page["data"])
        for name, place in (("first_id", 0), ("last_id", -1)):
            if name in page:
                page[name] = data[place]["id"] if data else None

    return edited(response, inside)


def asked(call: Call, **query: Any) -> Call:
    """The same call with other query parameters; None takes one away."""
    changed = {**call.query, **query}
    return evolve(call, query={name: value for name, value in changed.items() if value is not None})


def ids(call: Call) -> tuple[str, ...]:
    """The ids in the path, outermost first."""
    return tuple(call.path.values())


def memory(call: Call, subject: str) -> Collection:
    """What a mutant remembers between calls."""
    return call.store.collection("mutant", subject)


def refused(call: Call, answer: Handler) -> Response | None:
    """The answer, or None where the true handler refuses."""
    try:
        return answer(call)
    except Refused:
        return None


def in_stream(response: Response, change: Callable[[Sequence[tuple[str, str]]], Sequence[tuple[str, str]]]) -> Response:
    """A stream with other events: pairs of name and data text, in and out. Other answers stay as they are."""
    if response.media_type != "text/event-stream":
        return response
    events: list[tuple[str, str]] = []
    for block in response.body.decode().replace("\r\n", "\n").split("\n\n"):
        lines = [line.partition(": ") for line in block.split("\n")]
        data = [value for name, _, value in lines if name == "data"]
        if data:
            events.append((next((value for name, _, value in lines if name == "event"), ""), "\n".join(data)))
    text = "".join((f"event: {name}\n" if name else "") + f"data: {data}\n\n" for name, data in change(events))
    at = response.chunks[-1].at if response.chunks else 0.0
    return evolve(response, chunks=(Chunk(at, text.encode()),))


def with_data(data: str, change: Callable[[Value], Any]) -> str:
    """The text of an event's data after ``change``; text that isn't a JSON object stays."""
    try:
        value = json.loads(data)
    except ValueError:
        return data
    if isinstance(value, dict):
        change(value)
    return dumps(value)
