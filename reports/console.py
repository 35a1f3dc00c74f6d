"""The summary that a run prints: counts, then the verdicts that somebody should look at, about ten lines each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from conformance.verdict import Outcome

from .failure import explain
from .headline import headline
from .jsonl import Report
from .summary import Summary, grouped, summarise

__all__ = ["render"]

#: How many verdicts, or groups of them, are printed for each outcome.
MOST = {Outcome.FAIL: 20, Outcome.ERROR: 10}
OTHERS = 3

#: The most lines on waived failures, and on outdated waivers and entries of the baseline.
MOST_LINES = 10


def render(report: Report, run_dir: str) -> Iterator[str]:
    """Yield lines of plain text."""
    summary = summarise(report)
    header = report.header
    shown: Counter[Outcome] = Counter()
    hidden: Counter[Outcome] = Counter()
    for group in grouped(summary.notable):
        verdict = group[0]
        shown[verdict.outcome] += 1
        if shown[verdict.outcome] > MOST.get(verdict.outcome, OTHERS):
            # Counted but not printed: a broken resource would fill the screen.
            hidden[verdict.outcome] += len(group)
            continue
        trace = report.traces[verdict.evidence]
        yield from explain(verdict, trace, header["checks"], run_dir=run_dir, auth=header["target"]["auth"])
        if len(group) > 1:
            yield f"  also      {len(group) - 1} more items, for the same reason or in consequence"
        yield ""
    for outcome, count in hidden.items():
        yield f"… and {count} more with outcome {outcome.value}: see {run_dir}/index.html"
    footer = report.footer
    for note in footer.get("notes", ()) if footer else ():
        yield f"note: {note}"
    drift = footer.get("drift", ()) if footer else ()
    if drift:
        named = ", ".join(dict.fromkeys(each["value"] for each in drift[:MOST_LINES]))
        more = "…" if len(drift) > MOST_LINES else ""
        yield f"drift: {len(drift)} values that the document doesn't list: {named}{more}"
    yield from _waived(summary)
    counts = ", ".join(f"{count} {outcome.value}" for outcome, count in summary.outcomes.items())
    first = headline(report)
    yield from (f"out of date: {line}" for line in first.outdated[:MOST_LINES])
    if len(first.outdated) > MOST_LINES:
        yield f"… and {len(first.outdated) - MOST_LINES} more out of date: see {run_dir}/index.html"
    yield from first.coverage
    yield from filter(None, (first.unstable,))
    yield (
        f"{header['api_version']}: {first.text}. {len(summary.operations)} operations, {summary.checks} checks, "
        f"{summary.requests} requests; verdicts: {counts or 'none'}"
    )


def _waived(summary: Summary) -> Iterator[str]:
    """Yield one line for each check and reason: the owner of the waiver, or since when the failure is known."""
    groups: dict[str, list[str]] = {}
    for verdict in summary.waived:
        if verdict.waived is not None:
            told = f"WAIVED {verdict.check} ({verdict.waived.outcome.value}), {verdict.waived.text}"
            groups.setdefault(told, []).append(verdict.scenario)
    for told, scenarios in [*groups.items()][:MOST_LINES]:
        more = f" and {len(scenarios) - 1} more" if len(scenarios) > 1 else ""
        yield f"{told}, in {scenarios[0]}{more}"
    if len(groups) > MOST_LINES:
        yield f"… and {len(groups) - MOST_LINES} more waived"
