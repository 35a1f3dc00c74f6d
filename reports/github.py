"""GitHub Actions: annotations of a workflow run, one for each root cause, and the summary of the job.

Annotations are workflow commands on standard output. GitHub shows ten errors and ten warnings of a step and drops the
others, so causes are annotated, not verdicts, and the last annotation counts what has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from conformance.evidence.timeline import escaped
from conformance.verdict import Outcome

from .headline import headline
from .jsonl import Report
from .root_causes import RootCause, root_causes

__all__ = ["SUMMARY", "commands", "summarise_job"]

#: The environment variable that names the file of the job's summary.
SUMMARY = "GITHUB_STEP_SUMMARY"

#: Annotations of each kind that GitHub shows of a step. One is kept for the count of the others.
_MOST = 9

_KINDS = {Outcome.ERROR: "error", Outcome.FAIL: "error", Outcome.WARN: "warning"}


def commands(report: Report) -> Iterator[str]:
    """Yield workflow commands: the causes of errors, failures and warnings, the worst and widest first, and the
    headline as a notice.
    """
    version, shown = report.header["api_version"], dict.fromkeys(("error", "warning"), 0)
    left: dict[str, int] = {}
    for cause in root_causes(report):
        kind = _KINDS.get(cause.outcome)
        if kind is None:
            continue
        if shown[kind] == _MOST:
            left[kind] = left.get(kind, 0) + 1
            continue
        shown[kind] += 1
        yield _command(kind, f"{version}: {cause.checks[0]}", _told(cause))
    for kind, count in left.items():
        yield _command(kind, f"{version}: {count} more causes", f"{count} more causes: see the summary of the job")
    yield _command("notice", version, headline(report).text)


def _told(cause: RootCause) -> str:
    """What is wrong, how wide, an example and what to do."""
    root = cause.verdicts[0]
    finding = next((one for one in root.findings if not one.note), None)
    lines = [cause.title]
    if finding is not None:
        lines.append(f"for example: {finding.message}" + (f" at {finding.place}" if finding.place else ""))
    many = f"{len(cause.verdicts)} verdicts of {len(cause.checks)} rules in {len(cause.operations)} operations"
    return "\n".join([*lines, f"explains {many}", cause.remedy])


def _command(kind: str, title: str, text: str) -> str:
    """A workflow command; what would end it early is escaped as GitHub's toolkit does."""

    def data(value: str) -> str:
        lines = (escaped(line) for line in value.split("\n"))
        return "%0A".join(line.replace("%", "%25") for line in lines)

    named = data(title).replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={named}::{data(text)}"


def summarise_job(markdown: str, environment: Mapping[str, str]) -> None:
    """Add a text to the summary of the job. Without the variable nothing is done; raises :class:`OSError`."""
    file = environment.get(SUMMARY, "")
    if file:
        with Path(file).open("a", encoding="utf-8") as stream:
            stream.write(markdown + "\n")
