"""Markdown: a summary for a pull request or a job page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.evidence.timeline import escaped, visible
from conformance.settings.scope import RunScope
from conformance.verdict import Outcome

from .cause_text import explains
from .failure import explain
from .headline import headline
from .jsonl import Report
from .matrix import matrix
from .root_causes import RootCause, root_causes
from .summary import Summary, summarise

__all__ = ["NAME", "render"]

NAME = "summary.md"

#: Rows of a table, and bytes of all causes that are written out. The other reports have everything.
MOST, CAUSES = 25, 30_000

#: The most bytes of the whole file: a comment on GitHub has at most 65,536 characters.
LARGEST = 60_000

#: Columns of the table of areas; other outcomes are counted together.
_COLUMNS = (Outcome.ERROR, Outcome.FAIL, Outcome.WARN, Outcome.PASS)


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
    lines += _causes(report, run_dir)
    lines += _areas(report)
    lines += _scope(first.scope)
    lines += _waived(summary)
    if first.outdated:
        lines += ["## Out of date", "", *_listed(first.outdated), ""]
    if footer and footer.get("interrupted"):
        lines += ["The run was interrupted.", ""]
    lines += _listed(footer.get("notes", ()) if footer else ())
    lines += _drift(footer.get("drift", ()) if footer else ())
    lines += _in_part(summary)
    lines += _repeated(report)
    return _cut(visible("\n".join(lines).rstrip() + "\n"))


def _cut(text: str) -> str:
    """The text without the lines for which there is no room, and a line that counts them."""
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= LARGEST:
        return text
    kept = data[: LARGEST - 100].rpartition(b"\n")[0].decode("utf-8")
    # A fence that is open would swallow the last line.
    fence = "\n```" if kept.count("\n```") % 2 else ""
    return f"{kept}{fence}\n\n… and {text.count(chr(10)) - kept.count(chr(10))} more lines: see index.html.\n"


def _listed(texts: Sequence[str]) -> Iterator[str]:
    """Yield the first texts as a list, and the number of the others."""
    yield from (f"- {' '.join(text.split())}" for text in texts[:MOST])
    if len(texts) > MOST:
        yield f"- … and {len(texts) - MOST} more: see index.html."


def _causes(report: Report, run_dir: str) -> Iterator[str]:
    """Yield the causes, the worst and widest first, as long as there is room; then the number of the others."""
    causes, room = root_causes(report), CAUSES
    if causes:
        yield from ("## What to mend first", "")
    for place, cause in enumerate(causes):
        lines = [*_cause(report, cause, run_dir)]
        room -= sum(len(line.encode("utf-8", "backslashreplace")) + 1 for line in lines)
        if room < 0:
            verdicts = sum(len(one.verdicts) for one in causes[place:])
            yield from (f"… and {len(causes) - place} more causes of {verdicts} verdicts: see index.html.", "")
            return
        yield from lines


def _cause(report: Report, cause: RootCause, run_dir: str) -> Iterator[str]:
    """Yield the lines on a cause: how much it explains, what to do, and its first verdict in full."""
    root, header = cause.verdicts[0], report.header
    trace = report.traces[root.evidence]
    text = explain(root, trace, header["checks"], run_dir=run_dir, auth=header["target"]["auth"])
    yield from ("```text", *text, f"  explains  {explains(cause)}", f"  to do     {escaped(cause.remedy)}", "```", "")


def _areas(report: Report) -> Iterator[str]:
    """Yield a table of the areas of rules with the number of verdicts of each outcome."""
    counts: dict[str, Counter[Outcome]] = {}
    for (_, area), cell in matrix(report).items():
        counts.setdefault(area, Counter()).update(cell.counts)
    if not counts:
        return
    yield from (
        "## Areas",
        "",
        f"| area | {' | '.join(one.value for one in _COLUMNS)} | other |",
        "|---|---|---|---|---|---|",
    )
    for area, found in sorted(counts.items(), key=lambda pair: ([-pair[1][one] for one in _COLUMNS[:3]], pair[0])):
        cells = [found[one] for one in _COLUMNS]
        yield f"| {area} | {' | '.join(str(cell or '') for cell in (*cells, found.total() - sum(cells)))} |"
    yield ""


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
