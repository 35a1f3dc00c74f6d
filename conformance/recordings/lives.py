"""Objects in recordings: a trace for each one that was created, in the roles of the lifecycle scenarios. Pure.

A recording shows what its clients did, not all that happened to an object. A refusal before the deletion, or a list
without the object, counts only if a later success shows that the object was still there. Requests that overlap show
nothing of their order. An id that was given twice, or replaced by who published the recording, names no object.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from urllib.parse import urlsplit

from attrs import evolve, frozen

from conformance.evidence.trace import Observation, Trace
from conformance.pointer import look_up
from conformance.requests.case import RECORDED_LIFE, Expect
from conformance.scenarios.resource_kinds import KINDS, Kind

__all__ = ["MOST", "lives"]

#: Objects of one kind that are judged. A proxy's log may hold thousands.
MOST = 50

#: Parameters of a list that choose other objects, or another page than the first.
_CHOOSING = frozenset({"after", "before", "filter", "purpose", "run_id", "status", "skip"})

#: Kind of object → the operations of another kind that may bring an object with the same id into being again.
_AGAIN = {"vector_stores.files": ("vector_stores.file_batches.create",)}

#: What happens to an object, and the names of these operations in a kind.
_VERBS = ("get", "modify", "delete")


@frozen
class _Event:
    """A request about an object: its place in the recording, the verb of its operation, and what was seen."""

    place: int
    verb: str
    seen: Observation

    @property
    def ok(self) -> bool:
        """True if it succeeded."""
        return self.seen.exchange.ok

    def follows(self, other: _Event) -> bool:
        """True if this request began after the answer to another one had come; by the place where times are unknown."""
        mine, before = self.seen.exchange, other.seen.exchange
        if not mine.started or not before.started or before.response is None:
            return self.place > other.place
        return mine.started >= before.started + before.response.elapsed


#: The host of an object, and the ids in its path: those of its parents, and its own.
_Ids = tuple[str, ...]


def lives(recorded: Sequence[Observation]) -> Iterator[Trace]:
    """Yield the traces of the objects in one version's exchanges, which are given in the order of the recording."""
    places = _by_operation(recorded)
    for item in KINDS:
        # Two kinds may share their operations; the first one stands for both.
        if next(kind for kind in KINDS if kind.prefix == item.prefix) is item:
            yield from _of_kind(item, recorded, places)


def _by_operation(recorded: Sequence[Observation]) -> Mapping[str, list[int]]:
    """The places of each operation."""
    found = defaultdict(list)
    for place, seen in enumerate(recorded):
        found[seen.case.operation].append(place)
    return found


def _of_kind(item: Kind, recorded: Sequence[Observation], places: Mapping[str, list[int]]) -> Iterator[Trace]:
    """Yield the traces of one kind."""
    events: dict[_Ids, list[_Event]] = defaultdict(list)
    for verb in _VERBS:
        for place in places.get(item.operation(verb), ()):
            events[_ids(recorded[place])].append(_Event(place, verb, recorded[place]))
    pages = defaultdict(list)
    for place in places.get(item.operation("list"), ()):
        if _newest_first(item, dict(recorded[place].case.query)):
            pages[_ids(recorded[place])].append(_Event(place, "list", recorded[place]))
    births: dict[_Ids, list[_Event]] = defaultdict(list)
    for place in places.get(item.operation("create"), ()):
        made = _born(item, recorded[place])
        if made:
            births[*_ids(recorded[place]), made].append(_Event(place, "create", recorded[place]))
    again = sorted(place for name in _AGAIN.get(item.prefix, ()) for place in places.get(name, ()))
    number = 0
    for ids, born in births.items():
        after = sorted((*events.get(ids, ()), *pages.get(ids[:-1], ())), key=lambda event: event.place)
        for birth, end in _spans(born, after, [n for n in again if _ids(recorded[n]) == ids[:-1]], len(recorded)):
            mine = [event for event in after if event.place < end and event.follows(birth)]
            steps = tuple(_roles(birth, mine, ids[-1]))
            if len(steps) > 1 and number < MOST:
                number += 1
                name = f"{RECORDED_LIFE}{item.prefix}.{number}"
                yield Trace(name, tuple(_as(name, role, event.seen) for role, event in steps))


def _newest_first(item: Kind, query: Mapping[str, str]) -> bool:
    """Return True for a request for the first page of a list, the newest objects first."""
    order = query.get("order", "" if item.newest else "desc")
    return order == "desc" and not _CHOOSING.intersection(query)


def _spans(
    born: Sequence[_Event], after: Sequence[_Event], again: Sequence[int], last: int
) -> Iterator[tuple[_Event, int]]:
    """Yield (creation, place of the end) of each life under one id.

    What is attached again has the same id, so its life ends where the next one begins. An id that was given again
    though nothing was deleted in between is none: somebody replaced it.
    """
    deleted = [one.place for one in after if one.verb == "delete" and one.ok]
    if any(not any(a.place < place < b.place for place in deleted) for a, b in pairwise(born)):
        return
    for birth, following in zip(born, [*born[1:], None], strict=True):
        ends = [*([following.place] if following else []), *(place for place in again if place > birth.place), last]
        yield birth, min(ends)


def _ids(seen: Observation) -> _Ids:
    """The host that was asked, and the ids in the path in their order."""
    return urlsplit(seen.exchange.request.url).netloc, *seen.case.path_params.values()


def _born(item: Kind, seen: Observation) -> str | None:
    """The id of the object that a request created; None if it created none, or doesn't say."""
    if not seen.exchange.ok or not isinstance(seen.json, dict):
        return None
    made = look_up(seen.json, item.creates)
    return made if isinstance(made, str) else None


def _as(name: str, role: str, seen: Observation) -> Observation:
    """The observation in its role. A refusal says something only where the role is about refusals."""
    case = evolve(seen.case, scenario=name, role=role, expect=Expect.EITHER, breaks=None)
    return Observation(case, seen.exchange)


def _roles(birth: _Event, after: Sequence[_Event], made: str) -> Iterator[tuple[str, _Event]]:
    """Yield (role, event) for what a life consists of, in order."""
    yield "create", birth
    deletion = next((event for event in after if event.verb == "delete" and event.ok), None)
    if deletion is None:
        yield from _alive(after, made)
        return
    yield from _alive([event for event in after if deletion.follows(event)], made, deletion)
    yield from _dead([event for event in after if event is not deletion and event.follows(deletion)], made)


def _alive(events: Sequence[_Event], made: str, deletion: _Event | None = None) -> Iterator[tuple[str, _Event]]:
    """Yield what happened up to the deletion."""
    known = [*events, *([deletion] if deletion else [])]
    last = max((n for n, event in enumerate(known) if event.ok and event.verb != "list"), default=-1)
    changes: list[_Event] = []
    listed = False
    for event in known[: last + 1]:
        if event.verb == "modify":
            changes.append(event)
        # What overlaps a change may show the object before or after it.
        if not event.ok or any(not event.follows(change) for change in changes if change is not event):
            continue
        match event.verb:
            case "get" if len(changes) < 2:
                yield ("modified" if changes else "get"), event
            case "modify" if len(changes) == 1:
                yield "modify", event
            case "list" if not listed:
                listed = made in _listed(event.seen)
                yield "list", event
            case "delete":
                yield "delete", event


def _dead(events: Sequence[_Event], made: str) -> Iterator[tuple[str, _Event]]:
    """Yield what was asked after the deletion: the object until it was refused, its lists until they lack it."""
    gone = unlisted = again = False
    for event in events:
        status = event.seen.exchange.status
        match event.verb:
            case "get" if not gone:
                gone = status is not None and 400 <= status < 500
                yield "deleted", event
            case "list" if not unlisted and event.ok:
                unlisted = made not in _listed(event.seen)
                yield "list-after", event
            case "delete" if not again:
                again = True
                yield "delete-again", event


def _listed(seen: Observation) -> list[object]:
    """The ids on a page."""
    data = seen.json.get("data") if isinstance(seen.json, dict) else None
    return [one.get("id") for one in data if isinstance(one, dict)] if isinstance(data, list) else []
