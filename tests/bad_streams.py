"""Faulty streams that were reported from real servers, rebuilt: the bytes, the check that reports them, the correct
stream.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from attrs import evolve, frozen
from good_streams import (
    ASK,
    ASK_TOOL,
    CALL,
    CHAT,
    COMPLETIONS,
    HELLO,
    ROLE,
    TOOL,
    TWO_CALLS,
    USAGE,
    chunk,
    good,
    text_chunk,
    tool,
)
from stream_stage import DATED, DONE, LATER, frame, frames, seen

from conformance.evidence.exchange import Fault, FaultKind
from conformance.evidence.trace import Observation, Trace
from conformance.requests.case import Expect

GOOD = good()

#: Defects that can't be shown by what a target sends, with the reason.
UNSEEN: Mapping[str, str] = {
    "DIV-019": "Both forms are right: a Responses stream may end with or without the sentinel, so there is nothing to "
    "catch. The terminal event is demanded instead (responses.terminal.once), and both forms pass.",
}


@frozen
class Played:
    """One defect. ``by`` are the checks that must object; ``shown_only``: legal, so it is shown and not scored."""

    id: str
    what: str
    bad: Observation | Trace
    by: tuple[str, ...]
    right: Observation | Trace
    version: str = DATED
    shown_only: bool = False

    @property
    def name(self) -> str:
        """For test ids."""
        return f"{self.id}-{self.what.replace(' ', '-')}"


def open_after(observation: Observation) -> Observation:
    """The body was left open after these bytes."""
    response = evolve(observation.response, complete=False)
    fault = Fault(FaultKind.READ_TIMEOUT, "silent for 60 s", 60.0)
    return Observation(observation.case, evolve(observation.exchange, response=response, fault=fault))


def chat(
    *data: Any, body: Mapping[str, Any] = ASK, done: bool = True, version: str = DATED, **more: Any
) -> Observation:
    """A chat stream of these chunks."""
    return seen(CHAT, body, frames(*data, done=done), version, **more)


def raw(data: bytes, body: Mapping[str, Any] = ASK, **more: Any) -> Observation:
    """A chat stream of these bytes."""
    return seen(CHAT, body, data, **more)


def plain(choice: Mapping[str, Any], body: Mapping[str, Any], version: str = DATED) -> Observation:
    """A chat answer in one piece."""
    value = {"id": "a", "object": "chat.completion", "created": 1, "model": "m", "usage": USAGE}
    whole = {**value, "choices": [{"index": 0, "logprobs": None, **choice}]}
    return seen(CHAT, body, json.dumps(whole).encode(), version, content_type="application/json")


def with_keys(events: tuple[dict[str, Any], ...], **keys: Any) -> list[dict[str, Any]]:
    """Chunks with further top-level keys."""
    return [{**one, **keys} for one in events]


def in_choice(event: Mapping[str, Any], **keys: Any) -> dict[str, Any]:
    """A chunk with changes in its one choice; ``...`` removes a key."""
    changed = {**event["choices"][0], **keys}
    return {**event, "choices": [{key: value for key, value in changed.items() if value is not ...}]}


def pair(text: str, finish: str) -> Trace:
    """A forced long task in one piece, and as a stream with this text and reason."""
    body = {**ASK, "max_tokens": 16, "stream": False}
    message = {"role": "assistant", "content": "one, two"}
    one = plain({"message": message, "finish_reason": "length"}, body)
    two = chat(chunk(ROLE), chunk({"content": text}), chunk({}, finish), body={**ASK, "max_tokens": 16})
    steps = ((one, "equality.length.plain"), (two, "equality.length.stream"))
    return Trace(
        "streams.equality.chat.completions",
        tuple(Observation(evolve(item.case, role=role), item.exchange) for item, role in steps),
    )


def _plain_call(**extra: Any) -> dict[str, Any]:
    call = {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}, **extra}
    return {"message": {"role": "assistant", "content": None, "tool_calls": [call]}, "finish_reason": "stop"}


_OK = GOOD["chat"][0]
_OK_TOOL, _OK_TWO, _OK_TEXT = GOOD["chat-tool"][0], GOOD["chat-two-tools"][0], GOOD["completions"][0]
_OK_USAGE = GOOD["chat-usage"][0]
_PLAIN_OK = plain(
    {"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}, {**ASK, "stream": False}
)
_ASK_USAGE = {**ASK, "stream_options": {"include_usage": True}}
_ASK_TOOLS = {**ASK, "tools": [TOOL]}
_REQUIRED = {**ASK, "tools": [TOOL], "tool_choice": "required"}
_USAGE_CHUNK = {**chunk({}), "choices": [], "usage": USAGE}
_NULL_USAGE = with_keys(HELLO, usage=None)
_REJECTED = raw(b"data: Number of choices must be positive.\n\n", {**ASK, "n": 0})
_ONE_KEY = [{**one, "id": f"chatcmpl-{n}"} for n, one in enumerate(HELLO)]
_CAPITALS = [{**in_choice(one, index=n), "id": f"chat.id.{n}", "IsDelta": True} for n, one in enumerate(HELLO)]
_COLLIDES = [*TWO_CALLS[:3], chunk(tool(0, "", id="call_2", type="function", name="look_up")), *TWO_CALLS[4:]]
_DICT = [
    chunk({"role": "assistant", **tool(0, "", id="c", type="function", name="look_up")}),
    chunk(tool(0, {"a": 1})),
    chunk({}, "stop"),
]  # type: ignore[arg-type]
_TAILS = {
    "DIV-044": ("an empty type in later deltas", {"type": ""}),
    "DIV-046": ("null id and name in later deltas", {"id": None}),
    "DIV-047": ("empty id in later deltas", {"id": ""}),
}

CHUNKS: tuple[Played, ...] = (
    Played("DIV-001", "no sentinel and left open", open_after(chat(*HELLO, done=False)), ("sse.ends",), _OK),
    Played("DIV-001", "no sentinel and a clean end", chat(*HELLO, done=False), ("sse.done.once",), _OK),
    Played(
        "DIV-003",
        "a failure ends the stream without a word",
        chat(*HELLO[:2], done=False),
        ("sse.done.once", "stream.finish-reason.once"),
        chat(*HELLO[:2], {"error": {"code": "x", "message": "It broke."}}),
    ),
    Played("DIV-003", "a failure stalls the stream", open_after(chat(*HELLO[:2], done=False)), ("sse.ends",), _OK),
    Played("DIV-004", "a refusal as text in an open stream", open_after(_REJECTED), ("sse.data.json", "sse.ends"), _OK),
    Played(
        "DIV-004",
        "a refusal as an event",
        Observation(evolve(_REJECTED.case, expect=Expect.REJECT), _REJECTED.exchange),
        ("stream.error.before-stream",),
        _OK,
    ),
    Played(
        "DIV-006", "no blank after data", raw(frames(*HELLO).replace(b"data: ", b"data:")), ("sse.data.space",), _OK
    ),
    Played(
        "DIV-007",
        "line ends that change",
        raw(b"".join(frame(one)[:-1] + b"\r\n" for one in HELLO) + DONE),
        ("sse.line-ends",),
        _OK,
    ),
    Played("DIV-008", "no content type", chat(*HELLO, content_type=None), ("sse.content-type",), _OK),
    Played("DIV-008", "labelled as JSON", chat(*HELLO, content_type="application/json"), ("sse.content-type",), _OK),
    Played(
        "DIV-009",
        "a stream that nobody asked for",
        raw(_PLAIN_OK.response.body + b"\n\ndata: [DONE]\n\n", {**ASK, "stream": False}),
        ("stream.only-when-asked",),
        _PLAIN_OK,
    ),
    Played("DIV-010", "a comment as an event", raw(frame(": PROCESSING") + frames(*HELLO)), ("sse.data.json",), _OK),
    Played("DIV-010", "an empty data line", raw(b"data: \n\n" + frames(*HELLO)), ("sse.data.json",), _OK),
    Played("DIV-012", "a bare colon", raw(b":\n\n" + frames(*HELLO)), ("sse.comments",), _OK, shown_only=True),
    Played(
        "DIV-015",
        "events of another kind",
        raw(frames(HELLO[0], done=False) + frame({"tool": "web"}, "tool.status") + frames(*HELLO[1:])),
        ("sse.event.unnamed",),
        _OK,
    ),
    Played("DIV-017", "two sentinels", raw(frames(*HELLO) + DONE), ("sse.done.once",), _OK),
    Played(
        "DIV-018",
        "a sentinel with more",
        raw(frames(*HELLO, "[DONE] ok", done=False)),
        ("sse.data.json", "sse.done.once"),
        _OK,
    ),
    Played(
        "DIV-020",
        "a cut stream with an invented end",
        pair("one", "stop"),
        ("stream.equals-plain",),
        pair("one, two", "length"),
    ),
    Played(
        "DIV-023", "ids and indices that count", chat(*_CAPITALS), ("stream.id.constant", "stream.choices.index"), _OK
    ),
    Played("DIV-024", "an id per chunk", chat(*_ONE_KEY), ("stream.id.constant",), _OK),
    Played(
        "DIV-025",
        "an id per completion chunk",
        seen(COMPLETIONS, _OK_TEXT.case.json, frames(text_chunk("Hi"), {**text_chunk("", "stop"), "id": "chatcmpl-2"})),
        ("stream.id.constant",),
        _OK_TEXT,
    ),
    Played("DIV-026", "no role first", chat(chunk({"content": "Hi"}), *HELLO[2:]), ("stream.role.first",), _OK),
    Played(
        "DIV-027",
        "an empty role",
        chat(HELLO[0], chunk({"role": "", "content": "Hi"}), HELLO[3]),
        ("sse.event.schema", "stream.role.once"),
        _OK,
    ),
    Played("DIV-030", "usage unasked", chat(*HELLO, _USAGE_CHUNK), ("stream.usage.only-when-asked",), _OK),
    Played(
        "DIV-031",
        "usage refused and sent",
        chat(*HELLO, _USAGE_CHUNK, body={**ASK, "stream_options": {"include_usage": False}}),
        ("stream.usage.only-when-asked",),
        _OK,
    ),
    Played(
        "DIV-032",
        "usage in every chunk",
        chat(*with_keys(HELLO, usage=USAGE), body=_ASK_USAGE, version=LATER),
        ("stream.usage.once",),
        _OK_USAGE,
        LATER,
    ),
    Played(
        "DIV-043", "two calls under one index", chat(*_COLLIDES, body=_ASK_TOOLS), ("stream.tool-calls.index",), _OK_TWO
    ),
    *(
        Played(
            id,
            what,
            chat(CALL[0], chunk(tool(0, "{}", **head)), CALL[3], body=ASK_TOOL),
            ("stream.tool-calls.tail",),
            _OK_TOOL,
        )
        for id, (what, head) in _TAILS.items()
    ),
    Played(
        "DIV-048",
        "an index outside a stream",
        plain(_plain_call(index=0), {**_ASK_TOOLS, "stream": False}),
        ("chat.tool.index-absent",),
        plain(_plain_call(), {**ASK_TOOL, "stream": False}),
        shown_only=True,
    ),
    Played(
        "DIV-049",
        "arguments as an object",
        chat(*_DICT, body=ASK_TOOL),
        ("stream.tool-calls.arguments.text",),
        _OK_TOOL,
    ),
    Played(
        "DIV-049",
        "parallel calls under index 0",
        chat(*_COLLIDES, body=_ASK_TOOLS),
        ("stream.tool-calls.index",),
        _OK_TWO,
    ),
    Played(
        "DIV-052",
        "tool_calls without a call",
        plain(
            {"message": {"role": "assistant", "content": "x", "tool_calls": []}, "finish_reason": "tool_calls"},
            {**_REQUIRED, "stream": False},
            LATER,
        ),
        ("chat.finish-reason.tool-calls", "chat.tool.required"),
        plain({**_plain_call(), "finish_reason": "tool_calls"}, {**_REQUIRED, "stream": False}, LATER),
        LATER,
    ),
    Played(
        "DIV-052",
        "tool_calls without a call in a stream",
        chat(*HELLO[:3], chunk({}, "tool_calls"), body=_ASK_TOOLS),
        ("stream.finish-reason.tool-calls",),
        _OK_TWO,
    ),
    Played(
        "DIV-053",
        "a required call that is prose",
        plain(
            {"message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"},
            {**_REQUIRED, "stream": False},
            LATER,
        ),
        ("chat.tool.required",),
        plain(_plain_call(), {**_REQUIRED, "stream": False}, LATER),
        LATER,
    ),
    Played(
        "DIV-053",
        "a required call that is prose in a stream",
        chat(*HELLO, body=_REQUIRED, version=LATER),
        ("stream.tool-calls.forced",),
        chat(*TWO_CALLS, body=_REQUIRED, version=LATER),
        LATER,
    ),
    Played(
        "DIV-055",
        "a limit reported as stop",
        pair("one, two", "stop"),
        ("stream.equals-plain",),
        pair("one, two", "length"),
    ),
    Played(
        "DIV-056",
        "an empty finish_reason",
        chat(*[in_choice(one, finish_reason="") for one in HELLO[:3]], HELLO[3]),
        ("stream.finish-reason.value",),
        _OK,
    ),
    Played(
        "DIV-056",
        "the word null",
        chat(in_choice(HELLO[0], finish_reason="null"), *HELLO[1:]),
        ("stream.finish-reason.value",),
        _OK,
    ),
    Played(
        "DIV-057",
        "no finish_reason and usage everywhere",
        chat(
            *[{**in_choice(one, finish_reason=...), "usage": {**dict.fromkeys(USAGE, 0)}} for one in HELLO[:3]],
            HELLO[3],
        ),
        ("stream.finish-reason.value", "sse.event.schema", "stream.usage.only-when-asked"),
        _OK,
    ),
)
