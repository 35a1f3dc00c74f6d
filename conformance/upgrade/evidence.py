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
from conformance.upgrade.sending import Sent
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

        None did under a version of which the target refused every request that the document takes: it may not serve
        that version at all, so a refusal says nothing of what was sent.
        """
        some = [one for tested in self.tested.values() for one in tested]
        old = [one.old_outcome for one in some if one.old is not None]
        new = [one.new_outcome for one in some if one.new is not None]
        return (
            _clear(old, (one.pair.fits_old for one in some if one.old is not None)),
            _clear(new, (one.pair.fits_new for one in some if one.new is not None)),
        )

    def refuses(self, *, new: bool) -> bool:
        """True if a request was refused under a version: who accepts everything shows nothing by accepting."""
        some = (one for tested in self.tested.values() for one in tested)
        return any((one.new_outcome if new else one.old_outcome) is Outcome.REFUSED for one in some)

    @cached_property
    def silent(self) -> bool:
        """True if one of the versions was asked and gave no answer that says anything, so that none can be compared."""
        return any(sent and not clear for sent, clear in zip(self.sent.requests, self.answered, strict=True))

    def ended(self, operation: str) -> str:
        """Why an operation was not asked to the end, or ""."""
        return self.sent.new.ended.get(operation) or self.sent.old.ended.get(operation, "")


def _clear(outcomes: Sequence[Outcome], valid: Iterator[bool]) -> int:
    """The number of clear outcomes under one version. ``valid`` says of each request whether the document takes it."""
    if Outcome.TAKEN not in outcomes and any(valid):
        return 0
    return sum(outcome is not Outcome.UNCLEAR for outcome in outcomes)


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
