"""Checks of tool calls in chat completions that are not streamed: calls that must, may or must not be there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.checks.inference.chat import CHAT, posted
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import on_json
from conformance.requests.request import Request
from conformance.requests.selectors import asks, every, plain, value_at
from conformance.spec.spec import Spec
from conformance.streams.chunks import choices_in
from conformance.verdict import Finding, Level


def _calls(choice: Mapping[str, Any]) -> list[Any]:
    """The tool calls of a choice."""
    message = choice.get("message")
    calls = message.get("tool_calls") if isinstance(message, dict) else None
    return calls if isinstance(calls, list) else []


def _requires(request: Request) -> bool:
    """Return True if the request requires a tool call."""
    body = request.json
    return isinstance(body, dict) and body.get("tool_choice") == "required"


def _prose(value: dict[str, Any], request: Request) -> Any:
    """Counterexample: prose in place of a required call."""
    if not _requires(request):
        return None
    for _, choice in choices_in(value):
        choice["message"].pop("tool_calls", None)
        # The finish_reason changes too; otherwise it would claim a call that isn't there, which is another rule.
        choice.update({"message": {**choice["message"], "content": "I would call it."}, "finish_reason": "stop"})
    return value


@check(
    "chat.tool.required",
    Level.MUST,
    clause="chat-forced-tool",
    counterexample=on_json(_prose, when=posted),
    operations=CHAT,
    about=every(plain, asks("/tool_choice", "required")),
    needs=Needs.SUCCESS,
)
def tool_required(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With ``tool_choice: required`` every choice calls a tool, unless a limit or a filter cut it off."""
    for index, choice in choices_in(seen.json):
        if not _calls(choice) and choice.get("finish_reason") not in ("length", "content_filter"):
            yield seen.finding(
                "no tool is called", place=f"/choices/{index}/message", expected="tool_calls", actual="no call"
            )


def _empty_promise(value: dict[str, Any], _request: Request) -> Any:
    """Counterexample: the finish_reason claims a call that isn't there."""
    changed = False
    for _, choice in choices_in(value):
        if choice.get("finish_reason") == "stop" and not _calls(choice):
            choice["finish_reason"], changed = "tool_calls", True
    return value if changed else None


@check(
    "chat.finish-reason.tool-calls",
    Level.MUST,
    clause="chat-finish-reason-tool-calls",
    counterexample=on_json(_empty_promise, when=posted),
    operations=CHAT,
    about=plain,
    needs=Needs.SUCCESS,
    entails=("stream.equals-plain",),
)
def finish_tool_calls(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The finish_reason ``tool_calls`` is given for a choice with tool calls, and for no other.

    Clients run tools because of it; with ``stop`` they take the empty text for the answer. A call that ``tool_choice``
    names may end with ``stop``; with ``required`` both are seen, so it is a note.
    """
    wanted = value_at(seen.case, "/tool_choice")
    for index, choice in choices_in(seen.json):
        if choice.get("finish_reason") == "stop" and _calls(choice) and not isinstance(wanted, dict):
            yield seen.finding(
                "a choice with tool calls ends with stop",
                place=f"/choices/{index}/finish_reason",
                expected="tool_calls",
                actual="stop",
                note=wanted == "required",
            )
        if choice.get("finish_reason") == "tool_calls" and not _calls(choice):
            yield seen.finding(
                "tool_calls without a tool call", place=f"/choices/{index}/finish_reason", expected="a tool call"
            )


def _numbered(value: dict[str, Any], _request: Request) -> Any:
    """Counterexample: tool calls have an index."""
    changed = False
    for _, choice in choices_in(value):
        for number, call in enumerate(_calls(choice)):
            call["index"], changed = number, True
    return value if changed else None


@check(
    "chat.tool.index-absent",
    Level.OBS,
    clause="chat-tool-index-absent",
    counterexample=on_json(_numbered, when=posted),
    operations=CHAT,
    about=plain,
    needs=Needs.SUCCESS,
    provenance="observed",
)
def index_absent(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A tool call that isn't streamed has no ``index``.

    A proxy that assembles an answer from a stream may leave it there. An extra field is reported but never scored.
    """
    for index, choice in choices_in(seen.json):
        if any(isinstance(call, dict) and "index" in call for call in _calls(choice)):
            yield seen.finding("a tool call has an index", place=f"/choices/{index}/message/tool_calls/0/index")


def _function_choice(body: Any) -> Any:
    """The ``function_call`` of a request body, None beside ``tools``.

    ``tools`` and ``tool_choice`` took the place of ``functions`` and ``function_call``. No document says which of the
    two is followed where a request has both.
    """
    return body.get("function_call") if isinstance(body, dict) and not body.get("tools") else None


def _forbids(body: Any) -> bool:
    """Return True if a request body demands that nothing is called."""
    return isinstance(body, dict) and "none" in (body.get("tool_choice"), _function_choice(body))


def _called_anyway(value: dict[str, Any], request: Request) -> Any:
    """Counterexample: a tool is called although none may be."""
    if not _forbids(request.json):
        return None
    # A complete call, so that the schema and the other checks of calls accept it.
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
    for _, choice in choices_in(value):
        choice["message"]["tool_calls"] = [call]
    return value


@check(
    "chat.tool.none",
    Level.MUST,
    clause="chat-tool-choice-none",
    counterexample=on_json(_called_anyway, when=posted),
    operations=CHAT,
    about=lambda spec, case: plain(spec, case) and _forbids(case.json),
    needs=Needs.SUCCESS,
    entails=("chat.finish-reason.tool-calls",),
)
def tool_none(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With ``tool_choice: none`` or ``function_call: none`` the answer calls no tool and no function.

    A client that forbids calls isn't prepared to run one.
    """
    for index, choice in choices_in(seen.json):
        # A target may answer in the current or in the deprecated form, whatever the request used.
        called = _calls(choice) or _function_call(choice)
        if called:
            yield seen.finding(
                "something is called", place=f"/choices/{index}/message", expected="no call", actual=called
            )


def _function_call(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    """The deprecated function call of a choice; empty if there is none."""
    message = choice.get("message")
    call = message.get("function_call") if isinstance(message, dict) else None
    return call if isinstance(call, dict) else {}


def _named_function(body: Any) -> str:
    """The function that ``function_call`` forces, or ""."""
    call = _function_choice(body)
    name = call.get("name") if isinstance(call, dict) else None
    return name if isinstance(name, str) else ""


def _other_function(value: dict[str, Any], request: Request) -> Any:
    """Counterexample: another function is called."""
    if not _named_function(request.json):
        return None
    for _, choice in choices_in(value):
        choice["message"]["function_call"] = {"name": "another_function", "arguments": "{}"}
    return value


@check(
    "chat.function.forced",
    Level.MUST,
    clause="chat-forced-function",
    counterexample=on_json(_other_function, when=posted),
    operations=CHAT,
    about=lambda spec, case: plain(spec, case) and bool(_named_function(case.json)),
    needs=Needs.SUCCESS,
)
def function_forced(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The function that ``function_call`` names is called, unless a limit or a filter cut off the answer.

    A request with ``tools`` as well is not judged: no document says which of the two it asks for.
    """
    name = _named_function(seen.case.json)
    for index, choice in choices_in(seen.json):
        called = _function_call(choice).get("name")
        if called != name and choice.get("finish_reason") not in ("length", "content_filter"):
            yield seen.finding(
                "the function was not called", place=f"/choices/{index}/message/function_call", expected=name,
                actual=called,
            )  # fmt: skip


def _two_calls(value: dict[str, Any], request: Request) -> Any:
    """Counterexample: two calls although parallel calls are off."""
    body = request.json
    if not isinstance(body, dict) or body.get("parallel_tool_calls") is not False:
        return None
    changed = False
    for _, choice in choices_in(value):
        if _calls(choice):
            # With an id of its own: equal ids would break another rule.
            again = {**_calls(choice)[0], "id": "call_again"}
            choice["message"]["tool_calls"], changed = [*_calls(choice), again], True
    return value if changed else None


@check(
    "chat.tool.alone",
    Level.SHOULD,
    clause="chat-parallel-tool-calls-off",
    counterexample=on_json(_two_calls, when=posted),
    operations=CHAT,
    about=every(plain, asks("/parallel_tool_calls", False)),
    needs=Needs.SUCCESS,
)
def tool_alone(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With ``parallel_tool_calls: false`` an answer has at most one tool call."""
    for index, choice in choices_in(seen.json):
        if len(_calls(choice)) > 1:
            yield seen.finding(
                "more than one tool call", place=f"/choices/{index}/message/tool_calls", expected="at most 1",
                actual=len(_calls(choice)),
            )  # fmt: skip
