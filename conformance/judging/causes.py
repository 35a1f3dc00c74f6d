"""Root causes: which verdicts follow from another verdict, or from an operation that never answers successfully.

A resource that answers 500 to everything breaks dozens of rules, and so does one answer that isn't JSON. A reader needs
to see the root. Nothing is hidden: each verdict stays and names its cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve

from conformance.evidence.outline import Outline, Step
from conformance.judging.check import Check
from conformance.requests.case import Expect
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Outcome, Verdict

__all__ = ["attributed", "declared", "failing_operations"]

#: The status of what an account may not do. It says nothing about the contract, and is the cause all the same.
_FORBIDDEN = 403

#: The least number of valid requests with the same refusal before the whole operation is taken for the cause.
FEWEST = 2


def attributed(
    spec: Spec, verdicts: Sequence[Verdict], traces: Mapping[str, Outline], checks: Mapping[str, Check]
) -> tuple[Verdict, ...]:
    """The verdicts with their causes. A pass has none, nor has a root. ``traces`` are outlines, by scenario."""
    failing = failing_operations(spec, traces.values())
    by_scenario: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.unwaived in (Outcome.FAIL, Outcome.WARN):
            by_scenario.setdefault(verdict.scenario, []).append(verdict)
    made = []
    for verdict in verdicts:
        cause = ""
        if verdict.unwaived not in (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.ERROR):
            trace = traces.get(verdict.scenario)
            cause = (_failing_step(trace, failing) if trace else "") or _root(verdict, by_scenario, checks)
        made.append(evolve(verdict, cause=cause) if cause else verdict)
    return tuple(made)


def failing_operations(spec: Spec, traces: Iterable[Outline]) -> Mapping[str, str]:
    """The operations of which no valid request succeeded and all got the same status: by operationId, the cause in
    words.

    If that applies to all operations of a resource that were tried, the cause names the resource.
    """
    answers: dict[str, list[Step]] = {}
    for trace in traces:
        for step in trace:
            if step.expect is Expect.ACCEPT and (not step.unreached or step.status == _FORBIDDEN):
                answers.setdefault(step.operation, []).append(step)
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
                what, glob = (resource, f"{resource}.*") if whole else (name, name)
                causes[name] = f"{what}: every valid request was answered with {alike[name]}; {declared(glob)}"
    return causes


def declared(name: str) -> str:
    """The line of ``conformance.toml`` by which a target says that it doesn't serve an operation, or ``resource.*``."""
    return f'if that is meant: [target.unsupported] "{name}" = "why it isn\'t served"'


def _alike(answers: Sequence[Step]) -> int | None:
    """The status of 400 or more that all answers have; None if they differ or are too few."""
    statuses = {step.status for step in answers}
    (status, *others) = statuses
    return status if not others and status is not None and status >= 400 and len(answers) >= FEWEST else None


def _failing_step(trace: Outline, failing: Mapping[str, str]) -> str:
    """The cause, if the first failed step of a trace belongs to an operation that never answers successfully; else
    "".
    """
    failed = (step for step in trace if step.expect is Expect.ACCEPT and not step.ok)
    return next((failing[step.operation] for step in failed if step.operation in failing), "")


def _root(verdict: Verdict, by_scenario: Mapping[str, list[Verdict]], checks: Mapping[str, Check]) -> str:
    """The check that is broken by the same answers of the same scenario and implies this one; "" if there is none."""
    mine = {finding.case_id for finding in verdict.findings}
    for other in by_scenario.get(verdict.scenario, ()):
        check = checks.get(other.check)
        if check is None or other.check == verdict.check or verdict.check not in check.entails:
            continue
        theirs = {finding.case_id for finding in other.findings}
        # Two checks may imply each other. The first by name is the root, so that they don't name each other.
        mutual = other.check in (checks[verdict.check].entails if verdict.check in checks else ())
        # Only if each of this check's answers is broken for the other one too, does it follow from that.
        if mine and mine <= theirs and not (mutual and other.check > verdict.check):
            return f"{other.check} in {other.scenario}"
    return ""
