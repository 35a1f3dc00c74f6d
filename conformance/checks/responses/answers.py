"""Checks of responses that are not streamed: what the request forces is in the answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conformance.checks.objects.jobs import UNDER_WAY, on_objects, state_of
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import asked, on_json
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.requests.selectors import asks, every, plain, value_at
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

RESPONSES = ("responses.create",)
posted = asked("POST", r"/responses")

#: A function call, for counterexamples.
_CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "get_weather",
    "arguments": "{}",
    "status": "completed",
}


def output_of(value: Any) -> list[Mapping[str, Any]]:
    """The output items that are objects."""
    found = value.get("output") if isinstance(value, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def with_messages(value: Any, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Any:
    """The response with each message of its output changed; None if it has none."""
    output = output_of(value)
    if not any(item.get("type") == "message" for item in output):
        return None
    return {**value, "output": [change(item) if item.get("type") == "message" else item for item in output]}


def texts_in(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, part) of each text that the model wrote in a response."""
    output = value.get("output") if isinstance(value, dict) else None
    for place, item in enumerate(output if isinstance(output, list) else ()):
        parts = item.get("content") if isinstance(item, dict) and item.get("type") == "message" else None
        for number, part in enumerate(parts if isinstance(parts, list) else ()):
            if isinstance(part, dict) and part.get("type") == "output_text":
                yield f"/output/{place}/content/{number}", part


def _is_call(item: Mapping[str, Any]) -> bool:
    """Return True for a call of any tool."""
    return str(item.get("type", "")).endswith("_call")


def _status(seen: Observation) -> str:
    """The status of the response."""
    return str(seen.json.get("status")) if isinstance(seen.json, dict) else ""


def _called_anyway(value: Any, request: Request) -> Any:
    """Counterexample: a function is called although nothing may be."""
    if (request.json or {}).get("tool_choice") != "none" or not isinstance(value.get("output"), list):
        return None
    return {**value, "output": [*value["output"], _CALL]}


@check(
    "responses.tool.none",
    Level.MUST,
    clause="responses-tool-choice-none",
    counterexample=on_json(_called_anyway, when=posted),
    operations=RESPONSES,
    about=every(plain, asks("/tool_choice", "none")),
    needs=Needs.SUCCESS,
    entails=("responses.tool.arguments.strict",),
)
def tool_none(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With ``tool_choice: none`` no tool is called. The caller is not prepared to run anything."""
    called = [item.get("type") for item in output_of(seen.json) if _is_call(item)]
    if called:
        yield seen.finding("a tool is called", place="/output", expected="no call", actual=called)


def _prose(value: Any, request: Request) -> Any:
    """Counterexample: the required call is missing."""
    if (request.json or {}).get("tool_choice") != "required" or not output_of(value):
        return None
    return {**value, "output": [item for item in value["output"] if not _is_call(item)]}


@check(
    "responses.tool.required",
    Level.MUST,
    clause="responses-required-tool",
    counterexample=on_json(_prose, when=posted),
    operations=RESPONSES,
    about=every(plain, asks("/tool_choice", "required")),
    needs=Needs.SUCCESS,
)
def tool_required(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With ``tool_choice: required`` a completed response calls a tool."""
    if _status(seen) == "completed" and not any(map(_is_call, output_of(seen.json))):
        yield seen.finding("no tool is called", place="/output", expected="a call", actual="none")


def _twins(item: dict[str, Any]) -> Any:
    """Counterexample: an output item appears twice."""
    items = output_of(item)
    if not items or not items[-1].get("id"):
        return None
    return {**item, "output": [*item["output"], items[-1]]}


@check(
    "responses.items.ids",
    Level.SHOULD,
    clause="responses-item-ids",
    counterexample=on_objects("response", _twins),
    operations=RESPONSES,
    about=plain,
    needs=Needs.SUCCESS,
)
def item_ids(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Every output item has an id of its own. Later requests refer to it."""
    ids = [item.get("id") for item in output_of(seen.json)]
    if len(set(map(str, ids))) != len(ids) or not all(isinstance(id_, str) and id_ for id_ in ids):
        yield seen.finding("ids are missing or repeated", place="/output", expected="ids", actual=ids)


def _in_the_open(spec: Spec, case: Case) -> bool:
    """The request is not for a background response."""
    return plain(spec, case) and value_at(case, "/background") is not True


def _unfinished(value: Any, request: Request) -> Any:
    """Counterexample: the response is still in progress."""
    background = (request.json or {}).get("background") is True
    return None if background or value.get("status") != "completed" else {**value, "status": "in_progress"}


@check(
    "responses.ended",
    Level.MUST,
    clause="responses-status-values",
    counterexample=on_json(_unfinished, when=posted),
    operations=RESPONSES,
    about=_in_the_open,
    needs=Needs.SUCCESS,
    entails=("responses.kept",),
)
def ended(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Without ``background`` the response has a final state when it is answered. Nobody would ask again.

    A state that no document lists may be a final one.
    """
    status = state_of(seen.json) if isinstance(seen.json, dict) else ""
    if status in UNDER_WAY or not status:
        yield seen.finding("it has not ended", place="/status", expected="completed", actual=_status(seen))


def _asks_for_json(spec: Spec, case: Case) -> bool:
    """The request asks for JSON."""
    return plain(spec, case) and value_at(case, "/text/format/type") in ("json_object", "json_schema")


def _cut_json(value: Any, request: Request) -> Any:
    """Counterexample: the JSON is cut off."""
    form = (request.json or {}).get("text")
    kind = form["format"].get("type") if isinstance(form, dict) and isinstance(form.get("format"), dict) else ""
    if kind not in ("json_object", "json_schema") or value.get("status") != "completed":
        return None

    def cut(item: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            **item,
            "content": [{**part, "text": '{"cut":'} if "text" in part else part for part in item["content"]],
        }

    return with_messages(value, cut)


@check(
    "responses.json.parses",
    Level.MUST,
    clause="responses-json-mode",
    counterexample=on_json(_cut_json, when=posted),
    operations=RESPONSES,
    about=_asks_for_json,
    needs=Needs.SUCCESS,
)
def json_parses(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With a JSON format the text of a completed response is one JSON text. A refusal is not judged."""
    if _status(seen) != "completed":
        return
    for number, item in enumerate(output_of(seen.json)):
        parts = item.get("content") if item.get("type") == "message" else None
        texts = [p.get("text") for p in parts if isinstance(p, dict)] if isinstance(parts, list) else []
        said = [text for text in texts if isinstance(text, str)]
        if said and not _parses("".join(said)):
            yield seen.finding("not JSON", place=f"/output/{number}/content", expected="JSON", actual=said[0][:100])


def _parses(text: str) -> bool:
    """Return True if a text is JSON."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
