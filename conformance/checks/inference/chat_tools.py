"""Checks of forced tools in chat completions that are not streamed: the call, its id and its arguments."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.checks.inference.chat import CHAT, body_of, choices_of, message_of, plain_object, posted, unfiltered
from conformance.checks.inference.tool_arguments import documents
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import on_json
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.streams.chunks import choices_in
from conformance.verdict import Finding, Level


def forced_tool(body: Mapping[str, Any]) -> str:
    """The function that ``tool_choice`` forces, or ""."""
    choice = body.get("tool_choice")
    function = choice.get("function") if isinstance(choice, dict) else None
    return str(function.get("name", "")) if isinstance(function, dict) else ""


def _calls(choice: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tool calls of a choice."""
    calls = message_of(choice).get("tool_calls")
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _function(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """The function part of a call."""
    function = call.get("function")
    return function if isinstance(function, dict) else {}


def _other_tool(value: Any, request: Request) -> Any:
    """Counterexample: another function is called."""
    if not forced_tool(request.json or {}):
        return None
    for _, choice in choices_in(value):
        for call in _calls(choice):
            call["function"]["name"] = "another_function"
    return value


@check(
    "chat.tool.forced",
    Level.MUST,
    clause="chat-forced-tool",
    counterexample=on_json(_other_tool, when=posted),
    operations=CHAT,
    about=lambda spec, case: plain_object(spec, case) and bool(forced_tool(body_of(case))),
    needs=Needs.SUCCESS,
    entails=("stream.equals-plain",),
)
def tool_forced(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A forced function is called, and the finish_reason is ``stop`` or ``tool_calls``."""
    name = forced_tool(body_of(seen.case))
    for index, choice in unfiltered(seen):
        names = [_function(call).get("name") for call in _calls(choice)]
        if name not in names:
            yield seen.finding(
                "the forced function was not called",
                place=f"/choices/{index}/message/tool_calls",
                expected=name,
                actual=names,
            )
        if choice.get("finish_reason") not in ("stop", "tool_calls"):
            yield seen.finding(
                "another finish_reason",
                place=f"/choices/{index}/finish_reason",
                expected="stop or tool_calls",
                actual=choice.get("finish_reason"),
            )


def _call_without_id(value: Any, _request: Request) -> Any:
    """Counterexample: a call has an empty id."""
    changed = False
    for _, choice in choices_in(value):
        for call in _calls(choice):
            call["id"], changed = "", True
    return value if changed else None


@check(
    "chat.tool.ids",
    Level.MUST,
    clause="chat-tool-call-ids",
    counterexample=on_json(_call_without_id, when=posted),
    operations=CHAT,
    about=plain_object,
    needs=Needs.SUCCESS,
)
def tool_ids(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Every tool call of a message has an id of its own. The message with the tool's result refers to it."""
    for index, choice in enumerate(choices_of(seen)):
        ids = [call.get("id") for call in _calls(choice)]
        if ids and (len(set(map(str, ids))) != len(ids) or not all(isinstance(i, str) and i for i in ids)):
            yield seen.finding("ids are missing or repeated", place=f"/choices/{index}/message/tool_calls", actual=ids)


def _arguments_broken(value: Any, request: Request) -> Any:
    """Counterexample: the arguments are cut-off JSON."""
    changed = False
    for _, choice in choices_in(value):
        for call in _calls(choice):
            call["function"]["arguments"], changed = '{"cut":', True
    return value if changed else None


@check(
    "chat.tool.arguments",
    Level.SHOULD,
    clause="chat-tool-arguments-json",
    counterexample=on_json(_arguments_broken, when=posted),
    operations=CHAT,
    about=lambda spec, case: plain_object(spec, case) and bool(forced_tool(body_of(case))),
    needs=Needs.SUCCESS,
    entails=("stream.equals-plain", "chat.tool.arguments.always-lost", "chat.tool.arguments.strict"),
)
def tool_arguments(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The arguments of a forced call are a JSON text. Models make mistakes here, so it is a warning.

    Two whole documents in a row are told by a check of their own.
    """
    for index, choice in unfiltered(seen):
        for number, call in enumerate(_calls(choice)):
            if choice.get("finish_reason") == "length":
                continue
            arguments = _function(call).get("arguments")
            if documents(arguments) > 1:
                continue
            try:
                json.loads(str(arguments))
            except (TypeError, ValueError):
                yield seen.finding(
                    "arguments are not JSON",
                    place=f"/choices/{index}/message/tool_calls/{number}/function/arguments",
                    actual=str(arguments)[:80],
                )
