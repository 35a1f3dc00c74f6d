"""One request under both versions: what either document says of it, and which change makes the difference."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from attrs import evolve, frozen

from conformance.migration.change import Change, Subject
from conformance.migration.location import Location, places
from conformance.pointer import tokens
from conformance.requests.case import Case, Expect, Family, JsonBody
from conformance.upgrade.sides import Side, translated

__all__ = ["Pair", "paired"]


@frozen(slots=False, eq=False)
class Pair:
    """A request in the forms of both versions. In a version that lacks the operation it keeps the form of the other."""

    old_side: Side
    new_side: Side
    old: Case
    new: Case

    def with_body(self, body: Mapping[str, Any]) -> Pair:
        """The request with another JSON body, of which no document says whether it is taken."""

        def changed(case: Case) -> Case:
            if not isinstance(case.body, JsonBody):
                return case
            # A model that only one of the versions names in the body stays where it is.
            own = {key: case.body.value[key] for key in case.body.value if key not in self.case.json}
            return evolve(case, body=JsonBody({**own, **body}), expect=Expect.EITHER, role="")

        return Pair(self.old_side, self.new_side, changed(self.old), changed(self.new))

    def under(self, side: Side) -> Case:
        """The request in the form of one of the versions."""
        return self.new if side is self.new_side else self.old

    @property
    def case(self) -> Case:
        """The request in the newer form where there is one, under which it is told."""
        return self.new

    @property
    def id(self) -> str:
        """The id of the request, in the form of :attr:`case`."""
        return self.case.id

    @cached_property
    def fits_old(self) -> bool:
        """True if the older document takes it."""
        return self.old_side.fits(self.old)

    @cached_property
    def fits_new(self) -> bool:
        """True if the newer document takes it."""
        return self.new_side.fits(self.new)

    @property
    def sure(self) -> bool:
        """True if a target that takes it must answer with success: neither document leaves that to a model."""
        return self.case.expect is Expect.ACCEPT

    @cached_property
    def value(self) -> Any:
        """The request as one value with body, query and header."""
        side = self.new_side if self.new_side.has(self.new) else self.old_side
        read = side.value(self.under(side))
        return read[1] if read is not None else {}

    @cached_property
    def size(self) -> tuple[int, int, int, int]:
        """Sorts requests: sure and plain ones first, then the smaller ones."""
        case = self.case
        length = len(json.dumps(case.json, default=str)) if isinstance(case.body, JsonBody) else 1000
        return (not self.sure, bool(case.expensive), case.family is Family.FUZZ, length)

    def holds(self, change: Change) -> bool:
        """True if the request has something at a place of a change."""
        return any(self.holds_at(location) for location in change.locations)

    def holds_at(self, location: Location) -> bool:
        """True if the request has something at a location."""
        return next(places(self.value, location), None) is not None

    @cached_property
    def faults(self) -> tuple[tuple[str, ...], ...]:
        """The places to which the document objects that does not take the request, as tokens of pointers."""
        side = self.old_side if self.fits_new else self.new_side
        read = side.value(self.under(side))
        if read is None:
            return ()
        root, value = read
        return tuple(tokens(error.instance_pointer) for error in root.validator.errors(value))

    def differs_by(self, change: Change) -> bool:
        """True if just one document takes the request, and only because of a change."""
        if self.fits_old == self.fits_new or not self._shows(change):
            return False
        faults = self.faults
        return bool(faults) and any(all(_meets(location, fault) for fault in faults) for location in change.locations)

    def _shows(self, change: Change) -> bool:
        """True if the request has what a change is about: the value, the form, the absence."""
        if change.subject is Subject.REQUIRED or (change.subject is Subject.FIELD and change.needed):
            around = any(self.holds_at(location[:-1]) for location in change.locations)
            return around and not self.holds(change)
        return any(_is(change, value) for location in change.locations for _, value in places(self.value, location))


#: JSON types by the names that forms have.
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def _is(change: Change, value: Any) -> bool:
    """True if a value at the place of a change is one that the change is about."""
    mine = change.old if change.new is None else change.new
    match change.subject:
        case Subject.NULL:
            return value is None
        case Subject.VALUE:
            return bool(value == mine)
        case Subject.FORM:
            return isinstance(value, _TYPES.get(str(mine).split(" ", maxsplit=1)[0], object))
        case Subject.WHOLE:
            return isinstance(value, float)
        case _:
            return value is not None


def _meets(location: Location, fault: tuple[str, ...]) -> bool:
    """True if a place lies inside a location, or around it."""
    steps = [step for step in location if step[0] != "?"]
    for step, token in zip(steps, fault, strict=False):
        if step == "*":
            if not token.isdigit():
                return False
        elif step != "%" and step[1:] != token:
            return False
    return True


def paired(old: Side, new: Side, name: str) -> Iterator[Pair]:
    """Yield the derived requests of an operation in both versions, each once."""
    before, after = old.operations.get(name), new.operations.get(name)
    seen: set[str] = set()
    for side, mine, other in ((new, after, before), (old, before, after)):
        if mine is None:
            continue
        for case in side.plain_cases(name):
            moved = translated(case, mine, other) if other is not None else case
            pair = Pair(old, new, moved, case) if side is new else Pair(old, new, case, moved)
            if pair.id not in seen:
                seen.add(pair.id)
                yield pair
