"""One report as a row of a table: what the overview of a run and a site of many runs tell of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from conformance.verdict import Outcome

from .headline import Headline, headline
from .jsonl import Report
from .matrix import Cell, matrix
from .root_causes import RootCause, root_causes
from .summary import summarise

__all__ = ["SIGNS", "Row", "areas_of", "counts_of", "row_of"]

#: The sign of each outcome, so that none is told by its colour alone. ``frontend/src/badge.tsx`` has the same.
SIGNS: Mapping[Outcome, str] = {
    Outcome.ERROR: "‼",
    Outcome.FAIL: "✗",
    Outcome.WARN: "!",
    Outcome.WAIVED: "≈",
    Outcome.PASS: "✓",
    Outcome.UNAVAILABLE: "?",
    Outcome.INCONCLUSIVE: "?",
    Outcome.NOT_TESTABLE: "?",
    Outcome.NOT_APPLICABLE: "–",
}


@frozen
class Row:
    """What a table tells of a report.

    ``target`` is a URL, ``started`` a time of RFC 3339, ``areas`` the verdicts of each area of rules. ``checks`` are
    the checks that judged something, ``passed`` those of them without a finding. ``worst`` says what the first
    of ``causes`` root causes is, "" without any.
    """

    version: str
    target: str
    started: str
    first: Headline
    requests: int
    checks: int
    passed: int
    causes: int
    worst: str
    areas: Mapping[str, Cell]

    @property
    def share(self) -> float:
        """The part of the checks that passed, from 0 to 1; 0 if none judged anything."""
        return self.passed / self.checks if self.checks else 0.0


def row_of(report: Report) -> Row:
    """The row of a report."""
    header, summary, causes = report.header, summarise(report), root_causes(report)
    counts: dict[str, Counter[Outcome]] = {}
    for (_, area), cell in matrix(report).items():
        counts.setdefault(area, Counter()).update(cell.counts)
    return Row(
        version=str(header["api_version"]),
        target=str(header["target"]["url"]),
        started=str(header["started"]),
        first=headline(report),
        requests=summary.requests,
        checks=summary.checks,
        passed=summary.passed_checks,
        causes=len(causes),
        worst=_worst(causes, header["checks"]),
        areas={area: Cell(dict(found)) for area, found in sorted(counts.items())},
    )


def _worst(causes: Sequence[RootCause], checks: Mapping[str, Mapping[str, Any]]) -> str:
    """What the first cause is. The title of a rule says how it should be, so it is told that it is broken."""
    if not causes:
        return ""
    title = causes[0].title
    rule = str(checks.get(causes[0].checks[0], {}).get("title", ""))
    return f"broken rule: {title}" if title == rule else title


def areas_of(rows: Iterable[Row]) -> list[str]:
    """The areas of all rows, sorted: the columns of their table."""
    return sorted({area for row in rows for area in row.areas})


def counts_of(cell: Cell) -> Iterator[tuple[Outcome, int]]:
    """Yield the outcomes of a cell with their numbers, the heaviest first. What doesn't apply is told only alone."""
    for outcome in Outcome:
        count = cell.counts.get(outcome, 0)
        if count and (outcome is not Outcome.NOT_APPLICABLE or len(cell.counts) == 1):
            yield outcome, count
