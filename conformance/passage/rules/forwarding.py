"""Whether and how often a request is passed on, and what becomes of the verdict of the upstream."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from conformance.evidence.exchange import Chunk, Response
from conformance.passage.needs import both_legs, clear, undisturbed
from conformance.passage.passage import Kind, Passage, Side
from conformance.passage.rule import Found, rule
from conformance.verdict import Level

__all__ = ["invented", "refused", "repaired", "repeated"]


def _ok(status: int) -> bool:
    return 200 <= status < 300


def _twice(passage: Passage) -> Passage | None:
    """The same request at the upstream twice."""
    call = passage.call
    return None if call is None else evolve(passage, calls=(*passage.calls, evolve(call, number=call.number + 1)))


def _needs_calls(passage: Passage) -> str:
    """Nothing was asked to go wrong, and a request arrived."""
    return undisturbed(passage) or clear(passage) or ("" if passage.calls else "nothing reached the upstream")


@rule(
    "via.request.repeated",
    Level.MUST,
    Side.REQUEST,
    clause="A request that is not idempotent is not sent again by an intermediary.",
    source="RFC 9110 section 9.2.2: a proxy must not automatically retry non-idempotent requests",
    counterexample=_twice,
    needs=_needs_calls,
)
def repeated(passage: Passage) -> Iterator[Found]:
    """One request of the client is one request at the upstream, if nothing goes wrong there. Each one is billed."""
    answered = [call for call in passage.calls if call.answer is not None and call.answer.status < 500]
    if len(passage.calls) > 1 and answered and answered[0].answer is not None and answered[0].answer.status != 429:
        yield "connection", Kind.REPEATED, "1 request", f"{len(passage.calls)} requests", ""


def _from_nowhere(passage: Passage) -> Passage | None:
    """A success although nothing arrived."""
    return evolve(passage, calls=()) if passage.got is not None and _ok(passage.got.status) else None


def _needs_success(passage: Passage) -> str:
    """The client got a success."""
    got = passage.got
    return clear(passage) or ("" if got is not None and _ok(got.status) else "the client got no success")


@rule(
    "via.answer.invented",
    Level.MUST,
    Side.ANSWER,
    clause="A success is an answer of the service. A gateway that answers itself says so (a cache, a mock).",
    source="RFC 9110 section 9.3.3: answers to POST are stored only with explicit freshness information",
    counterexample=_from_nowhere,
    needs=_needs_success,
)
def invented(passage: Passage) -> Iterator[Found]:
    """A success of a request of which nothing reached the upstream is not the service's."""
    if not passage.calls and passage.got is not None:
        yield "status", Kind.INVENTED, "nothing reached the upstream", f"{passage.got.status}", ""


def _refusing(passage: Passage) -> Passage | None:
    """A refusal by the gateway of what the upstream takes."""
    if passage.got is None or passage.direct is None or passage.direct.response is None:
        return None
    if not _ok(passage.direct.response.status):
        return None
    refusal = Response(
        400, (("content-type", "application/json"),), (Chunk(0.0, b'{"error":{"code":"x","message":"x"}}'),)
    )
    return evolve(passage, calls=(), through=evolve(passage.through, response=refusal))


@rule(
    "via.refused",
    Level.MUST,
    Side.REQUEST,
    clause="What the service accepts, a transparent gateway accepts.",
    source="the same request was sent to the upstream directly and was accepted",
    counterexample=_refusing,
    needs=both_legs,
)
def refused(passage: Passage) -> Iterator[Found]:
    """A request that the upstream accepts is not refused through the gateway, and it gets an answer at all."""
    direct, got = passage.direct, passage.got
    if direct is None or direct.response is None or not _ok(direct.response.status):
        return
    if got is None:
        fault = passage.through.fault
        yield "status", Kind.REFUSED, f"{direct.response.status}", f"no answer ({fault.kind if fault else 'none'})", ""
    elif not _ok(got.status):
        whose = "refused by the gateway itself"
        if passage.answer is not None or passage.one_sided:
            whose = "" if passage.one_sided else "refused by the upstream, of what the gateway sent"
        yield "status", Kind.REFUSED, f"{direct.response.status}", f"{got.status}", whose


def _repairing(passage: Passage) -> Passage | None:
    """A success of what the upstream refuses."""
    if passage.got is None or passage.direct is None or passage.direct.response is None:
        return None
    if not _ok(passage.got.status) or not _ok(passage.direct.response.status):
        return None
    return evolve(passage, direct=evolve(passage.direct, response=evolve(passage.direct.response, status=400)))


@rule(
    "via.repaired",
    Level.SHOULD,
    Side.REQUEST,
    clause="A mistake in a request is told to the client, not repaired in silence: the next target will refuse it.",
    source="the same request was sent to the upstream directly and was refused",
    counterexample=_repairing,
    needs=both_legs,
)
def repaired(passage: Passage) -> Iterator[Found]:
    """A request that the upstream refuses is not made acceptable on the way."""
    direct, got = passage.direct, passage.got
    if direct is None or direct.response is None or got is None or not _ok(got.status):
        return
    if 400 <= direct.response.status < 500:
        yield "status", Kind.REPAIRED, f"{direct.response.status}", f"{got.status}", passage.case.reason
