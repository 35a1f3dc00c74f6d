"""What rules look at: the same thing before the gateway and after it.

A view is a function of a passage. Where something that a rule needs wasn't seen it raises :class:`NotSeen`, with the
reason in words for a report, so that the rules themselves meet complete evidence only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from attrs import frozen

from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.upstream import UpstreamCall
from conformance.passage.passage import Passage
from conformance.passage.streams import is_stream
from conformance.requests.request import Request

__all__ = [
    "Arrival",
    "Legs",
    "NotSeen",
    "Pair",
    "View",
    "answers",
    "arrivals",
    "clear",
    "json_answers",
    "legs",
    "narrowed",
    "requests",
    "same_status",
    "streams",
]

T = TypeVar("T")
V = TypeVar("V")


class NotSeen(Exception):  # noqa: N818 - not an error: a rule has nothing to judge
    """Why a rule can't judge a passage."""


View = Callable[[Passage], V]


@frozen
class Pair(Generic[T]):
    """The same thing at two taps: of a request what the client sent and the upstream received, of an answer what the
    upstream sent and the client received.
    """

    before: T
    after: T
    passage: Passage


@frozen
class Arrival:
    """A request of the client, and the request at the upstream that its answer belongs to."""

    call: UpstreamCall
    passage: Passage


@frozen
class Legs:
    """The same case on two ways: the upstream's own answer, and the exchange through the gateway."""

    direct: Response
    through: Exchange
    passage: Passage


def narrowed(view: View[V], lacks: Callable[[V], str]) -> View[V]:
    """The view, where ``lacks`` returns "" for what it shows; elsewhere what it returns is the reason."""

    def narrower(passage: Passage) -> V:
        seen = view(passage)
        if why := lacks(seen):
            raise NotSeen(why)
        return seen

    return narrower


def clear(passage: Passage) -> Passage:
    """The passage, if the upstream's requests are seen and surely are those of this client's request."""
    if passage.one_sided:
        raise NotSeen("the upstream is not ours: what reached it can't be seen")
    if passage.unclear:
        raise NotSeen(passage.unclear)
    return passage


def arrivals(passage: Passage) -> Arrival:
    """A request that reached the upstream."""
    call = clear(passage).call
    if call is None:
        raise NotSeen("nothing reached the upstream")
    return Arrival(call, passage)


def requests(passage: Passage) -> Pair[Request]:
    """The request that the client sent, and the one that the upstream received."""
    return Pair(passage.through.request, arrivals(passage).call.request, passage)


def answers(passage: Passage) -> Pair[Response]:
    """The answer that the upstream sent, and the one that the client received, both whole."""
    sent = arrivals(passage).call.answer
    if passage.cancelled:
        raise NotSeen("the client closed the connection on purpose")
    if sent is None or not sent.complete:
        raise NotSeen("the upstream gave no whole answer")
    if passage.got is None or passage.through.fault is not None:
        raise NotSeen("the client got no whole answer")
    return Pair(sent, passage.got, passage)


def same_status(seen: Pair[Response]) -> str:
    """The client got the status that the upstream sent: with another one the answer is another one."""
    return "" if seen.before.status == seen.after.status else "the status was changed, so the answer is another one"


def json_answers(passage: Passage) -> Pair[Any]:
    """The JSON value that the upstream answered with, and the one that the client received."""
    seen = answers(passage)
    if is_stream(seen.before) or not (seen.before.is_json and seen.after.is_json):
        raise NotSeen("one of the two answers is no JSON")
    if why := same_status(seen):
        raise NotSeen(why)
    return Pair(seen.before.json, seen.after.json, passage)


def streams(passage: Passage) -> Pair[Response]:
    """The event stream that the upstream sent, and the one that the client received."""
    seen = answers(passage)
    if not (is_stream(seen.before) and is_stream(seen.after)):
        raise NotSeen("one of the two answers is no event stream")
    return seen


def legs(passage: Passage) -> Legs:
    """The case sent to the upstream directly, and answered, and the same case through the gateway."""
    if passage.fault:
        raise NotSeen(f"the upstream was asked for a fault: {passage.fault}")
    if passage.unclear:
        raise NotSeen(passage.unclear)
    if passage.direct is None or passage.direct.response is None:
        raise NotSeen("the case has no answer of the upstream without the gateway")
    if passage.cancelled:
        raise NotSeen("the client closed the connection on purpose")
    return Legs(passage.direct.response, passage.through, passage)
