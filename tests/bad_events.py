"""Faulty streams with named events (Responses and assistants) that were reported from real servers, rebuilt."""

from __future__ import annotations

import json
from typing import Any

from bad_streams import Played
from good_streams import ASK_RESPONSE, ASK_RUN, RESPONSES, RUN, SPOKEN_RESPONSE, SPOKEN_RUN, good, named, played
from stream_stage import V1, frame, seen

from conformance.evidence.trace import Observation

GOOD = good()
_OK_RUN, _OK_RESPONSE = GOOD["run"][0], GOOD["response"][0]
_REASONING = {"id": "msg_1", "type": "reasoning", "summary": [], "status": "in_progress"}
_NO_ITEM = [{**event, "item": None} if event["type"].endswith("item.added") else event for event in SPOKEN_RESPONSE]
_SKIPS = [
    {**event, "output_index": event["output_index"] + 1} if "output_index" in event else event
    for event in SPOKEN_RESPONSE
]


def response(*events: Any, done: bool = False) -> Observation:
    """A Responses stream of these events."""
    return seen(RESPONSES, ASK_RESPONSE, played(*events, done=done), V1)


def _no_numbers() -> bytes:
    bare = [{k: v for k, v in event.items() if k != "sequence_number"} for event in SPOKEN_RESPONSE]
    bare[1] = {**bare[1], "response": {k: v for k, v in bare[1]["response"].items() if k != "output"}}
    return b"".join(frame(event, event["type"]) for event in bare)


def _unnamed() -> bytes:
    return b"".join(frame({**event, "sequence_number": n}) for n, event in enumerate(SPOKEN_RESPONSE))


def _pretty() -> bytes:
    lines = json.dumps({**SPOKEN_RESPONSE[0], "sequence_number": 0}, indent=1).split("\n")
    first = "event: response.created\n" + "".join(f"data: {line}\n" for line in lines) + "\n"
    return first.encode() + played(*SPOKEN_RESPONSE[1:], first=1)


def _doubled() -> tuple[tuple[str, Any], ...]:
    return tuple(event for one in SPOKEN_RUN for event in ((one, one) if one[0].endswith(".created") else (one,)))


EVENTS: tuple[Played, ...] = (
    Played(
        "DIV-058",
        "no sequence numbers",
        seen(RESPONSES, ASK_RESPONSE, _no_numbers(), V1),
        ("responses.sequence-number", "sse.event.schema"),
        _OK_RESPONSE,
        V1,
    ),
    Played(
        "DIV-060",
        "three events only",
        response(SPOKEN_RESPONSE[0], SPOKEN_RESPONSE[6], SPOKEN_RESPONSE[13]),
        ("responses.announced",),
        _OK_RESPONSE,
        V1,
    ),
    Played(
        "DIV-060",
        "a delta and the end",
        response(SPOKEN_RESPONSE[4], SPOKEN_RESPONSE[13], done=True),
        ("responses.order", "responses.announced"),
        _OK_RESPONSE,
        V1,
    ),
    Played(
        "DIV-062",
        "an item that is null",
        response(*_NO_ITEM),
        ("responses.announced", "sse.event.schema"),
        _OK_RESPONSE,
        V1,
    ),
    Played("DIV-062", "indices with a gap", response(*_SKIPS), ("responses.announced",), _OK_RESPONSE, V1),
    Played(
        "DIV-063",
        "no terminal event",
        response(*SPOKEN_RESPONSE[:-1]),
        ("responses.terminal.once",),
        GOOD["response-cut"][0],
        V1,
    ),
    Played(
        "DIV-065",
        "an empty completed response",
        response(*SPOKEN_RESPONSE[:-1], {"type": "response.completed", "response": {"output": []}}),
        ("sse.event.schema", "responses.completed.equals"),
        _OK_RESPONSE,
        V1,
    ),
    Played(
        "DIV-067",
        "no end of the text",
        response(*SPOKEN_RESPONSE[:6], *SPOKEN_RESPONSE[7:]),
        ("responses.items.closed",),
        _OK_RESPONSE,
        V1,
    ),
    Played(
        "DIV-068",
        "content parts in a reasoning item",
        response(*SPOKEN_RESPONSE[:2], {**SPOKEN_RESPONSE[2], "item": _REASONING}, *SPOKEN_RESPONSE[3:]),
        ("responses.part.type",),
        _OK_RESPONSE,
        V1,
    ),
    Played(
        "DIV-069",
        "events without names",
        seen(RESPONSES, ASK_RESPONSE, _unnamed(), V1),
        ("responses.event.name",),
        _OK_RESPONSE,
        V1,
    ),
    Played(
        "DIV-071",
        "data over many lines",
        seen(RESPONSES, ASK_RESPONSE, _pretty(), V1),
        ("sse.data.one-line",),
        _OK_RESPONSE,
        V1,
    ),
    Played("DIV-076", "created twice", seen(RUN, ASK_RUN, named(_doubled())), ("assistants.order",), _OK_RUN),
)
