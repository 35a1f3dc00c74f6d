"""``--shrink N``: spend at most N requests on finding smaller requests that fail in the same way.

The smallest failing request of each check is tried first. The result is stored as evidence: a trace and a verdict on
``shrunk.<scenario>``, so that the report begins with a request that a person can read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conformance.checks.catalogue import all_checks
from conformance.errors import ConformanceError
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Scope
from conformance.judging.judge import judge
from conformance.requests.case import Case
from conformance.requests.shrinking import shrink, size
from conformance.spec.spec import Spec
from conformance.target.target import Target
from conformance.verdict import Outcome, Verdict

__all__ = ["shrunk"]


def shrunk(
    spec: Spec, target: Target, failures: Iterable[tuple[Verdict, Trace]], requests: int
) -> Iterator[tuple[Trace, Verdict]]:
    """Yield traces and verdicts of smaller requests, for failures of exchange checks on corpora."""
    left = requests
    for verdict, trace in failures:
        check = all_checks().get(verdict.check)
        if left <= 0 or check is None or check.scope is not Scope.EXCHANGE or verdict.outcome is not Outcome.FAIL:
            continue
        failing = {finding.case_id for finding in verdict.findings if not finding.note}
        witnesses = [seen.case for seen in trace if seen.case.id in failing and not seen.case.scenario]
        if not witnesses:
            continue
        last: dict[str, Observation] = {}

        def fails(case: Case) -> bool:
            try:
                last[case.id] = _kept(target, case)  # noqa: B023 - called within this turn of the loop only
            except ConformanceError:
                return False
            alone = Trace(trace.scenario, (last[case.id],))  # noqa: B023 - as above
            return judge(spec, check, alone).outcome is Outcome.FAIL  # noqa: B023 - as above

        first = min(witnesses, key=size)
        found, spent = shrink(spec, first, fails, left)
        left -= spent
        if found.id != first.id:
            made = Trace(f"shrunk.{trace.scenario}.{check.id}", (last[found.id],))
            yield made, judge(spec, check, made)


def _kept(target: Target, case: Case) -> Observation:
    """Send a case; the evidence is without what belongs to others."""
    seen, foreign = Observation(case, target.send(case)), target.foreign()
    return seen if foreign is None else foreign.hidden(seen)
