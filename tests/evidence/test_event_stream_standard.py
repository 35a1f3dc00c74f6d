"""The examples and the rules of the WHATWG HTML standard, section 9.2 "Server-sent events", read by our parser."""

from __future__ import annotations

import pytest

from conformance.evidence.event_stream import Kind, Stream, parse
from conformance.evidence.exchange import Chunk


def read(data: bytes) -> Stream:
    return parse((Chunk(0.0, data),))


#: The streams of section 9.2.6 with the events that the standard says are dispatched: (last event id, data).
EXAMPLES = [
    (b"data: YHOO\ndata: +2\ndata: 10\n\n", [(None, "YHOO\n+2\n10")]),
    (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [("1", "first event"), ("", "second event"), (None, " third event")],
    ),
    (b"data\n\ndata\ndata\n\ndata:", [(None, ""), (None, "\n")]),
    (b"data:test\n\ndata: test\n\n", [(None, "test"), (None, "test")]),
]


@pytest.mark.parametrize(("data", "events"), EXAMPLES)
def test_the_examples_of_the_standard(data: bytes, events: list[tuple[str | None, str]]) -> None:
    assert events == [(event.id, event.data) for event in read(data).events]


def test_a_comment_is_no_field() -> None:
    """A line that begins with a colon is ignored: it can neither begin an event nor be an unknown field."""
    stream = read(b": test stream\n\n:\n\n")
    assert ((" test stream", ""), (), ()) == (
        tuple(comment.text for comment in stream.comments),
        stream.events,
        stream.deviations,
    )


@pytest.mark.parametrize("digits", ["0", "300", "000000000000000001", "1234567890123456789"])
def test_a_reconnection_time_is_ascii_digits(digits: str) -> None:
    """Of more digits than any time needs, the first eighteen are kept."""
    stream = read(f"retry: {digits}\n\n".encode())
    assert ([int(digits[:18])], ()) == ([found.milliseconds for found in stream.retries], stream.deviations)


@pytest.mark.parametrize("value", ["", "²", "٣", "３", "1 ", "+1", "-1", "1.0", "0x1", "1_000", "soon"])
def test_what_is_not_ascii_digits_is_no_reconnection_time(value: str) -> None:
    """``isdigit`` alone is true for "²", which ``int`` refuses, and for digits of other scripts, which it takes."""
    stream = read(f"retry: {value}\n\n".encode())
    assert ((), [Kind.BAD_RETRY]) == (stream.retries, [found.kind for found in stream.deviations])


@pytest.mark.parametrize("name", ["Data", "DATA", " data", "data ", "Event", "Id", "Retry", "é"])
def test_the_names_of_fields_are_matched_exactly(name: str) -> None:
    stream = read(f"{name}: x\n\n".encode())
    assert ((), [Kind.UNKNOWN_FIELD]) == (stream.events, [found.kind for found in stream.deviations])


def test_an_id_with_a_null_is_ignored() -> None:
    (event,) = read(b"id: 1\nid: 2\x003\ndata: a\n\n").events
    assert "1" == event.id


def test_an_id_holds_for_its_event_alone() -> None:
    """The last event id of the standard lives on in a client; an event here says what stood in its own fields."""
    assert ["1", None] == [event.id for event in read(b"id: 1\ndata: a\n\ndata: b\n\n").events]


def test_the_last_name_counts() -> None:
    assert ["b"] == [event.name for event in read(b"event: a\nevent: b\ndata: c\n\n").events]


def test_fields_without_data_dispatch_nothing_and_are_forgotten() -> None:
    stream = read(b"event: a\nid: 1\n\ndata: b\n\n")
    assert [(None, None, "b")] == [(event.name, event.id, event.data) for event in stream.events]


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf"])
def test_one_byte_order_mark_is_left_out(mark: bytes) -> None:
    first, second = read(mark + b"data: a\n\n"), read(mark + mark + b"data: a\n\n")
    assert (True, ["a"], ()) == (first.bom, [event.data for event in first.events], first.deviations)
    assert (True, []) == (second.bom, [event.data for event in second.events])
    assert False is read(b"data: a\n\n").bom


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_a_byte_order_mark_may_come_in_pieces(cut: int) -> None:
    data = b"\xef\xbb\xbfdata: a\n\n"
    stream = parse((Chunk(1.0, data[:cut]), Chunk(2.0, data[cut:])))
    assert (True, ["a"], 3, len(data)) == (
        stream.bom,
        [event.data for event in stream.events],
        stream.events[0].start,
        stream.size,
    )


@pytest.mark.parametrize("data", [b"d", b"da", b"dat", b"\n\n\n", b"\xef", b"\xef\xbb", b"\xef\xbbdata", b""])
def test_what_only_begins_like_a_byte_order_mark_is_none(data: bytes) -> None:
    assert (False, len(data)) == (read(data).bom, read(data).size)
