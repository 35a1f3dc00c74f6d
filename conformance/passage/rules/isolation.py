"""What one request does to the others: refusals after a mistake or a fault, foreign answers, requests of nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import evolve, frozen

from conformance.evidence.exchange import Response
from conformance.passage.passage import Kind, Passage, Record, Side
from conformance.passage.rule import Found, record_rule
from conformance.passage.streams import is_stream, payloads
from conformance.passage.views import NotSeen
from conformance.requests.case import Case
from conformance.verdict import Level

__all__ = ["after_faults", "after_mistakes", "foreign_answers", "unasked"]

_SOURCE = "the same healthy request succeeds before and after"


@frozen
class _Aftermath:
    """A request that went wrong, and the healthy ones that were sent after it until one succeeded."""

    cause: Passage
    probes: tuple[Passage, ...]


def _aftermaths(record: Record, *, faults: bool) -> tuple[_Aftermath, ...]:
    """Those after faults of the upstream, or those after mistakes of a client."""
    found: list[_Aftermath] = []
    causes: dict[str, Passage] = {}
    for passage in record.passages:
        cause = causes.get(passage.probe)
        if not passage.probe:
            causes[passage.case.id] = passage
        elif cause is not None:
            if found and found[-1].cause is cause:
                found[-1] = evolve(found[-1], probes=(*found[-1].probes, passage))
            else:
                found.append(_Aftermath(cause, (passage,)))
    return tuple(one for one in found if bool(one.cause.fault) is faults)


def _seen(*, faults: bool) -> Callable[[Record], tuple[_Aftermath, ...]]:
    """A view of aftermaths."""

    def view(record: Record) -> tuple[_Aftermath, ...]:
        found = _aftermaths(record, faults=faults)
        if not found:
            raise NotSeen("no healthy request was sent after one that went wrong")
        return found

    return view


def _refusing(*, faults: bool) -> Callable[[Record], Record | None]:
    """A counterexample: the first healthy request after a wrong one is refused."""

    def broken(record: Record) -> Record | None:
        healthy = next((one.probes[0] for one in _aftermaths(record, faults=faults)), None)
        if healthy is None:
            return None
        refusal = evolve(healthy, calls=(), through=evolve(healthy.through, response=Response(429)))
        at = next(index for index, one in enumerate(record.passages) if one is healthy)
        return evolve(record, passages=(*record.passages[:at], refusal, *record.passages[at:]))

    return broken


def _refusals(aftermaths: tuple[_Aftermath, ...]) -> Iterator[tuple[Case | None, Found]]:
    for one in aftermaths:
        first, last = one.probes[0], one.probes[-1]
        if first.through.ok:
            continue
        status = str(first.through.status) if first.through.status is not None else "no answer"
        seconds = last.began - first.began
        what = one.cause.fault or f"one client's request was answered with {one.cause.through.status}"
        end = "" if last.through.ok else "; still refused at the end"
        told = f"after: {what}{end}"
        healthy = "a healthy request succeeds"
        yield one.cause.case, ("connection", Kind.LEAKED, healthy, f"{status} for {seconds:.1f} s", told)


@record_rule(
    "via.isolation",
    Level.MUST,
    Side.ANSWER,
    clause="One client's mistake doesn't reach the requests of others.",
    source=_SOURCE,
    counterexample=_refusing(faults=False),
    sees=_seen(faults=False),
)
def after_mistakes(seen: tuple[_Aftermath, ...]) -> Iterator[tuple[Case | None, Found]]:
    """After a request that was refused a healthy one still succeeds at once."""
    yield from _refusals(seen)


@record_rule(
    "via.isolation.fault",
    Level.OBS,
    Side.ANSWER,
    clause="A gateway may leave an upstream alone that failed; its users want to know for how long.",
    source=_SOURCE,
    counterexample=_refusing(faults=True),
    sees=_seen(faults=True),
)
def after_faults(seen: tuple[_Aftermath, ...]) -> Iterator[tuple[Case | None, Found]]:
    """After a fault of the upstream a healthy request succeeds at once."""
    yield from _refusals(seen)


def _both_sides(record: Record) -> Record:
    """The record, if the upstream's requests are seen."""
    if all(passage.one_sided for passage in record.passages):
        raise NotSeen("the upstream is not ours: what reached it can't be seen")
    return record


def _ids(response: Response | None) -> frozenset[str]:
    """What the service made up for one answer alone: the id of the object, and the ids of the request."""
    if response is None:
        return frozenset()
    found = {value for name, value in response.headers if name.lower() in ("apim-request-id", "x-request-id")}
    values = [one.json for one in payloads(response) if one.is_json] if is_stream(response) else [response.json]
    found |= {one["id"] for one in values if isinstance(one, dict) and isinstance(one.get("id"), str)}
    return frozenset(found - {""})


def _swapped(record: Record) -> Record | None:
    """A counterexample: a client gets the answer that was made for another one."""
    known = [one for one in record.passages if one.calls and one.gathered and _ids(one.got)]
    if len(known) < 2:
        return None
    other, one = known[:2]
    changed = evolve(one, through=evolve(one.through, response=other.got))
    return evolve(record, passages=tuple(changed if each is one else each for each in record.passages))


@record_rule(
    "via.isolation.answers",
    Level.MUST,
    Side.ANSWER,
    clause="The answer to one client's request is nobody else's, neither at once nor later.",
    source="the ids that the upstream made up for each of its answers",
    counterexample=_swapped,
    sees=_both_sides,
    entails=("via.answer.body", "via.answer.headers", "via.stream.events"),
)
def foreign_answers(seen: Record) -> Iterator[tuple[Case | None, Found]]:
    """No client gets the answer that was made for another one."""
    owner: dict[str, Passage] = {}
    for passage in seen.passages:
        for call in passage.calls:
            owner.update(dict.fromkeys(_ids(call.answer), passage))
    for passage in seen.passages:
        shown = _ids(passage.got)
        own = frozenset[str]().union(*(_ids(call.answer) for call in passage.calls))
        others = sorted(one for one in shown - own if owner.get(one, passage) is not passage)
        if others and not shown & own and not (passage.unclear or passage.one_sided):
            yield passage.case, ("/", Kind.LEAKED, "its own answer", others[0], "the id of an answer to another client")


def _one_more(record: Record) -> Record | None:
    """A counterexample: a request of a client reached the upstream once more, later."""
    calls = [call for passage in record.passages for call in passage.calls]
    return evolve(record, strays=(*record.strays, calls[0])) if calls else None


@record_rule(
    "via.request.unasked",
    Level.OBS,
    Side.REQUEST,
    clause="Every request at the upstream costs something; its users want to know of those that they didn't make.",
    source="the requests that reached the upstream while no client waited for an answer",
    counterexample=_one_more,
    sees=_both_sides,
)
def unasked(seen: Record) -> Iterator[tuple[Case | None, Found]]:
    """Nothing reaches the upstream that no client asked for."""
    for call in seen.strays:
        request = f"{call.request.method} {call.request.url}"
        yield None, ("connection", Kind.INVENTED, "no request of a client", request, "")
