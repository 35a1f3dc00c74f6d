"""The ids of created objects, read from a JSON answer, from the events of a stream, or from the header Location."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from conformance.evidence.event_stream import Event, stream_of
from conformance.evidence.exchange import Exchange, Response
from conformance.pointer import look_up
from conformance.requests.case import LOCATION, Case

__all__ = ["created_ids", "values_of"]


def created_ids(case: Case, exchange: Exchange) -> dict[str, str]:
    """Placeholder → id, for each id that a successful create answers with (JSON Pointers, RFC 6901, or Location).

    An answer that was cut off may still contain them. Whatever was created must be removed, however the answer ended.
    """
    response = exchange.response
    if response is None or not 200 <= response.status < 300:
        return {}
    found: dict[str, str] = {}
    for name, pointer in case.creates.items():
        ids = _located(response) if pointer == LOCATION else (look_up(v, pointer) for v in values_of(response))
        first = next((item for item in ids if isinstance(item, str) and item), None)
        if first is not None:
            found[name] = first
    return found


def _located(response: Response) -> Iterator[str]:
    """Yield the last segment of the path in the header Location, if there is one. Whose URL it is doesn't matter: only
    the id is used.
    """
    with suppress(ValueError):
        yield unquote(urlsplit(response.header("location") or "").path.rstrip("/").rpartition("/")[2])


def values_of(response: Response) -> Iterator[Any]:
    """The answer itself where it is JSON, else every object that its events hold, in order."""
    if response.is_json:
        yield response.json
        return
    stream = stream_of(response)
    for event in (*stream.events, *([stream.unfinished] if stream.unfinished else [])):
        for value in _texts(event):
            # The Responses events hold the object one level down.
            held = value.get("response") if isinstance(value, dict) else None
            yield held if isinstance(held, dict) else value


def _texts(event: Event) -> Iterator[Any]:
    """The JSON of an event's data; of data that is no JSON as a whole, that of its lines: the last may be cut off."""
    if event.is_json:
        yield event.json
        return
    for line in event.data.splitlines():
        with suppress(ValueError, RecursionError):
            yield json.loads(line)
