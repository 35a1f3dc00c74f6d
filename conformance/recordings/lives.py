"""Objects in recordings: a trace for each one that was created, in the roles of the lifecycle scenarios. Pure.

A recording shows what its clients did, not all that happened to an object. A refusal before the deletion, or a list
without the object, counts only if a later success shows that the object was still there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from attrs import evolve, frozen

from conformance.evidence.trace import Observation, Trace
from conformance.pointer import look_up
from conformance.requests.case import RECORDED_LIFE, Expect
from conformance.scenarios.resource_kinds import KINDS, Kind

__all__ = ["MOST", "lives"]

#: Objects of one kind that are judged. A proxy's log may hold thousands.
MOST = 50

#: Parameters of a list that choose other objects, another order or another page than the first, newest first.
_CHOOSING = frozenset({"after", "before", "order", "filter", "purpose", "run_id", "status", "skip"})

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


#: The ids in the path of an object: those of its parents, and its own.
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
        if not _CHOOSING.intersection(name for name, _ in recorded[place].case.query):
            pages[_ids(recorded[place])].append(_Event(place, "list", recorded[place]))
    births: dict[_Ids, list[_Event]] = defaultdict(list)
    for place in places.get(item.operation("create"), ()):
        made = _born(item, recorded[place])
        if made:
            births[*_ids(recorded[place]), made].append(_Event(place, "create", recorded[place]))
    number = 0
    for ids, born in births.items():
        # What is attached again has the same id, so its life ends where the next one begins.
        for birth, end in zip(born, [*(later.place for later in born[1:]), len(recorded)], strict=True):
            after = sorted((*events.get(ids, ()), *pages.get(ids[:-1], ())), key=lambda event: event.place)
            steps = tuple(_roles(birth, [event for event in after if birth.place < event.place < end], ids[-1]))
            if len(steps) > 1 and number < MOST:
                number += 1
                name = f"{RECORDED_LIFE}{item.prefix}.{number}"
                yield Trace(name, tuple(_as(name, role, event.seen) for role, event in steps))


def _ids(seen: Observation) -> _Ids:
    """The ids in the path of a request, in their order."""
    return tuple(seen.case.path_params.values())


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
    deleted = next((n for n, event in enumerate(after) if event.verb == "delete" and event.ok), len(after))
    yield from _alive(after[: deleted + 1])
    yield from _dead(after[deleted + 1 :], made)


def _alive(events: Sequence[_Event]) -> Iterator[tuple[str, _Event]]:
    """Yield what happened up to the deletion."""
    last = max((n for n, event in enumerate(events) if event.ok and event.verb != "list"), default=-1)
    changes = 0
    listed = False
    for event in events[: last + 1]:
        changes += event.verb == "modify"
        if not event.ok:
            continue
        match event.verb:
            case "get" if changes < 2:
                yield ("modified" if changes else "get"), event
            case "modify" if changes == 1:
                yield "modify", event
            case "list" if not listed:
                listed = True
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
