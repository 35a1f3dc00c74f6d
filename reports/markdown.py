"""A summary for a pull request or a job page."""

from __future__ import annotations

from .failure import explain
from .jsonl import Report
from .summary import summarise

__all__ = ["NAME", "render"]

NAME = "summary.md"

#: Verdicts written out; the rest is in the other reports.
MOST = 25


def render(report: Report, run_dir: str) -> str:
    """Markdown text."""
    summary = summarise(report)
    header, footer = report.header, report.footer
    conclusion = footer["conclusion"] if footer else "truncated: the run did not end"
    lines = [
        f"# {header['api_version']}: {conclusion}",
        "",
        (
            f"Target `{header['target']['url']}`, profile {header['profile']}, seed {header['seed']}, "
            f"{summary.requests} requests, {summary.checks} checks."
        ),
        "",
        "| outcome | verdicts |",
        "|---|---|",
        *(f"| {outcome.value} | {count} |" for outcome, count in summary.outcomes.items()),
        "",
    ]
    if footer and footer.get("interrupted"):
        lines += ["The run was interrupted.", ""]
    for note in footer.get("notes", ()) if footer else ():
        lines += [f"- {note}"]
    for verdict in summary.notable[:MOST]:
        trace = report.traces[verdict.scenario]
        text = explain(verdict, trace, header["checks"], run_dir=run_dir, auth=header["target"]["auth"])
        lines += ["```text", *text, "```", ""]
    if len(summary.notable) > MOST:
        lines.append(f"… and {len(summary.notable) - MOST} more: see index.html.")
    return "\n".join(lines).rstrip() + "\n"
