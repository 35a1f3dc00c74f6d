"""The event-stream grammar of the WHATWG standard, byte by byte."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance._parts import part
from conformance.evidence.event_stream import Kind, Parser, Stream, parse
from conformance.evidence.exchange import Chunk

rechunk = part("strategies.rechunk")
byte_by_byte = rechunk.byte_by_byte
cut = rechunk.cut


def read(data: bytes) -> Stream:
    return parse((Chunk(0.0, data),))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"data: a\n\n", ["a"]),
        (b"data: a\r\n\r\n", ["a"]),
        (b"data: a\r\r", ["a"]),
        (b"data:a\n\n", ["a"]),
        (b"data:  a\n\n", [" a"]),
        (b"data\n\n", [""]),
        (b"data:\n\n", [""]),
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b"data\ndata\n\n", ["\n"]),
        (b": c\ndata: a\n: d\n\n", ["a"]),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        (b"\n\ndata: a\n\n\n\ndata: b\n\n", ["a", "b"]),
        (b"event: x\n\ndata: a\n\n", ["a"]),
        (b"data: a\n", []),
        (b"data: a", []),
        (b"", []),
        (b"\xef\xbb", []),
        ("data: é☀\n\n".encode(), ["é☀"]),
    ],
)
def test_the_data_of_the_dispatched_events(data: bytes, expected: list[str]) -> None:
    assert expected == [event.data for event in read(data).events]
    assert expected == [event.data for event in parse(byte_by_byte(data)).events]


@pytest.mark.parametrize(
    ("data", "kind", "start", "end"),
    [
        (b"data: a\n", Kind.UNFINISHED_EVENT, 0, 8),
        (b"data: a\n\ndata: b", Kind.UNFINISHED_EVENT, 9, 16),
        (b"data: \xff\n\n", Kind.INVALID_UTF8, 6, 7),
        (b"data: \xe2\x98\n\n", Kind.INVALID_UTF8, 6, 8),
        (b"dat: a\ndata: b\n\n", Kind.UNKNOWN_FIELD, 0, 7),
        (b"data: a\nplain text\n\n", Kind.UNKNOWN_FIELD, 8, 19),
        (b"retry: soon\n\n", Kind.BAD_RETRY, 0, 12),
        (b"id: a\0b\ndata: a\n\n", Kind.BAD_ID, 0, 8),
        (b"event: a\nevent: b\ndata: c\n\n", Kind.REPEATED_NAME, 9, 18),
        (b"event: ping\n\n", Kind.NO_DATA, 0, 13),
        (b"data: a\ndata: b\n\n", Kind.MULTI_LINE, 0, 17),
        (b"data:a\n\n", Kind.NO_SPACE, 0, 7),
        (b"data: a\n\r\n", Kind.MIXED_LINE_ENDS, 8, 10),
    ],
)
def test_a_deviation_is_reported_with_its_bytes(data: bytes, kind: Kind, start: int, end: int) -> None:
    assert [(kind, start, end)] == [(d.kind, d.start, d.end) for d in read(data).deviations]


def test_only_what_no_parser_can_mend_is_illegal() -> None:
    assert {Kind.UNFINISHED_EVENT, Kind.INVALID_UTF8} == {kind for kind in Kind if not kind.legal}


def test_events_know_their_bytes() -> None:
    stream = read(b": hi\n\nevent: a\ndata: 1\n\n: x\ndata: 2\n\n")
    assert [(6, 15, 24), (24, 28, 37)] == [(e.start, e.data_start, e.end) for e in stream.events]
    assert [(0, 5), (24, 28)] == [(c.start, c.end) for c in stream.comments]


def test_events_know_when_they_came() -> None:
    pieces = (b"data: a", b"\n\nda", b"ta: b\n\r", b"data: c\n\n")
    stream = parse(Chunk(float(at), piece) for at, piece in enumerate(pieces, 1))
    assert [(1.0, 2.0), (2.0, 3.0), (4.0, 4.0)] == [(e.first_at, e.at) for e in stream.events]


def test_a_lone_carriage_return_waits_for_its_line_feed() -> None:
    parser = Parser()
    assert [] == parser.feed(b"data: a\r\n\r")
    (event,) = parser.feed(b"\ndata: b")
    assert (0, 11) == (event.start, event.end)  # type: ignore[union-attr]


def test_names_ids_and_retry_are_kept() -> None:
    stream = read(b"event: a\nid: 7\nretry: 300\ndata: 1\n\ndata: 2\n\n")
    assert [("a", "7"), (None, None)] == [(e.name, e.id) for e in stream.events]
    assert [300] == [r.milliseconds for r in stream.retries]


def test_an_unfinished_event_is_kept_apart() -> None:
    stream = read(b"data: a\n\ndata: [DONE]\n")
    assert ["a"] == [e.data for e in stream.events]
    assert stream.unfinished is not None
    assert (False, "[DONE]") == (stream.unfinished.terminated, stream.unfinished.data)


def test_not_a_number_is_not_json() -> None:
    (event,) = read(b"data: NaN\n\n").events
    assert event.is_json is False


def test_the_parser_keeps_no_more_than_the_open_line() -> None:
    parser = Parser()
    most = 0
    for _ in range(2000):
        parser.feed(b"data: " + b"x" * 1000 + b"\n\ndata: y")
        parser.feed(b"\n\n")
        most = max(most, parser.pending)
    assert most <= 10


def test_nothing_may_be_fed_after_the_end() -> None:
    parser = Parser()
    parser.close()
    with pytest.raises(ValueError, match="closed"):
        parser.feed(b"x")


TOKENS = [b"data", b"event", b"id", b"retry", b":", b" ", b"\n", b"\r", b"\r\n", b"\xef\xbb\xbf", b"\xc3\xa9", b"\xff"]
BODIES = st.lists(st.sampled_from([*TOKENS, b"data: 1\n\n"]), max_size=16).map(b"".join)


def timeless(stream: Stream) -> object:
    return (
        [(e.index, e.name, e.data, e.start, e.data_start, e.end, e.lines, e.id) for e in stream.events],
        [(c.text, c.start, c.end) for c in stream.comments],
        [(r.milliseconds, r.start) for r in stream.retries],
        [(d.kind, d.start, d.end, d.event, d.detail) for d in stream.deviations],
        stream.unfinished and (stream.unfinished.data, stream.unfinished.start),
        (stream.bom, stream.size),
    )


def cutting_matters_not(data: bytes, at: list[int]) -> None:
    assert timeless(read(data)) == timeless(parse(cut(data, at)))
    assert timeless(read(data)) == timeless(parse(byte_by_byte(data)))


@settings(max_examples=25, deadline=None)
@given(BODIES, st.lists(st.integers(0, 60), max_size=6))
def test_the_cut_of_the_bytes_matters_not(data: bytes, at: list[int]) -> None:
    cutting_matters_not(data, at)


@pytest.mark.deep
@settings(max_examples=5000, deadline=None)
@given(BODIES, st.lists(st.integers(0, 60), max_size=6))
def test_the_cut_of_the_bytes_matters_not_deep(data: bytes, at: list[int]) -> None:
    cutting_matters_not(data, at)


@settings(max_examples=25, deadline=None)
@given(BODIES)
def test_every_byte_of_a_body_is_accounted_for(data: bytes) -> None:
    stream = read(data)
    ends = [event.end for event in stream.events]
    assert sorted(ends) == ends
    assert len(data) == stream.size
    assert all(0 <= d.start <= d.end <= len(data) for d in stream.deviations)
