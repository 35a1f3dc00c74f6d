"""One cause, one finding: which verdicts follow from another one, or from an operation that answers nothing well.

A resource that answers 500 to everything breaks dozens of rules, and so does one answer that isn't JSON. People need to
read the root. Nothing is hidden: each verdict stays, and names its cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve

from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Check
from conformance.requests.case import Expect
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Outcome, Verdict

__all__ = ["attributed", "silent_operations"]

#: Valid requests of an operation that must have been refused alike, before the operation as a whole is the cause.
FEWEST = 2


def attributed(
    spec: Spec, verdicts: Sequence[Verdict], traces: Mapping[str, Trace], checks: Mapping[str, Check]
) -> tuple[Verdict, ...]:
    """The verdicts with their causes. What passes has none, nor has a root."""
    dead = silent_operations(spec, traces.values())
    by_scenario: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.unwaived in (Outcome.FAIL, Outcome.WARN):
            by_scenario.setdefault(verdict.scenario, []).append(verdict)
    made = []
    for verdict in verdicts:
        cause = ""
        if verdict.unwaived not in (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.ERROR):
            trace = traces.get(verdict.scenario)
            cause = (_dead_step(trace, dead) if trace else "") or _root(verdict, by_scenario, checks)
        made.append(evolve(verdict, cause=cause) if cause else verdict)
    return tuple(made)


def silent_operations(spec: Spec, traces: Iterable[Trace]) -> Mapping[str, str]:
    """Operations of which no valid request succeeded and all were answered alike: by operationId, the cause in words.

    Where that holds for all operations of a resource that were tried, the resource is named.
    """
    answers: dict[str, list[Observation]] = {}
    for trace in traces:
        for seen in trace:
            if seen.case.expect is Expect.ACCEPT and not seen.exchange.unreached:
                answers.setdefault(seen.case.operation, []).append(seen)
    alike = {name: status for name, seen in answers.items() if (status := _alike(seen)) is not None}
    known = operations_of(spec)
    resources: dict[str, list[str]] = {}
    for name in answers:
        resources.setdefault(known[name].resource if name in known else name.split(".")[0], []).append(name)
    causes = {}
    for resource, names in resources.items():
        statuses = {alike.get(name) for name in names}
        whole = len(statuses) == 1 and len(names) > 1
        for name in names:
            if name in alike:
                causes[name] = f"{resource if whole else name}: every valid request was answered with {alike[name]}"
    return causes


def _alike(answers: Sequence[Observation]) -> int | None:
    """The one status of 400 and more with which all were answered; None where they weren't, or too few were sent."""
    statuses = {seen.exchange.status for seen in answers}
    (status, *others) = statuses
    return status if not others and status is not None and status >= 400 and len(answers) >= FEWEST else None


def _dead_step(trace: Trace, dead: Mapping[str, str]) -> str:
    """The cause where the first step of a trace that failed belongs to an operation that answers nothing well."""
    failed = (seen for seen in trace if seen.case.expect is Expect.ACCEPT and not seen.exchange.ok)
    return next((dead[seen.case.operation] for seen in failed if seen.case.operation in dead), "")


def _root(verdict: Verdict, by_scenario: Mapping[str, list[Verdict]], checks: Mapping[str, Check]) -> str:
    """The check that was broken in the same scenario on the same answers, and from which this one follows by logic."""
    mine = {finding.case_id for finding in verdict.findings}
    for other in by_scenario.get(verdict.scenario, ()):
        check = checks.get(other.check)
        if check is None or other.check == verdict.check or verdict.check not in check.entails:
            continue
        theirs = {finding.case_id for finding in other.findings}
        mutual = other.check in (checks[verdict.check].entails if verdict.check in checks else ())
        if mine and mine <= theirs and not (mutual and other.check > verdict.check):
            return f"{other.check} in {other.scenario}"
    return ""
