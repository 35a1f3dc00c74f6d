"""What the derived reports share: counts, and verdicts grouped by their cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from attrs import field, frozen

from conformance.evidence.outline import once
from conformance.verdict import Outcome, Verdict

from .jsonl import Report

__all__ = ["Summary", "grouped", "summarise"]


@frozen
class Summary:
    """Counts of verdicts by outcome and of exchanges by operation, and the verdicts that somebody should look at.

    ``in_part`` are the items of which some exchanges could not be judged, whatever the outcome of the others.
    """

    outcomes: Mapping[Outcome, int]
    operations: Mapping[str, int]
    requests: int
    checks: int
    passed_checks: int
    notable: tuple[Verdict, ...] = field(repr=False)
    waived: tuple[Verdict, ...] = field(repr=False)
    in_part: tuple[Verdict, ...] = field(repr=False)


def summarise(report: Report) -> Summary:
    """Count a report. ``notable`` are all verdicts but pass, not_applicable and waived, the heaviest first."""
    outcomes = Counter(verdict.outcome for verdict in report.verdicts)
    operations: Counter[str] = Counter()
    for outline in once(report.outlines.values()):
        operations.update(step.operation for step in outline)
    # A check that applied to nothing has neither passed nor failed.
    judged = {verdict.check for verdict in report.verdicts if verdict.outcome is not Outcome.NOT_APPLICABLE}
    bad = {
        verdict.check for verdict in report.verdicts if verdict.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)
    }
    rank = {outcome: place for place, outcome in enumerate(Outcome)}
    quiet = (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.WAIVED)
    notable = sorted(
        (v for v in report.verdicts if v.outcome not in quiet),
        key=lambda v: (rank[v.outcome], v.check, v.scenario),
    )
    return Summary(
        outcomes={outcome: outcomes[outcome] for outcome in Outcome if outcomes[outcome]},
        operations=dict(sorted(operations.items())),
        requests=sum(operations.values()),
        checks=len(judged),
        passed_checks=len(judged - bad),
        notable=tuple(notable),
        waived=tuple(v for v in report.verdicts if v.outcome is Outcome.WAIVED),
        in_part=tuple(v for v in report.verdicts if v.unjudged),
    )


#: The rules that an operation breaks first if it refuses all valid requests.
_PLAINEST = ("http.no-server-error", "http.accepted")


def grouped(notable: Iterable[Verdict]) -> list[list[Verdict]]:
    """Groups of verdicts with one explanation, the root of each group first: the same cause, or the same reason for not
    being judged.

    The heaviest outcome comes first, then the widest cause. One broken answer, or one resource that never answers
    successfully, leads to dozens of verdicts.
    """
    verdicts = tuple(notable)
    named = {f"{verdict.check} in {verdict.scenario}": verdict for verdict in verdicts}
    groups: dict[tuple[str, ...], list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(_key(_root(verdict, named)), []).append(verdict)
    order = list(Outcome)
    for key, group in groups.items():
        # Where an operation refuses everything, the rule about that says more than one of its consequences.
        group.sort(
            key=lambda one: (_key(one) != key or bool(one.cause), order.index(one.outcome), one.check not in _PLAINEST)
        )
    heaviest = {key: min(order.index(verdict.outcome) for verdict in group) for key, group in groups.items()}
    # Wider causes first, because one repair then explains more items.
    return [groups[key] for key in sorted(groups, key=lambda key: (heaviest[key], -len(groups[key])))]


def _root(verdict: Verdict, named: Mapping[str, Verdict]) -> Verdict:
    """The verdict from which this one follows, directly or through others."""
    seen = {verdict.cause}
    while verdict.cause in named:
        verdict = named[verdict.cause]
        # Two verdicts that name each other would lead in a circle.
        if verdict.cause in seen:
            break
        seen.add(verdict.cause)
    return verdict


def _key(verdict: Verdict) -> tuple[str, ...]:
    """What the verdicts of one group have in common."""
    if verdict.cause:
        return (verdict.cause,)
    # A violation is explained by itself; items that could not be judged share their reason.
    apart = verdict.outcome in (Outcome.FAIL, Outcome.WARN) or verdict.findings
    place = (verdict.scenario, verdict.check) if apart else ()
    return (verdict.outcome.value, verdict.reason, *place)
