"""Correct streams of every protocol, written by hand. Other tests change them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stream_stage import DATED, DONE, LATER, V1, frame, frames, seen

from conformance.evidence.trace import Observation

CHAT, COMPLETIONS = "chat.completions.create", "completions.create"
RUN, SUBMIT, RESPONSES = "threads.runs.create", "threads.runs.submit_tool_outputs", "responses.create"

MESSAGES = [{"role": "user", "content": "Say hello."}]
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
FORCED = {"type": "function", "function": {"name": "look_up"}}

_HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "gpt-4o"}
_SAFE = {"hate": {"filtered": False, "severity": "safe"}}


def chunk(delta: Mapping[str, Any] | None, finish: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    """One chat chunk with one choice."""
    choice = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": None}
    return {
        **_HEAD,
        "choices": [{key: value for key, value in choice.items() if key != "delta" or delta is not None}],
        **more,
    }


FILTER_FIRST = {
    "id": "",
    "object": "",
    "created": 0,
    "model": "",
    "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": _SAFE}],
    "choices": [],
}


def annotation(offset: int, index: int = 0) -> dict[str, Any]:
    """A chunk of the asynchronous filter: no delta."""
    offsets = {"check_offset": offset, "start_offset": 0, "end_offset": offset}
    choice = {
        "index": index,
        "finish_reason": None,
        "content_filter_results": _SAFE,
        "content_filter_offsets": offsets,
    }
    return {"id": "", "object": "", "created": 0, "model": "", "choices": [choice]}


def tool(index: int = 0, arguments: str = "", **head: Any) -> dict[str, Any]:
    """A delta with one tool-call fragment; ``head`` holds id, type and name where it begins a call."""
    function: dict[str, Any] = {"arguments": arguments}
    if "name" in head:
        function = {"name": head.pop("name"), **function}
    return {"tool_calls": [{"index": index, **head, "function": function}]}


ROLE = {"role": "assistant", "content": ""}
HELLO = (chunk(ROLE), chunk({"content": "Hel"}), chunk({"content": "lo ☀"}), chunk({}, "stop"))
ASK = {"messages": MESSAGES, "stream": True}
ASK_TOOL = {**ASK, "tools": [TOOL], "tool_choice": FORCED}
USAGE = {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}

CALL = (
    chunk({"role": "assistant", "content": None, **tool(0, "", id="call_1", type="function", name="look_up")}),
    chunk(tool(0, '{"a"')),
    chunk(tool(0, ":1}")),
    chunk({}, "stop"),
)
TWO_CALLS = (
    chunk({"role": "assistant", "content": None}),
    chunk(tool(0, "", id="call_1", type="function", name="look_up")),
    chunk(tool(0, "{}")),
    chunk(tool(1, "", id="call_2", type="function", name="look_up")),
    chunk(tool(1, "{}")),
    chunk({}, "tool_calls"),
)


def token(text: str) -> dict[str, Any]:
    """The log probability of one token."""
    return {"token": text, "logprob": -0.5, "bytes": list(text.encode()), "top_logprobs": []}


def spoken(text: str) -> dict[str, Any]:
    """A chunk with text and its log probabilities."""
    made = chunk({"content": text})
    made["choices"][0]["logprobs"] = {"content": [token(text)], "refusal": None}
    return made


def text_chunk(text: str, finish: str | None = None, index: int = 0, logprobs: Any = None) -> dict[str, Any]:
    """One completion chunk."""
    choice = {"text": text, "index": index, "finish_reason": finish, "logprobs": logprobs}
    return {"id": "cmpl-1", "object": "text_completion", "created": 1700000000, "model": "m", "choices": [choice]}


def _run(status: str, **more: Any) -> dict[str, Any]:
    made = dict.fromkeys(("required_action", "last_error", "expires_at", "started_at", "cancelled_at"))
    made |= dict.fromkeys(("failed_at", "completed_at", "incomplete_details", "usage", "temperature", "top_p"))
    made |= {"max_prompt_tokens": 256, "max_completion_tokens": 256, "truncation_strategy": {"type": "auto"}}
    made |= {"id": "run_1", "object": "thread.run", "created_at": 1, "thread_id": "thread_1", "assistant_id": "asst_1"}
    made |= {"model": "gpt-4o", "instructions": "", "tools": [], "metadata": {}, "response_format": "auto"}
    made |= {"tool_choice": "auto", "parallel_tool_calls": True}
    return {**made, "expires_at": 9, "started_at": 1, "status": status, **more}


def _step(status: str, details: Mapping[str, Any]) -> dict[str, Any]:
    made = dict.fromkeys(("last_error", "expired_at", "cancelled_at", "failed_at", "completed_at", "usage"))
    made |= {"id": "step_1", "object": "thread.run.step", "created_at": 1, "assistant_id": "asst_1", "metadata": {}}
    made |= {"thread_id": "thread_1", "run_id": "run_1", "type": details["type"], "step_details": dict(details)}
    return {**made, "status": status}


def _message(status: str, *texts: str) -> dict[str, Any]:
    content = [{"type": "text", "text": {"value": text, "annotations": []}} for text in texts]
    made = dict.fromkeys(("incomplete_details", "completed_at", "incomplete_at", "attachments"))
    made |= {"id": "msg_1", "object": "thread.message", "created_at": 1, "thread_id": "thread_1", "role": "assistant"}
    made |= {"content": content, "assistant_id": "asst_1", "run_id": "run_1", "metadata": {}, "file_ids": []}
    return {**made, "status": status}


def _delta(text: str) -> dict[str, Any]:
    part = {"index": 0, "type": "text", "text": {"value": text, "annotations": []}}
    return {"id": "msg_1", "object": "thread.message.delta", "delta": {"role": "assistant", "content": [part]}}


_SPEAKS = {"type": "message_creation", "message_creation": {"message_id": "msg_1"}}

SPOKEN_RUN: tuple[tuple[str, Any], ...] = (
    ("thread.run.created", _run("queued")),
    ("thread.run.queued", _run("queued")),
    ("thread.run.in_progress", _run("in_progress")),
    ("thread.run.step.created", _step("in_progress", _SPEAKS)),
    ("thread.run.step.in_progress", _step("in_progress", _SPEAKS)),
    ("thread.message.created", _message("in_progress")),
    ("thread.message.in_progress", _message("in_progress")),
    ("thread.message.delta", _delta("Hello")),
    ("thread.message.delta", _delta(" there")),
    ("thread.message.completed", _message("completed", "Hello there")),
    ("thread.run.step.completed", _step("completed", _SPEAKS)),
    ("thread.run.completed", _run("completed")),
    ("done", "[DONE]"),
)


def _called(arguments: str) -> dict[str, Any]:
    return {"id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": arguments}}


def _grown(arguments: str, **head: Any) -> dict[str, Any]:
    call = {
        "index": 0,
        "type": "function",
        **head,
        "function": {"arguments": arguments, **({"name": "look_up"} if head else {})},
    }
    details = {"type": "tool_calls", "tool_calls": [call]}
    return {"id": "step_1", "object": "thread.run.step.delta", "delta": {"step_details": details}}


_CALLS = {"type": "tool_calls", "tool_calls": []}
_ACTION = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [_called('{"a":1}')]}}

WAITING_RUN: tuple[tuple[str, Any], ...] = (
    *SPOKEN_RUN[:3],
    ("thread.run.step.created", _step("in_progress", _CALLS)),
    ("thread.run.step.in_progress", _step("in_progress", _CALLS)),
    ("thread.run.step.delta", _grown("", id="call_1")),
    ("thread.run.step.delta", _grown('{"a"')),
    ("thread.run.step.delta", _grown(":1}")),
    ("thread.run.requires_action", _run("requires_action", required_action=_ACTION)),
    ("done", "[DONE]"),
)
RESUMED_RUN = (
    ("thread.run.step.completed", _step("completed", _SPEAKS)),
    ("thread.run.queued", _run("queued")),
    ("thread.run.in_progress", _run("in_progress")),
    ("thread.run.completed", _run("completed")),
    ("done", "[DONE]"),
)
FAILED_RUN = (
    *SPOKEN_RUN[:3],
    ("thread.run.failed", _run("failed", last_error={"code": "server_error", "message": "It failed."})),
    ("done", "[DONE]"),
)


def named(events: Iterable[tuple[str, Any]]) -> bytes:
    """Named events."""
    return b"".join(frame(data, name) for name, data in events)


def _response(status: str, output: Sequence[Any]) -> dict[str, Any]:
    made = dict.fromkeys(("error", "incomplete_details", "instructions", "user", "usage", "temperature"))
    made |= dict.fromkeys(("top_p", "max_output_tokens", "previous_response_id", "reasoning", "truncation"))
    made |= {"id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-4o", "metadata": {}, "tools": []}
    made |= {"parallel_tool_calls": True, "tool_choice": "auto", "text": {"format": {"type": "text"}}}
    return {**made, "status": status, "output": list(output), "temperature": 1.0, "top_p": 1.0}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": []}


def _item(status: str, *parts: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": status, "content": list(parts)}


def _function(status: str, arguments: str) -> dict[str, Any]:
    made = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "look_up"}
    return {**made, "status": status, "arguments": arguments}


def played(*events: Mapping[str, Any], done: bool = False, first: int = 0) -> bytes:
    """Responses events with names and sequence numbers."""
    numbered = [{**event, "sequence_number": first + number} for number, event in enumerate(events)]
    return b"".join(frame(event, str(event["type"])) for event in numbered) + (DONE if done else b"")


_AT = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
_FC = {"item_id": "fc_1", "output_index": 1}
SPOKEN_RESPONSE: tuple[dict[str, Any], ...] = (
    {"type": "response.created", "response": _response("in_progress", [])},
    {"type": "response.in_progress", "response": _response("in_progress", [])},
    {"type": "response.output_item.added", "output_index": 0, "item": _item("in_progress")},
    {"type": "response.content_part.added", **_AT, "part": _part("")},
    {"type": "response.output_text.delta", **_AT, "delta": "Hel"},
    {"type": "response.output_text.delta", **_AT, "delta": "lo"},
    {"type": "response.output_text.done", **_AT, "text": "Hello"},
    {"type": "response.content_part.done", **_AT, "part": _part("Hello")},
    {"type": "response.output_item.done", "output_index": 0, "item": _item("completed", _part("Hello"))},
    {"type": "response.output_item.added", "output_index": 1, "item": _function("in_progress", "")},
    {"type": "response.function_call_arguments.delta", **_FC, "delta": "{}"},
    {"type": "response.function_call_arguments.done", **_FC, "arguments": "{}"},
    {"type": "response.output_item.done", "output_index": 1, "item": _function("completed", "{}")},
    {
        "type": "response.completed",
        "response": _response("completed", [_item("completed", _part("Hello")), _function("completed", "{}")]),
    },
)
CUT_RESPONSE = (
    *SPOKEN_RESPONSE[:6],
    {"type": "response.incomplete", "response": _response("incomplete", [_item("incomplete", _part("Hello"))])},
)
FAILED_RESPONSE = (
    *SPOKEN_RESPONSE[:2],
    {
        "type": "response.failed",
        "response": {**_response("failed", []), "error": {"code": "server_error", "message": "No."}},
    },
)
ASK_RESPONSE = {"model": "gpt-4o", "input": "Say hello.", "stream": True}
ASK_RUN = {"assistant_id": "asst_1", "stream": True}
ASK_SUBMIT = {"tool_outputs": [{"tool_call_id": "call_1", "output": "1"}], "stream": True}

TRANSCRIPT = (
    {"type": "transcript.text.delta", "delta": "Hello"},
    {"type": "transcript.text.delta", "delta": " there"},
    {"type": "transcript.text.done", "text": "Hello there"},
)
SPEECH = (
    {"type": "speech.audio.delta", "audio": "AAAA"},
    {"type": "speech.audio.done", "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}},
)
ASK_SPEECH = {"model": "tts", "input": "Hi", "voice": "alloy", "stream_format": "sse"}


def good() -> Mapping[str, tuple[Observation, str]]:
    """Good streams of every protocol by name, each with its version."""
    ask_usage = {**ASK, "stream_options": {"include_usage": True}}
    nulls = [{**one, "usage": None} for one in HELLO]
    last = {**_HEAD, "choices": [], "usage": USAGE}
    two = (
        chunk(ROLE), chunk(ROLE, index=1), chunk({"content": "a"}), chunk({"content": "b"}, index=1),
        chunk({}, "stop", index=1), chunk({}, "length"),
    )  # fmt: skip
    lists = {"tokens": ["Hi"], "token_logprobs": [-0.5], "top_logprobs": [{"Hi": -0.5}], "text_offset": [0]}
    table: dict[str, tuple[str, Mapping[str, Any], bytes, str]] = {
        "chat": (CHAT, ASK, frames(*HELLO), DATED),
        "chat-v1": (CHAT, {**ASK, "model": "gpt-4o"}, frames(*HELLO), V1),
        "chat-filter-first": (CHAT, ASK, frames(FILTER_FIRST, *HELLO), DATED),
        "chat-async-filter": (
            CHAT, ASK, frames(FILTER_FIRST, *HELLO[:2], annotation(3), *HELLO[2:], annotation(7)), DATED,
        ),
        "chat-n2": (CHAT, {**ASK, "n": 2}, frames(*two), DATED),
        "chat-tool": (CHAT, ASK_TOOL, frames(*CALL), DATED),
        "chat-two-tools": (CHAT, {**ASK, "tools": [TOOL]}, frames(*TWO_CALLS), DATED),
        "chat-usage": (CHAT, ask_usage, frames(*nulls, last), LATER),
        "chat-logprobs": (
            CHAT, {**ASK, "logprobs": True, "top_logprobs": 1},
            frames(HELLO[0], spoken("Hel"), spoken("lo"), HELLO[3]), DATED,
        ),
        "chat-filtered": (CHAT, ASK, frames(*HELLO[:2], chunk({}, "content_filter")), DATED),
        "completions": (
            COMPLETIONS, {"prompt": "a", "stream": True}, frames(text_chunk("Hi"), text_chunk("", "stop")), DATED,
        ),
        "completions-n2": (
            COMPLETIONS, {"prompt": ["a", "b"], "stream": True},
            frames(text_chunk("Hi"), text_chunk("Ho", "stop", 1), text_chunk("", "length")), DATED,
        ),
        "completions-logprobs": (
            COMPLETIONS, {"prompt": "a", "stream": True, "logprobs": 1},
            frames(text_chunk("Hi", logprobs=lists), text_chunk("", "stop")), DATED,
        ),
        "run": (RUN, ASK_RUN, named(SPOKEN_RUN), DATED),
        "run-waits": (RUN, ASK_RUN, named(WAITING_RUN), DATED),
        "run-resumed": (SUBMIT, ASK_SUBMIT, named(RESUMED_RUN), DATED),
        "run-failed": (RUN, ASK_RUN, named(FAILED_RUN), DATED),
        "response": (RESPONSES, ASK_RESPONSE, played(*SPOKEN_RESPONSE), V1),
        "response-done": (RESPONSES, ASK_RESPONSE, played(*SPOKEN_RESPONSE, done=True), V1),
        "response-from-1": (RESPONSES, ASK_RESPONSE, played(*SPOKEN_RESPONSE, first=1), V1),
        "response-cut": (RESPONSES, ASK_RESPONSE, played(*CUT_RESPONSE), V1),
        "response-failed": (RESPONSES, ASK_RESPONSE, played(*FAILED_RESPONSE), V1),
        "speech": ("audio.speech.create", ASK_SPEECH, frames(*SPEECH, done=False), V1),
        "transcript": ("audio.transcriptions.create", {"stream": True}, frames(*TRANSCRIPT, done=False), V1),
    }  # fmt: skip
    return {name: (seen(op, body, data, version), version) for name, (op, body, data, version) in table.items()}
