"""Mutants of the Responses API: what is not stored, contradicts itself or comes in the wrong order."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve

from conformance.emulator.call import Call
from conformance.emulator.edits import (
    Value,
    answer_unless_refused,
    edited,
    path_ids,
    with_data,
    with_events,
    with_fields,
    with_items,
)
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

CREATE, GET, INPUT = "responses.create", "responses.get", "responses.input_items.list"
CANCEL = "responses.cancel"


def _with(call: Call, **body: object) -> Call:
    """The call with other body fields; None removes one."""
    return evolve(call, body={name: value for name, value in {**call.body, **body}.items() if value is not None})


@mutant("responses.store-false-kept", "A response created with store false can't be read.", CREATE)
def store_false_kept(call: Call, answer: Handler) -> Response:
    return answer(_with(call, store=True))


@mutant("responses.never-kept", "A response is stored unless store is false.", CREATE)
def never_kept(call: Call, answer: Handler) -> Response:
    return answer(_with(call, store=False))


@mutant("responses.input-item-missing", "All input items of a response are listed.", INPUT)
def input_item_missing(call: Call, answer: Handler) -> Response:
    return with_items(answer(call), lambda data: data[:-1])


@mutant("responses.input-order-fixed", "Input items have the requested order.", INPUT)
def input_order_fixed(call: Call, answer: Handler) -> Response:
    query = {name: value for name, value in call.query.items() if name != "order"}
    return answer(evolve(call, query={**query, "order": "asc"}))


@mutant("responses.input-text-changed", "Input items come back with the text that was sent.", INPUT)
def input_text_changed(call: Call, answer: Handler) -> Response:
    def change(page: Value) -> None:
        for item in page["data"]:
            for part in item.get("content", ()):
                part["text"] = str(part.get("text", "")).upper() + "!"

    return edited(answer(call), change)


@mutant("responses.previous-not-named", "A response contains the id of the response that it continues.", CREATE, GET)
def previous_not_named(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), previous_response_id=None)


@mutant("responses.unknown-previous-accepted", "Continuing an unknown response is refused.", CREATE)
def unknown_previous_accepted(call: Call, answer: Handler) -> Response:
    known = call.get("previous_response_id") in call.store.collection("responses")
    return answer(call if known else _with(call, previous_response_id=None))


@mutant("responses.get-differs", "Reading a stored response gives the text that its creation gave.", GET)
def get_differs(call: Call, answer: Handler) -> Response:
    def change(one: Value) -> None:
        for item in one["output"]:
            for part in item.get("content", ()):
                part["text"] += " indeed"

    return edited(answer(call), change)


@mutant("responses.output-ids-change", "The output items of a stored response have the same ids in every answer.", GET)
def output_ids_change(call: Call, answer: Handler) -> Response:
    def change(one: Value) -> None:
        for item in one["output"]:
            item["id"] = f"{item['id'][:-3]}xyz"

    return edited(answer(call), change)


@mutant("responses.usage-does-not-add-up", "The field total_tokens is the sum of input and output tokens.", CREATE, GET)
def usage_does_not_add_up(call: Call, answer: Handler) -> Response:
    def wrong(one: Value) -> None:
        if one.get("usage"):
            one["usage"]["total_tokens"] += 1

    return edited(answer(call), wrong)


@mutant(
    "responses.incomplete-as-completed",
    "A response that was cut off by its token limit has the status incomplete.",
    CREATE,
    GET,
)
def incomplete_as_completed(call: Call, answer: Handler) -> Response:
    def hide(one: Value) -> None:
        if one["status"] == "incomplete":
            one.update(status="completed", incomplete_details=None)

    return edited(answer(call), hide)


@mutant("responses.incomplete-without-reason", "An incomplete response contains a reason.", CREATE, GET)
def incomplete_without_reason(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), incomplete_details=None)


@mutant("responses.background-never-ends", "A background response reaches a final state.", GET)
def background_never_ends(call: Call, answer: Handler) -> Response:
    def hold(one: Value) -> None:
        if one.get("background"):
            one.update(status="in_progress", output=[], usage=None)

    return edited(answer(call), hold)


@mutant("responses.forced-call-missing", "A function that tool_choice names is called.", CREATE)
def forced_call_missing(call: Call, answer: Handler) -> Response:
    return answer(_with(call, tool_choice="none") if call.get("tools") else call)


@mutant("responses.stream-numbers-repeat", "The sequence numbers of a stream increase.", CREATE, streamed=True)
def stream_numbers_repeat(call: Call, answer: Handler) -> Response:
    def stuck(events: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        return [(name, with_data(data, lambda one: one.update(sequence_number=0))) for name, data in events]

    return with_events(answer(call), stuck)


@mutant("responses.stream-text-differs", "The deltas of a text add up to the whole text.", CREATE, streamed=True)
def stream_text_differs(call: Call, answer: Handler) -> Response:
    def lose(events: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        deltas = [place for place, (name, _) in enumerate(events) if name == "response.output_text.delta"]
        return [one for place, one in enumerate(events) if place not in deltas[1:2]]

    return with_events(answer(call), lose)


@mutant(
    "responses.stream-item-not-done",
    "Every output item that a stream adds is also reported as done.",
    CREATE,
    streamed=True,
)
def stream_item_not_done(call: Call, answer: Handler) -> Response:
    done = "response.output_item.done"
    return with_events(answer(call), lambda events: [one for one in events if one[0] != done])


@mutant(
    "responses.stream-without-end",
    "A stream ends with an event that contains the finished response.",
    CREATE,
    streamed=True,
)
def stream_without_end(call: Call, answer: Handler) -> Response:
    ends = ("response.completed", "response.incomplete", "response.failed")
    return with_events(answer(call), lambda events: [one for one in events if one[0] not in ends])


@mutant(
    "responses.cancel-ignored", "A response that is cancelled in the background doesn't go on.", CANCEL, seen_by=GET
)
def cancel_ignored(call: Call, answer: Handler) -> Response:
    progress = call.store.collection("response-progress")
    before = progress.get(path_ids(call)[0])
    response = answer(call)
    if before is not None and response.status < 300:
        progress.put(path_ids(call)[0], before)
    return response


@mutant("responses.cancel-unconfirmed", "The answer to a cancellation shows the response cancelled.", CANCEL)
def cancel_unconfirmed(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), status="in_progress")


@mutant("responses.cancel-anything", "Only a response in the background can be cancelled.", CANCEL)
def cancel_anything(call: Call, answer: Handler) -> Response:
    response = answer_unless_refused(call, answer)
    found = call.store.collection("responses").get(path_ids(call)[0])
    if response is None and found is not None:
        return call.json({**found, "status": "cancelled"})
    return answer(call) if response is None else response


@mutant("responses.background-claims-end", "A response in the background is completed when it has ended.", CREATE,
        about="background")  # fmt: skip
def background_claims_end(call: Call, answer: Handler) -> Response:
    def claim(one: Value) -> None:
        if one.get("status") == "queued":
            one.update(status="completed", output=[])

    return edited(answer(call), claim)
