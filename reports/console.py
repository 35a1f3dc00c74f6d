"""The summary that a run prints: the verdict and its scope, the worst and widest causes, and where the rest is."""

from __future__ import annotations

from collections.abc import Iterator

from .cause_text import explains, told
from .failure import short
from .headline import headline
from .jsonl import Report
from .root_causes import root_causes
from .summary import Summary, summarise

__all__ = ["CAUSES", "LINES", "render"]

#: The most lines of one api-version, and the causes that are told in full. With the line that names the report, forty
#: lines fit on a screen.
LINES, CAUSES = 39, 5

#: The most lines of each further kind, and characters of such a line.
_OTHERS, _WIDE = 2, 300


def render(report: Report, run_dir: str) -> Iterator[str]:
    """Yield at most :data:`LINES` lines of plain text. What is left out is counted, with the place where it is."""
    summary, first, header = summarise(report), headline(report), report.header
    counts = ", ".join(f"{count} {outcome.value}" for outcome, count in summary.outcomes.items())
    yield (
        f"{header['api_version']}: {first.text}. {len(summary.operations)} operations, {summary.checks} checks, "
        f"{summary.requests} requests; verdicts: {counts or 'none'}"
    )
    yield from (short(line, _WIDE) for line in first.coverage)
    yield from filter(None, (first.unstable,))
    where = f"see {run_dir}/index.html"
    causes = root_causes(report)
    for cause in causes[:CAUSES]:
        yield from told(report, cause, run_dir)
    rest = causes[CAUSES:]
    if rest:
        verdicts = sum(len(cause.verdicts) for cause in rest)
        yield f"… and {len(rest)} more causes of {verdicts} verdicts, the widest {explains(rest[0])}: {where}"
    yield from _some([f"out of date: {line}" for line in first.outdated], "out of date", where)
    yield from _some([*_waived(summary)], "waived", where)
    footer = report.footer or {}
    drift = footer.get("drift", ())
    if drift:
        named = ", ".join(dict.fromkeys(each["value"] for each in drift[:10]))
        yield short(f"drift: {len(drift)} values that the document doesn't list: {named}", _WIDE)
    yield from _some([f"note: {note}" for note in footer.get("notes", ())], "notes", where)


def _some(lines: list[str], what: str, where: str) -> Iterator[str]:
    """Yield the first lines, and one that counts the others."""
    yield from (short(line, _WIDE) for line in lines[:_OTHERS])
    if len(lines) > _OTHERS:
        yield f"… and {len(lines) - _OTHERS} more {what}: {where}"


def _waived(summary: Summary) -> Iterator[str]:
    """Yield one line for each check and reason: the owner of the waiver, or since when the failure is known."""
    groups: dict[str, list[str]] = {}
    for verdict in summary.waived:
        if verdict.waived is not None:
            text = f"WAIVED {verdict.check} ({verdict.waived.outcome.value}), {verdict.waived.text}"
            groups.setdefault(text, []).append(verdict.scenario)
    for text, scenarios in groups.items():
        more = f" and {len(scenarios) - 1} more" if len(scenarios) > 1 else ""
        yield f"{text}, in {scenarios[0]}{more}"
