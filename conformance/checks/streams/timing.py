"""Checks of when the parts of a stream arrive. They are reported but never scored, because a network lies in
between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve

from conformance.evidence.event_stream import stream_of
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import Draft, on_body, on_events
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.streams.reading import Reading, over_stream, streamed
from conformance.verdict import Finding, Level, Outcome

#: A first event that comes later than this many seconds is worth a note.
FIRST = 10.0

#: An answer was held back if it has at least MANY events, took longer than HELD seconds and came in one block.
MANY, HELD = 10, 1.0


def _untimed(seen: Observation) -> Iterator[Finding]:
    """Yield why nothing can be said of times, if a recording has none."""
    if not seen.response.timed:
        yield seen.finding("the recording doesn't tell when the events came", outcome=Outcome.NOT_APPLICABLE)


def _late(events: list[Draft], _request: Request) -> Sequence[Draft]:
    """Counterexample: everything comes late."""
    return [evolve(event, at=event.at + 2 * FIRST) for event in events]


@check(
    "stream.timing.first-event",
    Level.OBS,
    clause="stream-first-event",
    counterexample=on_events(_late),
    about=streamed(),
    needs=Needs.SUCCESS,
    provenance="observed",
    entails=("stream.timing.buffered",),
)
@over_stream
def first_event(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The first event arrives within 10 seconds of the request, so that users see that something happens."""
    yield from _untimed(seen)
    if seen.response.timed and reading.events and reading.events[0].at > FIRST:
        first = reading.events[0]
        yield seen.finding(
            "the first event came late", place=first.place, expected=f"within {FIRST:.0f} s", actual=f"{first.at:.2f} s"
        )


def _in_one_block(_exchange: Exchange, response: Response) -> Response | None:
    """Counterexample: the whole stream arrives at its end."""
    # A short stream may well arrive in one block.
    if len(stream_of(response).events) <= MANY:
        return None
    # Late enough that the answer counts as held back, however fast the target was.
    at = max(response.elapsed, 2 * HELD)
    return evolve(response, chunks=(Chunk(at, response.body),), elapsed=at)


@check(
    "stream.timing.buffered",
    Level.OBS,
    clause="stream-not-buffered",
    counterexample=on_body(_in_one_block),
    about=streamed(),
    needs=Needs.SUCCESS,
    provenance="observed",
)
@over_stream
def buffered(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """A long answer doesn't arrive in one block at its end.

    A proxy that collects the whole stream before it forwards it makes streaming pointless. The service itself may send
    events in groups.
    """
    yield from _untimed(seen)
    events = reading.events
    if not seen.response.timed:
        return
    if len(events) >= MANY and events[0].first_at >= HELD and events[-1].at - events[0].first_at < 0.001:
        yield seen.finding(
            f"{len(events)} events arrived in one block",
            place=events[0].place,
            expected="events as they are made",
            actual=f"nothing for {events[0].first_at:.2f} s, then everything",
        )
