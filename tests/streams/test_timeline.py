"""A failing stream as rows: the offending event or byte is marked, whatever the target sent."""

from __future__ import annotations

import pytest
from bad_events import EVENTS
from bad_streams import CHUNKS
from good_streams import ASK, CHAT, HELLO, good
from stream_stage import frames, seen, verdicts

from conformance.evidence.exchange import Exchange, Fault, FaultKind
from conformance.evidence.timeline import marks_of, render, timeline
from conformance.evidence.trace import Observation, Trace
from conformance.requests.request import Request

BAD = {f"{p.name}-{n}": p for n, p in enumerate(CHUNKS + EVENTS) if not isinstance(p.bad, Trace)}


def test_a_good_stream_has_a_row_per_event_and_no_mark() -> None:
    observation, _ = good()["chat"]
    rows = timeline(observation.exchange)
    assert ["answer", "event", "event", "event", "event", "event", "end"] == [row.kind for row in rows]
    assert not any(row.marks for row in rows)


@pytest.mark.parametrize("name", BAD)
def test_every_finding_is_marked_once(name: str) -> None:
    played = BAD[name]
    assert isinstance(played.bad, Observation)
    found = marks_of(verdicts(played.bad, played.version).values(), played.bad.case.id)
    rows = timeline(played.bad.exchange, found)
    assert sorted(check for check, _ in found) == sorted(mark.check for row in rows for mark in row.marks)


def test_the_mark_stands_at_the_event_that_is_wrong() -> None:
    observation = seen(CHAT, ASK, frames(HELLO[0], ": PROCESSING", *HELLO[1:]))
    found = marks_of(verdicts(observation).values(), observation.case.id)
    marked = [
        row.index for row in timeline(observation.exchange, found) if any(m.check == "sse.data.json" for m in row.marks)
    ]
    assert [1] == marked


def test_the_offending_bytes_are_shown() -> None:
    observation = seen(CHAT, ASK, frames(*HELLO[:3]) + b"data: caf\xe9\n\n")
    found = marks_of(verdicts(observation).values(), observation.case.id)
    text = render(timeline(observation.exchange, found))
    assert "sse.utf8: bytes that are not UTF-8 at byte" in text
    assert "caf\\xe9" in text


def test_a_finding_on_a_header_is_marked_at_the_answer() -> None:
    observation = seen(CHAT, ASK, frames(*HELLO), content_type=None)
    found = marks_of(verdicts(observation).values(), observation.case.id)
    rows = timeline(observation.exchange, found)
    assert "sse.content-type" in {mark.check for mark in rows[0].marks}


def test_control_characters_of_the_target_are_escaped() -> None:
    observation = seen(CHAT, ASK, b"data: \x1b[2Jhidden\x07\n\n")
    text = render(timeline(observation.exchange))
    assert "\x1b" not in text
    assert "\\x1b[2Jhidden\\x07" in text


def test_a_long_stream_is_shown_around_its_marks() -> None:
    events = [HELLO[0], *[HELLO[1]] * 500, "oops", *[HELLO[1]] * 500, HELLO[3]]
    observation = seen(CHAT, ASK, frames(*events))
    found = marks_of(verdicts(observation).values(), observation.case.id)
    lines = render(timeline(observation.exchange, found)).splitlines()
    assert len(lines) < 40
    assert any("oops" in line and line.startswith("✗") for line in lines)
    assert any("more" in line for line in lines)


def test_no_answer_is_a_timeline_too() -> None:
    exchange = Exchange(Request("POST", "http://x/"), None, Fault(FaultKind.READ_TIMEOUT, "silent for 1 s", 1.0))
    assert ["no answer", "read-timeout: silent for 1 s"] == [row.text for row in timeline(exchange)]
