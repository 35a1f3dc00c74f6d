"""Reports on gateways, read again: do their rows still follow from their evidence, and how do two of them differ?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance._parts import late
from conformance.passage.judge import Judged, judged
from conformance.settings.gateway import Declared, Gateway
from conformance.spec.loading import load

if TYPE_CHECKING:
    from reports import manifest, passages
    from reports.passages import PassageReport
else:
    manifest = late("reports.manifest")
    passages = late("reports.passages")

__all__ = ["folders", "judged_again", "problems", "rows_that_differ"]


def folders(folder: Path) -> list[Path]:
    """The folders of reports on gateways: this one, or those of api-versions in it. Empty if there are none."""
    if (folder / passages.NAME).is_file():
        return [folder]
    return [file.parent for file in sorted(folder.glob(f"*/{passages.NAME}"))]


def judged_again(report: PassageReport, specs: Path | None = None) -> Judged:
    """Judge the evidence of a report by today's rules. ``specs`` is a folder with further api-versions."""
    declared: dict[str, list[Declared]] = {}
    for one in report.header.get("declared", ()):
        declared.setdefault(one["does"], []).append(Declared(one["field"], one["reason"], one["nature"]))
    gateway = Gateway(**{does: tuple(many) for does, many in declared.items()})
    return judged(report.record, load(report.header["api_version"], specs), gateway)


def problems(folder: Path, specs: Path | None = None) -> Iterator[str]:
    """Yield what is wrong with a report: changed files, and rows that don't follow from the evidence.

    Raises :class:`UsageError`, with the line, for a report that was changed.
    """
    yield from manifest.problems(folder)
    report = passages.read(folder)
    if report.footer is None:
        yield f"{folder}: truncated: the run did not end"
        return
    result = judged_again(report, specs)
    if result.conclusion.value != report.footer["conclusion"]:
        yield f"was {report.footer['conclusion']}, is {result.conclusion.value}"
    yield from rows_that_differ(report.footer["rows"], passages.rows_of(result))


def rows_that_differ(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the rows that only one of two tables has, or that concern another number of requests."""
    old, new = ({_key(row): row for row in table} for table in (before, after))
    for key, row in old.items():
        if key not in new:
            yield f"gone: {_name(row)}, {row['requests']} requests"
        elif new[key]["requests"] != row["requests"]:
            yield f"changed: {_name(row)}: {row['requests']} requests, now {new[key]['requests']}"
    for key, row in new.items():
        if key not in old:
            yield f"new: {_name(row)}, {row['requests']} requests"


#: What tells two rows apart.
_KEY = ("level", "nature", "rule", "side", "kind", "field", "why", "declared")


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in _KEY)


def _name(row: Mapping[str, Any]) -> str:
    declared = " (declared)" if row["declared"] else ""
    return f"{row['level']} {row['nature']} {row['side']} {row['kind']} {row['field']}{declared} by {row['rule']}"
