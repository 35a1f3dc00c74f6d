"""Whether and how often a request is passed on, and what becomes of the verdict of the upstream."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.passage.passage import Kind, Passage, Side
from conformance.passage.rule import Found, rule
from conformance.passage.views import Arrival, Legs, arrivals, clear, legs, narrowed
from conformance.requests.case import Expect
from conformance.verdict import Level

__all__ = ["invented", "refused", "repaired", "repeated"]


def _ok(status: int) -> bool:
    return 200 <= status < 300


def _twice(passage: Passage) -> Passage | None:
    """The same request at the upstream twice."""
    call = passage.call
    return None if call is None else evolve(passage, calls=(*passage.calls, evolve(call, number=call.number + 1)))


def _undisturbed(seen: Arrival) -> str:
    """Nothing was asked to go wrong."""
    return f"the upstream was asked for a fault: {seen.passage.fault}" if seen.passage.fault else ""


@rule(
    "via.request.repeated",
    Level.MUST,
    Side.REQUEST,
    clause="A request that is not idempotent is not sent again by an intermediary.",
    source="RFC 9110 section 9.2.2: a proxy must not automatically retry non-idempotent requests",
    counterexample=_twice,
    sees=narrowed(arrivals, _undisturbed),
)
def repeated(seen: Arrival) -> Iterator[Found]:
    """One request of the client is one request at the upstream, if nothing goes wrong there. Each one is billed."""
    calls = seen.passage.calls
    answered = [call for call in calls if call.answer is not None and call.answer.status < 500]
    if len(calls) > 1 and answered and answered[0].answer is not None and answered[0].answer.status != 429:
        yield "connection", Kind.REPEATED, "1 request", f"{len(calls)} requests", ""


def _from_nowhere(passage: Passage) -> Passage | None:
    """A success although nothing arrived."""
    return evolve(passage, calls=()) if passage.got is not None and _ok(passage.got.status) else None


def _success(passage: Passage) -> str:
    """The client got a success."""
    return "" if passage.got is not None and _ok(passage.got.status) else "the client got no success"


@rule(
    "via.answer.invented",
    Level.MUST,
    Side.ANSWER,
    clause="A success is an answer of the service. A gateway that answers itself says so (a cache, a mock).",
    source="RFC 9110 section 9.3.3: answers to POST are stored only with explicit freshness information",
    counterexample=_from_nowhere,
    sees=narrowed(clear, _success),
)
def invented(passage: Passage) -> Iterator[Found]:
    """A success of a request of which nothing reached the upstream is not the service's."""
    if not passage.calls:
        yield "status", Kind.INVENTED, "nothing reached the upstream", f"{passage.through.status}", ""


def _refusing(passage: Passage) -> Passage | None:
    """A refusal by the gateway of what the upstream takes."""
    if not _ok(legs(passage).direct.status):
        return None
    # A server's error is right for no request.
    refusal = Response(
        500, (("content-type", "application/json"),), (Chunk(0.0, b'{"error":{"code":"x","message":"x"}}'),)
    )
    return evolve(passage, calls=(), through=evolve(passage.through, response=refusal))


def _either(seen: Legs) -> bool:
    """True if documents leave open whether the request is accepted, and it is our own emulator that decided."""
    return seen.passage.case.expect is Expect.EITHER and not seen.passage.one_sided


@rule(
    "via.refused",
    Level.MUST,
    Side.REQUEST,
    clause="What the service accepts, a transparent gateway accepts.",
    source="the same request was sent to the upstream directly and was accepted",
    counterexample=_refusing,
    sees=legs,
)
def refused(seen: Legs) -> Iterator[Found]:
    """A request that the upstream accepts is not refused through the gateway, and it gets an answer at all.

    A refusal (4xx) of what documents leave open is right too.
    """
    got, passage = seen.through.response, seen.passage
    if not _ok(seen.direct.status):
        return
    if got is None:
        fault = seen.through.fault
        what = f"no answer ({fault.kind if fault else 'none'})"
        yield "status", Kind.REFUSED, f"{seen.direct.status}", what, ""
    elif not _ok(got.status) and not (_either(seen) and 400 <= got.status < 500):
        whose = "refused by the gateway itself"
        if passage.answer is not None or passage.one_sided:
            whose = "" if passage.one_sided else "refused by the upstream, of what the gateway sent"
        yield "status", Kind.REFUSED, f"{seen.direct.status}", f"{got.status}", whose


def _repairing(passage: Passage) -> Passage | None:
    """A success of what the upstream refuses."""
    seen = legs(passage)
    if not _ok(seen.through.status or 0) or _either(seen):
        return None
    return evolve(passage, direct=Exchange(passage.through.request, evolve(seen.direct, status=400)))


@rule(
    "via.repaired",
    Level.SHOULD,
    Side.REQUEST,
    clause="A mistake in a request is told to the client, not repaired in silence: the next target will refuse it.",
    source="the same request was sent to the upstream directly and was refused",
    counterexample=_repairing,
    sees=legs,
)
def repaired(seen: Legs) -> Iterator[Found]:
    """A request that the upstream refuses is not made acceptable on the way, unless documents leave open whether it
    is accepted.
    """
    if 400 <= seen.direct.status < 500 and _ok(seen.through.status or 0) and not _either(seen):
        yield "status", Kind.REPAIRED, f"{seen.direct.status}", f"{seen.through.status}", seen.passage.case.reason
