"""Defects that proxies and gateways were reported to have, each as one change of what a right server answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from answers import (
    Change,
    blocks,
    data_of,
    is_stream,
    on_blocks,
    on_events,
    on_json,
    on_text,
    with_bytes,
    with_headers,
)
from attrs import evolve
from defects import defect, put

from conformance.evidence.exchange import Exchange, Fault, FaultKind


def chat(all_: Sequence[str]) -> list[int]:
    """The places of chat chunks with a text."""
    return [n for n, block in enumerate(all_) if '"content":"' in block and '"content":""' not in block]


def without(place: Callable[[list[str]], int | None]) -> Change:
    def inside(all_: list[str]) -> Sequence[str] | None:
        found = place(all_)
        return None if found is None else [*all_[:found], *all_[found + 1 :]]

    return on_blocks(inside)


def second_text(all_: list[str]) -> int | None:
    found = chat(all_)
    return found[1] if len(found) > 2 else None


def twice(all_: list[str]) -> Sequence[str] | None:
    place = second_text(all_)
    return None if place is None else [*all_[:place], all_[place], *all_[place:]]


def swapped(all_: list[str]) -> Sequence[str] | None:
    found = chat(all_)
    if len(found) < 3 or all_[found[1]] == all_[found[2]]:
        return None
    made = list(all_)
    made[found[1]], made[found[2]] = made[found[2]], made[found[1]]
    return made


def joined(all_: list[str]) -> Sequence[str] | None:
    found = chat(all_)
    if len(found) < 2:
        return None
    a, b = found[:2]
    return [*all_[:a], all_[a] + all_[b].removeprefix("data: "), *all_[b + 1 :]]


def cut_in_two(all_: list[str]) -> Sequence[str] | None:
    found = chat(all_)
    if not found:
        return None
    whole = all_[found[0]]
    return [*all_[: found[0]], whole[:40], "data: " + whole[40:], *all_[found[0] + 1 :]]


# -- event streams -----------------------------------------------------------------------------------------------------

put("stream.no-done", "[DONE] is lost", without(lambda all_: len(all_) - 1 if all_[-1] == "data: [DONE]" else None))
put(
    "stream.two-done", "[DONE] comes twice", on_blocks(lambda all_: [*all_, all_[-1]] if "[DONE]" in all_[-1] else None)
)
put("stream.lost-text", "a piece of the text is lost", without(second_text))
put("stream.text-twice", "a piece of the text comes twice", on_blocks(twice))
put("stream.text-swapped", "two pieces of the text change places", on_blocks(swapped))
put("stream.joined", "two chunks become one event", on_blocks(joined))
put("stream.cut-in-two", "a chunk is cut into two events", on_blocks(cut_in_two))


def labelled(media_type: str) -> Change:
    """Streams with another Content-Type."""
    relabel = with_headers(content_type=media_type)
    return lambda exchange: relabel(exchange) if exchange.response and is_stream(exchange.response) else None


put("stream.as-json", "a stream is labelled as JSON", labelled("application/json"))
put("stream.as-text", "a stream is labelled as plain text", labelled("text/plain"))


def each_choice(change: Callable[[dict[str, Any]], None]) -> Callable[[Any], Any]:
    def inside(value: Any) -> None:
        for choice in value.get("choices") or ():
            change(choice)

    return inside


def set_in(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def inside(choice: dict[str, Any]) -> None:
        if choice.get(name) is not None:
            choice[name] = value

    return inside


put("stream.no-finish", "no chunk has a finish_reason", on_events(each_choice(set_in("finish_reason", None))))
put(
    "stream.finish-upper",
    "finish_reason is written in capitals",
    on_events(each_choice(set_in("finish_reason", "STOP"))),
)
put("stream.no-index", "choices of a stream have no index", on_events(each_choice(lambda c: c.pop("index", None))))
put("stream.no-role", "no delta has a role", on_events(each_choice(lambda c: (c.get("delta") or {}).pop("role", None))))


def call_deltas(change: Callable[[dict[str, Any]], None]) -> Change:
    def inside(choice: dict[str, Any]) -> None:
        for call in (choice.get("delta") or {}).get("tool_calls") or ():
            change(call)

    return on_events(each_choice(inside))


put("stream.call-no-index", "deltas of calls have no index", call_deltas(lambda call: call.pop("index", None)))


@defect("stream.call-no-id", "deltas of calls have no id")
def call_no_id(exchange: Exchange) -> Exchange | None:
    return call_deltas(lambda call: call.pop("id", None))(exchange)


def second_call(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def inside(call: dict[str, Any]) -> None:
        if call.get("index") == 1 and name in call:
            call[name] = value

    return inside


put("stream.calls-one-index", "all calls have the index 0", call_deltas(second_call("index", 0)))


@defect("stream.calls-one-id", "all calls of a stream have one id")
def calls_one_id(exchange: Exchange) -> Exchange | None:
    first: list[str] = []

    def inside(call: dict[str, Any]) -> None:
        if call.get("id"):
            first.append(call["id"])
            call["id"] = first[0]

    return call_deltas(inside)(exchange)


@defect("stream.calls-merged", "the arguments of all calls stand under the first one")
def calls_merged(exchange: Exchange) -> Exchange | None:
    def inside(call: dict[str, Any]) -> None:
        if call.get("index") == 1 and "id" not in call:
            call["index"] = 0

    return call_deltas(inside)(exchange)


def last_arguments(all_: list[str]) -> int | None:
    found = [n for n, block in enumerate(all_) if '"arguments":"' in block and '"arguments":""' not in block]
    return found[-1] if len(found) > 1 else None


put("stream.arguments-cut", "the last piece of the arguments of each call is lost", without(last_arguments))


@defect("stream.id-changes", "the id changes within a stream")
def id_changes(exchange: Exchange) -> Exchange | None:
    count = iter(range(10_000))

    def inside(value: Any) -> None:
        if value.get("id"):
            value["id"] = f"{value['id']}{next(count)}"

    return on_events(inside)(exchange)


def no_usage(value: Any) -> None:
    if "usage" in value and "choices" in value:
        value["usage"] = None


put("stream.no-usage", "the usage that was asked for is lost", on_events(no_usage))
put("stream.unnamed", "events of the Assistants and Responses APIs lose their names", on_blocks(
    lambda all_: ["\n".join(line for line in block.split("\n") if not line.startswith("event:")) for block in all_]
    if any(block.startswith("event:") for block in all_) else None
))  # fmt: skip
put("stream.no-numbers", "events of the Responses API have no sequence_number", on_events(
    lambda value: value.pop("sequence_number", None) and None
))  # fmt: skip


def terminal(all_: list[str]) -> int | None:
    found = [
        n for n, block in enumerate(all_) if "thread.run.completed" in block or '"type":"response.completed"' in block
    ]
    return found[-1] if found else None


put("stream.no-end", "the event that ends a run or a response is lost", without(terminal))


@defect("stream.error-inside", "a stream of 200 begins with an error")
def error_inside(exchange: Exchange) -> Exchange | None:
    error = 'data: {"error":{"code":"500","message":"upstream failed"}}'
    return on_blocks(lambda all_: [error])(exchange)


@defect("stream.broken-off", "the connection is closed in the middle of a stream")
def broken_off(exchange: Exchange) -> Exchange | None:
    response = exchange.response
    if response is None or not is_stream(response) or len(response.chunks) < 4:
        return None
    half = evolve(response, chunks=response.chunks[: len(response.chunks) // 2], complete=False)
    return evolve(exchange, response=half, fault=Fault(FaultKind.CLOSED, "closed", 0.1), control_ok=True)


@defect("stream.not-asked", "a plain answer to a request for a stream")
def not_asked(exchange: Exchange) -> Exchange | None:
    response = exchange.response
    if response is None or not is_stream(response):
        return None
    values = [value for value in map(data_of, blocks(response)) if isinstance(value, dict)]
    if not values:
        return None
    made = with_bytes(response, json.dumps(values[-1]).encode())
    headers = tuple((n, "application/json" if n.lower() == "content-type" else v) for n, v in made.headers)
    return evolve(exchange, response=evolve(made, headers=headers))


# -- texts -------------------------------------------------------------------------------------------------------------

put("text.double", "UTF-8 is read as Latin-1 and written again", on_text(
    lambda text: text.encode().decode("latin-1") if not text.isascii() else text
))  # fmt: skip
put("text.replaced", "characters beyond ASCII become U+FFFD", on_text(
    lambda text: "".join(char if ord(char) < 128 else "\ufffd" for char in text)
))  # fmt: skip

# -- JSON --------------------------------------------------------------------------------------------------------------

put("json.trailing", "bytes follow the JSON", on_text(
    lambda text: text + "\n<!-- served by a proxy -->", streams=False
))  # fmt: skip
put("json.no-id", "objects have no id", on_json(lambda value: value.pop("id", None) and None))
put("json.no-object", "objects don't say what they are", on_json(lambda value: value.pop("object", None) and None))


def times(change: Callable[[Any], Any]) -> Change:
    def inside(value: Any) -> None:
        value.update(
            {name: change(value[name]) for name in ("created", "created_at") if isinstance(value.get(name), int)}
        )

    return on_json(inside)


put("json.milliseconds", "times are in milliseconds", times(lambda seconds: seconds * 1000))
put("json.time-text", "times are texts", times(lambda _: "2024-05-01T00:00:00Z"))
put("json.wrapped", "the answer is wrapped in an envelope", on_json(lambda value: {"data": value, "success": True}))
put("json.no-usage", "usage is lost", on_json(lambda value: value.pop("usage", None) and None))


def wrong_total(value: Any) -> None:
    usage = value.get("usage")
    if isinstance(usage, dict) and isinstance(usage.get("total_tokens"), int):
        usage["total_tokens"] += 3


put("json.wrong-total", "the tokens don't add up", on_json(wrong_total))


def as_texts(value: Any) -> None:
    usage = value.get("usage")
    if isinstance(usage, dict):
        value["usage"] = {name: str(number) if isinstance(number, int) else number for name, number in usage.items()}


put("json.numbers-as-texts", "numbers of usage are texts", on_json(as_texts))
put("json.finish-lost", "finish_reason is null", on_json(each_choice(set_in("finish_reason", None))))
put("json.finish-wrong", "a call ends with stop", on_json(
    each_choice(lambda c: c.update(finish_reason="stop") if c.get("finish_reason") == "tool_calls" else None)
))  # fmt: skip


def bad_arguments(choice: dict[str, Any]) -> None:
    for call in (choice.get("message") or {}).get("tool_calls") or ():
        call["function"]["arguments"] = call["function"]["arguments"] * 2


def one_id(choice: dict[str, Any]) -> None:
    calls = (choice.get("message") or {}).get("tool_calls") or ()
    for call in calls:
        call["id"] = calls[0]["id"]


put("json.calls-one-id", "all calls of an answer have one id", on_json(each_choice(one_id)))
put("json.arguments-twice", "arguments of calls hold two JSON texts", on_json(each_choice(bad_arguments)))


def fewer(value: Any) -> None:
    if value.get("object") == "list" and value.get("data") and "embedding" in value["data"][0]:
        value["data"] = value["data"][:-1] if len(value["data"]) > 1 else []


put("json.vector-lost", "an embedding is lost", on_json(fewer))


def reverse(value: Any) -> None:
    if value.get("object") == "list" and len(value.get("data") or ()) > 1 and "embedding" in value["data"][0]:
        value["data"].reverse()
        for place, one in enumerate(value["data"]):
            one["index"] = place


put("json.vectors-swapped", "embeddings come in another order", on_json(reverse))

# -- lists and objects -------------------------------------------------------------------------------------------------


def page(change: Callable[[Any], None]) -> Change:
    def inside(value: Any) -> None:
        if value.get("object") == "list" and "has_more" in value:
            change(value)

    return on_json(inside, method="GET")


put("list.no-more", "has_more is always false", page(lambda value: value.update(has_more=False)))
put("list.more", "has_more is always true", page(lambda value: value.update(has_more=True)))
put("list.wrong-last", "last_id is the first one", page(lambda value: value.update(last_id=value.get("first_id"))))
put("list.lost-first", "the first object of a page is lost", page(lambda value: value.update(data=value["data"][1:])))
put("list.reversed", "pages come in reverse", page(lambda value: value["data"].reverse()))
put("object.not-deleted", "a deletion says that nothing was deleted", on_json(
    lambda value: value.update(deleted=False) if "deleted" in value else None, method="DELETE"
))  # fmt: skip
put("object.no-metadata", "metadata are lost", on_json(
    lambda value: value.update(metadata={}) if value.get("metadata") else None
))  # fmt: skip
