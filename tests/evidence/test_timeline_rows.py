"""Timelines: rows in the order of the bytes, the marks of findings, and which rows of a long stream are shown."""

from __future__ import annotations

import pytest

from conformance.evidence.exchange import Chunk, Exchange, Fault, FaultKind, Response
from conformance.evidence.timeline import Mark, Row, escaped, marks_of, render, timeline, visible
from conformance.requests.request import Request
from conformance.verdict import Finding, Outcome, Verdict

ASKED = Request("GET", "http://t.example/p")
STREAM = (("Content-Type", "text/event-stream"),)
BODY = b"event: a\ndata: 1\n\n: hi\n\ndata: 2\n\ndata: 3"


def exchange(body: bytes = BODY, fault: Fault | None = None, *, complete: bool = True) -> Exchange:
    response = Response(200, STREAM, (Chunk(2.0, body),), complete, 3.0, 1.0, "OK")
    return Exchange(ASKED, response, fault)


def found(place: str, note: bool = False) -> tuple[str, Finding]:
    return "a.check", Finding("m", "id", place, "1", "2", note=note)


def test_rows_stand_in_the_order_of_the_bytes_with_their_times() -> None:
    wanted = [
        Row("answer", 1.0, 0, 0, "", "200 OK text/event-stream"),
        Row("event", 2.0, 0, 18, "a", "1", 0),
        Row("comment", 2.0, 18, 23, "", " hi"),
        Row("event", 2.0, 24, 33, "", "2", 1),
        Row("rest", 2.0, 33, 40, "", "3", 2),
        Row("end", 3.0, 40, 40, "", "end of the body"),
    ]
    assert wanted == list(timeline(exchange()))


@pytest.mark.parametrize(
    ("text", "fault", "complete"),
    [
        ("end of the body", None, True),
        ("the body stops here", None, False),
        ("closed: reset", Fault(FaultKind.CLOSED, "reset", 9.0), False),
    ],
)
def test_the_last_row_says_how_the_body_ended(text: str, fault: Fault | None, complete: bool) -> None:
    last = timeline(exchange(fault=fault, complete=complete))[-1]
    assert ("end", text, 9.0 if fault else 3.0, len(BODY)) == (last.kind, last.text, last.at, last.start)


def test_no_answer_has_the_time_of_its_fault() -> None:
    assert [Row("answer", 0.0, 0, 0, "", "no answer")] == list(timeline(Exchange(ASKED)))
    rows = timeline(Exchange(ASKED, None, Fault(FaultKind.DNS, "unknown", 4.0)))
    assert [
        Row("answer", 4.0, 0, 0, "", "no answer"),
        Row("end", 4.0, 0, 0, "", "dns: unknown"),
    ] == list(rows)


def test_an_answer_without_a_type_says_so() -> None:
    assert "200  no content type" == timeline(Exchange(ASKED, Response(200)))[0].text


@pytest.mark.parametrize(
    ("row", "place", "pointer", "byte"),
    [
        (1, "event:0", "", None),
        (3, "event:1/choices/0", "/choices/0", None),
        (4, "event:2", "", None),
        (5, "event:9", "", None),
        (1, "byte:0", "", 0),
        (1, "byte:17", "", 17),
        (2, "byte:18", "", 18),
        (5, "byte:23", "", 23),
        (3, "byte:24", "", 24),
        (4, "byte:39", "", 39),
        (5, "byte:40", "", 40),
        (0, "header:Content-Type", "header:Content-Type", None),
        (0, "xbyte:1", "xbyte:1", None),
        (0, "event:x", "event:x", None),
        (0, "", "", None),
    ],
)
def test_a_finding_is_marked_once_at_the_row_that_it_names(
    row: int, place: str, pointer: str, byte: int | None
) -> None:
    marked = {number: one.marks for number, one in enumerate(timeline(exchange(), [found(place)])) if one.marks}
    assert {row: (Mark("a.check", "m", "1", "2", pointer, byte, False),)} == marked


def test_marks_of_one_row_are_kept_in_order() -> None:
    rows = timeline(exchange(), [found("event:0"), found("event:0/x", note=True)])
    assert [("", False), ("/x", True)] == [(mark.pointer, mark.note) for mark in rows[1].marks]


def test_the_bytes_around_the_first_marked_byte_are_shown() -> None:
    body = b"data: " + bytes(range(65, 91)) * 4 + b"\n\n"
    rows = timeline(exchange(body), [found("byte:50"), found("byte:60")])
    assert body[26:74] == rows[1].bytes
    assert body[:29] == timeline(exchange(body), [found("byte:5")])[1].bytes
    assert body[:24] == timeline(exchange(body), [found("byte:0")])[1].bytes
    assert [b"", b"", b""] == [row.bytes for row in timeline(exchange(body), [found("event:0")])]


def test_marks_belong_to_the_case() -> None:
    mine, other = Finding("a", "mine"), Finding("b", "other")
    verdicts = [Verdict("x", "s", Outcome.FAIL, (mine, other)), Verdict("y", "s", Outcome.WARN, (mine,))]
    assert (("x", mine), ("y", mine)) == marks_of(verdicts, "mine")


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ("\\n", "\n"),
        ("\\x1b", "\x1b"),
        ("\\x7f\\x80\\x9f", "\x7f\x80\x9f"),
        ("\\u202a\\u202e", "\u202a\u202e"),
        ("\\u2066\\u2069", "\u2066\u2069"),
        (" ~\xa0\u2029\u202f\u2065\u206aé", " ~\xa0\u2029\u202f\u2065\u206aé"),
    ],
)
def test_what_steers_a_terminal_is_shown_escaped(shown: str, text: str) -> None:
    assert shown == escaped(text)


def test_a_text_of_several_lines_keeps_its_breaks_and_tabs_alone() -> None:
    assert "a\n\tb\\x1b[1m\\r" == visible("a\n\tb\x1b[1m\r")


# -- text -------------------------------------------------------------------------------------------------------------


def row(index: int, *marks: Mark, text: str = "t") -> Row:
    return Row("event", 1.5, index, index + 1, "", text, index, marks)


MARK = Mark("a.check", "wrong")


def numbers(text: str) -> list[str]:
    """The numbers of the events that are shown, "…n" where n are left out."""
    lines = [line.split() for line in text.splitlines() if "↳" not in line]
    return [f"…{words[1]}" if words[0] == "…" else words[words.index("event") + 1] for words in lines]


def test_a_short_timeline_is_shown_whole() -> None:
    assert [str(n) for n in range(6)] == numbers(render([row(n) for n in range(6)], most=6))


def test_of_a_long_timeline_the_ends_and_what_is_near_marks_are_shown() -> None:
    rows = [row(n, *([MARK] if n == 10 else [])) for n in range(20)]
    assert ["0", "1", "2", "…5", "8", "9", "10", "11", "12", "…5", "18", "19"] == numbers(render(rows, most=19))
    assert ["0", "1", "2", "…6", "9", "10", "11", "…6", "18", "19"] == numbers(render(rows, most=19, around=1))


def test_one_row_that_is_left_out_is_counted_too() -> None:
    rows = [row(n, *([MARK] if n == 6 else [])) for n in range(9)]
    assert ["0", "1", "2", "…1", "4", "5", "6", "7", "8"] == numbers(render(rows, most=8))


@pytest.mark.parametrize("marked", [0, 19])
def test_a_mark_at_an_end_shows_no_row_that_is_not_there(marked: int) -> None:
    rows = [row(n, *([MARK] if n == marked else [])) for n in range(20)]
    assert [["0", "1", "2", "…15", "18", "19"], ["0", "1", "2", "…14", "17", "18", "19"]][bool(marked)] == numbers(
        render(rows, most=19)
    )


def test_the_lines_of_a_marked_row() -> None:
    marks = (
        Mark("a.check", "wrong", "1", "", "/x", 7),
        Mark("b.check", "odd", "", "2", "", 7, note=True),
        Mark("c.check", "seen"),
    )
    whole = Row("event", 1.5, 3, 9, "name", "text", 4, marks, b"\xff'")
    assert [
        "✗    1.500s  3–9           event 4 [name]  text",
        "      ↳ a.check: wrong at /x",
        "        expected 1; came nothing",
        "      ↳ b.check: odd at byte 7",
        "        expected nothing; came 2",
        "      ↳ c.check: seen",
        '        bytes "\\xff\'"',
    ] == render([whole]).splitlines()


@pytest.mark.parametrize(
    ("flag", "marks"),
    [
        (" ", ()),
        ("·", (Mark("a", "m", note=True),)),
        ("✗", (Mark("a", "m"),)),
        ("✗", (Mark("a", "m", note=True), Mark("a", "m"))),
    ],
)
def test_the_flag_tells_findings_from_notes(flag: str, marks: tuple[Mark, ...]) -> None:
    assert flag == render([row(0, *marks)])[0]


@pytest.mark.parametrize("length", [1, 83, 84, 85, 500])
def test_a_line_is_no_wider_than_asked_for(length: int) -> None:
    """What is cut ends with a sign for it, and nothing is cut that fits."""
    line = render([row(0, text="x" * length)])
    head = line.index("x")
    assert (min(head + length, 120), head + length > 120) == (len(line), line.endswith("…"))


def test_a_narrow_timeline_still_shows_some_text() -> None:
    assert 19 == render([row(0, text="x" * 99)], width=10).count("x")


def test_a_row_without_a_number_is_told_by_its_kind() -> None:
    assert "    0.000s  0–0           answer  no answer" == render(timeline(Exchange(ASKED))[:1])[1:]


def test_of_forty_rows_all_are_shown_and_of_more_the_ends() -> None:
    forty = [row(number) for number in range(40)]
    assert 40 == len(numbers(render(forty)))
    assert ["0", "1", "2", "…36", "39", "40"] == numbers(render([*forty, row(40)]))


def cut(most: int) -> tuple[str, str]:
    """A text of twice the length, and what is shown of it: so many characters, the last of them a sign for the rest."""
    return "x" * (2 * most), "x" * (most - 1) + "…"


def test_names_places_and_values_are_cut() -> None:
    (name, name_shown), (pointer, _), (expected, expected_shown), (actual, actual_shown) = map(cut, (46, 80, 60, 80))
    mark = Mark("a.check", "m", expected, actual, pointer)
    head, where, values = render([Row("event", 0.0, 0, 1, name, "t", 0, (mark,))]).splitlines()
    assert f"event 0 [{name_shown}" in head
    assert 48 == len(head.partition("event 0")[2].partition("…")[0]) + 1
    assert f"      ↳ a.check: m at {'x' * 75}…" == where
    assert f"        expected {expected_shown}; came {actual_shown}" == values


def test_the_first_row_has_no_blanks_at_its_end_and_bytes_are_not_in_a_repr() -> None:
    response = Response(200, (("content-type", "a/b "),), reason="OK")
    assert "200 OK a/b" == timeline(Exchange(ASKED, response))[0].text
    assert "zzz" not in repr(Row("event", 0.0, 0, 1, bytes=b"zzz"))
