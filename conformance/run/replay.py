"""One case of an earlier run again: alone if it belongs to a corpus, after the steps before it if it belongs to a
script.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import evolve, frozen

from conformance.checks.catalogue import all_checks
from conformance.errors import UsageError
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Check, Scope
from conformance.judging.judge import judge
from conformance.run.runner import Runner
from conformance.run.scenario_settings import settings_of
from conformance.run.selection import scenarios_in
from conformance.scenarios.scenario import Scenario, Script, Settings, Step
from conformance.settings.options import Options
from conformance.spec.spec import Spec
from conformance.target.target import Target
from conformance.verdict import Outcome, Verdict

__all__ = ["Replayed", "concerned", "only", "replay", "verdicts_on"]


@frozen
class Replayed:
    """The result of a replay: the new exchange, the trace up to it, and the verdicts on it."""

    seen: Observation
    trace: Trace
    verdicts: tuple[Verdict, ...]


def only(spec: Spec, options: Options, scenario_id: str, case_id: str) -> Scenario:
    """The scenario, shortened so that it ends with the case: a corpus of that case alone, or a script up to its step.

    Raises :class:`UsageError` if this suite no longer has the scenario or the case.
    """
    found = next((one for one in scenarios_in(spec, options) if one.id == scenario_id), None)
    if found is None:
        raise UsageError(f"this suite has no scenario {scenario_id!r}", hint="another version of it made the run")
    if not found.is_corpus:
        return evolve(found, script=_until(found.script, case_id))
    return evolve(found, script=_until(found.script, case_id, alone=True))


def _until(
    script: Callable[[Spec, Settings], Script], case_id: str, *, alone: bool = False
) -> Callable[[Spec, Settings], Script]:
    """The same script, ended after the step that holds the case. ``alone``: no other case of that step is sent."""

    def shortened(spec: Spec, settings: Settings) -> Script:
        running = script(spec, settings)
        exchanges: tuple[Exchange, ...] | None = None
        while True:
            try:
                step: Step = next(running) if exchanges is None else running.send(exchanges)
            except StopIteration:
                return
            if isinstance(step, tuple) and any(case.id == case_id for case in step):
                yield tuple(case for case in step if case.id == case_id) if alone else step
                return
            exchanges = yield step

    return shortened


def replay(spec: Spec, target: Target, scenario: Scenario, case_id: str, checks: tuple[Check, ...]) -> Replayed:
    """Send the case and judge it. Raises :class:`UsageError` if the steps before it don't lead to it again."""
    settings = evolve(settings_of(target), give_up_after=0)  # the case is wanted, whatever others are answered with
    with Runner(spec, (scenario,), checks, target, concurrency=1, settings=settings) as runner:
        trace = runner.trace(scenario.id)
    seen = next((one for one in reversed(trace.observations) if one.case.id == case_id), None)
    if seen is None:
        why = trace.ended or "a step before it was answered in another way"
        raise UsageError(f"case {case_id} was not reached again: {why}")
    return Replayed(seen, trace, tuple(verdicts_on(spec, seen, trace, checks)))


def verdicts_on(spec: Spec, seen: Observation, trace: Trace, checks: tuple[Check, ...]) -> Iterator[Verdict]:
    """Yield the verdicts of the checks: exchange checks judge this exchange alone, trace checks the whole trace."""
    alone = Trace(trace.scenario, (seen,))
    for check in checks:
        verdict = judge(spec, check, alone if check.scope is Scope.EXCHANGE else trace)
        if verdict.outcome is not Outcome.NOT_APPLICABLE:
            yield verdict


def concerned(verdicts: tuple[Verdict, ...], scenario_id: str, case_id: str) -> tuple[Check, ...]:
    """The checks that judged a case in a run, as far as this suite still has them."""
    known = all_checks()
    names = {v.check for v in verdicts if v.scenario == scenario_id and case_id in v.cases}
    return tuple(known[name] for name in sorted(names) if name in known)
