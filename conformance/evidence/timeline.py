"""A stream as a table in time, for people: one row per event, with marks where findings point. Pure.

``replay`` prints :func:`render`; the HTML report draws the rows itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from attrs import evolve, field, frozen

from conformance.evidence.event_stream import Comment, Event, stream_of
from conformance.evidence.exchange import Exchange
from conformance.verdict import Finding, Verdict

__all__ = ["Mark", "Row", "escaped", "marks_of", "render", "timeline", "visible"]

_EVENT = re.compile(r"event:(\d+)(/.*)?")
_BYTE = re.compile(r"byte:(\d+)")

#: Characters that are shown as escapes: control characters, and those that change the direction of text.
#: Half a surrogate pair is among them: no encoding can carry it.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@frozen
class Mark:
    """A finding at a row. ``byte`` is an offset in the body, ``pointer`` a place in the data, if the finding names
    one.
    """

    check: str
    message: str
    expected: str = ""
    actual: str = ""
    pointer: str = ""
    byte: int | None = None
    note: bool = False


@frozen
class Row:
    """One row of a timeline.

    ``kind`` is ``answer`` (status and headers), ``event``, ``comment``, ``rest`` (an event that was cut off) or
    ``end``. ``at`` is in seconds after sending; ``start`` and ``end`` are offsets in the body. ``bytes`` are those
    around the first mark.
    """

    kind: str
    at: float
    start: int
    end: int
    name: str = ""
    text: str = ""
    index: int | None = None
    marks: tuple[Mark, ...] = ()
    bytes: bytes = field(default=b"", repr=False)


def marks_of(verdicts: Iterable[Verdict], case_id: str) -> tuple[tuple[str, Finding], ...]:
    """The findings about one case, each with the id of its check."""
    return tuple(
        (verdict.check, finding) for verdict in verdicts for finding in verdict.findings if finding.case_id == case_id
    )


def timeline(exchange: Exchange, findings: Iterable[tuple[str, Finding]] = ()) -> tuple[Row, ...]:
    """The rows of an exchange in the order of the bytes, with every finding as a mark."""
    rows = list(_rows(exchange))
    body = exchange.response.body if exchange.response else b""
    for check, finding in findings:
        row, mark = _place(rows, check, finding)
        # 24 bytes on each side fit on one line together with their escapes.
        around = body[max(0, mark.byte - 24) : mark.byte + 24] if mark.byte is not None else b""
        rows[row] = evolve(rows[row], marks=(*rows[row].marks, mark), bytes=rows[row].bytes or around)
    return tuple(rows)


def _rows(exchange: Exchange) -> Iterator[Row]:
    """Yield the rows without marks."""
    response, fault = exchange.response, exchange.fault
    if response is None:
        yield Row("answer", fault.at if fault else 0.0, 0, 0, text="no answer")
    else:
        header = response.header("content-type") or "no content type"
        yield Row("answer", response.headers_at, 0, 0, text=f"{response.status} {response.reason} {header}".strip())
        stream = stream_of(response)
        parts: list[Event | Comment] = [*stream.events, *stream.comments]
        if stream.unfinished is not None:
            parts.append(stream.unfinished)
        for part in sorted(parts, key=lambda one: one.data_start if isinstance(one, Event) else one.start):
            if isinstance(part, Comment):
                yield Row("comment", part.at, part.start, part.end, text=part.text)
            else:
                kind = "event" if part.terminated else "rest"
                yield Row(kind, part.at, part.start, part.end, part.name or "", part.data, part.index)
    size = len(response.body) if response else 0
    if fault is not None:
        yield Row("end", fault.at, size, size, text=f"{fault.kind}: {fault.message}")
    elif response is not None:
        text = "end of the body" if response.complete else "the body stops here"
        yield Row("end", response.elapsed, size, size, text=text)


def _place(rows: Sequence[Row], check: str, finding: Finding) -> tuple[int, Mark]:
    """(row, mark) of a finding: the row of its event or byte, else the last one."""
    mark = Mark(check, finding.message, finding.expected, finding.actual, note=finding.note)
    event = _EVENT.fullmatch(finding.place)
    if event is not None:
        mark = evolve(mark, pointer=event[2] or "")
        found = (i for i, row in enumerate(rows) if row.kind in ("event", "rest") and row.index == int(event[1]))
        return next(found, len(rows) - 1), mark
    byte = _BYTE.fullmatch(finding.place)
    if byte is not None:
        offset = int(byte[1])
        mark = evolve(mark, byte=offset)
        found = (i for i, row in enumerate(rows) if row.kind != "answer" and row.start <= offset < row.end)
        return next(found, len(rows) - 1), mark
    # A finding about the status or a header belongs to the first row, which shows them.
    return 0, evolve(mark, pointer=finding.place)


def escaped(text: str) -> str:
    """A text on one line, with control characters and direction marks as escapes."""
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def visible(text: str) -> str:
    """A text of several lines: as :func:`escaped`, but line breaks and tabs stay."""
    return _UNSAFE.sub(lambda found: found[0] if found[0] in "\n\t" else escaped(found[0]), text)


def _clean(text: str, width: int) -> str:
    """A text on one line, cut to a width."""
    shown = escaped(text)
    return shown if len(shown) <= width else shown[: width - 1] + "…"


def render(rows: Sequence[Row], *, width: int = 120, around: int = 2, most: int = 40) -> str:
    """The rows as lines of text. Of more than ``most`` rows only the first, the last and those near marks are shown.

    Control characters are escaped, so that bytes of the target can't control the terminal.
    """
    shown = _chosen(rows, around, most)
    lines: list[str] = []
    for before, index in pairwise([-1, *shown]):
        if index - before > 1:
            lines.append(f"  {'':>9}  … {index - before - 1} more …")
        lines.extend(_lines(rows[index], width))
    return "\n".join(lines)


def _chosen(rows: Sequence[Row], around: int, most: int) -> list[int]:
    """The indices of the rows that are shown."""
    if len(rows) <= most:
        return list(range(len(rows)))
    # How a stream begins and ends is of interest in every case.
    wanted = {0, 1, 2, len(rows) - 2, len(rows) - 1}
    for index, row in enumerate(rows):
        if row.marks:
            wanted.update(range(index - around, index + around + 1))
    return sorted(index for index in wanted if 0 <= index < len(rows))


def _lines(row: Row, width: int) -> Iterator[str]:
    """Yield the printed lines of one row of a timeline."""
    flag = "✗" if any(not mark.note for mark in row.marks) else "·" if row.marks else " "
    what = row.kind if row.index is None else f"{row.kind} {row.index}"
    name = f" [{row.name}]" if row.name else ""
    span = f"{row.start}–{row.end}"
    head = f"{flag} {row.at:>8.3f}s  {span:<13} {what}{_clean(name, 48)}  "
    yield head + _clean(row.text, max(20, width - len(head)))
    for mark in row.marks:
        where = f" at {mark.pointer}" if mark.pointer else f" at byte {mark.byte}" if mark.byte is not None else ""
        yield f"      ↳ {mark.check}: {_clean(mark.message, width)}{_clean(where, 80)}"
        if mark.expected or mark.actual:
            wanted, came = _clean(mark.expected, 60) or "nothing", _clean(mark.actual, 80) or "nothing"
            yield f"        expected {wanted}; came {came}"
    if row.bytes:
        yield f"        bytes {_clean(repr(row.bytes)[1:], width)}"
