"""Checks of the end of a stream: the message body and the sentinel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve

from conformance.evidence.exchange import Exchange, Fault, FaultKind
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import Draft, assemble, drafts, on_events
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.streams.reading import Reading, over_stream, read, streamed
from conformance.verdict import Finding, Level, Outcome

#: What each kind of fault means for the stream.
_HOW = {
    FaultKind.CLOSED: "the connection was closed before the message body ended",
    FaultKind.READ_TIMEOUT: "the message body was left open: nothing more came within the idle limit",
    FaultKind.TOTAL_TIMEOUT: "the message body was left open beyond the limit for a whole answer",
    FaultKind.TOO_LARGE: "the message body grew beyond the size limit",
    FaultKind.PROTOCOL: "the answer is not a proper HTTP message",
}


def _left_open(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the connection is closed before the last event."""
    response = exchange.response
    if response is None or not exchange.ok or response.media_type != "text/event-stream":
        return None
    events = drafts(response)
    if len(events) < 2:
        return None
    cut = evolve(assemble(response, events[:-1]), complete=False)
    fault = Fault(FaultKind.CLOSED, "closed in the middle of the body", response.elapsed)
    return evolve(exchange, response=cut, fault=fault)


@check(
    "sse.ends",
    Level.MUST,
    clause="chat-stream-ends",
    counterexample=_left_open,
    about=streamed(),
    needs=Needs.ANY,
    provenance="standard",
    entails=("stream.cancel.next-answers",),
)
def ends(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The message body of a stream begins and ends within the limits (RFC 9112 sections 6.3 and 8).

    A client hangs on a stream that is left open until a timeout, and takes one that is cut off for complete. Only the
    message body has to end; the connection may stay open for the next request.
    """
    exchange, fault = seen.exchange, seen.exchange.fault
    # No head came at all: there is no body whose end could be judged.
    if exchange.response is None:
        if fault is not None:
            yield seen.finding(
                f"no answer began: {fault.message}",
                expected="a stream",
                actual=f"{fault.kind} after {fault.at:.2f} s",
                outcome=Outcome.NOT_TESTABLE if fault.kind is FaultKind.TOO_LARGE else None,
            )
        return
    if fault is None and exchange.response.complete:
        return
    reading = read(spec, seen)
    # It tells a server that doesn't close the body from one that stopped sending.
    done = " although [DONE] had come" if reading is not None and reading.done else ""
    how = _HOW.get(fault.kind, "the exchange ended early") if fault else _HOW[FaultKind.CLOSED]
    yield seen.finding(
        how + done,
        place=f"byte:{exchange.response.size}",
        expected="the end of the message body",
        actual=f"{fault.kind} after {fault.at:.2f} s: {fault.message}" if fault else "an incomplete message",
    )


def _sentinels(events: list[Draft]) -> list[Draft]:
    """The events that are sentinels."""
    return [event for event in events if event.data == "[DONE]"]


def _no_done(events: list[Draft], _request: Request) -> list[Draft] | None:
    """Counterexample: the sentinel is missing."""
    kept = [event for event in events if event.data != "[DONE]"]
    return kept if kept and len(kept) < len(events) else None


def _done_twice(events: list[Draft], _request: Request) -> list[Draft] | None:
    """Witness: two sentinels follow the events, in a protocol without one too."""
    if len(_sentinels(events)) == len(events):
        return None
    end = Draft("[DONE]", None, events[-1].at)
    return [*events, end, end]


@check(
    "sse.done.once",
    Level.MUST,
    clause="stream-done",
    counterexample=on_events(_no_done, "chat-chunks", "completion-chunks", "assistants"),
    witness=on_events(_done_twice),
    about=streamed(),
    needs=Needs.SUCCESS,
)
@over_stream
def done_once(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The sentinel appears exactly once if the protocol has one, and otherwise at most once.

    Without it a client can't tell a complete answer from a cut one; with two of them it sees an event after the end.
    After an error event it may be missing.
    """
    count = len(reading.done)
    if count > 1:
        yield seen.finding(f"[DONE] came {count} times", place=reading.done[1].place, expected="once", actual=count)
    # A stream that was cut off lacks its sentinel for another reason, which ``sse.ends`` reports.
    elif count == 0 and reading.shape.done is not None and reading.ended:
        last = reading.stream.events[-1].data[:80] if reading.stream.events else "an empty stream"
        yield seen.finding(
            "the stream ended without its sentinel",
            place=f"byte:{reading.stream.size}",
            expected=reading.shape.done,
            actual=last,
        )


def _after_done(events: list[Draft], _request: Request) -> list[Draft] | None:
    """Counterexample: an event follows the sentinel."""
    done, rest = _sentinels(events), [event for event in events if event.data != "[DONE]"]
    if len(done) != 1 or not rest:
        return None
    return [*rest[:-1], evolve(done[0], at=rest[-1].at), evolve(rest[-1], at=done[0].at)]


def _done_first(events: list[Draft], _request: Request) -> list[Draft]:
    """Witness: a sentinel before the last event."""
    return [*events[:-1], Draft("[DONE]", None, events[-1].at), events[-1]]


@check(
    "sse.done.last",
    Level.MUST,
    clause="stream-done",
    counterexample=on_events(_after_done),
    witness=on_events(_done_first),
    about=streamed(),
    needs=Needs.SUCCESS,
)
@over_stream
def done_last(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Nothing but comments follows the sentinel. Clients stop reading there, so whatever follows is lost."""
    if reading.done:
        first = reading.done[0]
        late = next((event for event in reading.events if event.index > first.index), None)
        unfinished = reading.stream.unfinished
        if late is None and unfinished is not None and unfinished is not first and unfinished not in reading.done:
            late = unfinished
        if late is not None:
            yield seen.finding(
                "an event follows [DONE]", place=late.place, expected="the end of the stream", actual=late.data[:80]
            )
