"""A streamed answer as the protocol reads it: events, end sentinels, errors, and whether its end says anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, wraps
from typing import Any

from attrs import frozen

from conformance.evidence.event_stream import MOST_LINES, Event, Stream, stream_of
from conformance.evidence.exchange import Response
from conformance.evidence.trace import Observation
from conformance.requests.case import Case
from conformance.requests.selectors import About, shape_of
from conformance.spec.operations import StreamShape
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level, Outcome

__all__ = ["DATA_ONLY", "DONE", "Reading", "compressed", "level_of", "over_stream", "read", "streamed"]

#: The sentinel where a protocol documents none: tolerated there.
DONE = "[DONE]"

#: Protocols whose events have no name.
DATA_ONLY = ("chat-chunks", "completion-chunks")


@frozen(slots=False)
class Reading:
    """``events`` are the dispatched events without the sentinels; ``done`` the sentinels, an unfinished one too.

    ``whole`` is True when the message body ended as HTTP says.
    """

    shape: StreamShape
    stream: Stream
    events: tuple[Event, ...]
    done: tuple[Event, ...]
    whole: bool

    @cached_property
    def errors(self) -> tuple[Event, ...]:
        """Events that tell of an error after the first byte."""
        return tuple(event for event in self.events if is_error(event))

    @cached_property
    def ended(self) -> bool:
        """True when what is missing was left out: the body is whole and no error event cut the answer short."""
        return self.whole and not self.errors

    @cached_property
    def values(self) -> tuple[tuple[Event, dict[str, Any]], ...]:
        """The events that carry a JSON object, with it. Errors, and named events where none belong, are left out."""
        return tuple(
            (event, event.json)
            for event in self.events
            if isinstance(event.json, dict)
            and not is_error(event)
            and not (self.shape.protocol in DATA_ONLY and event.name not in (None, ""))
        )


def is_error(event: Event) -> bool:
    """An event named ``error``, or whose data is an error envelope or has the type ``error``."""
    value = event.json
    if isinstance(value, dict) and (value.get("type") == "error" or isinstance(value.get("error"), dict | str)):
        return not str(value.get("type", "error")).startswith("response.") and "object" not in value
    return event.name == "error"


def compressed(response: Response) -> str:
    """The content coding of the body, "" for none (RFC 9110 section 8.4)."""
    coding = (response.header("content-encoding") or "").strip().lower()
    return "" if coding == "identity" else coding


def read(spec: Spec, seen: Observation) -> Reading | None:
    """The reading of an answer; None where the case asks for no stream or the body isn't one."""
    shape, response = shape_of(spec, seen.case), seen.exchange.response
    if shape is None or response is None or compressed(response):
        return None
    if response.media_type == "application/json" and response.is_json:
        return None
    whole = response.complete and seen.exchange.fault is None
    # Kept beside the parsed body: every check of a stream wants the same reading. Another version reads it anew.
    cache = vars(response)
    found: Reading | None = cache.get("_reading")
    if found is None or found.shape is not shape or found.whole is not whole:
        found = cache["_reading"] = _reading(stream_of(response), shape, whole=whole)
    return found


def _reading(stream: Stream, shape: StreamShape, *, whole: bool) -> Reading:
    sentinel = shape.done or DONE
    everything = stream.events + ((stream.unfinished,) if stream.unfinished else ())
    return Reading(
        shape=shape,
        stream=stream,
        events=tuple(event for event in stream.events if event.data != sentinel),
        done=tuple(event for event in everything if event.data == sentinel),
        whole=whole,
    )


def level_of(spec: Spec, clause: str) -> Level:
    """How hard a version itself states a clause; SHOULD where it doesn't state it at all."""
    stated = spec.clause_by_id.get(clause)
    keyword = stated.keyword if stated is not None else "SHOULD"
    return Level(keyword) if keyword in ("MUST", "SHOULD") else Level.OBS


Judge = Callable[[Spec, Observation, Reading], Iterable[Finding]]


def over_stream(judge: Judge) -> Callable[[Spec, Observation], Iterator[Finding]]:
    """Give a check the reading. Where the answer isn't a stream, the check is ``not_testable``, never green."""

    @wraps(judge)
    def judged(spec: Spec, seen: Observation) -> Iterator[Finding]:
        reading = read(spec, seen)
        if reading is None:
            yield seen.finding("the answer can't be read as a stream", outcome=Outcome.NOT_TESTABLE)
        elif reading.stream.flooded:
            yield seen.finding(f"the stream has more than {MOST_LINES} lines", outcome=Outcome.NOT_TESTABLE)
        else:
            yield from judge(spec, seen, reading)

    return judged


def streamed(*protocols: str, also: About | None = None) -> About:
    """About the cases that ask for a stream of these protocols (any, without names) and read it to its end."""

    def about(spec: Spec, case: Case) -> bool:
        shape = shape_of(spec, case)
        if shape is None or case.cancel_after is not None or (protocols and shape.protocol not in protocols):
            return False
        return also is None or also(spec, case)

    return about
