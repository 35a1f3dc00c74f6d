"""Emulators with one bug each: every one is noticed, and the clean one raises nothing.

A sample runs with the other tests; all of them run in ``tox -e prove``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import offline
import pytest
from imported import IMPORTED, all_versions, spec_of

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.mutants import Mutant, mutants
from conformance.emulator.store import Clock, Store
from conformance.evidence.trace import Trace
from conformance.judging.judge import judge
from conformance.requests.profile import Profile
from conformance.run.selection import corpus_of, items_of
from conformance.scenarios.registry import scenarios_of
from conformance.scenarios.scenario import Scenario
from conformance.settings.options import Options
from conformance.spec.loading import versions
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Outcome, Verdict

#: Mutants that the ordinary tests try, out of all: of different kinds of objects, all of them of quick scenarios.
SAMPLE = (
    "containers.file-stays",
    "conversations.item-stays",
    "cursor.gap",
    "file.content-cut",
    "life.deleted-still-listed",
    "limits.metadata-pairs",
    "run.override-ignored",
    "store.counts-do-not-add-up",
    "videos.remix-in-place",
)

QUIET = (Outcome.PASS, Outcome.NOT_APPLICABLE)
CHECKS = tuple(all_checks().values())


@cache
def _stage(version: str) -> tuple[Spec, App]:
    """A version with its schemas compiled; each play gives the application a new state."""
    spec = spec_of(version)
    return spec, App([spec], Settings(), Clock.fixed())


def _app(version: str, mutant: Mutant | None = None) -> App:
    _, app = _stage(version)
    app.store, app.clock.offset = Store(), 0.0
    return app if mutant is None else mutant.apply(app)


def _verdicts(spec: Spec, scenario: Scenario, trace: Trace) -> Iterator[Verdict]:
    for item in items_of(spec, (scenario,), CHECKS):
        yield judge(spec, item.check, trace)


def _loud(verdict: Verdict) -> bool:
    """A verdict that isn't quiet, or a rule that is only observed and has something to show."""
    shown = any(finding.outcome is None and not finding.note for finding in verdict.findings)
    return verdict.outcome not in QUIET or (verdict.outcome is Outcome.PASS and shown)


def _near(spec: Spec, mutant: Mutant) -> Iterator[Scenario]:
    """The scenarios of the resources that a mutant touches, then the corpora of its operations."""
    known = operations_of(spec)
    hit = {id: op for id, op in known.items() if mutant._hits(id)}
    resources = {id.split(".", maxsplit=1)[0] for id in hit}
    for scenario in scenarios_of(spec, Profile.EXHAUSTIVE):
        if resources & {id.split(".", maxsplit=1)[0] for id in scenario.operations}:
            yield scenario
    for id in hit:
        yield from corpus_of(spec, Options(operations=(id,), no_cache=True))


def _notice(name: str) -> str:
    """The first check that notices a mutant; "" where none does."""
    mutant = mutants()[name]
    # Drafts and imported versions are asked last: only what no other version has is tried there.
    for version in all_versions():
        spec, _ = _stage(version)
        if not mutant.touches(spec):
            continue
        app = _app(version, mutant)
        answer = offline.answering(app, spec)
        for scenario in _near(spec, mutant):
            trace = offline.play(spec, scenario, answer, wait=app.clock.advance)
            found = next((v for v in _verdicts(spec, scenario, trace) if _loud(v)), None)
            if found is not None:
                assert found.outcome is not Outcome.ERROR, found.reason
                return found.check
    return ""


@pytest.mark.parametrize("name", SAMPLE)
def test_a_sampled_mutant_is_noticed(name: str) -> None:
    assert _notice(name) != ""


@pytest.mark.prove
@pytest.mark.parametrize("name", mutants())
def test_a_mutant_is_noticed(name: str) -> None:
    assert _notice(name) != ""


def _complaints(version: str, seed: str) -> list[str]:
    spec, _ = _stage(version)
    app = _app(version)
    app.store = Store(seed=seed)
    answer = offline.answering(app, spec)
    found = []
    for scenario in scenarios_of(spec, Profile.EXHAUSTIVE):
        trace = offline.play(spec, scenario, answer, wait=app.clock.advance)
        found += [f"{v.check} {scenario.id} {v.outcome}" for v in _verdicts(spec, scenario, trace) if _loud(v)]
    return found


@pytest.mark.parametrize(
    "turn", [pytest.param(turn, marks=() if turn < 2 else pytest.mark.prove) for turn in range(20)]
)
def test_the_clean_emulator_raises_nothing(turn: int) -> None:
    everything = versions()
    assert _complaints(everything[-1 - turn % len(everything)], f"turn {turn}") == []


@pytest.mark.parametrize("version", IMPORTED)
def test_the_clean_emulator_of_an_imported_version_raises_nothing(version: str) -> None:
    assert _complaints(version, "once") == []
