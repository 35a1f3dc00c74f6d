"""Scenario and check → verdict. Pure: live runs, ``verify``, ``replay`` and tests all judge with this module.

A verdict has two parts. The outcome says what was found in the exchanges that could be judged. A finding is never
hidden by an exchange that could not be judged. The coverage says how many exchanges were judged, and why the others
were not (``blocking.py``). A pass rests on a witness: an answer in this trace that could have broken the rule
(``witness.py``). Without a witness nothing was judged, and the reason says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from conformance.evidence.trace import Observation, Trace
from conformance.judging.blocking import Blocked, blocked, failed_step, hiccups
from conformance.judging.check import Check, Scope
from conformance.judging.witness import find_witness
from conformance.requests.case import Expect
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level, Outcome, Unjudged, Verdict, fold

__all__ = ["NOTHING_TO_BREAK", "judge", "judge_exchange", "outcome_of"]

_BY_LEVEL = {Level.MUST: Outcome.FAIL, Level.SHOULD: Outcome.WARN, Level.OBS: Outcome.PASS}

#: The reason of an item that isn't applicable although all its requests were answered.
NOTHING_TO_BREAK = "nothing in these answers could have broken the rule"


#: The reason for a refusal that doesn't differ from the answers to valid requests.
_SAME = "requests without that fault were answered with {} too, or there was none: the refusal says nothing"


@frozen
class _Judged:
    """The result of judging a trace, before it is folded into a verdict. ``places`` are the places in the trace that
    were judged.
    """

    places: tuple[int, ...] = ()
    findings: tuple[Finding, ...] = ()
    blocks: tuple[Blocked, ...] = ()


def judge(spec: Spec, check: Check, trace: Trace) -> Verdict:
    """The verdict of one check on the trace of one scenario. An exception in a check becomes the outcome ``error``."""
    try:
        # Nothing was sent at all, so the reason why is the whole verdict.
        if trace.outcome is not None and not trace.observations:
            return Verdict(check.id, trace.scenario, trace.outcome, reason=trace.ended)
        seen = _judge_trace(spec, check, trace) if check.scope is Scope.TRACE else _judge_exchanges(spec, check, trace)
        return _verdict(spec, check, trace, seen)
    except Exception as error:  # noqa: BLE001 - a bug of ours must not look like one of the target
        return Verdict(check.id, trace.scenario, Outcome.ERROR, reason=f"{type(error).__name__}: {error}")


def judge_exchange(spec: Spec, check: Check, seen: Observation) -> Blocked | tuple[Finding, ...]:
    """The findings of one exchange check on one observation, or why it can't judge it."""
    reason = blocked(check, seen)
    if reason is not None:
        return reason
    findings = tuple(check.judge(spec, seen))
    return _undecided(findings) or findings


def _undecided(findings: tuple[Finding, ...]) -> Blocked | None:
    """Why the exchange can't be judged, if that is all that the check reported; None otherwise."""
    scored = [finding for finding in findings if not finding.note]
    outcomes = [f.outcome for f in scored if f.outcome is not None and f.outcome.undecided]
    # A finding that counts is never hidden by one that is undecided.
    if not outcomes or len(outcomes) < len(scored):
        return None
    heaviest = fold(outcomes)
    return Blocked(heaviest, next(f.message for f in scored if f.outcome is heaviest), findings=findings)


def outcome_of(check: Check, findings: Iterable[Finding]) -> Outcome:
    """The heaviest outcome of the findings; ``pass`` if none of them counts."""
    return fold(
        [
            finding.outcome if finding.outcome is not None else _BY_LEVEL[finding.level or check.level]
            for finding in findings
            if not finding.note
        ]
        or [Outcome.PASS]
    )


def _judge_exchanges(spec: Spec, check: Check, trace: Trace) -> _Judged:
    """Judge the observations one by one."""
    aside = hiccups(trace)
    places: list[int] = []
    findings: list[Finding] = []
    blocks: list[Blocked] = []
    for place, seen in enumerate(trace):
        if not (check.covers(seen.case.operation) and check.about(spec, seen.case)):
            continue
        # A single closed connection of a request that can't be repeated is no evidence.
        said = aside.get(place) or judge_exchange(spec, check, seen)
        if check.contrast and _content(check, said) and not _stands_out(trace, seen):
            said = _broken_step(trace) or Blocked(Outcome.NOT_APPLICABLE, _SAME.format(seen.exchange.status))
        if isinstance(said, Blocked):
            blocks.append(said)
        else:
            places.append(place)
            findings += said
    if _all_excused(trace, places, blocks):
        blocks.append(Blocked(Outcome.INCONCLUSIVE, f"no valid request was accepted: {blocks[0].reason}"))
    return _Judged(tuple(places), tuple(findings), tuple(blocks))


def _content(check: Check, said: Blocked | tuple[Finding, ...]) -> bool:
    """True where a check judged an answer and found nothing that scores."""
    return isinstance(said, tuple) and outcome_of(check, said) is Outcome.PASS


def _stands_out(trace: Trace, refused: Observation) -> bool:
    """True if some request that may be accepted was answered with another status than this refusal."""
    others = (seen.exchange.status for seen in trace if seen.case.expect is not Expect.REJECT)
    return any(status not in (None, 429, refused.exchange.status) and status < 500 for status in others if status)


def _all_excused(trace: Trace, places: list[int], blocks: list[Blocked]) -> bool:
    """True if every valid request of a corpus was refused for a reason of the model.

    One such refusal says nothing, but a target that accepts nothing at all must not pass because of them.
    """
    return trace.scenario.startswith("corpus.") and not places and bool(blocks) and all(b.excused for b in blocks)


def _judge_trace(spec: Spec, check: Check, trace: Trace) -> _Judged:
    """Judge the trace as a whole."""
    other = check.subject(trace) if check.subject is not None else ""
    if other:
        return _Judged(blocks=(Blocked(Outcome.NOT_APPLICABLE, other),))
    away = next((seen.exchange.unreached_because for seen in trace if seen.exchange.unreached), "")
    if away:
        # If the network cut a script short, missing steps say nothing about the target.
        return _Judged(blocks=(Blocked(Outcome.UNAVAILABLE, away),))
    unread = next((r.unread for seen in trace if (r := seen.exchange.response) is not None and r.unread), "")
    if unread:
        # Rules about a whole scenario compare what its answers hold.
        return _Judged(blocks=(Blocked(Outcome.NOT_TESTABLE, unread),))
    findings = tuple(check.judge(spec, trace))
    # A trace check looks at all steps, so each of an operation it covers may be its witness.
    places = tuple(place for place, seen in enumerate(trace) if check.covers(seen.case.operation))
    missing = _missing(check, trace)
    # A violation counts even if a later step is missing.
    if findings or missing is None:
        return _Judged(places, findings)
    return _Judged(blocks=(missing,))


def _missing(check: Check, trace: Trace) -> Blocked | None:
    """Why a trace lacks what a check must have seen; None if it has all.

    If a script never sent a step although each valid request before it succeeded, the step isn't part of this version.
    """
    for question in check.unless:
        reason = question(trace)
        if reason:
            # A failed step explains more than the reason that follows from it.
            return _broken_step(trace) or Blocked(Outcome.NOT_APPLICABLE, reason)
    for needed in check.prerequisites:
        if isinstance(needed, str):
            steps = trace.role(needed)
            if any(failed_step(seen) is None for seen in steps):
                continue
            return (failed_step(steps[-1]) if steps else None) or _broken_step(trace) or _not_sent(needed)
        reason = needed(trace)
        if reason:
            return _broken_step(trace) or _left_out(trace) or Blocked(Outcome.NOT_TESTABLE, reason)
    return None


def _left_out(trace: Trace) -> Blocked | None:
    """Why the rest of a script was left out on purpose, which says nothing about the target; None if it was not."""
    return Blocked(trace.outcome, trace.ended) if trace.outcome is Outcome.NOT_APPLICABLE else None


def _not_sent(role: str) -> Blocked:
    """The outcome for a step that isn't part of this version."""
    return Blocked(Outcome.NOT_APPLICABLE, f"this scenario has no step {role!r}")


def _broken_step(trace: Trace) -> Blocked | None:
    """The first step that should have succeeded and whose last repetition didn't; None if all succeeded."""
    last: dict[str, Observation] = {}
    for seen in trace:
        if seen.case.expect is Expect.ACCEPT:
            # A poll repeats a role; only its last answer says whether the step succeeded.
            last[seen.case.role or seen.case.step or seen.case.id] = seen
    return next((reason for seen in last.values() if (reason := failed_step(seen)) is not None), None)


def _verdict(spec: Spec, check: Check, trace: Trace, seen: _Judged) -> Verdict:
    """Fold what was judged into a verdict. A pass without a witness is none."""
    outcome, witness, blocks = outcome_of(check, seen.findings), "", list(seen.blocks)
    ended = None if trace.outcome is None else Blocked(trace.outcome, trace.ended)
    # A violation proves by itself that the check looked; only silence needs a witness.
    proven = bool(seen.findings)
    if not proven:
        witness = find_witness(spec, check, trace, seen.places)
        proven = bool(witness)
    if not proven and seen.places and check.scope is Scope.TRACE:
        blocks.append(_broken_step(trace) or Blocked(Outcome.NOT_APPLICABLE, NOTHING_TO_BREAK))
    # Without a witness nothing was judged, however many answers were looked at.
    judged = len(seen.places) if proven else 0
    reason = ""
    if not outcome.judged or not proven:
        outcome, reason = _unproven(outcome, seen.findings, [*blocks, *([ended] if ended else [])])
        judged = judged if seen.findings else 0
    return Verdict(
        check=check.id,
        scenario=trace.scenario,
        outcome=outcome,
        findings=seen.findings or (() if outcome.judged else tuple(f for each in seen.blocks for f in each.findings)),
        judged=judged,
        reason=reason,
        errata=_errata(spec, seen.findings),
        cases=tuple(trace.observations[place].case.id for place in seen.places),
        unjudged=_unjudged(seen.blocks if proven else (), ended),
        witness=witness,
    )


def _unproven(outcome: Outcome, findings: tuple[Finding, ...], blocks: list[Blocked]) -> tuple[Outcome, str]:
    """The outcome and reason of an item of which nothing was judged."""
    if findings and not outcome.judged:  # the check itself says why it can't judge
        return outcome, next((f.message for f in findings if f.outcome is outcome), "")
    made = fold(each.outcome for each in blocks)
    reason = next((each.reason for each in blocks if each.outcome is made and each.reason), "")
    return made, reason or NOTHING_TO_BREAK


def _unjudged(blocks: Iterable[Blocked], ended: Blocked | None) -> tuple[Unjudged, ...]:
    """The exchanges that could not be judged, by reason, without those that don't concern the rule."""
    counts: dict[tuple[Outcome, str], int] = {}
    for each in blocks:
        if each.outcome is not Outcome.NOT_APPLICABLE or each.excused:
            counts[each.outcome, each.reason] = counts.get((each.outcome, each.reason), 0) + 1
    made = [Unjudged(outcome, reason, count) for (outcome, reason), count in counts.items()]
    if ended is not None and ended.outcome is not Outcome.NOT_APPLICABLE:
        made.append(Unjudged(ended.outcome, ended.reason, 0, rest=True))
    return tuple(made)


def _errata(spec: Spec, findings: Iterable[Finding]) -> tuple[str, ...]:
    """The errata that change the part of the document on which a finding rests."""
    rests: Mapping[str, None] = {}
    for finding in findings:
        if finding.pointer:
            for erratum in spec.errata:
                if any(_touches(finding.pointer, pointer) for pointer in erratum.pointers):
                    rests = {**rests, erratum.id: None}
    return tuple(rests)


def _touches(a: str, b: str) -> bool:
    """True if the changed place is the rule's own or encloses it."""
    return a == b or a.startswith(b + "/")
