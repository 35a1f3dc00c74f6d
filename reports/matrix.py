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
    known: dict[str, dict[str, str]] = {}
    for verdict in report.verdicts:
        outline = outlines.get(verdict.evidence)
        if outline is not None and verdict.evidence not in known:
            operations = (step.operation for step in outline)
            known[verdict.evidence] = dict(zip(outline.cases, operations, strict=True))
        operation = _operation(verdict, outline, known.get(verdict.evidence, {}))
        group = group_of(operation) if operation else group_of(_subject(verdict.scenario))
        yield verdict, Place(operation, group, area_of(verdict.check, checks))


def _operation(verdict: Verdict, outline: Outline | None, known: Mapping[str, str]) -> str:
    """The operation that a verdict speaks of; "" if that isn't known. ``known`` are operations by case."""
    named = (*(finding.case_id for finding in verdict.findings if not finding.note), verdict.witness)
    found = next((known[case] for case in named if case in known), "")
    if found:
        return found
    if outline is None or not outline.steps:
        # Nothing was sent; the name of a corpus says what would have been.
        name = scenario_of(verdict.scenario)
        return name.removeprefix("corpus.") if name.startswith("corpus.") else ""
    called = Counter(step.operation for step in outline)
    subject = _subject(verdict.scenario)
    return subject if subject in called else called.most_common(1)[0][0]


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
