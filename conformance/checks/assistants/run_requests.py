"""Checks of what the request of a run asks for: overrides, tools that may not be called, one call at a time, JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from conformance.checks.assistants.run_starts import STARTS
from conformance.checks.assistants.runs import is_run, is_run_object, run_ended, runs_in
from conformance.checks.objects.lifecycle import holds, one, sent_in, text_of
from conformance.checks.objects.lists import items_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Needs, check, trace_check
from conformance.judging.counterexamples import asked, on_json, path_of
from conformance.pointer import look_up
from conformance.requests.case import Case
from conformance.requests.field_rules import body_of
from conformance.requests.request import Request
from conformance.requests.selectors import streams
from conformance.scenarios.runs import ENDS
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: Fields of an assistant that the request of a run may override.
OVERRIDDEN = ("model", "instructions", "tools", "temperature", "top_p", "response_format", "metadata")


def _kept_override(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: an assistant has the instructions of the run that it made."""
    response = exchange.response
    if response is None or not exchange.ok or not isinstance(response.json, dict) or exchange.request.method != "GET":
        return None
    if response.json.get("object") != "assistant":
        return None
    for past in earlier:
        sent = past.request.json
        if past.ok and isinstance(sent, dict) and sent.get("assistant_id") == response.json.get("id"):
            told = sent.get("instructions")
            return exchange.answered(response.with_json({**response.json, "instructions": told})) if told else None
    return None


@trace_check(
    "runs.override.not-kept",
    Level.MUST,
    clause="run-override-not-kept",
    counterexample=_kept_override,
    scenarios=("runs.overrides",),
    needs=(run_ended, "assistant.after"),
)
def override_not_kept(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """What a run overrides holds for that run alone: the assistant is the same afterwards.

    All other users of the assistant would get the instructions of one run.
    """
    made = next((seen for seen in trace.role("setup") if seen.case.operation == "assistants.create"), None)
    after, run = one(trace, "assistant.after"), one(trace, "run.create")
    if made is None or after is None or run is None or not isinstance(made.json, dict):
        return
    for name, sent in sent_in(run).items():
        # Another difference than this one is not the run's doing, and is judged where assistants are read.
        own = sent_in(made).get(name, made.json.get(name))
        if (
            name in OVERRIDDEN
            and name in after.json
            and not holds(after.json[name], own)
            and holds(after.json[name], sent)
        ):
            yield after.finding(
                f"a run changed {name} of its assistant", place=f"/{name}", expected=own, actual=after.json[name],
            )  # fmt: skip


def _replaced(value: Any, request: Request) -> Any:
    """Counterexample: the additional instructions stand in place of those of the assistant."""
    body = request.json
    extra = body.get("additional_instructions") if isinstance(body, dict) else None
    return {**value, "instructions": extra} if extra and is_run_object(value) else None


@trace_check(
    "runs.additional-instructions",
    Level.SHOULD,
    clause="run-additional-instructions",
    counterexample=on_json(_replaced, when=asked("POST", r"/runs")),
    scenarios=("runs.no-tools",),
    needs=("none.create",),
)
def additional_instructions(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """``additional_instructions`` come behind the instructions of the assistant, which stay."""
    made = next((seen for seen in trace.role("setup") if seen.case.operation == "assistants.create"), None)
    run = one(trace, "none.create")
    if made is None or run is None:
        return
    own, shown = sent_in(made).get("instructions"), run.json.get("instructions")
    if (
        "additional_instructions" in sent_in(run)
        and isinstance(own, str)
        and isinstance(shown, str)
        and own not in shown
    ):
        yield run.finding(
            "the instructions of the assistant are gone", place="/instructions", expected=f"{own} …", actual=shown
        )


#: A call in the form of the documents.
_CALL = {"id": "call_uninvited", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}


def _calls_anyway(value: Any, _request: Request) -> Any:
    """Counterexample: a run with the choice ``none`` waits for the output of a call."""
    if not is_run_object(value) or value.get("tool_choice") != "none" or value.get("status") not in ENDS:
        return None
    back = {name: None for name in ("completed_at", "usage") if name in value}
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": [_CALL]}}
    return {**value, **back, "status": "requires_action", "required_action": action}


@trace_check(
    "runs.tool-choice.none",
    Level.MUST,
    clause="run-tool-choice-none",
    counterexample=on_json(_calls_anyway, when=is_run),
    scenarios=("runs.no-tools",),
    needs=("none.create", "none.get"),
)
def tool_choice_none(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A run with ``tool_choice`` none calls no tool. A client that offers none has nobody who answers the call."""
    for seen in trace.role("none.get", "none.steps"):
        if seen.exchange.ok and isinstance(seen.json, dict) and seen.json.get("status") == "requires_action":
            yield seen.finding(
                "a run that may call no tool waits for the output of one", place="/status", expected="completed",
                actual="requires_action",
            )  # fmt: skip
        for place, item in enumerate(items_of(seen)):
            if look_up(item, "/step_details/type") == "tool_calls":
                yield seen.finding(
                    "a run that may call no tool has a step with calls", place=f"/data/{place}/step_details/type",
                    expected="message_creation", actual="tool_calls",
                )  # fmt: skip


def _unasked(spec: Spec, case: Case) -> bool:
    """The request leaves the choice of tools to the service."""
    body = body_of(case)
    return not streams(spec, case) and isinstance(body, dict) and "tool_choice" not in body


def _chooses(value: Any, request: Request) -> Any:
    """Counterexample: without a choice in the request, the choice is ``none``."""
    if not is_run_object(value) or not value.get("tool_choice") or "tool_choice" in (request.json or {}):
        return None
    return {**value, "tool_choice": "none"}


@check(
    "runs.tool-choice.default",
    Level.SHOULD,
    clause="run-tool-choice-default",
    counterexample=on_json(_chooses, when=asked("POST", r"/runs")),
    operations=STARTS,
    about=_unasked,
    needs=Needs.SUCCESS,
)
def tool_choice_default(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Without ``tool_choice`` a run shows ``auto``: the model decides if it calls a tool."""
    shown = seen.json.get("tool_choice") if isinstance(seen.json, dict) else None
    if shown is not None and shown != "auto":
        yield seen.finding("another default", place="/tool_choice", expected="auto", actual=shown)


def _twice(value: Any, _request: Request) -> Any:
    """Counterexample: a run that asks for one call at a time asks for two."""
    if not is_run_object(value) or value.get("parallel_tool_calls") is not False:
        return None
    calls = _calls_of(value)
    if len(calls) != 1:
        return None
    more = [*calls, {**calls[0], "id": f"{calls[0].get('id')}b"}]
    return {**value, "required_action": {**value["required_action"], "submit_tool_outputs": {"tool_calls": more}}}


def _calls_of(run: Any) -> list[dict[str, Any]]:
    """The calls whose outputs a run waits for."""
    action = run.get("required_action")
    inner = action.get("submit_tool_outputs") if isinstance(action, dict) else None
    calls = inner.get("tool_calls") if isinstance(inner, dict) else None
    return [each for each in calls if isinstance(each, dict)] if isinstance(calls, list) else []


@trace_check(
    "runs.one-call",
    Level.SHOULD,
    clause="run-parallel-tool-calls-off",
    counterexample=on_json(_twice, when=is_run),
    scenarios=("runs.one-call",),
    needs=("single.create", "single.waits"),
)
def one_call(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """With ``parallel_tool_calls`` false a run asks for one call at a time."""
    seen = one(trace, "single.waits")
    calls = _calls_of(seen.json) if seen is not None else []
    if seen is not None and len(calls) > 1:
        yield seen.finding(
            "the run asks for several calls at once", place="/required_action/submit_tool_outputs/tool_calls",
            expected="one call", actual=f"{len(calls)} calls",
        )  # fmt: skip


def _answers(page: Observation) -> list[str]:
    """The texts of the messages that the model wrote and that were not cut off."""
    return [
        "".join(map(text_of, item["content"]))
        for item in items_of(page)
        if item.get("role") == "assistant"
        and item.get("status") != "incomplete"
        and isinstance(item.get("content"), list)
    ]


def _in_words(value: Any, request: Request) -> Any:
    """Counterexample: prose stands before the JSON."""
    data = value.get("data")
    if not path_of(request).endswith("/messages") or not isinstance(data, list):
        return None
    for item in data:
        for part in item.get("content") or () if isinstance(item, dict) and item.get("role") == "assistant" else ():
            if text_of(part).startswith("{"):
                part["text"]["value"] = "Here you are: " + part["text"]["value"]
                return value
    return None


@trace_check(
    "runs.json.parses",
    Level.MUST,
    clause="run-json-mode",
    counterexample=on_json(_in_words, when=asked("GET", r"/messages")),
    scenarios=("runs.json",),
    needs=("json.create", "json.messages"),
)
def json_parses(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """With the response format json_object the message of a completed run is one JSON text. Clients parse it."""
    page = one(trace, "json.messages")
    done = [run for _, run in runs_in(trace) if run.get("status") == "completed"]
    if page is None or not done:
        return
    for text in _answers(page):
        try:
            json.loads(text)
        except ValueError:
            yield page.finding("the message is not JSON", place="/data", expected="a JSON text", actual=text[:80])
