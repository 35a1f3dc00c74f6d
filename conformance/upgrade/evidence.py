"""What a target answered under both versions, sorted by operation, for those who conclude from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from attrs import field, frozen

from conformance.evidence.exchange import Exchange
from conformance.migration.change import Direction
from conformance.migration.conclusion import Shown
from conformance.migration.location import Location, places
from conformance.upgrade.outcomes import Outcome, outcome_of, told
from conformance.upgrade.pairs import Pair
from conformance.upgrade.probing import Plan
from conformance.upgrade.sending import Answers, Sent
from conformance.upgrade.shapes import received

__all__ = ["Evidence", "Seen", "Tested"]


@frozen
class Tested:
    """One request with its answers under both versions, None where it was not sent."""

    pair: Pair
    old: Exchange | None
    new: Exchange | None

    @property
    def old_outcome(self) -> Outcome:
        """What the answer under the older version says."""
        return outcome_of(self.pair.old, self.old)

    @property
    def new_outcome(self) -> Outcome:
        """What the answer under the newer version says."""
        return outcome_of(self.pair.new, self.new)

    def shown(self, what: str) -> Shown:
        """The request as a report shows it."""
        return Shown(self.pair.id, what, told(self.old), told(self.new))


@frozen(slots=False, eq=False)
class Evidence:
    """All answers of a plan."""

    plan: Plan
    sent: Sent

    @cached_property
    def tested(self) -> dict[str, tuple[Tested, ...]]:
        """Every request by operation."""
        return {name: tuple(self.of(pair) for pair in pairs) for name, pairs in self.plan.pairs.items()}

    def of(self, pair: Pair) -> Tested:
        """One request with its answers."""
        old, new = self.sent.old.exchanges, self.sent.new.exchanges
        return Tested(pair, old.get(pair.old.id), new.get(pair.new.id))

    def values(self, operation: str, direction: Direction, *, new: bool) -> Sequence[Any]:
        """What came in successful answers of an operation under one version."""
        return self._values.get((operation, direction, new), ())

    @cached_property
    def _values(self) -> dict[tuple[str, Direction, bool], list[Any]]:
        found: dict[tuple[str, Direction, bool], list[Any]] = {}
        for name, some in self.tested.items():
            for one in some:
                for exchange, outcome, new in ((one.old, one.old_outcome, False), (one.new, one.new_outcome, True)):
                    if exchange is not None and outcome is Outcome.TAKEN:
                        direction, values = received(exchange)
                        found.setdefault((name, direction, new), []).extend(values)
        return found

    @cached_property
    def answered(self) -> tuple[int, int]:
        """How many requests got an answer under each version that says whether they were taken.

        None did under a version of which the target took nothing, although the document takes a request that was sent,
        or one of its operations is not served: the target may not serve that version at all, so a refusal says nothing
        of what was sent.
        """
        return self._clear(self.sent.old, new=False), self._clear(self.sent.new, new=True)

    def _clear(self, side: Answers, *, new: bool) -> int:
        """The number of answers under one version that say something."""
        some = [one for tested in self.tested.values() for one in tested if (one.new if new else one.old) is not None]
        outcomes = [one.new_outcome if new else one.old_outcome for one in some]
        valid = any(one.pair.fits_new if new else one.pair.fits_old for one in some)
        if Outcome.TAKEN not in outcomes and (valid or side.ended):
            return 0
        return sum(outcome is not Outcome.UNCLEAR for outcome in outcomes)

    def refuses(self, *, new: bool) -> bool:
        """True if a request was refused under a version: who accepts everything shows nothing by accepting."""
        some = (one for tested in self.tested.values() for one in tested)
        return any((one.new_outcome if new else one.old_outcome) is Outcome.REFUSED for one in some)

    @cached_property
    def mute(self) -> tuple[bool, bool]:
        """True for each version that was asked, or is not served, and gave no answer that says anything."""
        sides = (self.sent.old, self.sent.new)
        asked = (bool(side.exchanges or side.ended) for side in sides)
        old, new = (one and not clear for one, clear in zip(asked, self.answered, strict=True))
        return old, new

    @property
    def silent(self) -> bool:
        """True if one of the versions is mute, so that no answers can be compared."""
        return any(self.mute)

    def ended(self, operation: str) -> str:
        """Why an operation was not asked to the end, or ""."""
        return self.sent.new.ended.get(operation) or self.sent.old.ended.get(operation, "")


@frozen
class Seen:
    """What answers of one version have at the places of a change: the values, and in how many objects they could be."""

    values: tuple[Any, ...] = field(repr=False)
    around: int

    @classmethod
    def at(cls, answers: Sequence[Any], locations: Sequence[Location]) -> Seen:
        """Look at the places of a change."""
        values = tuple(value for answer in answers for place in locations for _, value in places(answer, place))
        around = sum(1 for answer in answers for place in locations for _ in _around(answer, place))
        return cls(values, around)


def _around(answer: Any, place: Location) -> Iterator[Any]:
    """Yield the objects or arrays in which something at a place would be."""
    for _, value in places(answer, place[:-1]):
        if isinstance(value, dict | list) or not place:
            yield value
