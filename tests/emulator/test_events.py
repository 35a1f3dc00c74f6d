"""Streams: every framing has the same events, a cut stream is incomplete, and delays are where they were configured."""

from __future__ import annotations

import pytest

from conformance.emulator.behaviour import Settings, StreamFaults
from conformance.emulator.events import Event, render
from conformance.evidence.event_stream import parse

EVENTS = [Event({"text": "naïve 日本語"}), Event("two\nlines", "named"), Event({"n": 1}), Event("[DONE]", "done")]
PLAIN = [("message", '{"text":"naïve 日本語"}'), ("named", "two\nlines"), ("message", '{"n":1}'), ("done", "[DONE]")]


def read(settings: Settings) -> list[tuple[str, str]]:
    chunks, complete = render(EVENTS, settings)
    assert complete
    return [(event.name or "message", event.data) for event in parse(chunks).events]


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(grouped_chunks=True),
        *(
            Settings(faults=StreamFaults(**{name: True}))
            for name in ("drip", "split", "crlf", "comments", "heartbeats")
        ),
        Settings(faults=StreamFaults(drip=True, crlf=True, comments=True, heartbeats=True)),
    ],
)
def test_a_reader_sees_the_same_events(settings: Settings) -> None:
    assert PLAIN == read(settings)


def test_drip_sends_single_bytes() -> None:
    chunks, _ = render(EVENTS, Settings(faults=StreamFaults(drip=True)))
    assert {1} == {len(chunk.data) for chunk in chunks}


def test_split_ends_chunks_inside_code_points() -> None:
    chunks, _ = render(EVENTS, Settings(faults=StreamFaults(split=True)))
    broken = [chunk for chunk in chunks if chunk.data[0] & 0xC0 == 0x80]
    assert len(broken) == sum(len(char.encode()) - 1 for char in "ï日本語")


def test_a_cut_stream_is_not_complete() -> None:
    chunks, complete = render(EVENTS, Settings(faults=StreamFaults(cut=2)))
    assert (False, 2) == (complete, len(parse(chunks).events))


def test_a_cut_behind_the_end_cuts_nothing() -> None:
    assert render(EVENTS, Settings(faults=StreamFaults(cut=4)))[1]


def test_times_follow_latency_interval_and_stall() -> None:
    settings = Settings(latency=1.0, interval=0.5, faults=StreamFaults(stall=3.0))
    assert [1.0, 4.5, 5.0, 5.5] == [chunk.at for chunk in render(EVENTS, settings)[0]]


def test_settings_survive_the_way_to_a_child_process() -> None:
    settings = Settings(key="k", tokens=("t",), latency=0.25, faults=StreamFaults(cut=3, crlf=True))
    assert settings == Settings.from_json(settings.to_json())
    assert "emulator-key" not in repr(Settings())
