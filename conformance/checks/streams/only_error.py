"""A check of streams that hold nothing but an error, whatever was asked."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.stream_counterexamples import Draft, on_events
from conformance.requests.case import Expect
from conformance.requests.request import Request
from conformance.requests.selectors import streams
from conformance.spec.spec import Spec
from conformance.streams.reading import read
from conformance.verdict import Finding, Level

#: So many streams must have been asked for: one that breaks off may be an accident of the model or the account.
LEAST = 2


def _only_error(events: list[Draft], _request: Request) -> list[Draft] | None:
    """Counterexample: the stream is one error event."""
    at = events[0].at
    error = '{"error":{"code":"server_error","message":"Try later."}}'
    return [Draft(error, None, at), Draft("[DONE]", None, at)]


def _streams(spec: Spec, trace: Trace) -> list[Observation]:
    """The valid requests for a stream that were answered with 200 and a whole stream."""
    return [
        seen
        for seen in trace
        if seen.case.expect is Expect.ACCEPT
        and streams(spec, seen.case)
        and seen.case.cancel_after is None
        and seen.exchange.ok
        and read(spec, seen) is not None
    ]


def _refuses(spec: Spec, seen: Observation) -> bool:
    """Return True if the first event is an error and nothing else came."""
    reading = read(spec, seen)
    return reading is not None and bool(reading.events) and len(reading.errors) == len(reading.events)


@trace_check(
    "stream.error.only",
    Level.MUST,
    clause="stream-error-before-first-byte",
    counterexample=on_events(_only_error, "chat-chunks", "completion-chunks"),
    scenarios=("corpus.chat.completions.create", "corpus.completions.create"),
    operations=("chat.completions.create", "completions.create"),
    together=True,
    entails=(
        "stream.no-error",
        "stream.finish-reason.once",
        "stream.logprobs.present",
        "stream.usage.once",
        "stream.tool-calls.forced",
        "stream.equals-plain",
    ),
)
def only_error(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A target that can't serve a stream says so with a status, not with 200 and a stream of one error event.

    One stream that is nothing but an error may be an accident. If every valid request for a stream is answered so, the
    error was known before the first event. Clients look at the status to decide whether to try again.
    """
    asked = _streams(spec, trace)
    failed = [seen for seen in asked if _refuses(spec, seen)]
    if len(failed) < LEAST or len(failed) < len(asked):
        return
    for seen in failed[:3]:
        reading = read(spec, seen)
        first = reading.events[0] if reading is not None else None
        yield seen.finding(
            f"each of {len(asked)} streams is 200 and then only an error event",
            place=first.place if first else "status",
            expected="a 4xx or 5xx status, or an answer",
            actual=first.data[:160] if first else "",
        )
