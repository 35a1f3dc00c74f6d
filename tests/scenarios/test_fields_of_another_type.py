"""A target may answer with a list where a text belongs. That is its fault, so no check stumbles over it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import offline
import pytest
from attrs import evolve

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.emulator.store import Clock
from conformance.evidence.trace import Observation, Trace
from conformance.judging.judge import judge
from conformance.requests.profile import Profile
from conformance.run.selection import items_of
from conformance.scenarios.registry import scenarios_of
from conformance.scenarios.scenario import Scenario
from conformance.spec.loading import load
from conformance.verdict import Outcome

#: What no set of texts can be asked for: it has no hash.
OTHER: Any = [{}]

#: Tried with every change; the others in ``tox -e prove``.
SAMPLED = ("v1", "batches.bad-files")


@cache
def scenarios(version: str) -> dict[str, Scenario]:
    """The scenarios of a version that aren't corpora, by id."""
    return {one.id: one for one in scenarios_of(load(version), Profile.STANDARD) if not one.cases}


def names_in(value: Any) -> Iterator[str]:
    """Yield the names of all members of a JSON value, at any depth."""
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from names_in(inner)


def replaced(value: Any, name: str) -> Any:
    """A JSON value in which every member of this name is of another type."""
    if isinstance(value, dict):
        return {key: OTHER if key == name else replaced(inner, name) for key, inner in value.items()}
    return [replaced(inner, name) for inner in value] if isinstance(value, list) else value


def changed(seen: Observation, name: str) -> Observation:
    response = seen.exchange.response
    if response is None or not response.is_json:
        return seen
    return evolve(seen, exchange=seen.exchange.answered(response.with_json(replaced(response.json, name))))


@pytest.mark.parametrize(
    ("version", "id"),
    [
        pytest.param(version, id, marks=() if (version, id) == SAMPLED else pytest.mark.prove)
        for version in ("2024-05-01-preview", "2025-04-01-preview", "v1-preview", "v1")
        for id in scenarios(version)
    ],
)
def test_no_check_stumbles_over_a_field_of_another_type(version: str, id: str) -> None:
    spec, scenario = load(version), scenarios(version)[id]
    app = App([spec], clock=Clock.fixed())
    good = offline.play(spec, scenario, offline.answering(app, spec), wait=app.clock.advance)
    checks = [item.check for item in items_of(spec, (scenario,), all_checks().values())]
    responses = [seen.exchange.response for seen in good]
    names = {name for answer in responses if answer is not None and answer.is_json for name in names_in(answer.json)}
    errors = []
    for name in sorted(names):
        trace = Trace(id, tuple(changed(seen, name) for seen in good), good.ended, good.outcome)
        verdicts = [judge(spec, check, trace) for check in checks]
        errors += [f"{one.check} {name} {one.reason}" for one in verdicts if one.outcome is Outcome.ERROR]
    assert names
    assert [] == errors
