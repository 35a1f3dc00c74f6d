"""Dialects: the emulator answers as the service was recorded to answer, and no check objects.

A few are heard with the ordinary tests; all of them, in every version, in ``tox -e prove``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import offline
import pytest

from conformance.checks.catalogue import all_checks
from conformance.cli import main
from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.dialects import dialects
from conformance.emulator.store import Clock, Store
from conformance.emulator.variants import hits
from conformance.evidence.trace import Trace
from conformance.judging.judge import judge
from conformance.requests.profile import Profile
from conformance.run.selection import corpus_of, items_of
from conformance.scenarios.registry import scenarios_of
from conformance.scenarios.scenario import Scenario
from conformance.settings.options import Options
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Outcome

QUIET = (Outcome.PASS, Outcome.NOT_APPLICABLE)

SPOKEN = [(name, version) for name, one in dialects().items() for version in versions() if one.touches(load(version))]

#: Each dialect in the newest version that has its operations.
NEWEST = sorted(dict(SPOKEN).items())

#: The dialects of the ordinary tests: few exchanges show them.
SAMPLE = ("batch-files.without-bytes", "file.null-details", "job.lean")


@cache
def _stage(version: str) -> App:
    return App([load(version)], Settings(), Clock.fixed())


def app_in(name: str, version: str) -> App:
    """An application with a new state that speaks a dialect; "" for none."""
    app = _stage(version)
    app.store, app.clock.offset = Store(), 0.0
    return dialects()[name].apply(app) if name else app


def near(spec: Spec, name: str) -> Iterator[Scenario]:
    """The scenarios and the corpora of the operations that answer in a dialect."""
    touched = {one for one in operations_of(spec) if hits(dialects()[name].operations, one)}
    for scenario in scenarios_of(spec, Profile.EXHAUSTIVE):
        if touched & set(scenario.operations):
            yield scenario
    for operation in sorted(touched):
        yield from corpus_of(spec, Options(operations=(operation,), no_cache=True))


def played(name: str, version: str, scenario: Scenario) -> Trace:
    """The trace of a scenario in a dialect, from an empty state."""
    app = app_in(name, version)
    return offline.play(load(version), scenario, offline.answering(app, load(version)), wait=app.clock.advance)


def answers(trace: Trace) -> list[tuple[int | None, bytes]]:
    return [(one.exchange.status, one.exchange.response.body) for one in trace if one.exchange.response is not None]


def objections(name: str, version: str) -> list[tuple[str, str, str]]:
    """What any check says against a dialect."""
    spec = load(version)
    checks = tuple(all_checks().values())
    found = []
    for scenario in near(spec, name):
        trace = played(name, version, scenario)
        for item in items_of(spec, (scenario,), checks):
            verdict = judge(spec, item.check, trace)
            if verdict.outcome not in QUIET:
                found.append((verdict.check, scenario.id, verdict.reason or str(verdict.findings[:1])))
    return found


def some(pairs: list[tuple[str, str]]) -> list[object]:
    """The pairs as parameters; those outside of the sample are for the long run."""
    return [
        pytest.param(*pair, marks=() if pair[0] in SAMPLE and pair in NEWEST else pytest.mark.prove) for pair in pairs
    ]


@pytest.mark.parametrize(("name", "version"), some(NEWEST))
def test_a_dialect_changes_an_answer(name: str, version: str) -> None:
    assert any(
        answers(played("", version, scenario)) != answers(played(name, version, scenario))
        for scenario in near(load(version), name)
    )


@pytest.mark.parametrize(("name", "version"), some(SPOKEN))
def test_no_check_objects_to_a_dialect(name: str, version: str) -> None:
    assert [] == objections(name, version)


def test_dialects_are_listed_and_a_wrong_name_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["serve", "--list-dialects"])
    told = capsys.readouterr().out
    assert [] == [name for name in dialects() if f"{name}  " not in told]
    assert 2 == main(["serve", "--port", "0", "--dialect", "run-step.expire-at"])
    assert "run-step.expires-at" in capsys.readouterr().err
