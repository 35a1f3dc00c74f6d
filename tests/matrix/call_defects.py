"""Defects of the calls that models make in chat answers: their arguments, ids, names, and how the answer ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from answers import Change, by_form, everywhere, on_events, on_json
from defects import put
from wire_defects import each_choice

from conformance.evidence.exchange import Exchange

Entry = dict[str, Any]


def calls_of(choice: Entry) -> list[Entry]:
    """The calls of a choice, plain or streamed."""
    held = choice.get("message") or choice.get("delta") or {}
    return held.get("tool_calls") or []


def each_call(change: Callable[[Entry], object]) -> Callable[[Any], Any]:
    """A change of each call of a value."""

    def inside(choice: Entry) -> None:
        for call in calls_of(choice):
            change(call)

    return each_choice(inside)


def arguments(change: Callable[[str], str]) -> Change:
    """A change of the arguments of the calls of plain answers."""

    return on_json(each_call(lambda call: call["function"].update(arguments=change(call["function"]["arguments"]))))


def streamed_arguments(change: Callable[[str], str]) -> Change:
    """A change of the arguments of the calls of a stream: the first piece holds all of them, the others are empty."""

    def inside(exchange: Exchange) -> Exchange | None:
        whole: dict[tuple[int, int], str] = {}

        def collect(value: Any) -> None:
            for key, function in _functions(value):
                whole[key] = whole.get(key, "") + (function.get("arguments") or "")

        def rewrite(value: Any) -> None:
            for key, function in _functions(value):
                if function.get("arguments"):
                    function["arguments"] = change(whole[key]) if key not in told else ""
                    told.add(key)

        told: set[tuple[int, int]] = set()
        on_events(collect)(exchange)
        return on_events(rewrite)(exchange) if whole else None

    return inside


def _functions(value: Any) -> Iterator[tuple[tuple[int, int], Entry]]:
    for choice in value.get("choices") or ():
        for call in calls_of(choice):
            yield (choice.get("index", 0), call.get("index", 0)), call.get("function") or {}


def both(change: Callable[[str], str]) -> Change:
    """A change of the arguments of calls, the same in plain answers and in streams."""
    return by_form(arguments(change), streamed_arguments(change))


put(
    "calls.arguments-cut",
    "the arguments of calls end early, plain and streamed",
    both(lambda text: text[: len(text) // 2]),
)
put("calls.arguments-empty", "calls have no arguments, plain and streamed", both(lambda text: "{}"))
put("calls.arguments-nothing", "the arguments of calls are empty texts, plain and streamed", both(lambda text: ""))
put(
    "calls.arguments-twice-streamed",
    "the arguments in a stream stand there twice",
    streamed_arguments(lambda text: text * 2),
)
put(
    "calls.arguments-then-empty",
    "an empty object follows the arguments, plain and streamed",
    both(lambda text: text + "{}"),
)
put("calls.arguments-encoded", "the arguments are encoded as JSON twice", both(json.dumps))
put("calls.arguments-object", "the arguments are an object", on_json(
    each_call(lambda call: call["function"].update(arguments={}))
))  # fmt: skip
put("calls.another-function", "another function is called", everywhere(
    each_call(lambda call: call["function"].update(name="other") if call.get("function", {}).get("name") else None)
))  # fmt: skip
put("calls.no-id", "calls have an empty id", on_json(each_call(lambda call: call.update(id=""))))


def ends(before: str, after: str) -> Callable[[Any], Any]:
    """Another finish_reason."""
    return each_choice(lambda c: c.update(finish_reason=after) if c.get("finish_reason") == before else None)


def dropped(choice: Entry) -> None:
    (choice.get("message") or choice.get("delta") or {}).pop("tool_calls", None)


put("calls.finish-without-call", "a text ends with tool_calls", everywhere(ends("stop", "tool_calls")))
put("calls.finish-stop-streamed", "a streamed call ends with stop", on_events(ends("tool_calls", "stop")))
put("calls.dropped", "calls are lost, their finish_reason stays", everywhere(each_choice(dropped)))
