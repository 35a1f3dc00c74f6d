"""What a gateway does with requests of several clients at once: does it pass them on at once and in order?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from attrs import evolve

from conformance.evidence.exchange import Response
from conformance.evidence.upstream import UpstreamCall
from conformance.passage.passage import Kind, Passage, Record, Side
from conformance.passage.rule import Found, record_rule
from conformance.passage.views import NotSeen
from conformance.requests.case import Case
from conformance.verdict import Level

__all__ = ["limited", "order", "refused", "serial"]

_Volley = tuple[Passage, ...]
_SOURCE = "the requests that were under way at the upstream at once"

#: Clients that began so many seconds apart have an order, and a request that doesn't reach the upstream for so long is
#: held back by the gateway. Clients begin further apart than this if the request before theirs doesn't reach the
#: upstream (``gateway/windows.py``).
_APART = 0.2


def _volleys(record: Record) -> dict[int, _Volley]:
    """The passages that were under way at once, by number."""
    found: dict[int, _Volley] = {}
    for passage in record.passages:
        if passage.volley:
            found[passage.volley] = (*found.get(passage.volley, ()), passage)
    return {number: volley for number, volley in found.items() if len(volley) > 1}


def _clear(record: Record) -> tuple[_Volley, ...]:
    """The volleys in which every request at the upstream is known to be that of one client."""
    found = tuple(one for one in _volleys(record).values() if not any(passage.unclear for passage in one))
    if not found:
        raise NotSeen("no requests of several clients were under way at once, or they can't be told apart")
    return found


def _gathered(record: Record) -> tuple[_Volley, ...]:
    """The volleys of which the upstream waited for every request, where each of them arrived."""
    found = tuple(one for one in _clear(record) if all(passage.gathered and passage.calls for passage in one))
    if not found:
        raise NotSeen("the upstream waited for no requests, or not all of them arrived")
    return found


def _most(volley: _Volley) -> int:
    """The most requests that were under way at the upstream at once."""
    calls = [call for passage in volley for call in passage.calls]
    return max(sum(one.at <= each.at < _ends(one) for one in calls) for each in calls)


def _ends(call: UpstreamCall) -> float:
    return call.ended or call.gone or float("inf")


def _widest(volleys: tuple[_Volley, ...]) -> Iterator[tuple[_Volley, int]]:
    """The widest volley of each case, with its width: what was possible once is no limit."""
    best: dict[str, tuple[_Volley, int]] = {}
    for one in volleys:
        case, width = one[0].case.id, _most(one)
        if case not in best or best[case][1] < width:
            best[case] = (one, width)
    yield from best.values()


def _limit(volley: _Volley, width: int) -> tuple[Case, Found]:
    """That no more requests of a volley than this were under way at once."""
    return volley[0].case, ("connection", Kind.LIMITED, f"{len(volley)} at once", f"{width} at once", "")


def _one_after_the_other(record: Record, at_once: int) -> Record:
    """The record with at most so many requests under way at once."""
    changed = list(record.passages)
    numbers = {number for number, volley in _volleys(record).items() if all(one.gathered for one in volley)}
    for number in numbers:
        places = [index for index, one in enumerate(changed) if one.volley == number]
        for turn, index in enumerate(places):
            at = 1000.0 + turn // at_once
            calls = tuple(evolve(call, at=at, ended=at + 0.5) for call in changed[index].calls)
            changed[index] = evolve(changed[index], calls=calls)
    return evolve(record, passages=tuple(changed))


@record_rule(
    "via.parallel.serial",
    Level.SHOULD,
    Side.REQUEST,
    clause="A client doesn't wait for the answers of others.",
    source=_SOURCE,
    counterexample=lambda record: _one_after_the_other(record, 1),
    sees=_gathered,
)
def serial(seen: tuple[_Volley, ...]) -> Iterator[tuple[Case | None, Found]]:
    """Requests of several clients are under way at the upstream at once, not one after the other."""
    for volley, width in _widest(seen):
        if width == 1:
            yield _limit(volley, width)


@record_rule(
    "via.parallel.limit",
    Level.OBS,
    Side.REQUEST,
    clause="A gateway may limit how many requests are under way; its users want to know the number.",
    source=_SOURCE,
    counterexample=lambda record: _one_after_the_other(record, 2),
    sees=_gathered,
)
def limited(seen: tuple[_Volley, ...]) -> Iterator[tuple[Case | None, Found]]:
    """As many requests are under way at the upstream as clients wait for an answer."""
    for volley, width in _widest(seen):
        if 1 < width < len(volley):
            yield _limit(volley, width)


def _last_first(record: Record) -> Record:
    """The record with requests that are served in the other order than they were sent, one after the other."""
    changed = []
    for turn, one in enumerate(record.passages):
        at = 1000.0 - turn
        calls = tuple(evolve(call, at=at, ended=at + 0.5) for call in one.calls)
        changed.append(evolve(one, calls=calls, began=float(turn)) if one.gathered else one)
    return evolve(record, passages=tuple(changed))


def _held_back(volley: _Volley, passage: Passage) -> bool:
    """True if the request waited in the gateway until another one had ended at the upstream.

    One that found a free place was passed on as it came: of it the gateway chose nothing. It may have come before an
    earlier client's request, on a machine that is busy.
    """
    ends = (_ends(call) for one in volley for call in one.calls)
    freed = max((end for end in ends if end <= passage.calls[0].at), default=0.0)
    return freed - passage.began >= _APART


@record_rule(
    "via.parallel.order",
    Level.OBS,
    Side.REQUEST,
    clause="Who came first is served first, unless the gateway says otherwise.",
    source=_SOURCE,
    counterexample=_last_first,
    sees=_gathered,
    entails=("via.parallel.serial",),
)
def order(seen: tuple[_Volley, ...]) -> Iterator[tuple[Case | None, Found]]:
    """A request that the gateway held back is not answered before another one reaches the upstream that a client sent
    clearly earlier.
    """
    for volley in seen:
        for first, second in combinations(sorted(volley, key=lambda one: one.began), 2):
            overtaken = second.began - first.began >= _APART and _ends(second.calls[0]) <= first.calls[0].at
            if overtaken and _held_back(volley, second):
                apart = f"{second.began - first.began:.1f} s later"
                yield first.case, ("connection", Kind.REORDERED, f"the request sent {apart} comes later", "sooner", "")
                break


def _refusing(record: Record) -> Record | None:
    """The last client of the first volley is refused."""
    at = next((index for index, one in enumerate(record.passages) if one.gathered), None)
    if at is None:
        return None
    passage = record.passages[at]
    refusal = evolve(passage, calls=(), through=evolve(passage.through, response=Response(429)))
    return evolve(record, passages=(*record.passages[:at], refusal, *record.passages[at + 1 :]))


@record_rule(
    "via.parallel.refused",
    Level.SHOULD,
    Side.REQUEST,
    clause="What is accepted from one client is accepted from several at once.",
    source="the same request succeeds alone",
    counterexample=_refusing,
    sees=_clear,
)
def refused(seen: tuple[_Volley, ...]) -> Iterator[tuple[Case | None, Found]]:
    """No request that the upstream would take is refused by the gateway because others are under way."""
    for volley in seen:
        for passage in volley:
            status = passage.through.status
            # Of other cases the direct leg says what the upstream would have done (``via.refused``).
            if passage.gathered and not passage.calls and (status is None or status >= 400):
                after = str(status) if status is not None else "no answer"
                told = f"{len(volley)} requests were under way"
                yield passage.case, ("status", Kind.REFUSED, "a success alone", after, told)
