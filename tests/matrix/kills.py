"""What becomes of a changed target: scenarios are played against it, and every check judges them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache

import offline
from answers import Change, Remembering, Served
from attrs import evolve, frozen
from imported import spec_of

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.mutants import Mutant
from conformance.emulator.store import Clock, Store
from conformance.emulator.variants import hits, wrap
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.judging.judge import judge
from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.requests.request import Request
from conformance.run.selection import corpus_of, items_of
from conformance.scenarios.registry import scenarios_of
from conformance.scenarios.scenario import Scenario
from conformance.settings.options import Options
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Outcome, Verdict

__all__ = ["Result", "changed_by", "mutated", "scenarios_for"]

#: What the defects and variations are shown to: inference, its streams, lists and lifecycles, runs, responses.
SHOWN = (
    "streams.equality.*",
    "lifecycle.assistants",
    "lifecycle.threads",
    "lifecycle.evals",
    "lifecycle.responses",
    "lists.assistants",
    "lists.evals",
    "runs.completed",
    "runs.streamed",
    "responses.chain",
    "lifecycle.videos",
    "lists.videos",
    "videos.life",
)
CORPORA = ("chat.completions.create", "embeddings.create", "completions.create", "responses.create")
#: For a version that has none of them: refusals that don't come show only where enough is sent that must be refused.
OTHERWISE = ("assistants.create", "videos.create")


@frozen
class Result:
    """The heaviest outcome, the verdicts that have it, and the number of answers that were changed.

    Of a pass the verdicts are those of rules that are only observed, and have something to show.
    """

    outcome: Outcome
    verdicts: tuple[Verdict, ...]
    changed: int

    @property
    def word(self) -> str:
        """The outcome in a word: ``note`` for a pass with something to show."""
        return "note" if self.outcome is Outcome.PASS and self.verdicts else self.outcome.value

    @property
    def checks(self) -> tuple[str, ...]:
        """The checks that object."""
        return tuple(dict.fromkeys(verdict.check for verdict in self.verdicts))


@cache
def _app(version: str) -> App:
    return App([spec_of(version)], Settings(), Clock.fixed())


def _fresh(version: str) -> App:
    """The application with an empty state."""
    app = _app(version)
    app.store, app.clock.offset = Store(), 0.0
    return app


@cache
def scenarios_for(version: str, profile: str) -> tuple[Scenario, ...]:
    """The scenarios of :data:`SHOWN` and the corpora of :data:`CORPORA` in a profile, as far as a version has them."""
    spec = spec_of(version)
    found = [one for one in scenarios_of(spec, Profile.STANDARD) if any(fnmatchcase(one.id, glob) for glob in SHOWN)]
    for operation in [name for name in CORPORA if name in operations_of(spec)] or OTHERWISE:
        found += _corpus(version, profile, operation)
    return tuple(found)


@cache
def _corpus(version: str, profile: str, operation: str) -> tuple[Scenario, ...]:
    """The corpora of an operation; none where a version doesn't have it."""
    spec = spec_of(version)
    if operation not in operations_of(spec):
        return ()
    return tuple(corpus_of(spec, Options(profile=profile, operations=(operation,), no_cache=True)))


def _judged(spec: Spec, scenario: Scenario, trace: Trace) -> Iterator[Verdict]:
    for item in items_of(spec, (scenario,), tuple(all_checks().values())):
        yield judge(spec, item.check, trace)


#: Outcomes by weight.
_HEAVY = (Outcome.ERROR, Outcome.FAIL, Outcome.WARN, Outcome.NOT_TESTABLE, Outcome.INCONCLUSIVE, Outcome.UNAVAILABLE)


def _shows(verdict: Verdict) -> bool:
    """A rule that is only observed has something to show; it never fails."""
    return verdict.outcome is Outcome.PASS and any(not one.note and one.outcome is None for one in verdict.findings)


def _result(verdicts: list[Verdict], changed: int) -> Result:
    worst = next((one for one in _HEAVY if any(v.outcome is one for v in verdicts)), Outcome.PASS)
    told = _shows if worst is Outcome.PASS else (lambda verdict: verdict.outcome is worst)
    return Result(worst, tuple(filter(told, verdicts)), changed)


def changed_by(
    version: str, change: Change | Remembering | Served, *, profile: str = "standard", first: bool = False
) -> Result:
    """What a target is called whose answers all go through a change. ``first``: the first failure is enough.

    A scenario of which no answer changes isn't judged: it shows the emulator as it is, which other tests judge.
    """
    if isinstance(change, Served):
        return _served(version, change, profile)
    spec, app, count = spec_of(version), _fresh(version), 0
    plain = offline.answering(app, spec)
    changed = change.begin() if isinstance(change, Remembering) else change

    def answer(case: Case, request: Request) -> Exchange:
        nonlocal count
        exchange = plain(case, request)
        made = changed(exchange)
        count += made is not None
        return exchange if made is None else made

    verdicts: list[Verdict] = []
    for scenario in scenarios_for(version, profile):
        before, trace = count, offline.play(spec, scenario, answer, wait=app.clock.advance)
        if count == before:
            continue
        verdicts += _judged(spec, scenario, trace)
        if first and any(verdict.outcome is Outcome.FAIL for verdict in verdicts):
            break
    return _result(verdicts, count)


def _served(version: str, served: Served, profile: str) -> Result:
    """What a server is called that answers in another way, in the scenarios of what it answers so."""
    spec = spec_of(version)
    if not any(hits(served.operations, id) for id in operations_of(spec)):
        return _result([], 0)
    resources = {pattern.partition(".")[0] for pattern in served.operations}
    scenarios = [
        scenario
        for scenario in scenarios_for(version, profile)
        if resources & {id.partition(".")[0] for id in scenario.operations}
    ]
    plain = [*_played(spec, _fresh(version), scenarios)]
    seen = [*_played(spec, wrap(_fresh(version), served.operations, served.change), scenarios)]
    verdicts = [one for scenario, trace in zip(scenarios, seen, strict=True) for one in _judged(spec, scenario, trace)]
    return _result(verdicts, _differing(seen, plain))


def _played(spec: Spec, app: App, scenarios: Iterable[Scenario]) -> Iterator[Trace]:
    """The traces of scenarios at an application, one after the other."""
    answer = offline.answering(app, spec)
    return (offline.play(spec, scenario, answer, wait=app.clock.advance) for scenario in scenarios)


def mutated(version: str, mutant: Mutant) -> Result:
    """What an emulator with a bug in its state is called, up to the first failure.

    If nothing objects, ``changed`` is the number of scenarios that it answers in another way than without the bug.
    """
    spec, verdicts, seen = spec_of(version), list[Verdict](), list[Trace]()
    app, scenarios = mutant.apply(_fresh(version)), [*_near(spec, mutant)]
    for scenario, trace in zip(scenarios, _played(spec, app, scenarios), strict=True):
        seen.append(trace)
        verdicts += _judged(spec, scenario, trace)
        if any(verdict.outcome is Outcome.FAIL for verdict in verdicts):
            break
    result = _result(verdicts, 1)
    if result.verdicts:
        return result
    plain = _played(spec, _fresh(version), scenarios)
    return evolve(result, changed=_differing(seen, plain))


def _differing(seen: Iterable[Trace], plain: Iterable[Trace]) -> int:
    """The number of scenarios that were answered in another way; ids of requests don't count."""

    def told(trace: Trace) -> list[object]:
        answers = [(one.case.id, one.exchange.response) for one in trace]
        return [(id, made and (made.status, made.header("content-type"), made.body)) for id, made in answers]

    return sum(told(one) != told(other) for one, other in zip(seen, plain, strict=True))


def _near(spec: Spec, mutant: Mutant) -> Iterator[Scenario]:
    """The scenarios of the resources that a mutant touches, then the corpora of its operations."""
    hit = [id for id in operations_of(spec) if mutant._hits(id)]
    resources = {id.split(".", maxsplit=1)[0] for id in hit}
    for scenario in scenarios_of(spec, Profile.EXHAUSTIVE):
        if resources & {id.split(".", maxsplit=1)[0] for id in scenario.operations}:
            yield scenario
    for id in hit:
        yield from _corpus(spec.version, Profile.STANDARD, id)
