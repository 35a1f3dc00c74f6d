"""Responses that forget, contradict themselves or are told in the wrong order."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from conformance.emulator.call import Call
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.emulator.mutants.edit import Value, edited, fields, in_stream, listed, with_data
from conformance.evidence.exchange import Response

CREATE, GET, INPUT = "responses.create", "responses.get", "responses.input_items.list"


def _with(call: Call, **body: object) -> Call:
    return evolve(call, body={name: value for name, value in {**call.body, **body}.items() if value is not None})


@mutant("responses.store-false-kept", "A response that is not to be stored can't be looked at.", CREATE)
def store_false_kept(call: Call, answer: Handler) -> Response:
    return answer(_with(call, store=True))


@mutant("responses.never-kept", "A response is stored unless told not to.", CREATE)
def never_kept(call: Call, answer: Handler) -> Response:
    return answer(_with(call, store=False))


@mutant("responses.input-item-missing", "All input items are listed.", INPUT)
def input_item_missing(call: Call, answer: Handler) -> Response:
    return listed(answer(call), lambda data: data[:-1])


@mutant("responses.input-order-fixed", "Input items follow the order that is asked for.", INPUT)
def input_order_fixed(call: Call, answer: Handler) -> Response:
    query = {name: value for name, value in call.query.items() if name != "order"}
    return answer(evolve(call, query={**query, "order": "asc"}))


@mutant("responses.input-text-changed", "Input items come back as they were sent.", INPUT)
def input_text_changed(call: Call, answer: Handler) -> Response:
    def change(page: Value) -> None:
        for item in page["data"]:
            for part in item.get("content", ()):
                part["text"] = str(part.get("text", "")).upper() + "!"

    return edited(answer(call), change)


@mutant("responses.previous-not-named", "A response names the one that it continues.", CREATE, GET)
def previous_not_named(call: Call, answer: Handler) -> Response:
    return fields(answer(call), previous_response_id=None)


@mutant("responses.unknown-previous-accepted", "A response can't continue one that is not there.", CREATE)
def unknown_previous_accepted(call: Call, answer: Handler) -> Response:
    known = call.get("previous_response_id") in call.store.collection("responses")
    return answer(call if known else _with(call, previous_response_id=None))


@mutant("responses.get-differs", "A stored response is the one that was answered.", GET)
def get_differs(call: Call, answer: Handler) -> Response:
    def change(one: Value) -> None:
        for item in one["output"]:
            for part in item.get("content", ()):
                part["text"] += " indeed"

    return edited(answer(call), change)


@mutant("responses.output-ids-change", "The items of a stored response keep their ids.", GET)
def output_ids_change(call: Call, answer: Handler) -> Response:
    def change(one: Value) -> None:
        for item in one["output"]:
            item["id"] = f"{item['id'][:-3]}xyz"

    return edited(answer(call), change)


@mutant("responses.usage-does-not-add-up", "total_tokens is the sum of input and output.", CREATE, GET)
def usage_does_not_add_up(call: Call, answer: Handler) -> Response:
    def wrong(one: Value) -> None:
        if one.get("usage"):
            one["usage"]["total_tokens"] += 1

    return edited(answer(call), wrong)


@mutant("responses.incomplete-as-completed", "A response cut by its limit is incomplete.", CREATE, GET)
def incomplete_as_completed(call: Call, answer: Handler) -> Response:
    def hide(one: Value) -> None:
        if one["status"] == "incomplete":
            one.update(status="completed", incomplete_details=None)

    return edited(answer(call), hide)


@mutant("responses.incomplete-without-reason", "An incomplete response says why.", CREATE, GET)
def incomplete_without_reason(call: Call, answer: Handler) -> Response:
    return fields(answer(call), incomplete_details=None)


@mutant("responses.background-never-ends", "A response in the background ends.", GET)
def background_never_ends(call: Call, answer: Handler) -> Response:
    def hold(one: Value) -> None:
        if one.get("background"):
            one.update(status="in_progress", output=[], usage=None)

    return edited(answer(call), hold)


@mutant("responses.forced-call-missing", "A forced function is called.", CREATE)
def forced_call_missing(call: Call, answer: Handler) -> Response:
    return answer(_with(call, tool_choice="none") if call.get("tools") else call)


@mutant("responses.stream-numbers-repeat", "Sequence numbers rise.", CREATE, streamed=True)
def stream_numbers_repeat(call: Call, answer: Handler) -> Response:
    def stuck(events: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        return [(name, with_data(data, lambda one: one.update(sequence_number=0))) for name, data in events]

    return in_stream(answer(call), stuck)


@mutant("responses.stream-text-differs", "The deltas of a text join to it.", CREATE, streamed=True)
def stream_text_differs(call: Call, answer: Handler) -> Response:
    def lose(events: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        deltas = [place for place, (name, _) in enumerate(events) if name == "response.output_text.delta"]
        return [one for place, one in enumerate(events) if place not in deltas[1:2]]

    return in_stream(answer(call), lose)


@mutant("responses.stream-item-not-done", "Every item that was added is done.", CREATE, streamed=True)
def stream_item_not_done(call: Call, answer: Handler) -> Response:
    done = "response.output_item.done"
    return in_stream(answer(call), lambda events: [one for one in events if one[0] != done])


@mutant("responses.stream-without-end", "A stream announces how the response ended.", CREATE, streamed=True)
def stream_without_end(call: Call, answer: Handler) -> Response:
    ends = ("response.completed", "response.incomplete", "response.failed")
    return in_stream(answer(call), lambda events: [one for one in events if one[0] not in ends])
