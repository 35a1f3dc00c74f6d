"""The summary that a run prints: counts, then the verdicts that need an eye, about ten lines each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from conformance.verdict import Outcome

from .failure import explain
from .headline import headline
from .jsonl import Report
from .summary import grouped, summarise

__all__ = ["render"]

#: Verdicts, or groups of them, written out for each outcome.
MOST = {Outcome.FAIL: 20, Outcome.ERROR: 10}
OTHERS = 3


def render(report: Report, run_dir: str) -> Iterator[str]:
    """Lines of plain text."""
    summary = summarise(report)
    header = report.header
    shown: Counter[Outcome] = Counter()
    hidden: Counter[Outcome] = Counter()
    for group in grouped(summary.notable):
        verdict = group[0]
        shown[verdict.outcome] += 1
        if shown[verdict.outcome] > MOST.get(verdict.outcome, OTHERS):
            hidden[verdict.outcome] += len(group)
            continue
        trace = report.traces[verdict.scenario]
        yield from explain(verdict, trace, header["checks"], run_dir=run_dir, auth=header["target"]["auth"])
        if len(group) > 1:
            yield f"  also      {len(group) - 1} more items, for the same reason or in consequence"
        yield ""
    for outcome, count in hidden.items():
        yield f"… and {count} more with outcome {outcome.value}: see {run_dir}/index.html"
    footer = report.footer
    for note in footer.get("notes", ()) if footer else ():
        yield f"note: {note}"
    waived = Counter(verdict.outcome for verdict in summary.waived)
    counted = {outcome.value: count - waived[outcome] for outcome, count in summary.outcomes.items()}
    counted["waived"] = len(summary.waived)
    counts = ", ".join(f"{count} {what}" for what, count in counted.items() if count)
    first = headline(report)
    yield from first.coverage
    yield (
        f"{header['api_version']}: {first.text}. {len(summary.operations)} operations, {summary.checks} checks, "
        f"{summary.requests} requests; verdicts: {counts or 'none'}"
    )
