"""Checks of Responses streams: names, announcements, deltas, and the event that ends them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import Draft, each_json, on_events
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.streams.reading import Reading, over_stream, streamed
from conformance.streams.responses import TERMINAL, NestingFault, Outline, comparable, kind_of, order_breaches
from conformance.verdict import Finding, Level

RESPONSES = "responses"

#: The number of findings of one kind that are reported for one stream.
MOST = 5


def _kind(event: Draft) -> str:
    """The type of an event."""
    value = event.json
    return str(value.get("type", "")) if isinstance(value, dict) else ""


def _find(events: Sequence[Draft], *kinds: str) -> int | None:
    """The index of the first event of one of the types, or None."""
    return next((index for index, event in enumerate(events) if _kind(event) in kinds), None)


def _misnamed(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: an event has the name of another type."""
    index = _find(events, "response.in_progress", "response.output_item.added")
    if index is None:
        return None
    wrong = Draft(events[index].data, "response.output_text.delta", events[index].at)
    return [*events[:index], wrong, *events[index + 1 :]]


@check(
    "responses.event.name",
    Level.MUST,
    clause="responses-event-name",
    counterexample=on_events(_misnamed, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
    entails=("sse.event.schema",),
)
@over_stream
def event_name(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The ``event:`` line repeats the ``type`` in the data.

    Some clients use the one, some the other. A missing line is a warning: clients that need it ignore every event.
    """
    shown = 0
    for event in reading.events:
        value = event.json
        if not isinstance(value, dict) or shown == MOST:
            continue
        kind = value.get("type")
        if not event.name:
            shown = MOST
            yield seen.finding(
                "events have no event: line", place=event.place, expected=f"event: {kind}", level=Level.SHOULD
            )
        elif kind != event.name:
            shown += 1
            yield seen.finding(
                "the name of an event is not its type", place=event.place, expected=kind, actual=event.name
            )


#: Rule of the state machine → (what happened, what is expected).
_ORDER = {
    "created-first": ("comes before response.created", "response.created first"),
    "created-once": ("comes twice", "one response.created"),
    "nothing-after-end": ("comes after the end of the response", "nothing after the terminal event"),
}


def _late_work(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: the first event is missing."""
    start = _find(events, "response.created")
    return None if start is None else [*events[:start], *events[start + 1 :]]


@check(
    "responses.order",
    Level.MUST,
    clause="responses-event-order",
    counterexample=on_events(_late_work, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
)
@over_stream
def order(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """A stream begins with ``response.created``, and nothing follows the event that ends the response."""
    breaches = [breach for breach in order_breaches(reading) if breach.rule in _ORDER and breach.tag is not None]
    for breach in breaches[:MOST]:
        assert breach.tag is not None  # noqa: S101 - filtered above; for the type checker
        what, expected = _ORDER[breach.rule]
        name = kind_of(breach.tag, breach.tag.json)
        yield seen.finding(f"{name} {what}", place=breach.tag.place, expected=expected, actual=breach.state)


def _no_terminal(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: the event that ends the response is missing."""
    kept = [event for event in events if _kind(event) not in TERMINAL]
    return kept if kept and len(kept) < len(events) else None


@check(
    "responses.terminal.once",
    Level.MUST,
    clause="responses-terminal-event",
    counterexample=on_events(_no_terminal, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
)
@over_stream
def terminal_once(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Exactly one event ends a stream: completed, incomplete, failed or a bare ``error``, which failed may follow.

    Without it a cut-off stream looks like an answer. A sentinel after it is neither required nor forbidden.
    """
    for breach in order_breaches(reading):
        if breach.rule == "never-ends":
            last = reading.events[-1].name if reading.events else "an empty stream"
            yield seen.finding(
                "the stream ends without a terminal event",
                place=f"byte:{reading.stream.size}",
                expected=", ".join(TERMINAL),
                actual=last or reading.events[-1].data[:80],
            )
        elif breach.rule == "ends-once" and breach.tag is not None:
            yield seen.finding("a second terminal event", place=breach.tag.place, actual=breach.tag.name)


def _shown(seen: Observation, faults: Iterable[NestingFault]) -> Iterator[Finding]:
    """Yield a finding for each fault, up to the limit."""
    for wrong in list(faults)[:MOST]:
        yield seen.finding(wrong.message, place=wrong.event.place, expected=wrong.expected, actual=wrong.actual)


def _other_item(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: a delta names another item."""
    index = _find(events, "response.output_text.delta", "response.function_call_arguments.delta")
    if index is None:
        return None
    drifted = events[index].with_json({**events[index].json, "item_id": "msg_of_another_answer"})
    return [*events[:index], drifted, *events[index + 1 :]]


@check(
    "responses.announced",
    Level.MUST,
    clause="responses-announced-before-use",
    counterexample=on_events(_other_item, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
)
@over_stream
def announced(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Every item and part is announced before its events, under the next free index, and keeps its id.

    Clients assign deltas by index and id. A gap or a changed id puts text into the wrong item, or nowhere.
    """
    yield from _shown(seen, Outline.of(reading).rule("announced"))


def _never_closed(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: a text has no done event."""
    end = _find(events, "response.completed")
    index = _find(events, "response.output_text.done", "response.function_call_arguments.done")
    return None if index is None or end is None else [*events[:index], *events[index + 1 :]]


@check(
    "responses.items.closed",
    Level.MUST,
    clause="responses-items-closed",
    counterexample=on_events(_never_closed, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
)
@over_stream
def closed(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Before a response is completed, every announced item, part and text has its ``done`` event.

    Clients use an item only when it is done.
    """
    if reading.ended:
        yield from _shown(seen, Outline.of(reading).rule("closed"))


def _lose_delta(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: a delta is missing."""
    index = _find(events, "response.output_text.delta", "response.function_call_arguments.delta")
    return None if index is None or not events[index].json.get("delta") else [*events[:index], *events[index + 1 :]]


@check(
    "responses.deltas.concatenate",
    Level.MUST,
    clause="responses-deltas",
    counterexample=on_events(_lose_delta, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
)
@over_stream
def concatenate(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The deltas of a text, joined, are the text of its ``done`` event, of its part and of its item."""
    yield from _shown(seen, Outline.of(reading).rule("joined"))


def _part_in_reasoning(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: an item with content parts claims to be reasoning."""
    index = _find(events, "response.output_item.added")
    if index is None or not any(_kind(event) == "response.content_part.added" for event in events):
        return None
    value = events[index].json
    if value["item"].get("type") != "message":
        return None
    value["item"] = {"id": value["item"]["id"], "type": "reasoning", "summary": [], "status": "in_progress"}
    return [*events[:index], events[index].with_json(value), *events[index + 1 :]]


@check(
    "responses.part.type",
    Level.SHOULD,
    clause="responses-part-events",
    counterexample=on_events(_part_in_reasoning, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
    provenance="observed",
)
@over_stream
def part_type(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """A reasoning item has summary parts, not content parts: clients would show the reasoning as the answer."""
    yield from _shown(seen, Outline.of(reading).rule("part-type"))


def _empty_output(value: dict[str, Any], _index: int) -> dict[str, Any] | None:
    """Counterexample: the completed response has no output."""
    if value.get("type") == "response.completed" and value["response"].get("output"):
        value["response"]["output"] = []
        return value
    return None


@check(
    "responses.completed.equals",
    Level.MUST,
    clause="responses-completed-output",
    counterexample=each_json(_empty_output, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
)
@over_stream
def completed_equals(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The output of the completed response consists of the items that the stream closed, in their order.

    Status, encrypted content with its fingerprint and filter results may differ: the service encrypts anew each time.
    """
    outline = Outline.of(reading)
    if outline.final is None or kind_of(outline.final[0], outline.final[0].json) != "response.completed":
        return
    event, response = outline.final
    output = response.get("output")
    items = [item.done for _, item in sorted(outline.items.items(), key=lambda pair: str(pair[0]).zfill(6))]
    if None in items:
        return
    given = output if isinstance(output, list) else []
    if len(given) != len(items):
        yield seen.finding(
            "the completed response has other items than the stream announced",
            place=f"{event.place}/response/output",
            expected=f"{len(items)} items",
            actual=f"{len(given)} items",
        )
    for index, (one, other) in enumerate(zip(items, given, strict=False)):
        if comparable(one) != comparable(other):
            yield seen.finding(
                f"item {index} differs from the one that the stream closed",
                place=f"{event.place}/response/output/{index}",
                expected=str(one)[:160],
                actual=str(other)[:160],
            )


def _other_response(value: dict[str, Any], _index: int) -> dict[str, Any] | None:
    """Counterexample: an event has another response id."""
    if value.get("type") == "response.in_progress":
        value["response"]["id"] += "0"
        return value
    return None


@check(
    "responses.id.constant",
    Level.MUST,
    clause="responses-same-id",
    counterexample=each_json(_other_response, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
)
@over_stream
def id_constant(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """All events of a stream are about one response and contain the same id."""
    first: Any = None
    for event, value in reading.values:
        response = value.get("response")
        identity = response.get("id") if isinstance(response, dict) else None
        if identity is not None:
            first = first if first is not None else identity
            if identity != first:
                yield seen.finding(
                    "the response's id changes", place=f"{event.place}/response/id", expected=first, actual=identity
                )
                return


#: Event type → the status of the response in such an event.
_ANNOUNCED = {
    "response.queued": ("queued",),
    "response.in_progress": ("in_progress",),
    "response.completed": ("completed",),
    "response.incomplete": ("incomplete",),
    "response.failed": ("failed",),
}


def _not_yet(value: dict[str, Any], _index: int) -> dict[str, Any] | None:
    """Counterexample: the final event has a status that isn't final."""
    if value.get("type") not in TERMINAL or not isinstance(value.get("response"), dict):
        return None
    return {**value, "response": {**value["response"], "status": "in_progress"}}


@check(
    "responses.event.status",
    Level.MUST,
    clause="responses-stream-status",
    counterexample=each_json(_not_yet, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
)
@over_stream
def event_status(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The status of the response in an event is the one that the event's type says."""
    for event, value in reading.values:
        response, kind = value.get("response"), kind_of(event, value)
        status = response.get("status") if isinstance(response, dict) else None
        if status is not None and status not in _ANNOUNCED.get(kind, (status,)):
            yield seen.finding(
                f"another status in {kind}", place=f"{event.place}/response/status", expected=_ANNOUNCED[kind][0],
                actual=status,
            )  # fmt: skip
