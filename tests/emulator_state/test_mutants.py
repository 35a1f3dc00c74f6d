"""Every mutant answers some request of the tour differently from the correct emulator, and names the rule that it
breaks.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from imported import all_versions, spec_of
from state_talk import KEY, Talk
from state_tour import chapters

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.mutants import mutant_named, mutants
from conformance.emulator.store import Clock, Store
from conformance.errors import UsageError
from conformance.spec.loading import load, versions


@cache
def _app(version: str) -> App:
    """An application with its schemas compiled; each tour gives it a new state."""
    return App([spec_of(version)], Settings(key=KEY), Clock.fixed())


def _answers(version: str, resources: frozenset[str], mutant: str | None = None) -> list[tuple[Any, ...]]:
    """All answers of the tour's chapters about some resources; a chapter that fails ends with the name of the error."""
    app = _app(version)
    app.store = Store()
    talk = Talk(version, judge=False, app=app if mutant is None else mutants()[mutant].apply(app))
    for chapter in chapters(talk, resources):
        try:
            chapter(talk)
        except (AssertionError, KeyError, IndexError, TypeError, AttributeError, ValueError, StopIteration) as error:
            talk.said.append((chapter.__name__, 0, type(error).__name__))
    return list(talk.said)


@cache
def _clean(version: str, resources: frozenset[str]) -> list[tuple[Any, ...]]:
    return _answers(version, resources)


def _versions_of(mutant: str) -> list[str]:
    """The versions that a mutant touches; one that extends another has the same operations and is left out.

    Drafts and imported ones count only where no other version is touched.
    """
    found = [v for v in versions() if not load(v).extends and mutants()[mutant].touches(load(v))]
    return found or [v for v in all_versions() if mutants()[mutant].touches(spec_of(v))]


def _resources_of(mutant: str) -> frozenset[str]:
    """What a mutant is about, and what shows it; nothing in particular means every resource."""
    shown = mutants()[mutant].seen_by
    first = {pattern.partition(".")[0] for pattern in (*mutants()[mutant].operations, *([shown] if shown else []))}
    return frozenset() if "*" in first else frozenset(first)


@pytest.mark.parametrize(
    ("name", "operation", "query"),
    [("limits.page-above-maximum", "vector_stores.list", {"limit": 101}), ("models.list-empty", "models.list", {})],
)
def test_a_mutant_leaves_the_application_that_it_is_made_of_as_it_was(
    name: str, operation: str, query: dict[str, int]
) -> None:
    """Applications are shared between tests: a bug that stayed would be found in place of the next one."""
    version = _versions_of(name)[-1]

    def answer(app: App) -> bytes:
        return Talk(version, judge=False, app=app).send(operation, query=query).body

    before = answer(_app(version))
    assert before != answer(mutants()[name].apply(_app(version)))
    assert before == answer(_app(version))


def test_the_clean_tour_ends_well() -> None:
    assert [one for v in versions() for one in _clean(v, frozenset()) if one[1] == 0] == []


@pytest.mark.parametrize("name", mutants())
def test_a_mutant_is_noticed_and_breaks_nothing_by_accident(name: str) -> None:
    """In one version, another one for the next mutant; where it isn't noticed there, in the next versions too."""
    touched = _versions_of(name)
    first = [*mutants()].index(name) % len(touched)
    assert any(_noticed(name, version) for version in (*touched[first:], *touched[:first]))


@pytest.mark.prove
@pytest.mark.parametrize("name", mutants())
def test_a_mutant_is_noticed_and_breaks_nothing_by_accident_in_any_version(name: str) -> None:
    noticed = [_noticed(name, version) for version in _versions_of(name)]
    assert any(noticed)


def _noticed(name: str, version: str) -> bool:
    """True if a mutant answers differently. Fails if it breaks the emulator, which would be noticed too easily."""
    answers = _answers(version, _resources_of(name), name)
    assert [one for one in answers if one[1] == 500 and "bug of the emulator" in str(one[2])] == []
    return answers != _clean(version, _resources_of(name))


def test_a_mutant_names_its_rule_in_one_sentence() -> None:
    rules = [one.rule for one in mutants().values()]
    assert [rule for rule in rules if not rule.endswith(".") or rule.count(".") != 1] == []
    assert len(mutants()) >= 60


def test_an_unknown_mutant_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        mutant_named("no.such-mutant")
