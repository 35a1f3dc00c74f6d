"""What the derived reports share: counts, and verdicts grouped by what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from attrs import field, frozen

from conformance.verdict import Outcome, Verdict

from .jsonl import Report

__all__ = ["Summary", "grouped", "summarise"]


@frozen
class Summary:
    """Counts of verdicts by outcome, of exchanges by operation, and the verdicts that need a reader's eye.

    ``in_part`` are those some of whose exchanges could not be judged, whatever the outcome of the others.
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
    """Count a report. ``notable`` holds everything but pass, not_applicable and waived, heaviest first."""
    outcomes = Counter(verdict.outcome for verdict in report.verdicts)
    operations: Counter[str] = Counter()
    for trace in report.traces.values():
        for seen in trace:
            operations[seen.case.operation] += 1
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


def grouped(notable: Iterable[Verdict]) -> list[list[Verdict]]:
    """Verdicts that are told once, the root first: what follows from one cause, and what could not be judged for the
    same reason. The heaviest outcome first, among these the widest cause.

    One broken answer, or one resource that answers nothing well, leaves dozens of verdicts.
    """
    verdicts = tuple(notable)
    named = {f"{verdict.check} in {verdict.scenario}": verdict for verdict in verdicts}
    groups: dict[tuple[str, ...], list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(_key(_root(verdict, named)), []).append(verdict)
    for key, group in groups.items():
        group.sort(key=lambda verdict: _key(verdict) != key or bool(verdict.cause))
    order = list(Outcome)
    heaviest = {key: min(order.index(verdict.outcome) for verdict in group) for key, group in groups.items()}
    return [groups[key] for key in sorted(groups, key=lambda key: (heaviest[key], -len(groups[key])))]


def _root(verdict: Verdict, named: Mapping[str, Verdict]) -> Verdict:
    """The verdict from which this one follows, through all that lie between."""
    seen = {verdict.cause}
    while verdict.cause in named:
        verdict = named[verdict.cause]
        if verdict.cause in seen:
            break
        seen.add(verdict.cause)
    return verdict


def _key(verdict: Verdict) -> tuple[str, ...]:
    """What verdicts of one group have in common."""
    if verdict.cause:
        return (verdict.cause,)
    apart = verdict.outcome in (Outcome.FAIL, Outcome.WARN) or verdict.findings
    place = (verdict.scenario, verdict.check) if apart else ()
    return (verdict.outcome.value, verdict.reason, *place)
