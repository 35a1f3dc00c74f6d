"""A streamed answer as its protocol reads it: events, end sentinels, errors, and whether its end can be judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, wraps
from typing import Any

from attrs import frozen

from conformance.evidence.content_coding import codings
from conformance.evidence.event_stream import MOST_LINES, Event, Stream, stream_of
from conformance.evidence.exchange import Response
from conformance.evidence.trace import Observation
from conformance.requests.case import Case
from conformance.requests.selectors import About, Selector, shape_of
from conformance.spec.operations import Operation, StreamShape
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level, Outcome

__all__ = [
    "DATA_ONLY",
    "DONE",
    "Reading",
    "begins_as_stream",
    "compressed",
    "level_of",
    "over_stream",
    "read",
    "streamed",
]

#: The sentinel that is tolerated if a protocol documents none.
DONE = "[DONE]"

#: The protocols whose events have no name.
DATA_ONLY = ("chat-chunks", "completion-chunks")


#: How a stream begins: a field or a comment (WHATWG HTML, section 9.2.6), after an optional byte order mark.
_FIELD = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*(?:data|event|id|retry)?:")


@frozen(slots=False)
class Reading:
    """A stream that was read. ``events`` are without the sentinels; ``done`` are the sentinels, an unfinished one
    included.

    ``whole`` is True if the message body ended properly, by the rules of HTTP.
    """

    shape: StreamShape
    stream: Stream
    events: tuple[Event, ...]
    done: tuple[Event, ...]
    whole: bool

    @cached_property
    def errors(self) -> tuple[Event, ...]:
        """The events that report an error after the start of the stream."""
        return tuple(event for event in self.events if is_error(event))

    @cached_property
    def ended(self) -> bool:
        """True if the stream came to its end: the body is complete, and no error event ended the answer early.

        Only then is it the target's fault if an event is missing.
        """
        return self.whole and not self.errors

    @cached_property
    def values(self) -> tuple[tuple[Event, dict[str, Any]], ...]:
        """The events with a JSON object, each with the object. Errors are left out, and named events where a protocol
        has none.
        """
        return tuple(
            (event, event.json)
            for event in self.events
            if isinstance(event.json, dict)
            and not is_error(event)
            and not (self.shape.protocol in DATA_ONLY and event.name not in (None, ""))
        )


def is_error(event: Event) -> bool:
    """Return True for an event named ``error``, or with an error object or the type ``error`` as its data."""
    value = event.json
    if isinstance(value, dict) and (value.get("type") == "error" or isinstance(value.get("error"), dict | str)):
        # ``response.failed`` and chunks with an ``object`` may contain an error field; they are ordinary events of
        # their protocols.
        return not str(value.get("type", "error")).startswith("response.") and "object" not in value
    return event.name == "error"


def compressed(response: Response) -> str:
    """The content codings that the answer names, "" for none (RFC 9110 section 8.4)."""
    return ", ".join(codings(response.headers))


def begins_as_stream(response: Response) -> bool:
    """Return True if the bytes of the body can be read as events as they stand, whatever the fields say."""
    return _FIELD.match(response.body) is not None


def read(spec: Spec, seen: Observation) -> Reading | None:
    """The reading of an answer; None if the case doesn't ask for a stream or the body isn't one."""
    shape, response = shape_of(spec, seen.case), seen.exchange.response
    if shape is None or response is None:
        return None
    if compressed(response) and not begins_as_stream(response):
        return None
    # A plain JSON answer: other checks say that no stream came.
    if response.media_type == "application/json" and response.is_json:
        return None
    if response.media_type != "text/event-stream" and not begins_as_stream(response):
        return None  # an MP3 file, a page: that it is no stream is told by the check of the media type alone
    whole = response.complete and seen.exchange.fault is None
    # Cached in the response: every check of a stream needs the same reading. It depends on the version's stream shape.
    cache = vars(response)
    found: Reading | None = cache.get("_reading")
    if found is None or found.shape is not shape or found.whole is not whole:
        found = cache["_reading"] = _reading(stream_of(response), shape, whole=whole)
    return found


def _reading(stream: Stream, shape: StreamShape, *, whole: bool) -> Reading:
    """Separate the events of a stream from its sentinels."""
    sentinel = shape.done or DONE
    # A sentinel without its blank line is still a sentinel for clients that read line by line.
    everything = stream.events + ((stream.unfinished,) if stream.unfinished else ())
    return Reading(
        shape=shape,
        stream=stream,
        events=tuple(event for event in stream.events if event.data != sentinel),
        done=tuple(event for event in everything if event.data == sentinel),
        whole=whole,
    )


def level_of(spec: Spec, clause: str) -> Level:
    """The level at which this version states a clause; SHOULD if it doesn't state it."""
    stated = spec.clause_by_id.get(clause)
    keyword = stated.keyword if stated is not None else "SHOULD"
    return Level(keyword) if keyword in ("MUST", "SHOULD") else Level.OBS


Judge = Callable[[Spec, Observation, Reading], Iterable[Finding]]


def over_stream(judge: Judge) -> Callable[[Spec, Observation], Iterator[Finding]]:
    """Decorator for checks of streams: they get the reading, and are ``not_testable`` if the answer isn't a stream."""

    @wraps(judge)
    def judged(spec: Spec, seen: Observation) -> Iterator[Finding]:
        reading = read(spec, seen)
        if reading is None:
            yield seen.finding("the answer can't be read as a stream", outcome=Outcome.NOT_TESTABLE)
        elif reading.stream.flooded:
            told = seen.response.shortened
            why = f"is not kept whole: {told.reason}" if told else f"has more than {MOST_LINES} lines"
            yield seen.finding(f"the stream {why}", outcome=Outcome.NOT_TESTABLE)
        else:
            yield from judge(spec, seen, reading)

    return judged


def streamed(*protocols: str, also: About | None = None) -> About:
    """A selector for cases that ask for a stream of these protocols (of any, if none is named) and read it to its
    end.
    """

    def about(spec: Spec, case: Case) -> bool:
        shape = shape_of(spec, case)
        if shape is None or case.cancel_after is not None or (protocols and shape.protocol not in protocols):
            return False
        return also is None or also(spec, case)

    def able(operation: Operation) -> bool:
        return operation.stream is not None and (not protocols or operation.stream.protocol in protocols)

    return Selector(about, able)
