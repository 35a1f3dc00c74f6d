"""What a proxy may do to an answer: small edits of bodies, events and header fields, in terms of bytes and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import evolve, frozen

from conformance.emulator.variants import Change as Variant
from conformance.evidence.exchange import Chunk, Exchange, Response

#: A changed exchange, or None where the change doesn't apply.
Change = Callable[[Exchange], Exchange | None]


@frozen
class Remembering:
    """A change that depends on earlier answers. ``begin`` gives one that has seen none, for each server its own."""

    begin: Callable[[], Change]


@frozen
class Served:
    """A server that answers some operations (globs) in another way: for what a changed answer alone can't show, such as
    objects that get other ids.
    """

    operations: tuple[str, ...]
    change: Variant


#: Name → (what is done, the change).
Named = dict[str, tuple[str, Change | Remembering | Served]]


def is_stream(response: Response) -> bool:
    return response.media_type == "text/event-stream"


def with_bytes(response: Response, body: bytes) -> Response:
    """The answer with another body in one piece. A Content-Length follows, every other field stays."""
    at = response.chunks[-1].at if response.chunks else response.headers_at
    headers = tuple(
        (name, str(len(body)) if name.lower() == "content-length" else value) for name, value in response.headers
    )
    return evolve(response, headers=headers, chunks=(Chunk(at, body),) if body else ())


def on_response(change: Callable[[Response], Response | None]) -> Change:
    """A change of the answer alone."""

    def made(exchange: Exchange) -> Exchange | None:
        if exchange.response is None:
            return None
        changed = change(exchange.response)
        return None if changed is None or changed == exchange.response else evolve(exchange, response=changed)

    return made


def on_json(change: Callable[[Any], Any], *, good: bool | None = True, method: str = "") -> Change:
    """A change of a JSON body. It gets a copy, and returns another value, or None for the copy that it changed."""

    def made(exchange: Exchange) -> Exchange | None:
        response = exchange.response
        if response is None or not response.is_json or not isinstance(response.json, dict):
            return None
        if (good is not None and exchange.ok is not good) or (method and exchange.request.method != method):
            return None
        value = json.loads(response.body)
        found = change(value)
        value = value if found is None else found
        if value == response.json:
            return None
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        return evolve(exchange, response=with_bytes(response, text))

    return made


def on_text(change: Callable[[str], str], *, streams: bool | None = None) -> Change:
    """A change of the text of a body; ``streams``: only of event streams, or only of other bodies."""

    def inside(response: Response) -> Response | None:
        if streams is not None and is_stream(response) is not streams:
            return None
        if not (is_stream(response) or response.media_type.endswith("json")):
            return None
        return with_bytes(response, change(response.body.decode()).encode("utf-8", "surrogatepass"))

    return on_response(inside)


def blocks(response: Response) -> list[str]:
    """The events of a stream, each with its lines."""
    return [block for block in response.body.decode().replace("\r\n", "\n").split("\n\n") if block]


def on_blocks(change: Callable[[list[str]], Sequence[str] | None]) -> Change:
    """A change of the events of a stream. Each one comes in a piece of its own."""

    def inside(response: Response) -> Response | None:
        if not is_stream(response) or response.status != 200:
            return None
        changed = change(blocks(response))
        if changed is None:
            return None
        at = response.chunks[-1].at if response.chunks else 0.0
        return evolve(response, chunks=tuple(Chunk(at, f"{block}\n\n".encode()) for block in changed))

    return on_response(inside)


def data_of(block: str) -> Any:
    """The JSON value of an event; None if it has none."""
    lines = [line.removeprefix("data:").strip() for line in block.split("\n") if line.startswith("data:")]
    try:
        return json.loads("\n".join(lines))
    except ValueError:
        return None


def with_data(block: str, value: Any) -> str:
    """The event with another JSON value."""
    kept = [line for line in block.split("\n") if not line.startswith("data:")]
    return "\n".join([*kept, f"data: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}"])


def on_events(change: Callable[[Any], Any]) -> Change:
    """A change of the JSON value of each event. It returns another value, or None for the one that it changed."""

    def each(block: str) -> str:
        value = data_of(block)
        if not isinstance(value, dict):
            return block
        found = change(value)
        return with_data(block, value if found is None else found)

    def inside(all_: list[str]) -> Sequence[str] | None:
        made = [each(block) for block in all_]
        same = [data_of(a) == data_of(b) for a, b in zip(all_, made, strict=True)]
        return None if all(same) else made

    return on_blocks(inside)


def by_form(plain: Change, streamed: Change) -> Change:
    """One change of plain answers, another one of streams."""
    return lambda exchange: (
        streamed(exchange) if exchange.response and is_stream(exchange.response) else plain(exchange)
    )


def everywhere(change: Callable[[Any], Any]) -> Change:
    """A change of JSON bodies, and of the value of each event of a stream."""
    return by_form(on_json(change), on_events(change))


def with_headers(**fields: str | None) -> Change:
    """A change of header fields: ``_`` in names stands for ``-``; None removes one."""
    named = {name.replace("_", "-"): value for name, value in fields.items()}

    def inside(response: Response) -> Response:
        kept = tuple(pair for pair in response.headers if pair[0].lower() not in named)
        return evolve(response, headers=(*kept, *((n, v) for n, v in named.items() if v is not None)))

    return on_response(inside)


def objects(value: Any) -> list[dict[str, Any]]:
    """All JSON objects in a value, the outermost first."""
    if isinstance(value, Mapping):
        return [value, *(inner for held in value.values() for inner in objects(held))]  # type: ignore[list-item]
    return [inner for held in value for inner in objects(held)] if isinstance(value, list) else []
