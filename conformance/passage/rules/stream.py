"""What the client gets of a stream: what its events say, their number, their order, their end, and when they come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import evolve

from conformance.emulator.fault_script import PACED
from conformance.evidence.event_stream import Event
from conformance.evidence.exchange import Chunk, Response
from conformance.passage.counterexamples import in_answer, rewritten
from conformance.passage.passage import Kind, Passage, Side
from conformance.passage.rule import Found, rule
from conformance.passage.streams import DONE, USAGE, is_stream, payloads, special, told
from conformance.passage.values import changes, folded
from conformance.passage.views import Arrival, Pair, arrivals, narrowed, streams
from conformance.verdict import Level

__all__ = ["broken", "events", "grouping", "order", "pace"]

_SOURCE = "WHATWG HTML, section Server-sent events; RFC 9110 section 7.7"


def _said_by(response: Response) -> dict[str, Any]:
    """What all events of a stream say."""
    return told(payloads(response))


def _datas(response: Response) -> list[str]:
    return [event.data for event in payloads(response)]


def _without_one(response: Response) -> Response | None:
    """The stream without the first event that says something that no other says."""
    data = _datas(response)
    if not is_stream(response):
        return None
    for index in range(len(data)):
        shorter = rewritten(response, [*data[:index], *data[index + 1 :]])
        if data[index] != DONE and _said_by(shorter) != _said_by(response):
            return shorter
    return None


@rule(
    "via.stream.events",
    Level.MUST,
    Side.ANSWER,
    clause="What the events of a stream say reaches the client: every text, role, reason, filter result and count.",
    source=_SOURCE,
    counterexample=in_answer(_without_one),
    sees=streams,
    entails=("via.stream.complete",),
)
def events(seen: Pair[Response]) -> Iterator[Found]:
    """All that the upstream's events say arrives, of each choice and each item; nothing is added.

    Events are compared by what they say, not by their number: texts of deltas are joined first.
    """
    sent, received = payloads(seen.before), payloads(seen.after)
    # A chunk that is lost whole, or new, is one difference, not one for each of its members.
    lost, new = _only_in(sent, received), _only_in(received, sent)
    if USAGE in lost and "usage" in told(received):
        yield f"/{USAGE}", Kind.MERGED, "an event of its own", "part of another event", ""
        del lost[USAGE]
    for name, event in lost.items():
        yield f"/{name}", Kind.DROPPED, event.json, None, ""
    for name, event in new.items():
        yield f"/{name}", Kind.ADDED, None, event.json, ""
    before, after = (
        told(event for event in events_ if special(event) not in {*lost, *new}) for events_ in (sent, received)
    )
    for where, kind, one, other in folded(changes(before, after)):
        if where != f"/{DONE}":
            yield where, kind, one, other, ""


def _only_in(these: Iterable[Event], others: Iterable[Event]) -> dict[str, Event]:
    """The chunks without text that have a name which none of the others has: the first one of each name."""
    known = {special(event) for event in others}
    found: dict[str, Event] = {}
    for event in these:
        if special(event) and special(event) not in known:
            found.setdefault(special(event), event)
    return found


def _without_end(response: Response) -> Response | None:
    """The stream without its ``[DONE]``."""
    data = _datas(response)
    return rewritten(response, data[:-1]) if is_stream(response) and data[-1:] == [DONE] else None


@rule(
    "via.stream.complete",
    Level.MUST,
    Side.ANSWER,
    clause="``[DONE]`` tells the client that nothing is missing. It arrives once if the upstream sent it once.",
    source=_SOURCE,
    counterexample=in_answer(_without_end),
    sees=streams,
)
def complete(seen: Pair[Response]) -> Iterator[Found]:
    """The end of a stream arrives as often as the upstream sent it."""
    sent, received = (_said_by(one).get(DONE, 0) for one in (seen.before, seen.after))
    if sent != received:
        kind = Kind.DROPPED if received < sent else Kind.ADDED
        yield f"/{DONE}", kind, f"{sent} times", f"{received} times", ""


def _doubled(response: Response) -> Response | None:
    """The stream with an event twice of which the second says nothing new."""
    data = _datas(response)
    if not is_stream(response):
        return None
    for index, one in enumerate(data):
        longer = rewritten(response, [*data[:index], one, *data[index:]])
        if one != DONE and _said_by(longer) == _said_by(response):
            return longer
    return None


def _same(seen: Pair[Response]) -> str:
    """Both streams say the same."""
    return "" if _said_by(seen.before) == _said_by(seen.after) else "the two streams don't say the same"


@rule(
    "via.stream.grouping",
    Level.SHOULD,
    Side.ANSWER,
    clause="The rhythm of a stream is part of what people see: a gateway neither merges nor splits its events.",
    source="the events of the upstream's own answer",
    counterexample=in_answer(_doubled),
    sees=narrowed(streams, _same),
)
def grouping(seen: Pair[Response]) -> Iterator[Found]:
    """The client gets as many events as the upstream sent, where both say the same."""
    sent, received = len(payloads(seen.before)), len(payloads(seen.after))
    if sent != received:
        yield "stream", Kind.MERGED if received < sent else Kind.SPLIT, f"{sent} events", f"{received} events", ""


def _swapped(response: Response) -> Response | None:
    """The stream with its first two different events in the other order."""
    data = _datas(response)
    if not is_stream(response) or len(data) < 2 or data[0] == data[1] or DONE in data[:2]:
        return None
    return rewritten(response, [data[1], data[0], *data[2:]])


def _said(response: Response) -> list[str]:
    """What each event says, in a spelling of its own."""
    return [json.dumps(event.json, sort_keys=True) if event.is_json else event.data for event in payloads(response)]


@rule(
    "via.stream.order",
    Level.MUST,
    Side.ANSWER,
    clause="Events reach the client in the order in which the service sent them.",
    source=_SOURCE,
    counterexample=in_answer(_swapped),
    sees=streams,
    entails=("via.stream.events",),
)
def order(seen: Pair[Response]) -> Iterator[Found]:
    """The same events arrive in the same order."""
    sent, received = _said(seen.before), _said(seen.after)
    if sent != received and sorted(sent) == sorted(received):
        first = next(i for i, (one, other) in enumerate(zip(sent, received, strict=True)) if one != other)
        yield "stream", Kind.REORDERED, f"event {first}: {sent[first]}", f"event {first}: {received[first]}", ""


def _break(seen: Arrival) -> str:
    """The upstream broke its answer off."""
    cut = seen.call.answer is not None and not seen.call.answer.complete
    return "" if cut and not seen.passage.cancelled else "the upstream broke off no answer"


def _as_if_whole(passage: Passage) -> Passage | None:
    """A broken answer that ends like a whole one."""
    got = passage.got
    if got is None:
        return None
    whole = got.with_body(got.body + b"data: [DONE]\n\n") if is_stream(got) and DONE.encode() not in got.body else got
    return evolve(passage, through=evolve(passage.through, response=evolve(whole, complete=True), fault=None))


@rule(
    "via.answer.broken",
    Level.MUST,
    Side.ANSWER,
    clause="An answer that broke off upstream doesn't reach the client as a whole one.",
    source="RFC 9112 section 8: a message that is cut off must not be passed on as complete",
    counterexample=_as_if_whole,
    sees=narrowed(arrivals, _break),
)
def broken(seen: Arrival) -> Iterator[Found]:
    """An answer that broke off ends with a closed connection, an error status or an error event, never properly."""
    got = seen.passage.got
    if got is None or seen.passage.through.fault is not None or not got.complete or got.status >= 400:
        return
    error = any(event.is_json and isinstance(event.json, dict) and "error" in event.json for event in payloads(got))
    if not is_stream(got) or DONE in _datas(got) or not error:
        yield "stream", Kind.CHANGED, "broken off", "ended properly", f"after {len(got.body)} bytes"


def _sent_at(passage: Passage, index: int) -> float | None:
    """When the upstream sent its event number ``index``, on the common clock; None if it has no such event."""
    if passage.call is None or passage.answer is None:
        return None
    sent = payloads(passage.answer)
    return passage.call.at + sent[index].first_at if index < len(sent) else None


def _pauses(seen: Pair[Response]) -> str:
    """The upstream paused between its events, so that a late one is seen."""
    paced = seen.passage.fault == PACED and _sent_at(seen.passage, 2) is not None and payloads(seen.after)
    return "" if paced else "the upstream made no pauses"


def _late(passage: Passage) -> Passage | None:
    """The first event together with the last."""
    got = passage.got
    if got is None or not got.chunks:
        return None
    last = got.chunks[-1].at
    late = evolve(got, chunks=tuple(Chunk(last, chunk.data) for chunk in got.chunks))
    return evolve(passage, through=evolve(passage.through, response=late))


@rule(
    "via.stream.pace",
    Level.SHOULD,
    Side.ANSWER,
    clause="Each event is passed on when it comes; people watch the text being written.",
    source="WHATWG HTML, section Server-sent events: events are dispatched as they are received",
    counterexample=_late,
    sees=narrowed(streams, _pauses),
)
def pace(seen: Pair[Response]) -> Iterator[Found]:
    """The first event is with the client before the upstream sends its third one."""
    first, third = _sent_at(seen.passage, 0), _sent_at(seen.passage, 2)
    arrived = seen.passage.began + payloads(seen.after)[0].at
    if first is not None and third is not None and arrived > third:
        yield "stream", Kind.LATE, "at once", f"{arrived - first:.1f} s after it was sent", "first event"


def _leaves(seen: Arrival) -> str:
    """The client closed the connection in the middle of a stream."""
    left = seen.passage.cancelled and seen.passage.fault == PACED
    return "" if left else "the client closed no connection"


def _to_the_end(passage: Passage) -> Passage | None:
    """An upstream that is read to the end although nobody listens."""
    call = passage.call
    if call is None or call.answer is None:
        return None
    whole = evolve(call, ended=call.at + 10.0, gone=None, answer=evolve(call.answer, complete=True))
    return evolve(passage, calls=tuple(whole if one.number == call.number else one for one in passage.calls))


@rule(
    "via.stream.cancelled",
    Level.SHOULD,
    Side.REQUEST,
    clause="If the client leaves, the request to the service ends: what nobody reads is billed too.",
    source="the connection of the upstream's own answer",
    counterexample=_to_the_end,
    sees=narrowed(arrivals, _leaves),
)
def cancelled(seen: Arrival) -> Iterator[Found]:
    """A stream that the client closed is closed at the upstream before its end."""
    call = seen.call
    if call.gone is None and call.ended is not None:
        read = f"read to its end, {call.ended - seen.passage.over:.1f} s after the client left"
        yield "connection", Kind.DROPPED, "closed", read, ""
