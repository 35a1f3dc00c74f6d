"""Runs side by side: targets, api-versions or dates. The first run is the one that the others are held against.

An item is the same in two runs when its scenario and its check have the same ids; both are equal in all api-versions
that have them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from conformance.target.preflight import SERVED_CHECK
from conformance.verdict import Outcome, Verdict

from .jsonl import Report

__all__ = ["Comparison", "Difference", "Kind", "compare"]

#: What stands where a run has no such item, or nothing to judge in it.
NONE = "-"

#: From the worst to the best cell. What is no longer judged weighs more than a warning: nobody knows what is behind it.
_WEIGHTS = (
    Outcome.ERROR.value,
    Outcome.FAIL.value,
    Outcome.UNAVAILABLE.value,
    Outcome.INCONCLUSIVE.value,
    Outcome.NOT_TESTABLE.value,
    Outcome.WARN.value,
    Outcome.WAIVED.value,
    Outcome.PASS.value,
)


class Kind(StrEnum):
    """What a difference means for whoever trusts the first run. The order is that of telling."""

    WORSE = "worse"
    LOST = "no longer judged"
    NEW = "newly judged"
    BETTER = "better"


@frozen
class Difference:
    """One item whose cells are not all the same: an outcome or ``-`` for each run, in their order."""

    check: str
    scenario: str
    cells: tuple[str, ...]
    kind: Kind


@frozen
class Comparison:
    """All differences, worst first; the number of items that are the same; requests of each run, and of all of them;
    whether a run of the first one's api-version lost an item.
    """

    differences: tuple[Difference, ...] = field(repr=False)
    same: int
    requests: tuple[int, ...]
    shared_requests: int
    lost_alarm: bool

    def count(self, kind: Kind) -> int:
        """Differences of a kind."""
        return sum(difference.kind is kind for difference in self.differences)

    @property
    def alarming(self) -> bool:
        """True where something got worse, or is no longer judged in a run of the first one's api-version."""
        return bool(self.count(Kind.WORSE)) or self.lost_alarm

    def grouped(self) -> Iterator[tuple[Difference, tuple[str, ...]]]:
        """Differences of the same check with the same cells as one, with the scenarios of all of them."""
        groups: dict[tuple[Any, ...], list[Difference]] = {}
        for difference in self.differences:
            groups.setdefault((difference.kind, difference.check, difference.cells), []).append(difference)
        for group in groups.values():
            yield group[0], tuple(difference.scenario for difference in group)


def compare(reports: Sequence[Report]) -> Comparison:
    """Hold the reports against the first of them. Two at least."""
    columns = [_cells(report) for report in reports]
    items = {item: None for column in columns for item in column}
    versions = [report.header["api_version"] for report in reports]
    differences = []
    same, lost_alarm = 0, False
    for scenario, check in items:
        # A claim has a verdict only where it was broken.
        absent = Outcome.PASS.value if check == SERVED_CHECK else NONE
        cells = tuple(column.get((scenario, check), absent) for column in columns)
        steps = [_kind(cells[0], cell) for cell in cells[1:]]
        lost_alarm |= any(
            step is Kind.LOST and version == versions[0] for step, version in zip(steps, versions[1:], strict=True)
        )
        kind = next((kind for kind in Kind if kind in steps), None)
        if kind is None:
            same += cells[0] != NONE
        else:
            differences.append(Difference(check, scenario, cells, kind))
    order = list(Kind)
    sent = [{seen.case.id for trace in report.traces.values() for seen in trace} for report in reports]
    return Comparison(
        tuple(sorted(differences, key=lambda one: (order.index(one.kind), one.check, one.scenario))),
        same,
        tuple(len(ids) for ids in sent),
        len(set.intersection(*sent)),
        lost_alarm,
    )


def _cells(report: Report) -> Mapping[tuple[str, str], str]:
    # A shrunk request is another telling of a failure, not an item.
    verdicts = (verdict for verdict in report.verdicts if not verdict.scenario.startswith("shrunk."))
    return {(verdict.scenario, verdict.check): _cell(verdict) for verdict in verdicts}


def _cell(verdict: Verdict) -> str:
    return NONE if verdict.outcome is Outcome.NOT_APPLICABLE else verdict.outcome.value


def _kind(before: str, after: str) -> Kind | None:
    """What a step from one cell to another means; None where nothing changed."""
    if before == after:
        return None
    if after == NONE:
        return Kind.LOST
    if before == NONE:
        # A rule that is new in the later run and broken there is no good news.
        return Kind.WORSE if _WEIGHTS.index(after) < _WEIGHTS.index(Outcome.WARN.value) else Kind.NEW
    return Kind.WORSE if _WEIGHTS.index(after) < _WEIGHTS.index(before) else Kind.BETTER
