"""Checks of the arguments of tool calls, plain and streamed: one document, with the keys that the tool requires."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from conformance.checks.inference.chat import CHAT, posted
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Counterexample, Needs, check, trace_check
from conformance.judging.counterexamples import on_json
from conformance.judging.stream_counterexamples import Draft, on_events
from conformance.requests.case import Case, Expect
from conformance.requests.request import Request
from conformance.requests.selectors import streams
from conformance.schema.given import misfits
from conformance.spec.spec import Spec
from conformance.streams.chunks import choices_in, cut_choices
from conformance.streams.reading import read
from conformance.streams.tools import calls_of
from conformance.verdict import Finding, Level

#: So many calls must have been forced before what all of them lack is the target's doing and not the model's.
LEAST = 5


def documents(text: Any) -> int:
    """How many whole JSON objects stand one after the other in a text; 0 if anything else is in it."""
    decoder, place, found = json.JSONDecoder(), 0, 0
    while isinstance(text, str) and place < len(text):
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return 0
        if not isinstance(value, dict):
            return 0
        found += 1
        while place < len(text) and text[place].isspace():
            place += 1
    return found


@frozen
class Called:
    """One call of an answer that was not cut off: its function, its arguments and where they stand."""

    name: str
    arguments: str
    place: str


def tools_of(body: Any) -> Mapping[str, Mapping[str, Any]]:
    """The functions that a chat request offers, by name."""
    tools = body.get("tools") if isinstance(body, dict) else None
    functions = [tool.get("function") for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    return {str(function.get("name")): function for function in functions if isinstance(function, dict)}


def called(spec: Spec, seen: Observation) -> list[Called]:
    """The calls of an answer, plain or streamed, without those of choices that a limit or a filter cut off."""
    if not streams(spec, seen.case):
        return list(_plain_calls(seen.json))
    reading = read(spec, seen)
    if reading is None or not reading.ended:
        return []
    cut = cut_choices(reading)
    return [
        Called(call.name, call.arguments, call.fragments[-1].place)
        for call in calls_of(reading)
        if call.choice not in cut
    ]


def _plain_calls(value: Any) -> Iterator[Called]:
    """Yield the calls of a plain answer."""
    for index, choice in choices_in(value):
        message = choice.get("message")
        if not isinstance(message, dict) or choice.get("finish_reason") in ("length", "content_filter"):
            continue
        calls = message.get("tool_calls")
        for number, call in enumerate(calls if isinstance(calls, list) else ()):
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict) and isinstance(function.get("arguments"), str):
                place = f"/choices/{index}/message/tool_calls/{number}/function/arguments"
                yield Called(str(function.get("name")), function["arguments"], place)


def _changing(change: Any) -> Counterexample:
    """A counterexample that replaces the arguments of each call. ``change`` gets (function, arguments, request) and
    returns the new arguments or None.
    """

    def plain(value: Any, request: Request) -> Any:
        changed = False
        for _, choice in choices_in(value):
            for call in (choice.get("message") or {}).get("tool_calls") or ():
                name, old = call["function"]["name"], call["function"]["arguments"]
                new = change(tools_of(request.json).get(name), old)
                if new is not None and new != old and choice.get("finish_reason") != "length":
                    call["function"]["arguments"], changed = new, True
        return value if changed else None

    def streamed(events: list[Draft], request: Request) -> Sequence[Draft] | None:
        return _rewritten(events, request, change)

    on_plain, on_stream = on_json(plain, when=posted), on_events(streamed, "chat-chunks")

    def broken(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
        return on_plain(exchange, earlier) or on_stream(exchange, earlier)

    return broken


def _rewritten(events: list[Draft], request: Request, change: Any) -> Sequence[Draft] | None:
    """The events with the arguments of each call replaced: the first delta with arguments holds all of the new ones."""
    whole: dict[Any, tuple[str, str]] = {}
    for _, entry, index in _entries(events):
        name, old = whole.get(index, ("", ""))
        function = entry.get("function") or {}
        whole[index] = (name or function.get("name", ""), old + (function.get("arguments") or ""))
    fresh = {index: change(tools_of(request.json).get(name), old) for index, (name, old) in whole.items()}
    fresh = {index: text for index, text in fresh.items() if text is not None and text != whole[index][1]}
    if not fresh or any('"length"' in event.data for event in events):
        return None
    made, told = [], set()
    for event in events:
        value = event.json
        for _, choice in choices_in(value):
            for entry in (choice.get("delta") or {}).get("tool_calls") or ():
                key = (choice.get("index"), entry.get("index"))
                if key in fresh and entry.get("function", {}).get("arguments"):
                    entry["function"]["arguments"] = "" if key in told else fresh[key]
                    told.add(key)
        made.append(event.with_json(value) if isinstance(value, dict) and value != event.json else event)
    return made


def _entries(events: Sequence[Draft]) -> Iterator[tuple[Draft, Mapping[str, Any], Any]]:
    """Yield (event, tool-call entry, (choice, index of the call))."""
    for event in events:
        value = event.json
        for _, choice in choices_in(value):
            for entry in (choice.get("delta") or {}).get("tool_calls") or ():
                yield event, entry, (choice.get("index"), entry.get("index"))


def _may_call(spec: Spec, case: Case) -> bool:
    """The request offers tools and may be accepted."""
    return bool(tools_of(case.json)) and case.expect is not Expect.REJECT


def _told_twice(_function: Any, old: str) -> str | None:
    """Counterexample: the arguments stand there twice."""
    return old * 2 if documents(old) == 1 else None


@check(
    "chat.tool.arguments.once",
    Level.MUST,
    clause="chat-tool-arguments-once",
    counterexample=_changing(_told_twice),
    operations=CHAT,
    about=_may_call,
    needs=Needs.SUCCESS,
    entails=("stream.equals-plain", "chat.tool.arguments.always-lost"),
)
def arguments_once(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The arguments of a call, in a stream all its deltas joined, are one JSON document and not two in a row.

    A model may write broken JSON. Two whole documents come from a target that tells the arguments again after its
    deltas, or joins two calls; every client fails to parse them.
    """
    for call in called(spec, seen):
        count = documents(call.arguments)
        if count > 1:
            yield seen.finding(
                f"the arguments are {'two' if count == 2 else count} JSON documents in a row",
                place=call.place,
                expected="one JSON object",
                actual=call.arguments[:160],
            )


def lacking(function: Mapping[str, Any] | None, arguments: str) -> list[str]:
    """The keys that a function's parameters require and the arguments lack; all of them if these aren't an object."""
    parameters = function.get("parameters") if function is not None else None
    required = parameters.get("required") if isinstance(parameters, dict) else None
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        value = {}
    names = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    return [name for name in names if not isinstance(value, dict) or name not in value]


def _emptied(function: Any, old: str) -> str | None:
    """Counterexample: the arguments are an empty object."""
    return "{}" if lacking(function, "{}") and not lacking(function, old) else None


@check(
    "chat.tool.arguments.required",
    Level.SHOULD,
    clause="chat-tool-arguments-required",
    counterexample=_changing(_emptied),
    operations=CHAT,
    about=_may_call,
    needs=Needs.SUCCESS,
    entails=("stream.equals-plain", "chat.tool.arguments.strict", "chat.tool.arguments.always-lost"),
)
def arguments_required(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The arguments of a call have the keys that the tool's parameters require (JSON Schema Validation 6.5.3).

    A model may forget one, so it is a warning. Arguments that get lost on their way show up in the same way: an empty
    object is valid JSON, and the tool runs without its input.
    """
    for call in called(spec, seen):
        missing = lacking(tools_of(seen.case.json).get(call.name), call.arguments)
        if missing and documents(call.arguments) == 1:
            yield seen.finding(
                f"the arguments lack the required {', '.join(missing)}",
                place=call.place,
                expected=missing,
                actual=call.arguments[:160],
            )


def _forced(case: Case) -> bool:
    """Return True if the request forces a call of a tool that requires a parameter."""
    choice = case.json.get("tool_choice") if isinstance(case.json, dict) else None
    needy = any(lacking(function, "{}") for function in tools_of(case.json).values())
    return needy and (choice == "required" or isinstance(choice, dict)) and case.expect is Expect.ACCEPT


@trace_check(
    "chat.tool.arguments.always-lost",
    Level.MUST,
    clause="chat-tool-arguments-carried",
    counterexample=_changing(_emptied),
    scenarios=("corpus.chat.completions.create",),
    operations=CHAT,
    together=True,
    entails=("stream.equals-plain", "chat.tool.arguments.required", "chat.tool.arguments.strict"),
)
def arguments_always_lost(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Forced calls carry their arguments: not every one of five or more requests gets calls without their arguments.

    One broken answer is the model's doing. If all plain answers are broken, or all streamed ones, it is the target's.
    Requests are counted, not calls: several calls in one answer are one decision of the model.
    """
    forced = [seen for seen in trace if _forced(seen.case)]
    for streamed in (False, True):
        asked_for = [seen for seen in forced if streams(spec, seen.case) is streamed]
        answered = [(seen, calls) for seen in asked_for if seen.exchange.ok and (calls := called(spec, seen))]
        broken = [(seen, lost) for seen, calls in answered if (lost := _all_lost(seen, calls)) is not None]
        if len(answered) >= LEAST and len(broken) == len(answered):
            for seen, (call, missing) in broken[:3]:
                yield seen.finding(
                    f"each of {len(answered)} {'streamed' if streamed else 'plain'} answers to forced calls lacks "
                    f"required keys: {', '.join(missing)}",
                    place=call.place,
                    expected="the required keys in at least one answer",
                    actual=call.arguments[:160],
                )


def _all_lost(seen: Observation, calls: Sequence[Called]) -> tuple[Called, list[str]] | None:
    """The first call of an answer with the keys that it lacks, if each call lacks some; None otherwise."""
    tools = tools_of(seen.case.json)
    lost = [(call, lacking(tools.get(call.name), call.arguments)) for call in calls]
    return lost[0] if all(missing for _, missing in lost) else None


def _strict_call(spec: Spec, case: Case) -> bool:
    """The request offers a strict tool."""
    return _may_call(spec, case) and any(one.get("strict") is True for one in tools_of(case.json).values())


def _unfit(function: Any, old: str) -> str | None:
    """Counterexample: the arguments of a strict tool have a key that its parameters don't allow."""
    if not isinstance(function, dict) or function.get("strict") is not True or documents(old) != 1:
        return None
    return json.dumps({**json.loads(old), "unheard_of": 1})


@check(
    "chat.tool.arguments.strict",
    Level.MUST,
    clause="chat-strict-arguments",
    counterexample=_changing(_unfit),
    operations=CHAT,
    about=_strict_call,
    needs=Needs.SUCCESS,
    features=("chat.strict_tools",),
    entails=("stream.equals-plain",),
)
def arguments_strict(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With ``strict: true`` the arguments of a call are valid against the tool's parameters.

    Clients that ask for it read the arguments without looking.
    """
    tools = tools_of(seen.case.json)
    for call in called(spec, seen):
        function = tools.get(call.name, {})
        if function.get("strict") is not True or documents(call.arguments) > 1:
            continue
        for error in _errors(function.get("parameters"), call.arguments):
            yield seen.finding(error, place=call.place, expected="the tool's parameters", actual=call.arguments[:160])


def _errors(schema: Any, arguments: str) -> list[str]:
    """The first thing that is wrong with arguments by a schema."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return ["the arguments are not JSON"]
    return misfits(schema or {}, value)
