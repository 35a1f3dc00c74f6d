"""Markdown: a summary for a pull request or a job page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.evidence.timeline import visible
from conformance.settings.scope import RunScope

from .failure import explain
from .headline import headline
from .jsonl import Report
from .summary import Summary, grouped, summarise

__all__ = ["NAME", "render"]

NAME = "summary.md"

#: How many verdicts, or groups of them, are written out. The other reports have all of them.
MOST = 25


def render(report: Report, run_dir: str) -> str:
    """Markdown text."""
    summary = summarise(report)
    header, footer, first = report.header, report.footer, headline(report)
    lines = [
        f"# {header['api_version']}: {first.text}",
        *(text for line in filter(None, (*first.coverage, first.unstable)) for text in ("", f"**{line}**")),
        "",
        (
            f"Target `{header['target']['url']}`, seed {header['seed']}, "
            f"{summary.requests} requests, {summary.checks} checks."
        ),
        "",
        "| outcome | verdicts |",
        "|---|---|",
        *(f"| {outcome.value} | {count} |" for outcome, count in summary.outcomes.items()),
        "",
    ]
    lines += _scope(first.scope)
    lines += _waived(summary)
    if first.outdated:
        lines += ["## Out of date", "", *(f"- {line}" for line in first.outdated), ""]
    if footer and footer.get("interrupted"):
        lines += ["The run was interrupted.", ""]
    for note in footer.get("notes", ()) if footer else ():
        lines += [f"- {note}"]
    lines += _drift(footer.get("drift", ()) if footer else ())
    groups = grouped(summary.notable)
    for group in groups[:MOST]:
        trace = report.traces[group[0].evidence]
        text = explain(group[0], trace, header["checks"], run_dir=run_dir, auth=header["target"]["auth"])
        more = [f"  also      {len(group) - 1} more items, for the same reason or in consequence"]
        lines += ["```text", *text, *(more if len(group) > 1 else ()), "```", ""]
    if len(groups) > MOST:
        lines += [f"… and {sum(map(len, groups[MOST:]))} more: see index.html.", ""]
    lines += _in_part(summary)
    lines += _repeated(report)
    return visible("\n".join(lines).rstrip() + "\n")


def _drift(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a table of the values that the document lacks."""
    if not found:
        return
    yield from ("", "## Drift", "", "Values that the document doesn't list; the service may have added them.", "")
    yield from ("| operation | place | value | times | first case |", "|---|---|---|---|---|")
    for each in found[:MOST]:
        cells = (str(each[name]) for name in ("operation", "path", "value", "count", "case"))
        yield "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"
    if len(found) > MOST:
        yield from ("", f"… and {len(found) - MOST} more: see index.html.")
    yield ""


def _in_part(summary: Summary) -> Iterator[str]:
    """Yield a table of the items that were judged in part, whatever their outcome."""
    if not summary.in_part:
        return
    yield from ("## Judged in part", "", "| outcome | check | scenario | coverage |", "|---|---|---|---|")
    for verdict in summary.in_part[:MOST]:
        told = verdict.coverage.replace("|", "\\|").replace("\n", " ")
        yield f"| {verdict.outcome.value} | {verdict.check} | {verdict.scenario} | {told} |"
    if len(summary.in_part) > MOST:
        yield from ("", f"… and {len(summary.in_part) - MOST} more: see index.html.")


def _repeated(report: Report) -> Iterator[str]:
    """Yield a table of the verdicts that were not the same each time their scenario was sent."""
    unstable = [verdict for verdict in report.verdicts if verdict.stable is False]
    if not unstable:
        return
    yield from ("", "## Unstable", "", "| outcome | check | scenario | repetitions |", "|---|---|---|---|")
    for verdict in unstable[:MOST]:
        yield f"| {verdict.outcome.value} | {verdict.check} | {verdict.scenario} | {verdict.stability} |"
    if len(unstable) > MOST:
        yield from ("", f"… and {len(unstable) - MOST} more: see index.html.")


def _scope(scope: RunScope) -> Iterator[str]:
    """Yield what the conclusion doesn't cover, with reasons; nothing if it covers the whole api-version."""
    if not scope.narrowed:
        return
    yield from ("## Scope", "", f"The conclusion speaks of this part alone: {scope.text}.", "")
    for what, why in scope.reasons():
        yield f"- {what}: {' '.join(why.split())}"
    yield ""


def _waived(summary: Summary) -> Iterator[str]:
    """What failed and doesn't decide: who answers for it, or since when it is known."""
    if not summary.waived:
        return
    yield from ("## Waived", "", "| check | scenario | without the waiver | why | until |", "|---|---|---|---|---|")
    for verdict in summary.waived[:MOST]:
        waived = verdict.waived
        if waived is not None:
            owned = " ".join(filter(None, (f"{waived.owner}:", waived.reason, waived.link)))
            why = f"known since {waived.since}" if waived.since else owned
            cells = (verdict.check, verdict.scenario, waived.outcome.value, why, waived.expires)
            yield "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"
    if len(summary.waived) > MOST:
        yield from ("", f"… and {len(summary.waived) - MOST} more: see index.html.")
    yield ""
