"""Checks of single events: JSON, name, schema, and the form of errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import evolve

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.schema_findings import drift_findings, level_of_error, unknown_event
from conformance.judging.stream_counterexamples import Draft, each_json, on_events
from conformance.requests.request import Request
from conformance.schema.validators import validator_for
from conformance.spec.spec import Spec
from conformance.streams.event_schemas import event_schemas, free_in_filter_chunk
from conformance.streams.reading import DATA_ONLY, DONE, Reading, over_stream, streamed
from conformance.verdict import Finding, Level, Outcome

#: The number of findings of one kind that are reported for one stream.
MOST = 5


def _broken_json(events: list[Draft], _request: Request) -> list[Draft] | None:
    """Counterexample: an event contains a keep-alive text."""
    if not any(isinstance(event.json, dict) for event in events):
        return None
    first = events[0]
    # A text that keeps a connection alive, sent as data instead of as a comment.
    return [Draft(": PROCESSING", first.name, first.at), *events]


@check(
    "sse.data.json",
    Level.MUST,
    clause="sse-data-json",
    counterexample=on_events(_broken_json),
    about=streamed(),
    needs=Needs.SUCCESS,
)
@over_stream
def data_json(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The data of every event except the sentinel is one JSON object (RFC 8259).

    Clients parse each event and abort on anything else: an empty data line, a keep-alive text, a sentinel with
    something after it.
    """
    bad = [event for event in reading.events if not isinstance(event.json, dict)]
    for event in bad[:MOST]:
        yield seen.finding(
            "the data of an event is not one JSON object",
            place=event.place,
            expected="a JSON object",
            actual=event.data[:80] or "nothing",
        )


def _name_it(events: list[Draft], _request: Request) -> list[Draft] | None:
    """Counterexample: an event with a name of its own is inserted."""
    extra = Draft('{"tool":"search","status":"running"}', "tool.progress", events[0].at)
    return [events[0], extra, *events[1:]]


@check(
    "sse.event.unnamed",
    Level.MUST,
    clause="chat-stream-data-only",
    counterexample=on_events(_name_it, *DATA_ONLY),
    about=streamed(*DATA_ONLY),
    needs=Needs.SUCCESS,
)
@over_stream
def unnamed(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The events of chat and completion streams have no name.

    Clients give the data of every event to the same parser, so an event of another kind ends their turn with an error.
    An event named ``error`` is accepted.
    """
    named = [event for event in reading.stream.events if event.name not in (None, "", "error")]
    for event in named[:MOST]:
        yield seen.finding("a named event", place=event.place, expected="no event: line", actual=f"event: {event.name}")


def _wrong_type(value: dict[str, Any], index: int) -> dict[str, Any] | None:
    """Counterexample: a field has the wrong type."""
    if "choices" in value and value["choices"] and value.get("object"):
        return {**value, "created": "yesterday"}
    if str(value.get("object", "")) == "thread.run" and value.get("status"):
        return {**value, "metadata": 7}
    if value.get("type") == "response.created":
        return {**value, "response": {**value["response"], "created_at": "yesterday"}}
    return None


@check(
    "sse.event.schema",
    Level.MUST,
    clause="stream-event-schema",
    counterexample=each_json(_wrong_type),
    about=streamed(),
    needs=Needs.SUCCESS,
    provenance="spec",
    entails=("stream.created.constant",),
)
@over_stream
def event_schema(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The data of each event is valid against the document's schema for that event.

    An event of an undocumented type, and an unknown member of another open union, is drift: it is shown and never
    scored, because the service adds types. In the service's own filter chunks, fields that only chunks with content
    need may be empty or absent.
    """
    schemas = event_schemas(spec, reading.shape)
    shown = 0
    for event, value in reading.values:
        name = None if reading.shape.protocol in DATA_ONLY else event.name or value.get("type")
        # A document may describe all events by one schema, which then has no name.
        pointer = schemas.get(name, schemas.get(None))
        if pointer is None:
            yield from unknown_event(seen, event.place, str(name))
            continue
        for error in validator_for(spec, pointer).errors(value):
            # The service itself sends such chunks, against its own document.
            if free_in_filter_chunk(reading.shape.protocol, value, error):
                continue
            drift = drift_findings(spec, seen, error, value, place=event.place, kind=str(name or ""))
            yield from drift
            if not drift and shown < MOST:
                # Where no branch of a union fits, the deepest cause says most.
                deepest = max(error.walk(), key=lambda cause: cause.instance_pointer.count("/"))
                yield seen.finding(
                    error.message,
                    place=event.place + deepest.instance_pointer,
                    expected=deepest.keyword,
                    pointer=error.schema_pointer,
                    level=level_of_error(seen, error),
                )
            shown += not drift


def _interrupt(events: list[Draft], _request: Request) -> list[Draft] | None:
    """Counterexample: an error event comes before the last event."""
    if len(events) < 2:
        return None
    error = Draft('{"error":{"code":"server_error","message":"The stream was interrupted."}}', None, events[1].at)
    return [*events[:-1], error, evolve(events[-1])]


def _named_error(events: list[Draft], _request: Request) -> list[Draft] | None:
    """Witness: the last event is replaced by an error. A stream without an event can't break off."""
    if all(event.data == DONE for event in events):
        return None  # a stream of nothing can't break off
    data = '{"type":"error","code":"server_error","error":{"code":"server_error","message":[]}}'
    return [*events[:-1], Draft(data, "error", events[-1].at)]


@check(
    "stream.no-error",
    Level.SHOULD,
    clause="stream-error-visible",
    counterexample=on_events(_interrupt, *DATA_ONLY),
    witness=on_events(_named_error),
    about=streamed(),
    needs=Needs.SUCCESS,
    provenance="observed",
)
@over_stream
def no_error(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """A stream doesn't break off with an error event.

    The error event itself is the right way to report a failure. The failure may be due to the model or the account, so
    the case is left undecided. A request that can't be served must be refused before the stream begins.
    """
    for event in reading.errors[:1]:
        yield seen.finding(
            "the stream broke off with an error",
            place=event.place,
            expected="an answer",
            actual=event.data[:160],
            outcome=Outcome.INCONCLUSIVE,
        )


def _error_text(events: list[Draft], _request: Request) -> list[Draft] | None:
    """Counterexample: the error event has a text in place of an object."""
    if len(events) < 2:
        return None
    return [*events[:-1], Draft('{"error":"something went wrong"}', None, events[-1].at), events[-1]]


@check(
    "stream.error.envelope",
    Level.SHOULD,
    clause="stream-error-visible",
    counterexample=on_events(_error_text, *DATA_ONLY),
    witness=on_events(_named_error),
    about=streamed(),
    needs=Needs.SUCCESS,
    provenance="observed",
    entails=("stream.no-error",),
)
@over_stream
def error_envelope(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """An error event has a ``message``, in an ``error`` object or beside the type ``error``."""
    for event in reading.errors[:MOST]:
        value = event.json if isinstance(event.json, dict) else {}
        inner = value.get("error", value)
        if not (isinstance(inner, dict) and isinstance(inner.get("message"), str)):
            yield seen.finding(
                "the error event has no message", place=event.place, expected="error.message", actual=event.data[:160]
            )
