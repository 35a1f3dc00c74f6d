"""Checks of the function calls of responses that are not streamed, and of text in a strict format."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conformance.checks.responses.answers import RESPONSES, output_of, posted, texts_in
from conformance.evidence.trace import Observation
from conformance.judging.check import Counterexample, Needs, check
from conformance.judging.counterexamples import on_json
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.requests.selectors import asks, every, plain, value_at
from conformance.schema.given import misfits
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level


def _functions(body: Any) -> Mapping[str, Mapping[str, Any]]:
    """The functions that a request offers, by name."""
    tools = body.get("tools") if isinstance(body, dict) else None
    found = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    return {str(tool.get("name")): tool for tool in found if tool.get("type") == "function"}


def _strict(function: Mapping[str, Any]) -> bool:
    """Return True for a function whose schema the arguments must keep. That is the default."""
    return function.get("strict") is not False and isinstance(function.get("parameters"), dict)


def _calls(value: Any) -> list[tuple[int, Mapping[str, Any]]]:
    """The finished function calls, each with its place in the output."""
    return [
        (place, item)
        for place, item in enumerate(output_of(value))
        if item.get("type") == "function_call" and item.get("status") in (None, "completed")
    ]


def _changing(change: Callable[[Mapping[str, Any], str], str | None]) -> Counterexample:
    """A counterexample that changes the arguments of each call. ``change`` gets the function and the arguments."""

    def changed(value: Any, request: Request) -> Any:
        functions, touched = _functions(request.json), False
        for _, item in _calls(value):
            new = change(functions.get(str(item.get("name")), {}), str(item.get("arguments")))
            if new is not None and isinstance(item, dict):
                item["arguments"], touched = new, True
        return value if touched else None

    return on_json(changed, when=posted)


def _offers(spec: Spec, case: Case) -> bool:
    """The request offers functions and asks for no stream."""
    return plain(spec, case) and bool(_functions(case.json))


@check(
    "responses.tool.arguments",
    Level.SHOULD,
    clause="responses-tool-arguments",
    counterexample=_changing(lambda _function, _old: '{"cut":'),
    operations=RESPONSES,
    about=_offers,
    needs=Needs.SUCCESS,
    entails=("responses.tool.arguments.strict",),
)
def arguments_json(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The arguments of a finished function call are a JSON text. Models make mistakes here, so it is a warning."""
    for place, item in _calls(seen.json):
        if _parsed(item.get("arguments")) is None:
            yield seen.finding(
                "the arguments are not a JSON object",
                place=f"/output/{place}/arguments",
                expected="a JSON object",
                actual=str(item.get("arguments"))[:80],
            )


def _parsed(text: Any) -> dict[str, Any] | None:
    """The object that a text holds, or None."""
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _unfit(function: Mapping[str, Any], old: str) -> str | None:
    """Counterexample: the arguments lack what a strict schema requires."""
    needs = _strict(function) and function["parameters"].get("required")
    return "{}" if needs and _parsed(old) else None


def _offers_strict(spec: Spec, case: Case) -> bool:
    """The request offers a strict function."""
    return _offers(spec, case) and any(_strict(one) for one in _functions(case.json).values())


@check(
    "responses.tool.arguments.strict",
    Level.MUST,
    clause="responses-strict-arguments",
    counterexample=_changing(_unfit),
    operations=RESPONSES,
    about=_offers_strict,
    needs=Needs.SUCCESS,
)
def arguments_strict(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The arguments of a strict function, which is the default, are valid against its parameters."""
    functions = _functions(seen.case.json)
    for place, item in _calls(seen.json):
        function, value = functions.get(str(item.get("name")), {}), _parsed(item.get("arguments"))
        if _strict(function):
            for message in misfits(function["parameters"], value):
                yield seen.finding(
                    message,
                    place=f"/output/{place}/arguments",
                    expected="the function's parameters",
                    actual=str(item.get("arguments"))[:160],
                )


def _two_calls(value: Any, request: Request) -> Any:
    """Counterexample: two calls although parallel calls are off."""
    calls = _calls(value)
    if (request.json or {}).get("parallel_tool_calls") is not False or not calls:
        return None
    again = {**calls[0][1], "id": "fc_again", "call_id": "call_again"}
    return {**value, "output": [*value["output"], again]}


@check(
    "responses.tool.alone",
    Level.SHOULD,
    clause="responses-parallel-off",
    counterexample=on_json(_two_calls, when=posted),
    operations=RESPONSES,
    about=every(plain, asks("/parallel_tool_calls", False)),
    needs=Needs.SUCCESS,
)
def tool_alone(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With ``parallel_tool_calls: false`` a response has at most one function call."""
    calls = [item for item in output_of(seen.json) if item.get("type") == "function_call"]
    if len(calls) > 1:
        yield seen.finding("more than one function call", place="/output", expected="at most 1", actual=len(calls))


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """Yield (place, text) of the text parts of a completed response."""
    if not isinstance(value, dict) or value.get("status") != "completed":
        return
    for place, part in texts_in(value):
        if isinstance(part.get("text"), str):
            yield f"{place}/text", part["text"]


def _schema_of(body: Any) -> Any:
    """The schema of a strict format, or None."""
    text = body.get("text") if isinstance(body, dict) else None
    form = text.get("format") if isinstance(text, dict) else None
    strict = isinstance(form, dict) and form.get("type") == "json_schema" and form.get("strict") is True
    return form.get("schema") if strict and isinstance(form, dict) else None


def _empty_object(value: Any, request: Request) -> Any:
    """Counterexample: the text is JSON and doesn't fit the schema."""
    places = list(_texts(value)) if _schema_of(request.json) is not None else []
    for item in output_of(value) if places else ():
        for part in item.get("content") or ():
            part["text"] = '{"unheard_of":1}'
    return value if places else None


@check(
    "responses.json.schema",
    Level.MUST,
    clause="responses-json-schema",
    counterexample=on_json(_empty_object, when=posted),
    operations=RESPONSES,
    about=lambda spec, case: (
        plain(spec, case) and isinstance(_schema_of(case.json), dict) and value_at(case, "/background") is not True
    ),
    needs=Needs.SUCCESS,
)
def json_schema(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With a strict json_schema format the text of a completed response is valid against that schema.

    That the text is JSON at all is judged by a check of its own. A refusal is not judged.
    """
    schema = _schema_of(seen.case.json)
    for place, text in _texts(seen.json):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        for message in misfits(schema, value):
            yield seen.finding(message, place=place, expected="the schema of the request", actual=text[:80])
