"""Shards: a run divided among machines. A scenario belongs to one shard as a whole, so its verdicts need no other one.

Every shard derives the same division from the same selection, and nobody has to hand it out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from conformance.errors import UsageError
from conformance.requests.case import Auth
from conformance.scenarios.scenario import Scenario

__all__ = ["WHOLE", "Shard", "divided"]


#: The text of a shard. More digits than these are a mistake, and thousands of them no number for Python.
_NUMBERS = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")


@frozen
class Shard:
    """The ``k``-th of ``n`` disjoint parts of a run, with 1 ≤ k ≤ n."""

    k: int = 1
    n: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """``2/3`` → the second of three parts; "" → the whole. Raises :class:`UsageError` for any other text."""
        if not text:
            return WHOLE
        found = _NUMBERS.fullmatch(text)
        k, n = map(int, found.groups()) if found is not None else (0, 0)
        if not 1 <= k <= n:
            raise UsageError(f"{text!r} is not a shard", hint="k/n with 1 ≤ k ≤ n, such as 2/3")
        return cls(k, n)

    def __str__(self) -> str:
        return f"{self.k}/{self.n}"

    @property
    def first(self) -> bool:
        """True in the shard that sends all wrong keys; also in an undivided run."""
        return self.k == 1

    def of(self, scenarios: Iterable[Scenario]) -> tuple[Scenario, ...]:
        """The scenarios of this shard, in their order."""
        every = tuple(scenarios)
        if self.n == 1:
            return every
        owner = divided(every, self.n)
        return tuple(one for one in every if owner[one.id] == self.k)


#: A run that isn't divided.
WHOLE = Shard()


def divided(scenarios: Sequence[Scenario], n: int) -> Mapping[str, int]:
    """The shard (from 1) of each scenario, by id: the largest first, each to the shard with the fewest requests.

    Scenarios with a wrong key all belong to the first one. An account may be locked after a few of them, so one process
    has to count them.
    """
    # With more shards than scenarios the last ones are empty, however many they are.
    load = dict.fromkeys(range(1, min(n, len(scenarios)) + 1), 0)
    owner: dict[str, int] = {}
    for one in sorted(scenarios, key=lambda one: (not _locks(one), -one.requests, one.id)):
        shard = 1 if _locks(one) else min(load, key=lambda k: (load[k], k))
        owner[one.id] = shard
        load[shard] += max(1, one.requests)
    return owner


def _locks(scenario: Scenario) -> bool:
    """True for a scenario that sends a wrong key."""
    return any(case.auth is Auth.WRONG for case in scenario.cases)
