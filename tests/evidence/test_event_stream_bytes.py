"""The stream parser's places, times and treatment of unusual bytes, at the ends of lines, chunks and the stream."""

from __future__ import annotations

import pytest

from conformance.evidence import event_stream
from conformance.evidence.event_stream import Deviation, Event, Kind, Parser, Stream, parse, stream_of
from conformance.evidence.exchange import Chunk, Response


def read(data: bytes) -> Stream:
    return parse((Chunk(0.5, data),))


@pytest.mark.parametrize("data", [b"\n\n\ndata: a\n\n", b"\r\n\r\ndata: a\r\n\r\n", b"\r\rdata: a\r\r", b"\n: c\n\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_blank_lines_are_no_deviation_wherever_the_bytes_are_cut(data: bytes, size: int) -> None:
    pieces = [Chunk(0.0, data[start : start + size]) for start in range(0, len(data), size)]
    assert () == parse(pieces).deviations


@pytest.mark.parametrize(
    "ends", [("\r", "\n"), ("\n", "\r"), ("\r\n", "\n"), ("\n", "\r\n"), ("\r\n", "\r"), ("\r", "\r\n")]
)
def test_line_ends_are_found_in_any_order(ends: tuple[str, str]) -> None:
    """Each kind ends a line, before and after the other kind. Their mixture is told once."""
    first, second = ends
    text = f"data: a{first}{first}data: b{first}{first}data: c{second}{second}data: d{first}{first}data: e{second * 2}"
    stream = read(text.encode())
    assert list("abcde") == [event.data for event in stream.events]
    assert [Kind.MIXED_LINE_ENDS] == [found.kind for found in stream.deviations]


def test_a_line_feed_at_the_very_beginning_ends_a_line_before_a_carriage_return() -> None:
    stream = read(b"\ndata: a\r\r")
    assert (["a"], [1]) == ([event.data for event in stream.events], [event.start for event in stream.events])
    assert [Kind.MIXED_LINE_ENDS] == [found.kind for found in stream.deviations]


def test_short_first_bytes_are_read_when_they_come() -> None:
    """They are held back only as long as they may become a byte order mark."""
    stream = parse((Chunk(1.0, b":\n"), Chunk(2.0, b"data: a\n\n")))
    assert [1.0] == [comment.at for comment in stream.comments]
    parser = Parser()
    parser.feed(b"\xef\xbb")
    assert (False, 2) == (parser.bom, parser.pending)
    parser.feed(b"\xbf")
    assert (True, 0) == (parser.bom, parser.pending)


def test_good_fields_are_no_deviation() -> None:
    assert () == read(b"event: a\nid: 1\nretry: 5\n: c\ndata: b\n\n").deviations


def test_events_are_counted_from_zero_and_deviations_say_how_many_came_before() -> None:
    stream = read(b"x: 1\ndata: a\n\ndata: b\n\nx: 2\ndata: c\n\nx: 3\n\n")
    assert [0, 1, 2] == [event.index for event in stream.events]
    assert ["event:0", "event:1", "event:2"] == [event.place for event in stream.events]
    assert [0, 2, 3] == [found.event for found in stream.deviations]


def test_times_are_zero_where_nobody_says_them() -> None:
    parser = Parser()
    items = parser.feed(b"data: a\n\nx") + parser.close()
    assert [0.0, 0.0, 0.0] == [item.at for item in items]


def test_an_event_ends_when_its_last_byte_comes_and_the_next_begins_after_it() -> None:
    stream = parse(
        (Chunk(1.0, b"data: a\n\n"), Chunk(2.0, b"data: b\n\n"), Chunk(3.0, b"d"), Chunk(4.0, b"ata: c\n\n"))
    )
    assert [(1.0, 1.0), (2.0, 2.0), (3.0, 4.0)] == [(event.first_at, event.at) for event in stream.events]


def test_what_the_end_cuts_off_is_told_with_its_place_and_reason() -> None:
    line, blank = read(b"data: a\n\ndata: b"), read(b"data: a\n\ndata: b\n")
    assert [Deviation(Kind.UNFINISHED_EVENT, 9, 16, 1, 0.5, "the last line has no end")] == list(line.deviations)
    assert [Deviation(Kind.UNFINISHED_EVENT, 9, 17, 1, 0.5, "no blank line after the last event")] == list(
        blank.deviations
    )
    assert line.unfinished is not None
    assert ("b", 9, 16, 1, False) == (
        line.unfinished.data,
        line.unfinished.data_start,
        line.unfinished.end,
        line.unfinished.index,
        line.unfinished.terminated,
    )


def test_a_last_line_without_an_end_is_read_where_it_is_a_comment_or_a_carriage_return() -> None:
    """A CR at the very end ends its line: no LF can follow any more."""
    assert [" x"] == [comment.text for comment in read(b"data: a\n\n: x").comments]
    assert (["a"], ()) == ([event.data for event in read(b"data: a\r\r").events], read(b"data: a\r\r").deviations)


def test_a_closed_parser_has_nothing_more_to_say() -> None:
    parser = Parser()
    parser.feed(b"data: a")
    assert 2 == len(parser.close(1.0))
    assert [] == parser.close(2.0)


def test_a_parser_counts_bytes_and_lines() -> None:
    parser = Parser()
    assert (0, 0, 0) == (parser.size, parser.pending, parser.lines)
    parser.feed(b"data: a\n\nda")
    assert (11, 2, 2) == (parser.size, parser.pending, parser.lines)
    parser.close()
    assert (11, 0, 2) == (parser.size, parser.pending, parser.lines)


def test_no_bytes_change_nothing() -> None:
    parser = Parser()
    assert [] == parser.feed(b"", 1.0)
    (event,) = parser.feed(b"data: a\n\n", 2.0)
    assert isinstance(event, Event)
    assert (2.0, 2.0) == (event.first_at, event.at)


@pytest.mark.parametrize(("flooded", "lines"), [(False, 3), (True, 4)])
def test_a_body_of_too_many_lines_is_not_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch, flooded: bool, lines: int
) -> None:
    monkeypatch.setattr(event_stream, "MOST_LINES", 3)
    stream = parse([Chunk(1.0, b":\n" * lines), Chunk(2.0, b"data: b\n\n")][: 1 + flooded])
    assert (flooded, lines, 0) == (stream.flooded, len(stream.comments), len(stream.events))


def test_no_body_is_no_stream() -> None:
    assert Stream() == parse(())
    assert ((), None, False, 0, False) == (
        parse(()).events,
        parse(()).unfinished,
        parse(()).bom,
        parse(()).size,
        parse(()).flooded,
    )


def test_a_parser_is_told_the_end_at_the_time_of_the_last_bytes() -> None:
    stream = parse((Chunk(1.0, b"data: a\n\n"), Chunk(7.0, b"data: b")))
    assert (7.0, 7.0) == (stream.unfinished and stream.unfinished.at, stream.deviations[0].at)


def test_lines_and_json_of_an_event() -> None:
    one, two, bad = read(b'data: {"a":\ndata: 1}\n\ndata: 7\n\ndata: {\n\n').events
    assert (2, True, {"a": 1}) == (one.lines, one.is_json, one.json)
    assert (1, True, 7) == (two.lines, two.is_json, two.json)
    assert (1, False, None) == (bad.lines, bad.is_json, bad.json)


def test_an_event_made_by_hand_is_whole_and_has_one_line() -> None:
    event = Event(0, None, "a", 0, 0, 9, 0.0, 0.0)
    assert (1, None, True) == (event.lines, event.id, event.terminated)


def test_a_blank_that_is_missing_is_told_only_where_there_is_a_value() -> None:
    assert [(Kind.NO_SPACE, 0, 7)] == [
        (d.kind, d.start, d.end) for d in read(b"data:a\ndata:\ndata\n\n").of(Kind.NO_SPACE)
    ]


def test_deviations_are_chosen_by_kind() -> None:
    stream = read(b"x: 1\nevent: a\nevent: b\ndata:c\n\n")
    assert [Kind.UNKNOWN_FIELD, Kind.NO_SPACE] == [d.kind for d in stream.of(Kind.NO_SPACE, Kind.UNKNOWN_FIELD)]


def test_details_are_short_and_name_the_field() -> None:
    short, long = read(b"x: 1\n\n").deviations[0], read(b"x: " + b"1" * 200 + b"\n\n").deviations[0]
    assert ("x: 1", 120) == (short.detail, len(long.detail))


def test_the_deviation_of_bytes_that_are_not_text_names_the_first_wrong_byte() -> None:
    (found,) = read(b"data: caf\xe9!\n\n").deviations
    assert (Kind.INVALID_UTF8, 9, 10) == (found.kind, found.start, found.end)
    assert found.detail.startswith("byte 0xe9: ")
    assert ["caf\ufffd!"] == [event.data for event in read(b"data: caf\xe9!\n\n").events]


def test_the_stream_of_an_answer_is_parsed_once() -> None:
    response = Response(200, (), (Chunk(0.0, b"data: a\n\n"),))
    assert ["a"] == [event.data for event in stream_of(response).events]
    assert stream_of(response) is stream_of(response)
