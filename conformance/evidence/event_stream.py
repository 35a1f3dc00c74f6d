"""Bytes of ``text/event-stream`` → events, byte by byte, with position and arrival time of everything.

The grammar is that of the WHATWG HTML standard, section "Server-sent events": lines end with LF, CR or CRLF, a blank
line closes an event, one leading space of a value is dropped, lines that begin with a colon are comments, and an
event that the end of the stream cuts off is never dispatched. Bytes that break the grammar, and legal ones unlike
those that the real service sends, become a :class:`Deviation` each.

The result doesn't depend on how the bytes were chunked, but for the arrival times. Memory is bounded by the event
that is being read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cached_property
from typing import Any

from attrs import frozen

from conformance.evidence.exchange import Chunk, Response, only_last

__all__ = ["BOM", "MOST_LINES", "Comment", "Deviation", "Event", "Kind", "Parser", "Stream", "parse", "stream_of"]

#: The byte order mark that a stream may begin with.
BOM = b"\xef\xbb\xbf"

#: The lines of one body that are read. The longest stream that is taken by default (``limits.events``) has three in
#: each event.
MOST_LINES = 150_000

_PIECE = 65_536


class Kind(StrEnum):
    """The kinds of deviations. :attr:`legal` tells unusual bytes from wrong ones."""

    UNFINISHED_EVENT = "unfinished-event"
    INVALID_UTF8 = "invalid-utf8"
    UNKNOWN_FIELD = "unknown-field"
    BAD_RETRY = "bad-retry"
    BAD_ID = "bad-id"
    REPEATED_NAME = "repeated-name"
    NO_DATA = "no-data"
    MULTI_LINE = "multi-line"
    NO_SPACE = "no-space"
    MIXED_LINE_ENDS = "mixed-line-ends"

    @property
    def legal(self) -> bool:
        """True if the standard allows the bytes. A parser may ignore them, or clients may have trouble with them."""
        return self not in (Kind.UNFINISHED_EVENT, Kind.INVALID_UTF8)


@frozen
class Deviation:
    """Something unusual at bytes ``start`` to ``end`` (exclusive); ``event`` is the number of events before it."""

    kind: Kind
    start: int
    end: int
    event: int
    at: float
    detail: str = ""


@frozen(slots=False)
class Event:
    """One event. ``name`` is the value of its ``event`` field, None where it has none; ``data`` its joined data lines.

    ``start`` is the offset of its first byte (leading comments belong to it), ``data_start`` that of its first data
    line, ``end`` the offset after its blank line. ``first_at`` and ``at`` are the arrival of its first and its last
    byte in seconds after sending. ``terminated`` is False only for what the end of the stream cut off.
    """

    index: int
    name: str | None
    data: str
    start: int
    data_start: int
    end: int
    first_at: float
    at: float
    lines: int = 1
    id: str | None = None
    terminated: bool = True

    @cached_property
    def _parsed(self) -> tuple[bool, Any]:
        try:
            return True, json.loads(self.data, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            return False, None

    @property
    def is_json(self) -> bool:
        """True when the data is one JSON text (RFC 8259)."""
        return self._parsed[0]

    @property
    def json(self) -> Any:
        """The data as JSON; None where it isn't JSON."""
        return self._parsed[1]

    @property
    def place(self) -> str:
        """The place as findings write it."""
        return f"event:{self.index}"


@frozen
class Comment:
    """A comment line: its text without the colon, its position and arrival time."""

    text: str
    start: int
    end: int
    at: float


@frozen
class Retry:
    """A ``retry`` field: a reconnection time in milliseconds."""

    milliseconds: int
    start: int
    end: int
    at: float


Item = Event | Comment | Retry | Deviation


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


class Parser:
    """A parser that is fed bytes with arrival times and returns the items they complete. It stores only the unfinished
    event.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._base = 0  # offset in the body of the buffer's first byte
        self._seen = 0  # bytes of the buffer that hold no line end
        self._held_at: float | None = None  # arrival of a CR that ends the buffer: a LF may follow it
        self._closed = False
        self._bom: bool | None = None
        self._line_end: bytes | None = None
        self._mixed = False
        self._count = 0
        self.lines = 0  # that were read so far
        self._first_at: float | None = None
        self._start = 0
        self._reset()

    def _reset(self) -> None:
        self._data: list[str] = []
        self._name: str | None = None
        self._id: str | None = None
        self._fields = False
        self._data_start = -1

    @property
    def bom(self) -> bool:
        """True when the stream began with a byte order mark."""
        return bool(self._bom)

    @property
    def size(self) -> int:
        """The number of bytes that were fed."""
        return self._base + len(self._buffer)

    @property
    def pending(self) -> int:
        """The number of bytes whose line has not ended."""
        return len(self._buffer)

    def feed(self, data: bytes, at: float = 0.0) -> list[Item]:
        """Read more bytes. Raises :class:`ValueError` after :meth:`close`."""
        if self._closed:
            raise ValueError("the stream is closed")
        if not data:
            return []
        if self._first_at is None:
            self._first_at = at
        self._buffer += data
        if self._bom is None:
            if len(self._buffer) < len(BOM) and BOM.startswith(self._buffer):
                return []
            self._skip_bom()
        return self._lines(at, last=False)

    def close(self, at: float = 0.0) -> list[Item]:
        """The end of the body. An event without its blank line comes back with ``terminated`` False."""
        if self._closed:
            return []
        self._closed = True
        if self._bom is None:
            self._skip_bom()
        items = self._lines(at, last=True)
        whole = not self._buffer
        if self._buffer:
            end = self._base + len(self._buffer)
            self._line(bytes(self._buffer), self._base, end, at, items)
            self._base, self._buffer = end, bytearray()
        if self._fields or not whole:
            detail = "no blank line after the last event" if whole else "the last line has no end"
            items.append(Deviation(Kind.UNFINISHED_EVENT, self._start, self._base, self._count, at, detail))
        if self._data:
            items.append(self._event(self._base, at, terminated=False))
        return items

    def _skip_bom(self) -> None:
        self._bom = self._buffer.startswith(BOM)
        if self._bom:
            del self._buffer[: len(BOM)]
            self._base = self._start = len(BOM)

    def _lines(self, at: float, *, last: bool) -> list[Item]:
        items: list[Item] = []
        buffer, base, size = self._buffer, self._base, len(self._buffer)
        position = 0
        for stop, after in self._line_ends(size, at, last=last):
            when, self._held_at = (at, None) if self._held_at is None else (self._held_at, None)
            end = base + after
            found = bytes(buffer[stop:after])
            if found != self._line_end:
                self._ended(found, base + stop, end, when, items)
            if stop == position:
                self._blank(end, when, items)
                self._start = end
                self._first_at = at if after < size else None
            else:
                self._line(bytes(buffer[position:stop]), base + position, end, when, items)
            position = after
            self.lines += 1
        self._base = base + position
        del buffer[:position]
        self._seen = len(buffer) - (self._held_at is not None)
        return items

    def _line_ends(self, size: int, at: float, *, last: bool) -> Iterator[tuple[int, int]]:
        """Where each line of the buffer stops and where the next one begins. A CR at the end waits for its LF."""
        buffer = self._buffer
        lf, cr = buffer.find(b"\n", self._seen), buffer.find(b"\r", self._seen)
        while lf >= 0 or cr >= 0:
            if cr < 0 or 0 <= lf < cr:
                stop, after = lf, lf + 1
            else:
                stop, after = cr, cr + 1
                if after == size and not last:
                    self._held_at = at
                    return
                if lf == after:
                    after += 1
            yield stop, after
            lf = buffer.find(b"\n", after) if 0 <= lf < after else lf
            cr = buffer.find(b"\r", after) if 0 <= cr < after else cr

    def _ended(self, found: bytes, start: int, end: int, at: float, items: list[Item]) -> None:
        if self._line_end is None:
            self._line_end = found
        elif not self._mixed:
            self._mixed = True
            detail = f"{found!r} after lines that end with {self._line_end!r}"
            items.append(Deviation(Kind.MIXED_LINE_ENDS, start, end, self._count, at, detail))

    def _line(self, line: bytes, start: int, end: int, at: float, items: list[Item]) -> None:
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            where = start + error.start
            detail = f"byte 0x{line[error.start]:02x}: {error.reason}"
            items.append(Deviation(Kind.INVALID_UTF8, where, start + error.end, self._count, at, detail))
            text = line.decode("utf-8", "replace")
        name, colon, value = text.partition(":")
        if not name and colon:
            items.append(Comment(value, start, end, at))
            return
        self._fields = True
        spaced = value.startswith(" ")
        if spaced:
            value = value[1:]
        if name == "data":
            if not self._data:
                self._data_start = start
            self._data.append(value)
            if not spaced and value:
                items.append(Deviation(Kind.NO_SPACE, start, end, self._count, at, "data: without a blank"))
            return
        kind = self._retry(value, start, end, at, items) if name == "retry" else self._other(name, value)
        if kind is not None:
            items.append(Deviation(kind, start, end, self._count, at, f"{name}: {value}"[:120]))

    def _other(self, name: str, value: str) -> Kind | None:
        if name == "event":
            repeated = self._name is not None
            self._name = value
            return Kind.REPEATED_NAME if repeated else None
        if name == "id":
            if "\0" in value:
                return Kind.BAD_ID
            self._id = value
            return None
        return Kind.UNKNOWN_FIELD

    @staticmethod
    def _retry(value: str, start: int, end: int, at: float, items: list[Item]) -> Kind | None:
        if not (value.isascii() and value.isdigit()):
            return Kind.BAD_RETRY
        items.append(Retry(int(value[:18]), start, end, at))
        return None

    def _blank(self, end: int, at: float, items: list[Item]) -> None:
        if self._data:
            items.append(self._event(end, at, terminated=True))
            self._count += 1
        elif self._name is not None:
            items.append(
                Deviation(Kind.NO_DATA, self._start, end, self._count, at, f"event {self._name!r} has no data")
            )
        if self._fields:
            self._reset()

    def _event(self, end: int, at: float, *, terminated: bool) -> Event:
        lines, first = len(self._data), at if self._first_at is None else self._first_at
        data = self._data[0] if lines == 1 else "\n".join(self._data)
        starts = (self._start, self._data_start, end)
        return Event(self._count, self._name, data, *starts, first, at, lines, self._id, terminated)


@frozen(slots=False)
class Stream:
    """A parsed body. ``unfinished`` is the event that was cut off at the end; clients never see it.

    ``flooded`` is True if the body had more than :data:`MOST_LINES` lines and the rest was not read, or if the body is
    shortened.
    """

    events: tuple[Event, ...] = ()
    comments: tuple[Comment, ...] = ()
    retries: tuple[Retry, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    unfinished: Event | None = None
    bom: bool = False
    size: int = 0
    flooded: bool = False

    def of(self, *kinds: Kind) -> tuple[Deviation, ...]:
        """The deviations of some kinds, in order."""
        return tuple(found for found in self.deviations if found.kind in kinds)


def parse(chunks: Iterable[Chunk]) -> Stream:
    """Parse a whole body. Only the arrival times depend on how the bytes were grouped."""
    parser = Parser()
    items: list[Item] = []
    at, flooded = 0.0, False
    for piece, at in _pieces(chunks):
        items.extend(parser.feed(piece, at))
        flooded = parser.lines > MOST_LINES
        if flooded:
            break
    items.extend(parser.close(at))
    unfinished = next((i for i in items if isinstance(i, Event) and not i.terminated), None)
    return Stream(
        events=tuple(i for i in items if isinstance(i, Event) and i.terminated),
        comments=tuple(i for i in items if isinstance(i, Comment)),
        retries=tuple(i for i in items if isinstance(i, Retry)),
        deviations=tuple(i for i in items if isinstance(i, Deviation))
        + tuple(
            Deviation(Kind.MULTI_LINE, i.data_start, i.end, i.index, i.at, f"{i.lines} data lines")
            for i in items
            if isinstance(i, Event) and i.lines > 1
        ),
        unfinished=unfinished,
        bom=parser.bom,
        size=parser.size,
        flooded=flooded,
    )


def _pieces(chunks: Iterable[Chunk]) -> Iterator[tuple[bytes, float]]:
    for chunk in chunks:
        for start in range(0, len(chunk.data), _PIECE):
            yield chunk.data[start : start + _PIECE], chunk.at


def stream_of(response: Response) -> Stream:
    """The parsed body of a response. It is cached, because many checks look at the same answer."""
    # Kept in the instance's dict, as cached_property would do it; exchange.py can't import this module.
    cache = vars(response)
    found: Stream | None = cache.get("_stream")
    if found is None:
        only_last(response)
        found = cache["_stream"] = parse(response.chunks) if response.shortened is None else Stream(flooded=True)
    return found
