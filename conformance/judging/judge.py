"""Scenario and check → verdict. Pure: live runs, ``verify``, ``replay`` and tests all judge with this.

Before a check sees an exchange, what came is sorted: network faults and 429 make it ``unavailable``, a repeated 5xx
``not_testable`` for every check but the one about 5xx, a refusal for reasons of the model or the account
``inconclusive``. An accept case that was refused leaves the checks that need a success ``not_testable``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from attrs import frozen

from conformance.evidence.exchange import FaultKind
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Check, Needs, Scope
from conformance.judging.excuses import excuse
from conformance.requests.case import Expect
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level, Outcome, Verdict, fold

__all__ = ["judge", "judge_exchange"]

_BY_LEVEL = {Level.MUST: Outcome.FAIL, Level.SHOULD: Outcome.WARN, Level.OBS: Outcome.PASS}


@frozen
class _Part:
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    excused: bool = False


def judge(spec: Spec, check: Check, trace: Trace) -> Verdict:
    """The verdict of one check on one scenario's trace. An exception in a check becomes ``error``, never a crash."""
    try:
        if trace.outcome is not None and not trace.observations:
            return _verdict(check, trace, [_Part(trace.outcome, reason=trace.ended)], ())
        if check.scope is Scope.TRACE:
            return _judge_trace(spec, check, trace)
        parts: list[_Part] = []
        judged: list[str] = []
        once = _seen_once(trace)
        for seen in trace:
            if check.covers(seen.case.operation) and check.about(spec, seen.case):
                part = once.get(seen.case.id) or judge_exchange(spec, check, seen)
                if part.outcome is not Outcome.NOT_APPLICABLE:
                    judged.append(seen.case.id)
                parts.append(part)
        if trace.outcome is not None:  # it ended early: what was not sent can't have passed
            parts.append(_Part(trace.outcome, reason=trace.ended))
        if _all_excused(trace, parts):
            parts.append(_Part(Outcome.INCONCLUSIVE, reason=f"no valid request was accepted: {parts[0].reason}"))
        return _verdict(check, trace, parts, tuple(judged), spec)
    except Exception as error:  # noqa: BLE001 - a bug of ours must not look like one of the target
        return Verdict(check.id, trace.scenario, Outcome.ERROR, reason=f"{type(error).__name__}: {error}")


def _all_excused(trace: Trace, parts: list[_Part]) -> bool:
    """Each valid request of a corpus was refused for reasons of the model. One such refusal says nothing; a target that
    accepts nothing at all must not be green for it.
    """
    return trace.scenario.startswith("corpus.") and bool(parts) and all(part.excused for part in parts)


def _judge_trace(spec: Spec, check: Check, trace: Trace) -> Verdict:
    findings = tuple(check.judge(spec, trace))
    parts = [_Part(outcome_of(check, findings), findings)]
    away = next((seen.exchange.fault for seen in trace if seen.exchange.unreached), None)
    if away is not None:
        # What is missing from a story that the network cut says nothing about the target.
        parts = [_Part(Outcome.UNAVAILABLE, reason=f"{away.kind}: {away.message}")]
    if trace.outcome is not None and parts[0].outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE):
        parts.append(_Part(trace.outcome, reason=trace.ended))
    seen = tuple(item.case.id for item in trace if check.covers(item.case.operation))
    return _verdict(check, trace, parts, seen, spec)


def _seen_once(trace: Trace) -> Mapping[str, _Part]:
    """By case id: changing requests that ended as a hiccup of the network ends one, and may not be sent again.

    Where the same happens to a quarter of the operation's requests, two at least, it is no hiccup.
    """
    broken = [seen for seen in trace if _broken_once(seen)]
    if not broken:
        return {}
    sent = Counter(seen.case.operation for seen in trace)
    hit = Counter(seen.case.operation for seen in broken)
    reason = (
        "the connection was closed, or a gateway gave up, once; it may have changed something and is not sent again"
    )
    return {
        seen.case.id: _Part(Outcome.UNAVAILABLE, reason=reason)
        for seen in broken
        if hit[seen.case.operation] < 2 or hit[seen.case.operation] * 4 < sent[seen.case.operation]
    }


def _broken_once(seen: Observation) -> bool:
    exchange = seen.exchange
    if exchange.attempts or seen.case.changes_nothing:
        return False
    closed = exchange.fault is not None and exchange.fault.kind is FaultKind.CLOSED
    return closed or exchange.status in (502, 504)


def judge_exchange(spec: Spec, check: Check, seen: Observation) -> _Part:
    """What one exchange check says of one observation."""
    blocked = _blocked(check, seen)
    if blocked is not None:
        return blocked
    findings = tuple(check.judge(spec, seen))
    return _Part(outcome_of(check, findings), findings)


def _blocked(check: Check, seen: Observation) -> _Part | None:
    """Why this exchange can't be judged by this check, or None when it can."""
    exchange, status = seen.exchange, seen.exchange.status
    if exchange.fault is not None and exchange.unreached:
        away = "; then the target was away" if exchange.control_ok is False else ""
        return _Part(Outcome.UNAVAILABLE, reason=f"{exchange.fault.kind}: {exchange.fault.message}{away}")
    if check.needs is Needs.ANY:
        return None
    response = exchange.response
    if exchange.fault is not None and response is not None and response.media_type != "text/event-stream":
        return _Part(Outcome.NOT_TESTABLE, reason=f"the answer is not whole: {exchange.fault.message}")
    if status is None:
        fault = exchange.fault
        return _Part(Outcome.NOT_TESTABLE, reason=f"no answer: {fault.message if fault else 'nothing came'}")
    if status == 429:
        return _Part(Outcome.UNAVAILABLE, reason="429 after all retries")
    if status >= 500:
        return _Part(Outcome.NOT_TESTABLE, reason=f"the target answered {status}")
    excused = excuse(seen)
    if check.needs is Needs.ANSWER:
        return _Part(excused.outcome, reason=excused.reason, excused=True) if excused else None
    wanted = check.needs is Needs.SUCCESS
    if wanted and seen.case.expect is Expect.REJECT:
        # What a good answer to a wrong request looks like is written nowhere; that it came is judged elsewhere.
        return _Part(Outcome.NOT_APPLICABLE)
    if wanted == (200 <= status < 300) and (wanted or status >= 400):
        return None
    if not wanted or seen.case.expect is not Expect.ACCEPT:
        return _Part(Outcome.NOT_APPLICABLE)
    if excused:
        return _Part(excused.outcome, reason=excused.reason)
    return _Part(Outcome.NOT_TESTABLE, reason=f"needs a success, the target answered {status}")


def outcome_of(check: Check, findings: Iterable[Finding]) -> Outcome:
    """The heaviest outcome of the findings; ``pass`` without any that scores."""
    return fold(
        [
            finding.outcome if finding.outcome is not None else _BY_LEVEL[finding.level or check.level]
            for finding in findings
            if not finding.note
        ]
        or [Outcome.PASS]
    )


def _verdict(
    check: Check, trace: Trace, parts: Iterable[_Part], cases: tuple[str, ...], spec: Spec | None = None
) -> Verdict:
    parts = list(parts)
    outcome = fold(part.outcome for part in parts)
    findings = tuple(finding for part in parts for finding in part.findings)
    reason = next((part.reason for part in parts if part.outcome is outcome and part.reason), "")
    return Verdict(
        check=check.id,
        scenario=trace.scenario,
        outcome=outcome,
        findings=findings,
        judged=len(cases),
        reason=reason,
        errata=_errata(spec, findings) if spec else (),
        cases=cases,
    )


def _errata(spec: Spec, findings: Iterable[Finding]) -> tuple[str, ...]:
    """The errata that a finding's rule rests on: their pointers touch the finding's pointer into the document."""
    rests: Mapping[str, None] = {}
    for finding in findings:
        if finding.pointer:
            for erratum in spec.errata:
                if any(_touches(finding.pointer, pointer) for pointer in erratum.pointers):
                    rests = {**rests, erratum.id: None}
    return tuple(rests)


def _touches(a: str, b: str) -> bool:
    """True when the changed place is the rule's own, or holds it."""
    return a == b or a.startswith(b + "/")
