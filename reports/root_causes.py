"""Root causes: what one repair would mend, the worst and widest first.

``summary.grouped`` joins the verdicts that follow from one answer or one refusing operation. Here the groups that break
the same rule in several scenarios are joined too, because one repair mends all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from conformance.verdict import Finding, Level, Outcome, Verdict

from .jsonl import Report
from .matrix import Place, places
from .summary import grouped, summarise

__all__ = ["RootCause", "level_of", "root_causes", "scoring"]

#: Divides a cause in words from the line of ``conformance.toml`` that would declare it (``judging/causes.py``).
_REMEDY = "; if that is meant: "

#: An operationId within a reason.
_OPERATION = re.compile(r"\b[a-z_]+(?:\.[a-z_]+)+\b")

#: What to do about verdicts without findings.
_UNJUDGED = {
    Outcome.ERROR: "Report it with the run folder: this is no fault of the target.",
    Outcome.UNAVAILABLE: "Make the target reachable and its key valid, then run again.",
    Outcome.INCONCLUSIVE: "Remove what ended it (a budget, a quota, an interruption), then run again.",
    Outcome.NOT_TESTABLE: "Make the step that it names succeed, then run again.",
}

#: The level of a finding whose check gave it an outcome.
_LEVELS = {Outcome.FAIL: Level.MUST, Outcome.WARN: Level.SHOULD}


@frozen
class RootCause:
    """One cause with all verdicts that it explains, the one that says most first.

    ``title`` says what is wrong and ``remedy`` what to do. ``operations`` and ``checks`` are those of the verdicts,
    ``requests`` the number of requests that findings name. ``level`` is that of the heaviest finding, "" if nothing was
    found.
    """

    title: str
    remedy: str
    verdicts: tuple[Verdict, ...]
    outcome: Outcome
    level: str
    checks: tuple[str, ...]
    operations: tuple[str, ...]
    requests: int


def level_of(verdict: Verdict, finding: Finding | None, checks: Mapping[str, Mapping[str, Any]]) -> str:
    """How hard the broken rule is: a finding may be softer than its check. "" if the check is unknown."""
    if finding is not None:
        if finding.note:
            return Level.OBS.value
        if finding.level is not None:
            return finding.level.value
        if finding.outcome in _LEVELS:
            return _LEVELS[finding.outcome].value
    return str(checks.get(verdict.check, {}).get("level", ""))


def root_causes(report: Report) -> tuple[RootCause, ...]:
    """The causes of all verdicts that somebody should look at: the worst outcome first, then the widest."""
    checks = report.header["checks"]
    where = {(verdict.scenario, verdict.check): place for verdict, place in places(report)}
    joined: dict[tuple[str, ...], list[Verdict]] = {}
    for group in grouped(summarise(report).notable):
        joined.setdefault(_key(group[0]), []).extend(group)
    causes = [_cause(verdicts, where, checks) for verdicts in joined.values()]
    order = list(Outcome)
    return tuple(sorted(causes, key=lambda one: (order.index(one.outcome), -len(one.verdicts), one.title)))


def _key(root: Verdict) -> tuple[str, ...]:
    """What the groups of one cause have in common."""
    if root.cause:
        return ("cause", root.cause)
    if root.findings:
        return ("rule", root.outcome.value, root.check)
    # The same reason names another operation each time.
    return ("reason", root.outcome.value, _OPERATION.sub("*", root.reason))


def _cause(
    verdicts: Sequence[Verdict], where: Mapping[tuple[str, str], Place], checks: Mapping[str, Mapping[str, Any]]
) -> RootCause:
    """The cause of some verdicts, of which the first is the root."""
    named = verdicts[0].cause.partition(":")[0]
    # Of an operation that refuses everything, its own requests say most, and not those of the scenarios that need it.
    verdicts = sorted(verdicts, key=lambda verdict: verdict.scenario != f"corpus.{named}")
    root = verdicts[0]
    finding = next(iter(scoring(root)), None)
    found = {(verdict.evidence, one.case_id) for verdict in verdicts for one in scoring(verdict)}
    operations = {where[verdict.scenario, verdict.check].operation for verdict in verdicts} - {""}
    title, remedy = _words(verdicts, checks)
    order = list(Outcome)
    return RootCause(
        title,
        remedy,
        tuple(verdicts),
        min((verdict.outcome for verdict in verdicts), key=order.index),
        level_of(root, finding, checks) if finding is not None else "",
        tuple(dict.fromkeys(verdict.check for verdict in verdicts)),
        tuple(sorted(operations)),
        len(found),
    )


def scoring(verdict: Verdict) -> Iterable[Finding]:
    """The findings that led to the outcome of a verdict, and none that is only a note."""
    return (
        finding
        for finding in verdict.findings
        if not finding.note and (finding.outcome is None or finding.outcome is verdict.unwaived)
    )


def _words(verdicts: Sequence[Verdict], checks: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """(what is wrong, what to do) in words."""
    root = verdicts[0]
    # The preflight says it in the finding itself.
    told = root.cause or next((finding.message for finding in scoring(root)), "")
    what, meant, remedy = told.partition(_REMEDY)
    if meant and len(verdicts) > 1 and not root.cause:
        what += f"; so it is with {', '.join(verdict.scenario.partition('.')[2] for verdict in verdicts[1:])}"
        # Each of them has a line of its own under the same heading.
        lines = [finding.message.partition(_REMEDY)[2] for one in verdicts[1:] for finding in scoring(one)]
        remedy = ", ".join([remedy, *(line.partition("] ")[2] for line in lines if line)])
    if meant:
        return what, f"Serve it, or declare that it isn't served: {remedy}"
    info = checks.get(root.check, {})
    if root.findings:
        clause = str(info.get("clause_text", ""))
        say = f"aoai-conformance explain {root.check}"
        return str(info.get("title") or root.check), f"{clause} {say}".strip() if clause else say
    reasons = {verdict.reason for verdict in verdicts if verdict.outcome is root.outcome}
    # Reasons that differ in the operation have other parts in common.
    alike = "; ".join(part for part in root.reason.split("; ") if all(part in reason for reason in reasons))
    return alike or root.reason or "not judged", _UNJUDGED.get(root.outcome, "")
