"""Where a verdict belongs: the operation that it speaks of, the group of that operation, and the area of its rule.

Every report for people that has a table of groups and areas takes it from here, so that all of them count alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import field, frozen

from conformance.evidence.outline import Outline
from conformance.judging.repeats import scenario_of
from conformance.verdict import Outcome, Verdict, fold

from .jsonl import Report

__all__ = ["Cell", "Place", "area_of", "group_of", "matrix", "places"]

#: The first words of scenarios' names. What follows names an operation or a resource.
_KINDS = ("corpus", "lifecycle", "lists", "recorded", "resource", "streams.equality")


@frozen
class Place:
    """``operation`` is an operationId, "" for a script of which nothing was sent; ``group`` its resource."""

    operation: str
    group: str
    area: str


@frozen
class Cell:
    """The verdicts of one group in one area: counts by outcome, and the heaviest outcome."""

    counts: Mapping[Outcome, int] = field(factory=dict)

    @property
    def worst(self) -> Outcome:
        """The heaviest outcome; ``not_applicable`` if nothing else is in the cell."""
        return fold(self.counts)


def group_of(operation: str) -> str:
    """The resource that an operation works on: the first part of its operationId."""
    return operation.partition(".")[0]


def area_of(check: str, checks: Mapping[str, Mapping[str, Any]]) -> str:
    """The area of a rule by the header of a report; a report without areas is sorted by the first part of the id."""
    area = checks.get(check, {}).get("area")
    return str(area) if area else check.partition(".")[0]


def places(report: Report) -> Iterator[tuple[Verdict, Place]]:
    """Yield each verdict with its place, in the order of the report.

    An item is counted once, although a scenario may call several operations: where its first finding is, else where
    its witness is, else by the name of the scenario, else with the operation that it calls most.
    """
    checks, outlines = report.header["checks"], report.outlines
    # A report may have a hundred verdicts on one scenario: what its steps say is found out once.
    known: dict[str, _Called] = {}
    usual: dict[tuple[str, str], str] = {}
    areas = {name: area_of(name, checks) for name in {verdict.check for verdict in report.verdicts}}
    for verdict in report.verdicts:
        called = known.get(verdict.evidence)
        if called is None:
            called = known[verdict.evidence] = _Called.by(outlines.get(verdict.evidence))
        operation = _named(verdict, called)
        if not operation:
            key = (verdict.scenario, verdict.evidence)
            if key not in usual:
                usual[key] = _usual(verdict.scenario, called)
            operation = usual[key]
        group = group_of(operation) if operation else group_of(_subject(verdict.scenario))
        yield verdict, Place(operation, group, areas[verdict.check])


@frozen
class _Called:
    """What a trace says of operations: ``cases`` has that of each case, ``often`` how often each was called."""

    cases: Mapping[str, str] = field(factory=dict)
    often: Counter[str] = field(factory=Counter)

    @classmethod
    def by(cls, outline: Outline | None) -> _Called:
        """What an outline says; nothing without one."""
        if outline is None:
            return cls()
        operations = [step.operation for step in outline]
        return cls(dict(zip(outline.cases, operations, strict=True)), Counter(operations))


def _named(verdict: Verdict, called: _Called) -> str:
    """The operation of the first finding, else of the witness; "" if neither names a case."""
    if not verdict.findings and not verdict.witness:
        return ""
    named = (*(finding.case_id for finding in verdict.findings if not finding.note), verdict.witness)
    return next((called.cases[case] for case in named if case in called.cases), "")


def _usual(scenario: str, called: _Called) -> str:
    """The operation that a scenario is about, as far as its name or its steps say it; else ""."""
    if not called.often:
        # Nothing was sent; the name of a corpus says what would have been.
        name = scenario_of(scenario)
        return name.removeprefix("corpus.") if name.startswith("corpus.") else ""
    subject = _subject(scenario)
    return subject if subject in called.often else called.often.most_common(1)[0][0]


def _subject(scenario: str) -> str:
    """What a scenario is about, by its name: ``files.list`` for ``corpus.files.list``."""
    name = scenario_of(scenario)
    for kind in _KINDS:
        if name.startswith(f"{kind}."):
            return name.removeprefix(f"{kind}.")
    return name


def matrix(report: Report) -> Mapping[tuple[str, str], Cell]:
    """The cells that have verdicts, by group and area, sorted."""
    counts: dict[tuple[str, str], Counter[Outcome]] = {}
    for verdict, place in places(report):
        counts.setdefault((place.group, place.area), Counter())[verdict.outcome] += 1
    return {key: Cell(dict(counts[key])) for key in sorted(counts)}
