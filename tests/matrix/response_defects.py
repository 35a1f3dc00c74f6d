"""Defects of responses, the same in a plain answer and in all the events of a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from answers import Change, everywhere, objects, on_events, on_json
from defects import put

#: Arguments that end early.
CUT = '{"ci'


def items(kind: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Any], None]:
    """A change of each item of a kind, wherever it stands."""

    def inside(value: Any) -> None:
        for one in objects(value):
            if one.get("type") == kind:
                change(one)

    return inside


def arguments_cut() -> Change:
    in_items = items("function_call", lambda item: item.update(arguments=CUT) if item.get("arguments") else None)
    told: set[str] = set()

    def inside(value: Any) -> None:
        in_items(value)
        if value.get("type") == "response.created":
            told.clear()
        if value.get("type") == "response.function_call_arguments.delta":
            item = str(value.get("item_id"))
            value["delta"] = "" if item in told else CUT
            told.add(item)
        if value.get("type") == "response.function_call_arguments.done":
            value["arguments"] = CUT

    return everywhere(inside)


put("response.arguments-cut", "the arguments of calls end early, plain and streamed", arguments_cut())


def of_response(change: Callable[[dict[str, Any]], object], *, streams: bool = True) -> Change:
    """A change of each response, plain or in an event."""

    def inside(value: Any) -> None:
        for one in (value, value.get("response")):
            if isinstance(one, dict) and one.get("object") == "response":
                change(one)

    return everywhere(inside) if streams else on_json(inside)


put("response.in-progress", "a response that was waited for is in progress", of_response(
    lambda one: one.update(status="in_progress") if one.get("status") == "completed" else None, streams=False
))  # fmt: skip
put("response.output-lost", "responses have no output", of_response(lambda one: one.update(output=[]), streams=False))
put("response.items-one-id", "all items of a response have one id", of_response(
    lambda one: [item.update(id="item_0") for item in one.get("output") or ()], streams=False
))  # fmt: skip
put("response.usage-lost", "responses have no usage", of_response(lambda one: one.update(usage=None)))
put("response.usage-total", "the tokens of a response don't add up", of_response(
    lambda one: one["usage"].update(total_tokens=one["usage"]["total_tokens"] + 3) if one.get("usage") else None
))  # fmt: skip
put("response.text-lost", "texts of plain responses are empty", on_json(
    items("output_text", lambda part: part.update(text=""))
))  # fmt: skip
put("response.role-user", "the model's messages have the role user", everywhere(
    items("message", lambda item: item.update(role="user") if item.get("status") and item.get("id") else None)
))  # fmt: skip
put("response.index-zero", "all items of a stream stand at the index 0", on_events(
    lambda value: value.update(output_index=0) if "output_index" in value else None
))  # fmt: skip
put("response.item-id-changes", "deltas name an item that was never announced", on_events(
    lambda value: value.update(item_id="item_0") if str(value.get("type")).endswith(".delta") else None
))  # fmt: skip
put("response.numbers-from-far", "sequence numbers fall", on_events(
    lambda value: value.update(sequence_number=1_000 - value["sequence_number"]) if "sequence_number" in value else None
))  # fmt: skip


def another_type(value: Any) -> None:
    if value.get("type") == "response.output_text.delta":
        value["type"] = "response.output_text.done"


put("response.type-and-name", "the name of an event differs from its type", on_events(another_type))
