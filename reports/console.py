"""The summary that a run prints: counts, then the verdicts that need an eye, about ten lines each."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.verdict import Outcome

from .failure import explain
from .jsonl import Report
from .summary import summarise

__all__ = ["render"]

#: Verdicts written out for each outcome.
MOST = {Outcome.FAIL: 20, Outcome.ERROR: 10}
OTHERS = 3


def render(report: Report, run_dir: str) -> Iterator[str]:
    """Lines of plain text."""
    summary = summarise(report)
    header = report.header
    shown: dict[Outcome, int] = {}
    for verdict in summary.notable:
        shown[verdict.outcome] = shown.get(verdict.outcome, 0) + 1
        if shown[verdict.outcome] <= MOST.get(verdict.outcome, OTHERS):
            trace = report.traces[verdict.scenario]
            yield from explain(verdict, trace, header["checks"], run_dir=run_dir, auth=header["target"]["auth"])
            yield ""
    for outcome, count in shown.items():
        hidden = count - MOST.get(outcome, OTHERS)
        if hidden > 0:
            yield f"… and {hidden} more with outcome {outcome.value}: see {run_dir}/index.html"
    footer = report.footer
    for note in footer.get("notes", ()) if footer else ():
        yield f"note: {note}"
    counts = ", ".join(f"{count} {outcome.value}" for outcome, count in summary.outcomes.items())
    conclusion = footer["conclusion"] if footer else "truncated"
    yield (
        f"{header['api_version']}: {conclusion}. {len(summary.operations)} operations, {summary.checks} checks, "
        f"{summary.requests} requests; verdicts: {counts or 'none'}"
    )
