"""What can be seen of a gateway from the client's side alone: its answers beside those of the upstream itself.

The two answers are answers to two requests, so ids, times and texts differ. Compared is what they have: the members of
the JSON value, the header fields that clients use, the status (``forwarding.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.evidence.exchange import Response
from conformance.passage.counterexamples import in_answer, in_json_answer, without_used_fields
from conformance.passage.fields import used_by_clients
from conformance.passage.members import without_one
from conformance.passage.passage import Kind, Passage, Side
from conformance.passage.rule import Found, rule
from conformance.passage.streams import is_stream, payloads, told
from conformance.passage.views import NotSeen, Pair
from conformance.verdict import Level

__all__ = ["headers", "members"]

_CLAUSE = "A client finds in an answer through the gateway what it finds in one of the service itself."


def _alone(passage: Passage) -> Pair[Response]:
    """The upstream's own answer, and the one through the gateway, both whole and with the same status, where only the
    client's side is seen.
    """
    if not passage.one_sided:
        raise NotSeen("both sides are seen, and compared")
    direct = passage.direct.response if passage.direct is not None else None
    if direct is None or passage.got is None or passage.through.fault is not None or passage.cancelled:
        raise NotSeen("one of the two legs has no whole answer")
    if direct.status != passage.got.status:
        raise NotSeen("the two legs have different status codes")
    return Pair(direct, passage.got, passage)


def _names(value: Any, pointer: str = "") -> set[str]:
    """The places of all members of a JSON value, with ``*`` for every index. Members that are null count as absent."""
    if isinstance(value, dict):
        inner = [_names(member, f"{pointer}/{key}") for key, member in value.items() if member is not None]
        return {pointer}.union(*inner)
    if isinstance(value, list):
        return {pointer}.union(*(_names(one, f"{pointer}/*") for one in value))
    return {pointer}


def _value(response: Response) -> Any:
    """The JSON value of an answer, or what its stream says."""
    return told(payloads(response)) if is_stream(response) else response.json


@rule(
    "via.shape.members",
    Level.SHOULD,
    Side.ANSWER,
    clause=_CLAUSE,
    source="the upstream's own answer to the same request",
    counterexample=in_json_answer(without_one),
    sees=_alone,
)
def members(seen: Pair[Response]) -> Iterator[Found]:
    """The JSON value has the members that the upstream's own answer has. Values are not compared."""
    before, after = (_names(_value(one)) for one in (seen.before, seen.after))
    for place in sorted(before ^ after):
        parent = place.rpartition("/")[0]
        # A member inside one that is gone or new says nothing more.
        if place and (parent in before) == (parent in after):
            kind = Kind.DROPPED if place in before else Kind.ADDED
            yield place, kind, "present", "present", "compared by its name alone"


@rule(
    "via.shape.headers",
    Level.SHOULD,
    Side.ANSWER,
    clause=_CLAUSE,
    source="the upstream's own answer to the same request",
    counterexample=in_answer(without_used_fields),
    sees=_alone,
)
def headers(seen: Pair[Response]) -> Iterator[Found]:
    """The header fields that clients use are there if the upstream's own answer has them."""
    used = used_by_clients(seen.before)
    for name in sorted(set(used) - {key.lower() for key, _ in seen.after.headers}):
        yield f"header:{name}", Kind.DROPPED, used[name], None, ""
