"""Building blocks of counterexamples for streams: split a stream into events, change them, and assemble them again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from attrs import evolve, frozen

from conformance.evidence.event_stream import stream_of
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.evidence.json_copy import copied
from conformance.requests.request import Request

__all__ = ["Draft", "assemble", "drafts", "each_json", "on_body", "on_events", "protocol_of"]

Broken = Callable[[Exchange, Sequence[Exchange]], Exchange | None]


@frozen
class Draft:
    """An event to be sent: ``raw`` bytes as they came, or built from ``name`` and ``data`` if ``raw`` is None."""

    data: str
    name: str | None = None
    at: float = 0.0
    raw: bytes | None = None

    @property
    def json(self) -> Any:
        """A new copy of the data's JSON value; None if the data isn't JSON."""
        try:
            return json.loads(self.data)
        except ValueError:
            return None

    def with_json(self, value: Any) -> Draft:
        """The same event with another JSON value."""
        return self.with_data(json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def with_data(self, data: str) -> Draft:
        """The same event with other data."""
        return evolve(self, data=data, raw=None)

    @property
    def bytes(self) -> bytes:
        """The bytes that are sent."""
        if self.raw is not None:
            return self.raw
        lines = [f"event: {self.name}"] if self.name is not None else []
        lines += [f"data: {line}" for line in self.data.split("\n")]
        return ("\n".join(lines) + "\n\n").encode("utf-8", "surrogatepass")


def drafts(response: Response) -> list[Draft]:
    """The dispatched events of a response, ready to be changed."""
    body = response.body
    return [
        # The original bytes, so that unchanged events keep their framing.
        Draft(event.data, event.name, event.at, body[event.start : event.end])
        for event in stream_of(response).events
    ]


def assemble(response: Response, events: Sequence[Draft]) -> Response:
    """The response with these events, each in its own chunk at its time."""
    chunks = tuple(Chunk(event.at, event.bytes) for event in events)
    size = sum(len(chunk.data) for chunk in chunks)
    # A wrong length would be a second defect.
    headers = tuple((k, str(size) if k.lower() == "content-length" else v) for k, v in response.headers)
    return evolve(response, chunks=chunks, headers=headers)


def protocol_of(response: Response) -> str:
    """The protocol of a correct stream, recognised by its events; "" for an unknown one."""
    for event in stream_of(response).events:
        value = event.json
        if (event.name or "").startswith("thread."):
            return "assistants"
        if isinstance(value, dict):
            kind = str(value.get("type", ""))
            if kind.startswith("response."):
                return "responses"
            if kind.startswith(("transcript.", "speech.")):
                return "audio"
            if value.get("object") == "chat.completion.chunk":
                return "chat-chunks"
            if value.get("object") == "text_completion":
                return "completion-chunks"
    return ""


def on_body(change: Callable[[Exchange, Response], Response | None], *protocols: str) -> Broken:
    """Change a successful streamed answer as a whole. ``change`` returns None for an unsuitable one."""

    def broken(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
        response = exchange.response
        if response is None or not exchange.ok or response.media_type != "text/event-stream":
            return None
        if not stream_of(response).events or (protocols and protocol_of(response) not in protocols):
            return None
        made = change(exchange, response)
        return None if made is None else exchange.answered(made)

    return broken


def on_events(change: Callable[[list[Draft], Request], Sequence[Draft] | None], *protocols: str) -> Broken:
    """Change the list of events of a successful stream."""

    def made(exchange: Exchange, response: Response) -> Response | None:
        changed = change(drafts(response), exchange.request)
        return None if changed is None else assemble(response, changed)

    return on_body(made, *protocols)


def each_json(change: Callable[[dict[str, Any], int], dict[str, Any] | None], *protocols: str) -> Broken:
    """Change the JSON objects of the events. ``change`` gets a copy and the event's index, and returns the new object.

    It returns None to keep an event. If no event changes, the stream can't exhibit the defect.
    """

    def made(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
        changed = list(events)
        for index, event in enumerate(events):
            value = event.json
            if isinstance(value, dict):
                # ``change`` may work in place; the comparison below needs the old value.
                other = change(copied(value), index)
                if other is not None and other != value:
                    changed[index] = event.with_json(other)
        return None if changed == events else changed

    return on_events(made, *protocols)
