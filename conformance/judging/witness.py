"""What a pass rests on: an answer that, had it been broken, would have made the check speak.

A check that found nothing may have looked at nothing. So its own counterexample is applied to what the target answered,
one exchange after the other, and the check judges again: where it speaks up now, the silence before meant something.
This is mutation testing of a verdict, with the target's own answers.
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

__all__ = ["find_witness"]

#: How many earlier exchanges a counterexample may look back on.
_MEMORY = 200


def find_witness(spec: Spec, check: Check, trace: Trace, judged: Iterable[int]) -> str:
    """The id of the first case whose answer could have broken the rule and been noticed; "" where there is none.

    ``judged`` holds the places in the trace that the check judged, in order.
    """
    exchanges = [seen.exchange for seen in trace]
    for place in judged:
        for changed in _broken(check, exchanges, place):
            if _speaks(spec, check, trace, place, changed):
                return trace.observations[place].case.id
    return ""


def _broken(check: Check, exchanges: list[Exchange], place: int) -> Iterator[Exchange]:
    tried = [(check.counterexample, exchanges[max(0, place - _MEMORY) : place])]
    if check.witness is not None:
        tried.append((check.witness, [*exchanges[:place], *exchanges[place + 1 :]]))
    for counterexample, others in tried:
        try:
            changed = counterexample(exchanges[place], others)
        except (AttributeError, LookupError, TypeError, ValueError):
            # It is written for good answers. What it can't digest it can't break, so that answer proves nothing.
            continue
        if changed is not None and changed != exchanges[place]:
            yield changed


def _speaks(spec: Spec, check: Check, trace: Trace, place: int, changed: Exchange) -> bool:
    """True where the check, or the judge before it, notices the broken answer."""
    seen = Observation(trace.observations[place].case, changed)
    if check.scope is Scope.TRACE:
        before, after = trace.observations[:place], trace.observations[place + 1 :]
        return _notices(check.judge(spec, evolve(trace, observations=(*before, seen, *after))))
    return blocked(check, seen) is None and _notices(check.judge(spec, seen))


def _notices(findings: Iterable[Finding]) -> bool:
    """True where something is found; that an answer can't be read is no finding about the rule."""
    return any(finding.outcome is not Outcome.NOT_TESTABLE for finding in findings)
