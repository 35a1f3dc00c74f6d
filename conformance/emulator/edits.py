"""Building blocks of variants: small changes to calls and answers."""

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

__all__ = [
    "Value",
    "answer_unless_refused",
    "each_object",
    "edited",
    "memory",
    "path_ids",
    "restored",
    "with_events",
    "with_fields",
    "with_items",
    "with_one_of_another",
    "with_query",
]

#: A JSON object.
Value = dict[str, Any]


def edited(response: Response, change: Callable[[Value], Value | None]) -> Response:
    """A successful JSON answer after ``change``. Other answers are returned unchanged.

    ``change`` returns the new value, or None if it changed the value in place.
    """
    if response.status >= 300 or not isinstance(response.json, dict):
        return response
    # A new copy: the handler's own objects must not change.
    value = json.loads(response.body)
    changed = change(value)
    return response.with_json(value if changed is None else changed)


def each_object(response: Response, change: Callable[[Value], Any]) -> Response:
    """The answer with ``change`` applied to its object, or to each object of its page."""

    def inside(value: Value) -> None:
        data = value.get("data")
        for one in data if isinstance(data, list) else [value]:
            change(one)

    return edited(response, inside)


def with_fields(response: Response, **values: Any) -> Response:
    """The answer with some fields set in its object or objects, where they exist."""
    return each_object(response, lambda one: one.update({k: v for k, v in values.items() if k in one}))


def with_field(response: Response, name: str, made: Callable[[Value], Any]) -> Response:
    """The answer with a field that is made of the other fields of its object or objects, where it exists."""
    return each_object(response, lambda one: one.update({name: made(one)} if name in one else {}))


def with_items(response: Response, change: Callable[[list[Value]], list[Value]]) -> Response:
    """A page with other items. ``first_id`` and ``last_id`` follow, if the page has them."""

    def inside(page: Value) -> None:
        page["data"] = data = change(page["data"])
        for name, place in (("first_id", 0), ("last_id", -1)):
            if name in page:
                page[name] = data[place]["id"] if data else None

    return edited(response, inside)


def with_query(call: Call, **query: Any) -> Call:
    """The call with other query parameters; None removes one."""
    changed = {**call.query, **query}
    return evolve(call, query={name: value for name, value in changed.items() if value is not None})


def path_ids(call: Call) -> tuple[str, ...]:
    """The ids in the path, outermost first."""
    return tuple(call.path.values())


def memory(call: Call, subject: str) -> Collection:
    """A collection in which a mutant remembers things between calls."""
    return call.store.collection("mutant", subject)


def restored(call: Call, answer: Handler, kept: Collection, id: str) -> Response:
    """The answer to a removal after which the object is there again, if it was there before."""
    before = kept.get(id)
    response = answer(call)
    if before is not None:
        kept.put(id, before)
    return response


def with_one_of_another(call: Call, answer: Handler, kind: str) -> Response:
    """The first page of a list below an object, with an object of this kind that lies below another one at its end."""
    own = path_ids(call)[0]
    everything = call.store.everything().items()
    others = [one for (name, parent), kept in everything if name == kind and parent != own for one in kept]
    first = not {"after", "before"} & set(call.query)
    return with_items(answer(call), lambda data: [*data, *others[:1]] if first else data)


def answer_unless_refused(call: Call, answer: Handler) -> Response | None:
    """The answer of the correct handler, or None if it refuses."""
    try:
        return answer(call)
    except Refused:
        return None


def with_events(
    response: Response, change: Callable[[Sequence[tuple[str, str]]], Sequence[tuple[str, str]]]
) -> Response:
    """A stream with other events; ``change`` gets and returns pairs of (name, data text). Other answers stay as they
    are.
    """
    if response.media_type != "text/event-stream":
        return response
    events: list[tuple[str, str]] = []
    for block in response.body.decode().replace("\r\n", "\n").split("\n\n"):
        lines = [line.partition(": ") for line in block.split("\n")]
        data = [value for name, _, value in lines if name == "data"]
        if data:
            events.append((next((value for name, _, value in lines if name == "event"), ""), "\n".join(data)))
    text = "".join((f"event: {name}\n" if name else "") + f"data: {data}\n\n" for name, data in change(events))
    # All events arrive together; mutants are about content, not about times.
    at = response.chunks[-1].at if response.chunks else 0.0
    return evolve(response, chunks=(Chunk(at, text.encode()),))


def with_data(data: str, change: Callable[[Value], Any]) -> str:
    """The text of an event's data after ``change``. Text that isn't a JSON object is returned unchanged."""
    try:
        value = json.loads(data)
    except ValueError:
        return data
    if isinstance(value, dict):
        change(value)
    return dumps(value)
