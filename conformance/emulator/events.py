"""Server-sent events as bytes (WHATWG event stream). This is the only place where streams are framed.

A stream is a sequence of :class:`Event`; :func:`render` turns it into chunks with times. The :class:`StreamFaults` of
the settings are applied here, so that every streaming handler can show them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from attrs import frozen

from conformance.emulator.behaviour import Settings, StreamFaults
from conformance.evidence.exchange import Chunk

__all__ = ["Event", "dumps", "render"]


@frozen
class Event:
    """One event. ``data`` is a JSON value, or a string that is sent as it is (``[DONE]``)."""

    data: Any
    event: str | None = None


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def dumps(value: Any) -> str:
    """Compact JSON as the service writes it: no spaces, no unneeded escapes."""
    return _encode(value)


def frame(event: Event, newline: str = "\n") -> bytes:
    """The bytes of one event with its closing blank line. Data with line breaks becomes several data lines."""
    data = event.data if isinstance(event.data, str) else dumps(event.data)
    lines = [f"event: {event.event}"] if event.event else []
    lines += [f"data: {line}" for line in data.split("\n")]
    return (newline.join(lines) + newline * 2).encode()


def render(events: Iterable[Event], settings: Settings) -> tuple[tuple[Chunk, ...], bool]:
    """The chunks with their times, and whether the body is complete (False if the settings cut it)."""
    faults = settings.faults
    newline = "\r\n" if faults.crlf else "\n"
    framed = [frame(event, newline) for event in events]
    complete = True
    if faults.cut is not None and faults.cut < len(framed):
        # Before grouping: the setting counts events, not chunks.
        framed, complete = framed[: faults.cut], False
    if settings.grouped_chunks and framed:
        framed = [b"".join(group) for group in _grouped(framed)]
    chunks: list[Chunk] = []
    at = settings.latency
    for index, data in enumerate(framed):
        if index:
            at += settings.interval
        # A comment belongs to the chunk of the next event, as a proxy would insert it.
        comment = f": event {index}{newline}".encode() if faults.comments else b""
        if faults.heartbeats:
            chunks.append(Chunk(at, f": keep-alive{newline}{newline}".encode()))
        chunks.extend(Chunk(at, piece) for piece in _pieces(comment + data, faults))
        if index == 0:
            # After the first event, so that a client sees the stream begin and then waits.
            at += faults.stall
    return tuple(chunks), complete


def _grouped(framed: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Groups of three events, as a buffering content filter releases them."""
    for start in range(0, len(framed), 3):
        yield framed[start : start + 3]


def _pieces(data: bytes, faults: StreamFaults) -> Iterator[bytes]:
    """The bytes of an event in one piece, or in the pieces that the settings ask for."""
    if faults.drip:
        yield from (data[index : index + 1] for index in range(len(data)))
        return
    if faults.split:
        start = 0
        for index in range(1, len(data)):
            if data[index] & 0xC0 == 0x80:  # inside a code point
                yield data[start:index]
                start = index
        yield data[start:]
        return
    yield data
