"""A stream that creates a thread and a run begins with the thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import Draft, on_events
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.streams.reading import Reading, over_stream, streamed
from conformance.verdict import Finding, Level

ASSISTANTS = "assistants"


def _threadless(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: the thread is not announced."""
    kept = [event for event in events if event.name != "thread.created"]
    return kept if len(kept) < len(events) else None


@check(
    "assistants.thread.first",
    Level.SHOULD,
    clause="assistants-stream-thread-first",
    counterexample=on_events(_threadless, ASSISTANTS),
    operations=("threads.create_and_run",),
    about=streamed(ASSISTANTS),
    needs=Needs.SUCCESS,
    features=("threads.runs.stream",),
)
@over_stream
def thread_first(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """A stream that creates the thread begins with ``thread.created``. Clients learn the id of the thread from it."""
    first = next(iter(reading.events), None)
    if first is not None and first.name != "thread.created":
        yield seen.finding(
            "the stream does not begin with its thread", place=first.place, expected="thread.created", actual=first.name
        )
