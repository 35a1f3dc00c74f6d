"""Legal streams, and habits of the service, lead to no finding that counts."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from attrs import evolve
from good_streams import (
    ASK,
    ASK_RESPONSE,
    ASK_RUN,
    ASK_TOOL,
    CALL,
    CHAT,
    COMPLETIONS,
    FILTER_FIRST,
    HELLO,
    RESPONSES,
    ROLE,
    RUN,
    SPOKEN_RESPONSE,
    SPOKEN_RUN,
    USAGE,
    annotation,
    chunk,
    good,
    named,
    played,
    text_chunk,
)
from stream_stage import DATED, DONE, LATER, V1, failed, frame, frames, noted, seen

from conformance._parts import part
from conformance.evidence.event_stream import BOM
from conformance.evidence.trace import Observation
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of

rechunk = part("strategies.rechunk")
byte_by_byte = rechunk.byte_by_byte
in_one_block = rechunk.in_one_block
rechunked = rechunk.rechunked


def each_event(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    return b"".join(change(event + b"\n\n") for event in data.split(b"\n\n") if event)


#: Legal framings of the same events.
FRAMINGS: dict[str, Callable[[bytes], bytes]] = {
    "lf": lambda data: data,
    "crlf": lambda data: data.replace(b"\n", b"\r\n"),
    "cr": lambda data: data.replace(b"\n", b"\r"),
    "bom": lambda data: BOM + data,
    "comments": lambda data: each_event(data, lambda event: b": a comment\n" + event),
    "empty-comments": lambda data: each_event(data, lambda event: b":\n" + event),
    "heartbeats": lambda data: each_event(data, lambda event: b": ping\n\n" + event),
    "comment-at-the-end": lambda data: data + b": bye\n\n",
    "blank-lines": lambda data: each_event(data, lambda event: b"\n\n" + event + b"\n"),
    "retry": lambda data: b"retry: 3000\n\n" + data,
    "ids": lambda data: each_event(data, lambda event: b"id: 1\n" + event),
    "unknown-field-of-the-event": lambda data: each_event(data, lambda event: b"trace: abc\n" + event),
}


def framed(observation: Observation, change: Callable[[bytes], bytes]) -> Observation:
    exchange, response = observation.exchange, observation.response
    return Observation(observation.case, evolve(exchange, response=response.with_body(change(response.body))))


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("name", good())
def test_a_legal_framing_raises_nothing(name: str, framing: str) -> None:
    observation, version = good()[name]
    assert set() == failed(framed(observation, FRAMINGS[framing]), version)


@pytest.mark.parametrize("cut", [byte_by_byte, in_one_block], ids=["byte-by-byte", "one-block"])
@pytest.mark.parametrize("name", good())
def test_the_arrival_raises_nothing(name: str, cut: Callable[[bytes], object]) -> None:
    observation, version = good()[name]
    chunks = cut(observation.response.body)
    exchange = evolve(observation.exchange, response=rechunked(observation.response, chunks))  # type: ignore[arg-type]
    assert set() == failed(Observation(observation.case, exchange), version)


_NEW = {"type": "response.future_tool.progress", "output_index": 0, "item_id": "msg_1", "note": 1}
_LATE = {**chunk({}), "choices": []}
_NOT_RUN = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}
UNFILTERED = {**chunk({}), "choices": [{**chunk({}, "stop")["choices"][0], "content_filter_result": _NOT_RUN}]}


def streams_in(version: str) -> bool:
    return operations_of(load(version))[CHAT].stream is not None


#: Habits of the service, and what it may add tomorrow.
HABITS: dict[str, tuple[Observation, str]] = {
    "chunk-of-filters-first": (seen(CHAT, ASK, frames(FILTER_FIRST, *HELLO)), DATED),
    "old-name-of-the-filters": (seen(CHAT, ASK, frames({**FILTER_FIRST, "prompt_annotations": []}, *HELLO)), DATED),
    "filter-chunk-with-usage-null": (seen(CHAT, ASK, frames({**FILTER_FIRST, "usage": None}, *HELLO)), DATED),
    "asynchronous-filter": (seen(CHAT, ASK, frames(*HELLO, annotation(4), annotation(9))), DATED),
    "filter-that-did-not-run": (
        seen(CHAT, ASK, frames(*HELLO[:3], UNFILTERED)),
        DATED,
    ),
    "blocked-by-the-asynchronous-filter": (
        seen(
            CHAT,
            ASK,
            frames(
                *HELLO[:3],
                chunk({}, "stop"),
                {**annotation(4), "choices": [{**annotation(4)["choices"][0], "finish_reason": "content_filter"}]},
            ),
        ),
        DATED,
    ),
    "several-events-in-one-block": (seen(CHAT, ASK, frames(FILTER_FIRST, *HELLO)), DATED),
    "chunk-without-choices-at-the-end": (seen(CHAT, ASK, frames(*HELLO, _LATE)), DATED),
    "unknown-fields": (
        seen(CHAT, ASK, frames(*[{**one, "service_tier": None, "obfuscation": "x9"} for one in HELLO])),
        DATED,
    ),
    "usage-null-everywhere": (seen(CHAT, ASK, frames(*[{**one, "usage": None} for one in HELLO])), DATED),
    "usage-missing-after-a-filter": (
        seen(
            CHAT,
            {**ASK, "stream_options": {"include_usage": True}},
            frames(*({**one, "usage": None} for one in (*HELLO[:2], chunk({}, "content_filter")))),
            LATER,
        ),
        LATER,
    ),
    "forced-call-ends-with-tool_calls": (seen(CHAT, ASK_TOOL, frames(*CALL[:3], chunk({}, "tool_calls"))), DATED),
    "call-cut-by-a-limit": (seen(CHAT, ASK_TOOL, frames(*CALL[:2], chunk({}, "length"))), DATED),
    "empty-answer": (seen(CHAT, ASK, frames(chunk(ROLE), chunk({}, "stop"))), DATED),
    "everything-in-one-delta": (
        seen(CHAT, ASK, frames(chunk({"role": "assistant", "content": "Hi"}, "stop"))),
        DATED,
    ),
    "charset": (seen(CHAT, ASK, frames(*HELLO), content_type="text/event-stream; charset=utf-8"), DATED),
    "error-event": (seen(CHAT, ASK, frames(*HELLO[:2], {"error": {"code": "x", "message": "It broke."}})), DATED),
    "named-error-event": (
        seen(CHAT, ASK, frames(*HELLO[:2], done=False) + frame({"error": {"message": "It broke."}}, "error")),
        DATED,
    ),
    "completion-with-a-filter-chunk": (
        seen(COMPLETIONS, {"prompt": "a", "stream": True}, frames(FILTER_FIRST, text_chunk("Hi", "stop"))),
        DATED,
    ),
    "future-event-of-a-run": (
        seen(RUN, ASK_RUN, named((*SPOKEN_RUN[:3], ("thread.run.dreaming", {"id": "run_1"}), *SPOKEN_RUN[3:]))),
        DATED,
    ),
    "incomplete-run": (
        seen(
            RUN,
            ASK_RUN,
            named(
                (
                    *SPOKEN_RUN[:11],
                    ("thread.run.incomplete", {**SPOKEN_RUN[11][1], "status": "incomplete"}),
                    SPOKEN_RUN[12],
                )
            ),
        ),
        DATED,
    ),
    "queued-not-announced": (seen(RUN, ASK_RUN, named((SPOKEN_RUN[0], *SPOKEN_RUN[2:]))), DATED),
    "future-event-of-a-response": (
        seen(RESPONSES, ASK_RESPONSE, played(*SPOKEN_RESPONSE[:3], _NEW, *SPOKEN_RESPONSE[3:]), V1),
        V1,
    ),
    "gaps-in-the-sequence": (
        seen(RESPONSES, ASK_RESPONSE, played(*SPOKEN_RESPONSE[:4]) + played(*SPOKEN_RESPONSE[4:], first=40), V1),
        V1,
    ),
    "bare-error-ends-a-response": (
        seen(
            RESPONSES,
            ASK_RESPONSE,
            played(
                *SPOKEN_RESPONSE[:5], {"type": "error", "code": "server_error", "message": "It broke.", "param": None}
            ),
            V1,
        ),
        V1,
    ),
    "usage-asked-for": (
        seen(
            CHAT,
            {**ASK, "stream_options": {"include_usage": True}},
            frames(*({**one, "usage": None} for one in HELLO), {**_LATE, "usage": USAGE}),
            LATER,
        ),
        LATER,
    ),
}


@pytest.mark.parametrize("name", HABITS)
def test_a_habit_of_the_service_raises_nothing(name: str) -> None:
    assert set() == failed(*HABITS[name])


CHATS = [version for version in versions() if CHAT in operations_of(load(version)) and streams_in(version)]


@pytest.mark.parametrize("version", CHATS)
@pytest.mark.parametrize("name", [name for name, (one, _) in HABITS.items() if one.case.operation == CHAT])
def test_a_habit_of_the_service_raises_nothing_in_any_version(name: str, version: str) -> None:
    observation, _ = HABITS[name]
    assert set() == failed(observation, version)


def test_an_unknown_event_is_a_note() -> None:
    assert "sse.event.schema" in noted(*HABITS["future-event-of-a-run"])
    assert "sse.event.schema" in noted(*HABITS["future-event-of-a-response"])


def test_comments_are_shown_and_not_scored() -> None:
    observation = seen(CHAT, ASK, b": ping\n\n" + frames(*HELLO, done=False) + DONE)
    assert ({"sse.comments"}, set()) == (noted(observation) - {"http.request-id"}, failed(observation))


def test_a_plain_answer_is_left_alone() -> None:
    body = {"id": "a", "object": "chat.completion", "created": 1, "model": "m", "choices": [], "usage": USAGE}
    observation = seen(
        CHAT, {**ASK, "stream": False}, json.dumps(body).encode(), content_type="application/json; charset=utf-8"
    )
    assert "stream.only-when-asked" not in failed(observation)
