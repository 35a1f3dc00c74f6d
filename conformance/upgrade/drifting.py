"""Differences between the answers under two versions that no document predicts.

Only requests that mean the same under both versions are compared: both documents take them, or both refuse them. A
member counts as new (or gone) if it comes in every object that may hold it under one version, and in none under the
other one: what a model happens to leave out, or the objects that a list happens to hold, are no difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Any

from attrs import frozen

from conformance.migration.change import Change, Direction, Subject
from conformance.migration.conclusion import Drift
from conformance.migration.location import Location, plain, text
from conformance.requests.case import Expect
from conformance.upgrade.evidence import Evidence, Tested
from conformance.upgrade.outcomes import Outcome
from conformance.upgrade.shapes import received, shape_of
from conformance.upgrade.sides import Side

__all__ = ["drifts"]

#: Requests that a drift names.
_MOST = 3

_SURE = (Outcome.TAKEN, Outcome.REFUSED)


def drifts(changes: Iterable[Change], evidence: Evidence, old: Side, new: Side) -> tuple[Drift, ...]:
    """Every difference that none of some changes predicts, what breaks callers first."""
    predicted = tuple(changes)
    found: list[Drift] = []
    for name, tested in evidence.tested.items():
        if name in old.operations and name in new.operations:
            own = tuple(change for change in predicted if change.operation == name)
            alike = [one for one in tested if one.pair.fits_old == one.pair.fits_new and not _new_here(one, own)]
            found += _outcomes(name, alike)
            both = [one for one in alike if one.old_outcome is Outcome.TAKEN is one.new_outcome and one.pair.fits_new]
            found += _statuses(name, both, own)
            for direction in (Direction.ANSWER, Direction.STREAM):
                found += _Shapes(name, direction, old, new).drifts(both, tested, own)
    return tuple(sorted(found, key=lambda drift: not drift.breaks))


def _outcomes(name: str, tested: Iterable[Tested]) -> Iterator[Drift]:
    """Yield requests that one version takes and the other one refuses, although both documents say the same."""
    turns: dict[tuple[Outcome, Outcome], list[Tested]] = {}
    for one in tested:
        turn = (one.old_outcome, one.new_outcome)
        # What a document leaves open may be answered in either way. A wrong value that is let pass is no promise.
        open_ = one.pair.case.expect is Expect.EITHER
        if turn[0] is not turn[1] and turn[0] in _SURE and turn[1] in _SURE and not open_:
            turns.setdefault(turn, []).append(one)
    for (before, after), some in turns.items():
        why = some[0].shown("").new if after is Outcome.REFUSED else some[0].shown("").old
        many = f"{len(some)} requests" if len(some) > 1 else "a request"
        valid = some[0].pair.fits_new
        what = f"{many} that {'both documents take' if valid else 'neither document takes'}: {before} → {after} ({why})"
        breaks = after is Outcome.REFUSED
        yield Drift(name, Direction.REQUEST.value, "", what, tuple(one.pair.id for one in some[:_MOST]), breaks)


def _statuses(name: str, tested: Iterable[Tested], own: tuple[Change, ...]) -> Iterator[Drift]:
    """Yield other statuses of success, and other media types."""
    if any(change.subject is Subject.STATUS for change in own):
        return
    found: dict[str, list[str]] = {}
    for one in tested:
        old, new = (exchange.response if exchange is not None else None for exchange in (one.old, one.new))
        if old is None or new is None:
            continue
        if old.status != new.status:
            found.setdefault(f"status {old.status} → {new.status}", []).append(one.pair.id)
        if old.media_type != new.media_type:
            found.setdefault(f"media type {old.media_type} → {new.media_type}", []).append(one.pair.id)
    for what, cases in found.items():
        yield Drift(name, Direction.ANSWER.value, "", what, tuple(cases[:_MOST]), breaks=True)


@frozen
class _Shapes:
    """Compares the shapes of an operation's answers, or of its streamed events."""

    name: str
    direction: Direction
    old: Side
    new: Side

    def drifts(self, both: Sequence[Tested], tested: Sequence[Tested], own: tuple[Change, ...]) -> Iterator[Drift]:
        """Yield what always comes under one version and never under the other: members, and values of a JSON type."""
        known = [plain(place) for change in own if change.direction is self.direction for place in change.locations]
        before, after = self._counted(both, new=False), self._counted(both, new=True)
        ever = {new: set(self._counted(tested, new=new)) for new in (False, True)}
        came = {one for one in after if one not in ever[False] and _always(one, after) and _around(one, ever[False])}
        gone = {one for one in before if one not in ever[True] and _always(one, before) and _around(one, ever[True])}
        # Where nothing came at all, nothing can be compared.
        if before and after:
            cases = tuple(one.pair.id for one in both if self._values(one, new=True))[:_MOST]
            yield from self._told(came, gone, known, cases)

    def _counted(self, tested: Iterable[Tested], *, new: bool) -> Counter[tuple[Location, str]]:
        """How often each place had a value of each type."""
        roots = [side.answer_root(self.name, self.direction) for side in (self.old, self.new)]
        nodes = [root for root in roots if root is not None]
        return Counter(
            item for one in tested for value in self._values(one, new=new) for item in shape_of(value, nodes)
        )

    def _values(self, one: Tested, *, new: bool) -> tuple[Any, ...]:
        """What came in a successful answer."""
        exchange, outcome = (one.new, one.new_outcome) if new else (one.old, one.old_outcome)
        if exchange is None or outcome is not Outcome.TAKEN:
            return ()
        direction, values = received(exchange)
        return values if direction is self.direction else ()

    def _told(
        self,
        came: Set[tuple[Location, str]],
        gone: Set[tuple[Location, str]],
        known: list[Location],
        cases: tuple[str, ...],
    ) -> Iterator[Drift]:
        """Yield one drift for each place, the outer ones alone."""
        places = {place for place, _ in came | gone}
        for place in sorted(places):
            inside = any(place[:size] in places for size in range(1, len(place)))
            if inside or any(_related(place, one) for one in known):
                continue
            now = " or ".join(sorted(kind for at, kind in came if at == place))
            was = " or ".join(sorted(kind for at, kind in gone if at == place))
            what = f"{now} in place of {was}" if now and was else f"{now} comes" if now else f"{was} comes no more"
            yield Drift(self.name, self.direction.value, text(place), what, cases, breaks=bool(was))


def _new_here(one: Tested, own: tuple[Change, ...]) -> bool:
    """True for a request with a field that only one version documents: both take it, and it does not mean the same."""
    fields = (c for c in own if c.direction is Direction.REQUEST and c.subject in (Subject.FIELD, Subject.DEFAULT))
    return any(one.pair.holds(change) for change in fields)


def _around(item: tuple[Location, str], ever: Set[tuple[Location, str]]) -> bool:
    """True if the object or the array in which something would be was there."""
    place, _ = item
    return not place or (place[:-1], "array" if place[-1] == "*" else "object") in ever


def _always(item: tuple[Location, str], counted: Counter[tuple[Location, str]]) -> bool:
    """True if something came wherever it could: in every object, or as every item of an array."""
    place, kind = item
    if "%" in place:
        return False  # names that a user makes up
    if not place or place[-1] == "*":
        return counted[item] == sum(many for (at, _), many in counted.items() if at == place)
    return counted[item] >= counted[place[:-1], "object"] > 0 and kind != "null"


def _related(place: Location, known: Location) -> bool:
    """True if a place lies at, in or around a predicted one."""
    size = min(len(place), len(known))
    return place[:size] == known[:size] and size > 0
