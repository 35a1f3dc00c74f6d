"""Checks of tool calls in chat streams: an index, id and name for each call, and arguments that can be joined."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from conformance.checks.inference.tool_arguments import documents
from conformance.evidence.trace import Observation
from conformance.judging.check import Counterexample, Needs, check
from conformance.judging.stream_counterexamples import Draft, each_json, on_events
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.streams.chunks import by_choice, choices_in, cut_choices, pieces
from conformance.streams.reading import Reading, over_stream, streamed
from conformance.streams.tools import calls_of, fragments
from conformance.verdict import Finding, Level

CHAT = "chat-chunks"

#: The number of findings of one kind that are reported for one stream.
MOST = 5


def _entries(value: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the tool-call entries of a chunk."""
    for _, choice in choices_in(value):
        delta = choice.get("delta")
        yield from (delta.get("tool_calls") or ()) if isinstance(delta, dict) else ()


def on_entries(change: Callable[[dict[str, Any]], None]) -> Counterexample:
    """A counterexample that changes each tool-call entry of a chat stream in place."""

    def changed(value: dict[str, Any], _index: int) -> dict[str, Any]:
        for entry in _entries(value):
            change(entry)
        return value

    return each_json(changed, CHAT)


def _second_call(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: a second call starts under the index of the first."""
    for index, event in enumerate(events):
        value = event.json
        for entry in _entries(value) if isinstance(value, dict) else ():
            if entry.get("id"):
                entry["id"] += "x"
                for choice in value["choices"]:
                    # A second role would break another rule.
                    choice["delta"].pop("role", None)
                # The changed copy follows the original, so that two calls begin under one index.
                return [*events[: index + 1], event.with_json(value), *events[index + 1 :]]
    return None


@check(
    "stream.tool-calls.index",
    Level.MUST,
    clause="chat-tool-call-deltas",
    counterexample=on_events(_second_call, CHAT),
    about=streamed(CHAT),
    needs=Needs.SUCCESS,
    entails=("stream.tool-calls.tail",),
)
@over_stream
def tool_index(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Every tool call of a choice has its own index, counted from 0, in each of its deltas.

    Only the index joins the deltas of a call. Two calls under one index become one with broken arguments.
    """
    began: dict[Any, int] = {}
    for call in calls_of(reading):
        expected = began.get(call.choice, 0)
        began[call.choice] = expected + 1
        if call.index != expected or isinstance(call.index, bool):
            yield seen.finding(
                "a tool call with an unexpected index",
                place=call.fragments[0].place,
                expected=expected,
                actual="absent" if call.index is None else call.index,
            )
        for breach in call.breaches():
            if breach.rule == "index-of-its-own" and breach.tag is not None:
                yield seen.finding(
                    "another call under the same index",
                    place=f"{breach.tag.place}/id",
                    expected=call.fragments[0].entry.get("id"),
                    actual=breach.tag.entry.get("id"),
                )
                break


def _headless(entry: dict[str, Any]) -> None:
    """Counterexample: a call has no id."""
    entry.pop("id", None)
    # A type without an id would look like a later delta that repeats the type.
    entry.pop("type", None)


@check(
    "stream.tool-calls.head",
    Level.MUST,
    clause="chat-tool-call-deltas",
    counterexample=on_entries(_headless),
    about=streamed(CHAT),
    needs=Needs.SUCCESS,
)
@over_stream
def tool_head(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The first delta of a tool call has its id, its type ``function`` and the function's name.

    The tool's result refers to the id, and without the name nobody knows what to run.
    """
    for call in calls_of(reading)[:MOST]:
        head = call.fragments[0]
        wrong = [] if _text(head.entry.get("id")) else ["id"]
        wrong += [] if head.entry.get("type") == "function" else ["type"]
        wrong += [] if _text(head.function.get("name")) else ["function.name"]
        if wrong:
            yield seen.finding(
                f"the first delta of a call lacks {', '.join(wrong)}",
                place=head.place,
                expected="id, type and function.name",
                actual=json.dumps(head.entry)[:160],
            )


def _text(value: Any) -> bool:
    """Return True for a text that isn't empty."""
    return isinstance(value, str) and bool(value)


def _repeat(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: later deltas repeat the type."""
    seen: dict[Any, dict[str, Any]] = {}
    changed, done = list(events), False
    for index, event in enumerate(events):
        value = event.json
        for entry in _entries(value) if isinstance(value, dict) else ():
            head = seen.setdefault(entry.get("index"), entry)
            if head is not entry:
                entry["type"] = "function"
                done = True
        if isinstance(value, dict) and value != event.json:
            changed[index] = event.with_json(value)
    return changed if done else None


@check(
    "stream.tool-calls.tail",
    Level.SHOULD,
    clause="chat-tool-call-deltas",
    counterexample=on_events(_repeat, CHAT),
    about=streamed(CHAT),
    needs=Needs.SUCCESS,
    provenance="observed",
)
@over_stream
def tool_tail(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Later deltas of a tool call have no id, type or name, not even empty or null ones.

    Clients append them, or overwrite what they had.
    """
    shown = 0
    for call in calls_of(reading):
        for fragment in call.fragments[1:]:
            again = [key for key in ("id", "type") if key in fragment.entry]
            again += ["function.name"] if "name" in fragment.function else []
            if again and shown < MOST:
                shown += 1
                yield seen.finding(
                    f"a later delta of a call has {', '.join(again)}",
                    place=fragment.place,
                    expected="index and arguments only",
                    actual=json.dumps(fragment.entry)[:160],
                )


def _as_object(entry: dict[str, Any]) -> None:
    """Counterexample: the arguments are an object."""
    if isinstance(entry.get("function"), dict) and entry["function"].get("arguments"):
        entry["function"]["arguments"] = {"text": entry["function"]["arguments"]}


@check(
    "stream.tool-calls.arguments.text",
    Level.MUST,
    clause="chat-tool-call-deltas",
    counterexample=on_entries(_as_object),
    about=streamed(CHAT),
    needs=Needs.SUCCESS,
    provenance="spec",
    entails=(
        "sse.event.schema",
        "stream.tool-calls.arguments.json",
        "stream.equals-plain",
        "chat.tool.arguments.always-lost",
        "chat.tool.arguments.strict",
    ),
)
@over_stream
def arguments_text(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The arguments of a tool call are pieces of text, never an object."""
    wrong = [f for f in fragments(reading) if not isinstance(f.function.get("arguments", ""), str)]
    for fragment in wrong[:MOST]:
        yield seen.finding(
            "arguments are not text",
            place=f"{fragment.place}/function/arguments",
            expected="a string",
            actual=json.dumps(fragment.function["arguments"])[:80],
        )


def _unjoinable(entry: dict[str, Any]) -> None:
    """Counterexample: the joined arguments are not JSON."""
    if isinstance(entry.get("function"), dict) and entry["function"].get("arguments"):
        entry["function"]["arguments"] += "}{"


@check(
    "stream.tool-calls.arguments.json",
    Level.SHOULD,
    clause="chat-tool-arguments-json",
    counterexample=on_entries(_unjoinable),
    about=streamed(CHAT),
    needs=Needs.SUCCESS,
    entails=("stream.equals-plain", "chat.tool.arguments.always-lost", "chat.tool.arguments.strict"),
)
@over_stream
def arguments_json(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The joined arguments of a call are one JSON object, unless the answer was cut off by a limit or a filter.

    Models make mistakes here, so it is a warning. A proxy that loses a delta shows up in the same way. Two whole
    documents in a row are told by a check of their own.
    """
    if not reading.ended:
        return
    # A limit or a filter may cut the arguments anywhere.
    cut = cut_choices(reading)
    for call in calls_of(reading):
        if call.choice in cut or documents(call.arguments) > 1:
            continue
        try:
            # A function without parameters may be called without arguments.
            value = json.loads(call.arguments or "{}")
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            yield seen.finding(
                "the joined arguments are not a JSON object",
                place=call.fragments[-1].place,
                expected="a JSON object",
                actual=call.arguments[:160],
            )


def forced_tool(body: Any) -> str | None:
    """The function that ``tool_choice`` forces; "" if any tool is required, None if none is."""
    choice = body.get("tool_choice") if isinstance(body, dict) else None
    if choice == "required":
        return ""
    function = choice.get("function") if isinstance(choice, dict) else None
    return function.get("name") if isinstance(function, dict) else None


def _forces(spec: Spec, case: Case) -> bool:
    """The request forces a tool."""
    return forced_tool(case.json) is not None


def _prose(events: list[Draft], request: Request) -> Sequence[Draft] | None:
    """Counterexample: prose in place of the forced call."""
    if forced_tool(request.json) is None:
        return None
    changed = []
    for event in events:
        value = event.json
        if isinstance(value, dict):
            for _, choice in choices_in(value):
                if isinstance(choice.get("delta"), dict) and choice["delta"].pop("tool_calls", None):
                    choice["delta"]["content"] = "I would call it."
                if choice.get("finish_reason") == "tool_calls":
                    choice["finish_reason"] = "stop"
        changed.append(event.with_json(value) if isinstance(value, dict) and value != event.json else event)
    return changed if changed != events else None


@check(
    "stream.tool-calls.forced",
    Level.MUST,
    clause="chat-forced-tool",
    counterexample=on_events(_prose, CHAT),
    about=streamed(CHAT, also=_forces),
    needs=Needs.SUCCESS,
    entails=("stream.equals-plain",),
)
@over_stream
def tool_forced(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """A tool that ``tool_choice`` forces is called in every choice.

    The finish_reason is ``stop`` or ``tool_calls``. Choices that a limit or a filter cut off are not judged.
    """
    name = forced_tool(seen.case.json)
    if not reading.ended:
        return
    calls, cut = calls_of(reading), cut_choices(reading)
    for index, found in by_choice(reading).items():
        if index in cut:
            continue
        # The last one counts; a repeated finish_reason is reported by another check.
        finish = next((piece.finish for piece in reversed(found) if piece.finish), None)
        names = [call.name for call in calls if call.choice == index]
        if not names or (name and name not in names):
            wanted = name or "any tool"
            yield seen.finding("the forced tool is not called", place=found[-1].place, expected=wanted, actual=names)
        elif finish not in ("stop", "tool_calls", None):
            yield seen.finding(
                "a forced call ends in another way", place=found[-1].place, expected="stop or tool_calls", actual=finish
            )


def _empty_promise(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: the finish_reason claims a call that isn't there."""
    if any(_names_call(event) for event in events):
        return None
    changed = list(events)
    for index, event in enumerate(events):
        value = event.json
        for _, choice in choices_in(value):
            if choice.get("finish_reason") == "stop":
                choice["finish_reason"] = "tool_calls"
                changed[index] = event.with_json(value)
    return changed if changed != events else None


def _names_call(event: Draft) -> bool:
    """Return True if an event has tool-call entries."""
    value = event.json
    return isinstance(value, dict) and any(True for _ in _entries(value))


def _named(case: Case) -> bool:
    """Return True if the request names the tool that is to be called."""
    return bool(forced_tool(case.json))


@check(
    "stream.finish-reason.tool-calls",
    Level.MUST,
    clause="chat-finish-reason-tool-calls",
    counterexample=on_events(_empty_promise, CHAT),
    about=streamed(CHAT),
    needs=Needs.SUCCESS,
    entails=("stream.equals-plain",),
)
@over_stream
def finish_tool_calls(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The finish_reason ``tool_calls`` is given for a choice with tool calls, and for no other.

    Clients run tools because of it; with ``stop`` they take the empty text for the answer. A call that ``tool_choice``
    names may end with ``stop``; with ``required`` both are seen, so it is a note.
    """
    calling = {call.choice for call in calls_of(reading)}
    for piece in pieces(reading):
        index = piece.index
        if piece.finish == "tool_calls" and index not in calling:
            yield seen.finding(
                "tool_calls without a tool call", place=f"{piece.place}/finish_reason", expected="a tool call"
            )
        elif piece.finish == "stop" and index in calling and not _named(seen.case):
            yield seen.finding(
                "a choice with tool calls ends with stop",
                place=f"{piece.place}/finish_reason",
                expected="tool_calls",
                actual="stop",
                note=forced_tool(seen.case.json) is not None,
            )
