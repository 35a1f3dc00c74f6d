"""Whether answers show a rule that only one of two versions states: the rule's own checks judge those of both."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Check
from conformance.judging.judge import judge
from conformance.migration.change import Change
from conformance.migration.conclusion import Conclusion
from conformance.requests.case import Case
from conformance.spec.spec import Spec
from conformance.upgrade.evidence import Evidence
from conformance.upgrade.judgement import Judgement
from conformance.upgrade.rule_checks import checks_of
from conformance.upgrade.sides import Side
from conformance.verdict import Outcome

__all__ = ["judged_rule"]

_BROKEN = (Outcome.FAIL, Outcome.WARN)


def judged_rule(change: Change, evidence: Evidence, old: Side, new: Side) -> Judgement:
    """The judgement on a rule of answers that came, or has gone."""
    came = change.new is not None
    spec, checks = checks_of(change, old.spec, new.spec)
    if not checks:
        return Judgement(Conclusion.OPEN, "it is about several answers, which `run` judges")
    tested = evidence.tested.get(change.operation, ())
    before = _kept(spec, checks, change, ((one.pair.old, one.old) for one in tested))
    after = _kept(spec, checks, change, ((one.pair.new, one.new) for one in tested))
    here, there = (after, before) if came else (before, after)
    stating, other = ("newer", "older") if came else ("older", "newer")
    if here is None or there is None:
        return Judgement(Conclusion.OPEN, f"no answer under the {stating if here is None else other} version shows it")
    if not here:
        return Judgement(Conclusion.MISSED, f"answers under the {stating} version break it")
    if there:
        return Judgement(Conclusion.MISSED, "answers keep it under both versions")
    return Judgement(Conclusion.OBSERVED, f"kept under the {stating} version, broken under the {other} one")


def _kept(
    spec: Spec, checks: Iterable[Check], change: Change, answers: Iterable[tuple[Case, Exchange | None]]
) -> bool | None:
    """True if some answers show that a rule is kept, False if one breaks it, None if none says anything."""
    seen = tuple(Observation(case, exchange) for case, exchange in answers if exchange is not None)
    trace = Trace(f"upgrade.{change.operation}", seen)
    outcomes = [judge(spec, check, trace).outcome for check in checks]
    if any(outcome in _BROKEN for outcome in outcomes):
        return False
    return True if Outcome.PASS in outcomes else None
