"""The witness of a pass: an answer that the check would have reported if it had been broken.

A check that found nothing may have looked at nothing. So its own counterexample is applied to the target's answers, one
exchange after the other, and the check judges again. If it reports the change, it would also have reported a broken
answer, so finding nothing before meant something. This is mutation testing of a verdict, with the target's own answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import evolve

from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.blocking import blocked
from conformance.judging.check import Check, Scope
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Outcome

__all__ = ["broken", "find_witness"]

#: The number of earlier exchanges that a counterexample gets. It bounds the time for long traces.
_LOOK_BACK = 200


def find_witness(spec: Spec, check: Check, trace: Trace, judged: Iterable[int]) -> str:
    """The id of the first case whose broken answer the check would report; "" if there is none.

    ``judged`` are the places in the trace that the check judged, in order.
    """
    if check.together:
        return _all_broken(spec, check, trace, judged)
    exchanges = [seen.exchange for seen in trace]
    for place in judged:
        for changed in broken(check, exchanges, place):
            if _is_reported(spec, check, trace, place, changed):
                return trace.observations[place].case.id
    return ""


def _all_broken(spec: Spec, check: Check, trace: Trace, judged: Iterable[int]) -> str:
    """The id of the first changed case, if the check reports the trace with all its answers broken at once."""
    exchanges, seen = [one.exchange for one in trace], list(trace)
    changed = {place: made for place in judged for made in broken(check, exchanges, place)}
    for place, exchange in changed.items():
        seen[place] = Observation(seen[place].case, exchange)
    reported = bool(changed) and _notices(check.judge(spec, evolve(trace, observations=tuple(seen))))
    return trace.observations[min(changed)].case.id if reported else ""


def broken(check: Check, exchanges: list[Exchange], place: int) -> Iterator[Exchange]:
    """Yield the answer at a place, broken by each counterexample of the check."""
    tried = [(check.counterexample, exchanges[max(0, place - _LOOK_BACK) : place])]
    if check.witness is not None:
        # It is never applied on a server, so it may look at later exchanges too.
        tried.append((check.witness, [*exchanges[:place], *exchanges[place + 1 :]]))
    for counterexample, others in tried:
        try:
            changed = counterexample(exchanges[place], others)
        except (AttributeError, LookupError, TypeError, ValueError):
            # Counterexamples are written for correct answers. If one fails on an answer, that answer is no witness.
            continue
        if changed is not None and changed != exchanges[place]:
            yield changed


def _is_reported(spec: Spec, check: Check, trace: Trace, place: int, changed: Exchange) -> bool:
    """True if the check, or the judge before it, reports the broken answer."""
    seen = Observation(trace.observations[place].case, changed)
    if check.scope is Scope.TRACE:
        before, after = trace.observations[:place], trace.observations[place + 1 :]
        return _notices(check.judge(spec, evolve(trace, observations=(*before, seen, *after))))
    # A broken answer that the check would not even look at proves nothing.
    return blocked(check, seen) is None and _notices(check.judge(spec, seen))


def _notices(findings: Iterable[Finding]) -> bool:
    """True where something is found; that an answer can't be read is no finding about the rule."""
    return any(finding.outcome is not Outcome.NOT_TESTABLE for finding in findings)
