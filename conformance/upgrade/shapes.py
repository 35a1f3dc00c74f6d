"""The shapes of answers: which members there are, and of which JSON types. Values don't count: they are a model's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from conformance.evidence.event_stream import stream_of
from conformance.evidence.exchange import Exchange
from conformance.migration.change import Direction
from conformance.migration.forms import forms_of
from conformance.migration.location import Location

if TYPE_CHECKING:
    from strategies.schema_tree import Node

__all__ = ["received", "shape_of"]

#: Answers are followed this deep.
_DEEPEST = 12

#: So many items of an array are looked at; longer ones repeat them.
_ITEMS = 50


def received(exchange: Exchange) -> tuple[Direction, tuple[Any, ...]]:
    """(what came, its JSON values): one for an answer, one for each event of a stream.

    An event with a name is ``{"event": name, "data": value}``, as documents describe it.
    """
    response = exchange.response
    if response is None:
        return Direction.ANSWER, ()
    if response.media_type == "text/event-stream":
        events = [event for event in stream_of(response).events if event.is_json]
        return Direction.STREAM, tuple(
            {"event": event.name, "data": event.json} if event.name else event.json for event in events
        )
    return Direction.ANSWER, (response.json,) if response.is_json else ()


def shape_of(value: Any, nodes: Iterable[Node]) -> Iterator[tuple[Location, str]]:
    """Yield (location, JSON type) for everything in a value, without selections.

    ``nodes`` are the schemas of both versions. What lies under a name that they leave to the user, and inside an object
    of which they say nothing, is content.
    """
    yield from _walk(value, tuple(nodes), (), 0)


def _walk(value: Any, nodes: tuple[Node, ...], at: Location, depth: int) -> Iterator[tuple[Location, str]]:
    yield at, _type(value)
    forms = [form for node in nodes for form in forms_of(node).forms]
    if depth >= _DEEPEST or (nodes and not forms):
        return
    if isinstance(value, list):
        inner = tuple(form.items for form in forms if form.items is not None)
        for item in value[:_ITEMS] if inner or not nodes else ():
            yield from _walk(item, inner, (*at, "*"), depth + 1)
    elif isinstance(value, dict):
        objects = [form for form in forms if form.kind == "object"]
        if objects and all(form.says_nothing for form in objects):
            return
        for name, item in value.items():
            found = tuple(form.properties[name] for form in objects if name in form.properties)
            extra = tuple(form.extra for form in objects if form.extra is not None)
            if found or not extra:
                # Of an undocumented member only its presence counts.
                if found:
                    yield from _walk(item, found, (*at, f".{name}"), depth + 1)
                else:
                    yield (*at, f".{name}"), _type(item)
            else:
                yield from _walk(item, extra, (*at, "%"), depth + 1)


def _type(value: Any) -> str:
    """The JSON type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names = ((str, "string"), (int | float, "number"), (list, "array"), (dict, "object"))
    return next((name for kind, name in names if isinstance(value, kind)), "")
