"""What follows from prediction and observation, as values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from attrs import field, frozen

from conformance.migration.change import Basis, Change

__all__ = ["EMBEDDED", "Conclusion", "Drift", "Result", "Row", "Shown", "Upgrade", "rows_of"]


#: What the target of a move is called if nobody named one.
EMBEDDED = "the embedded emulator"


class Conclusion(StrEnum):
    """How what the documents say and what the target does go together."""

    OBSERVED = "predicted and observed"
    MISSED = "predicted, not observed"
    DRIFT = "observed, not predicted"
    OPEN = "not probed"


@frozen
class Shown:
    """One request that probes a change: its case id, what it does, and what was answered under both versions."""

    case: str
    what: str
    old: str
    new: str


@frozen
class Result:
    """A predicted change and what was observed of it. ``told`` says why the conclusion is this one."""

    change: Change
    conclusion: Conclusion
    told: str
    probes: tuple[Shown, ...] = ()

    @property
    def weight(self) -> tuple[int, int, int]:
        """Sorts results: what breaks first, then changes of the service, then what is not as predicted."""
        order = (Conclusion.OBSERVED, Conclusion.MISSED, Conclusion.OPEN, Conclusion.DRIFT)
        return (
            0 if self.change.breaks else 1,
            list(Basis).index(self.change.basis),
            order.index(self.conclusion),
        )


@frozen
class Drift:
    """A difference between the answers under two versions that no document predicts."""

    operation: str
    direction: str
    where: str
    what: str
    cases: tuple[str, ...]
    breaks: bool = False


@frozen
class Row:
    """One change of the documents with one conclusion, and the operations that show it."""

    result: Result
    operations: tuple[str, ...]

    @property
    def change(self) -> Change:
        """The change, as the first of the operations shows it."""
        return self.result.change


@frozen
class Upgrade:
    """A move from one api-version to another at one target.

    ``results`` has every change for each operation, ``drifts`` what nobody predicts. ``target`` says what was asked, ""
    if nothing was. ``sent`` are the numbers of requests under both versions, ``answered`` those of the requests whose
    answers say whether they were taken: no fault, overload or 5xx. ``used`` says what is used, "" if everything counts;
    ``refused`` are the recorded requests that the newer document doesn't take: (where it was recorded, why).
    ``corrections`` are the differences of the published documents that errata hold to be none.
    """

    old: str
    new: str
    results: tuple[Result, ...] = field(repr=False)
    drifts: tuple[Drift, ...] = ()
    corrections: tuple[Change, ...] = field(default=(), repr=False)
    target: str = ""
    sent: tuple[int, int] = (0, 0)
    answered: tuple[int, int] = (0, 0)
    used: str = ""
    refused: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """The results, one for each change of the documents and conclusion, the most serious first."""
        return rows_of(self.results)

    @property
    def breaking(self) -> bool:
        """True if something breaks a caller: predicted of the service, seen, or a recorded request that is refused."""
        seen = any(one.breaks for one in self.drifts) or bool(self.refused)
        return seen or any(result.change.breaks for result in self.results)

    @property
    def observed(self) -> bool:
        """True if a change, predicted or not, was seen at the target."""
        return bool(self.drifts) or any(result.conclusion is Conclusion.OBSERVED for result in self.results)

    def count(self, conclusion: Conclusion) -> int:
        """The number of rows with a conclusion."""
        if conclusion is Conclusion.DRIFT:
            return len(self.drifts)
        return sum(row.result.conclusion is conclusion for row in self.rows)


def rows_of(results: Iterable[Result]) -> tuple[Row, ...]:
    """The results as rows."""
    groups: dict[tuple[str, ...], list[Result]] = {}
    for result in results:
        key = (*result.change.group, result.change.basis.value, result.conclusion.value)
        groups.setdefault(key, []).append(result)
    made = [_row(group) for group in groups.values()]
    return tuple(sorted(made, key=lambda row: row.result.weight))


def _row(group: Sequence[Result]) -> Row:
    return Row(group[0], tuple(dict.fromkeys(result.change.operation for result in group)))
