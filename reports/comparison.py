"""Compares runs (of several targets, api-versions or dates) with the first one.

An item is the same in two runs if its scenario and check have the same ids, which are equal in all api-versions. Two
differences are neither worse nor better: one of a verdict that repetitions within its run contradict, and a failure
that is waived now. What could not be judged is told apart from what got worse, and what another api-version lacks from
what is no longer judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from attrs import field, frozen

from conformance.settings.scope import RunScope
from conformance.spec.loading import load
from conformance.spec.loading import versions as known_versions
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.target.preflight import SERVED_CHECK
from conformance.verdict import Outcome, Verdict

from .jsonl import Report

__all__ = ["Comparison", "Difference", "Kind", "compare"]

#: The cell of a run that has no such item or nothing to judge in it.
NONE = "-"

#: The cells that say nothing of the target.
_UNJUDGED = (Outcome.UNAVAILABLE.value, Outcome.INCONCLUSIVE.value, Outcome.NOT_TESTABLE.value)

#: The cells from worst to best.
_WEIGHTS = (
    Outcome.ERROR.value,
    Outcome.FAIL.value,
    *_UNJUDGED,
    Outcome.WARN.value,
    Outcome.WAIVED.value,
    Outcome.PASS.value,
)


class Kind(StrEnum):
    """What a difference means for somebody who trusts the first run. The order is that of the output."""

    WORSE = "worse"
    UNTESTABLE = "could not be judged"
    LOST = "no longer judged"
    ELSEWHERE = "not in this version"
    UNSTABLE = "unstable, not compared"
    WAIVED = "now waived"
    NEW = "newly judged"
    BETTER = "better"


@frozen
class Difference:
    """One item whose cells differ. There is one cell for each run: an outcome, ``waived`` or ``-``."""

    check: str
    scenario: str
    cells: tuple[str, ...]
    kind: Kind


@frozen
class Comparison:
    """All differences (worst first), the number of equal items, and the number of requests of each run and common to
    all.

    ``lost_alarm`` is True if a run of the first run's api-version no longer judges an item, or could not. ``drift`` are
    values that the document lacks and only a later run saw: (operation, place, value). They alarm nobody. ``settings``
    are those in which the runs differ, such as the profile: (name, value of each run).
    """

    differences: tuple[Difference, ...] = field(repr=False)
    same: int
    requests: tuple[int, ...]
    shared_requests: int
    lost_alarm: bool
    drift: tuple[tuple[str, str, str], ...] = ()
    settings: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def count(self, kind: Kind) -> int:
        """The number of differences of a kind."""
        return sum(difference.kind is kind for difference in self.differences)

    @property
    def alarming(self) -> bool:
        """True if something got worse, or is no longer judged in a run of the first run's api-version."""
        return bool(self.count(Kind.WORSE)) or self.lost_alarm

    def grouped(self) -> Iterator[tuple[Difference, tuple[str, ...]]]:
        """Yield differences of the same check with the same cells together, with all their scenarios."""
        groups: dict[tuple[Any, ...], list[Difference]] = {}
        for difference in self.differences:
            groups.setdefault((difference.kind, difference.check, difference.cells), []).append(difference)
        for group in groups.values():
            yield group[0], tuple(difference.scenario for difference in group)


def compare(reports: Sequence[Report], specs: Path | None = None) -> Comparison:
    """Compare at least two reports with the first of them. ``specs`` is a folder with further api-versions.

    Raises :class:`UsageError` if there is no such folder.
    """
    columns = [_items_of(report) for report in reports]
    items = {item: None for column in columns for item in column}
    versions = [report.header["api_version"] for report in reports]
    # A run may be of a version of somebody's folder that isn't here. A run of the first one's version lacks nothing.
    here = known_versions(specs, drafts=True)
    others = {version: load(version, specs) for version in versions if version in here and version != versions[0]}
    differences = []
    same, lost_alarm = 0, False
    for scenario, check in items:
        # A claim has a verdict only if it is wrong, so its absence is no loss.
        absent = Outcome.PASS.value if check == SERVED_CHECK else NONE
        found = [column.get((scenario, check)) for column in columns]
        cells = tuple(absent if verdict is None else _cell(verdict) for verdict in found)
        hard = tuple(cell if verdict is None else _hard(verdict) for cell, verdict in zip(cells, found, strict=True))
        shaky = [verdict is not None and verdict.stable is False for verdict in found]
        steps = [
            _kind(cells[0], cell, hard[0], other, unstable=shaky[0] or unsure)
            for cell, other, unsure in zip(cells[1:], hard[1:], shaky[1:], strict=True)
        ]
        steps = [
            Kind.ELSEWHERE if step is Kind.LOST and _lacks(others.get(version), reports[0], scenario, check) else step
            for step, version in zip(steps, versions[1:], strict=True)
        ]
        lost_alarm |= any(
            step in (Kind.LOST, Kind.UNTESTABLE) and version == versions[0]
            for step, version in zip(steps, versions[1:], strict=True)
        )
        # With several runs the most serious difference names the row.
        kind = next((kind for kind in Kind if kind in steps), None)
        if kind is None:
            same += cells[0] != NONE
        else:
            differences.append(Difference(check, scenario, cells, kind))
    order = list(Kind)
    sent = [{case for outline in report.outlines.values() for case in outline.cases} for report in reports]
    return Comparison(
        tuple(sorted(differences, key=lambda one: (order.index(one.kind), one.check, one.scenario))),
        same,
        tuple(len(ids) for ids in sent),
        # Case ids are the same in every run, so equal ids mean equal requests.
        len(set.intersection(*sent)),
        lost_alarm,
        tuple(sorted({value for report in reports[1:] for value in _drift(report)} - _drift(reports[0]))),
        tuple(_settings(reports)),
    )


def _settings(reports: Sequence[Report]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the settings in which the runs differ: what one of them did not send, the other one can't have lost."""
    scopes = [RunScope.from_json(report.header["scope"]) for report in reports]
    told = {
        "profile": [scope.profile for scope in scopes],
        "selection": [
            "; ".join(f"{what} {', '.join(names)}" for what, names in scope.selection.items()) or "everything"
            for scope in scopes
        ],
        "suite": [str(report.header.get("suite", "")) for report in reports],
        "seed": [str(report.header.get("seed", "")) for report in reports],
    }
    for name, values in told.items():
        if len(set(values)) > 1:
            yield name, tuple(values)


def _lacks(spec: Spec | None, first: Report, scenario: str, check: str) -> bool:
    """True if another api-version has not what an item of the first run is about: an operation, or the rule. Of a
    version that isn't here nothing is known.
    """
    if spec is None:
        return False
    outline = first.outlines.get(scenario)
    wanted = {step.operation for step in outline} if outline is not None else set()
    clause = first.header.get("checks", {}).get(check, {}).get("clause", "")
    return not wanted <= operations_of(spec).keys() or (bool(clause) and clause not in spec.clause_by_id)


def _drift(report: Report) -> set[tuple[str, str, str]]:
    """The values of a report that the document lacks."""
    found = report.footer.get("drift", ()) if report.footer else ()
    return {(each["operation"], each["path"], each["value"]) for each in found}


def _items_of(report: Report) -> Mapping[tuple[str, str], Verdict]:
    """The verdict on every item of a report."""
    # The verdict on a shrunk request repeats a failure; it is no item.
    verdicts = (verdict for verdict in report.verdicts if not verdict.scenario.startswith("shrunk."))
    return {(verdict.scenario, verdict.check): verdict for verdict in verdicts}


def _cell(verdict: Verdict) -> str:
    """The cell of one verdict."""
    return NONE if verdict.outcome is Outcome.NOT_APPLICABLE else verdict.outcome.value


def _hard(verdict: Verdict) -> str:
    """The cell of one verdict as it would be without waivers and baseline."""
    return NONE if verdict.unwaived is Outcome.NOT_APPLICABLE else verdict.unwaived.value


def _kind(before: str, after: str, hard_before: str, hard_after: str, *, unstable: bool) -> Kind | None:
    """What a change from one cell to another means; None if there is none. ``hard`` are the cells without waivers."""
    if before == after:
        return None
    if unstable:
        return Kind.UNSTABLE
    if after == Outcome.WAIVED and hard_before != NONE:
        # A waiver makes nothing better. What got worse under it is told as such.
        worse = _WEIGHTS.index(hard_after) < _WEIGHTS.index(hard_before)
        return Kind.WORSE if worse else Kind.WAIVED
    if after == NONE:
        return Kind.LOST
    if after in _UNJUDGED:
        # Neither run says anything of the target, or only the earlier one does.
        return None if before in _UNJUDGED else Kind.UNTESTABLE
    if before == NONE:
        # A rule that is new in the later run and broken there counts as worse.
        return Kind.WORSE if _WEIGHTS.index(after) < _WEIGHTS.index(Outcome.WARN.value) else Kind.NEW
    return Kind.WORSE if _WEIGHTS.index(after) < _WEIGHTS.index(before) else Kind.BETTER
