"""Every mutant differs from the clean emulator somewhere on the tour, and leaves the others' law alone by name."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from state_talk import Talk
from state_tour import chapters

from conformance.emulator.mutants import mutant_named, mutants
from conformance.errors import UsageError
from conformance.spec import versions


def _told(version: str, mutant: str | None = None) -> list[tuple[Any, ...]]:
    """What is said chapter by chapter; a chapter that can't go on ends with the reason."""
    talk = Talk(version, judge=False)
    if mutant is not None:
        mutants()[mutant].apply(talk.app)
    for chapter in chapters(talk):
        try:
            chapter(talk)
        except (AssertionError, KeyError, IndexError, TypeError, AttributeError, ValueError, StopIteration) as error:
            talk.said.append((chapter.__name__, 0, type(error).__name__))
    return list(talk.said)


@cache
def _clean(version: str) -> list[tuple[Any, ...]]:
    return _told(version)


def _version_of(mutant: str) -> list[str]:
    return [v for v in versions() if mutants()[mutant].touches(Talk(v).spec)]


def test_the_clean_tour_ends_well() -> None:
    assert [one for v in versions() for one in _clean(v) if one[1] == 0] == []


@pytest.mark.parametrize("name", mutants())
def test_a_mutant_is_noticed_somewhere(name: str) -> None:
    found = _version_of(name)
    assert found
    assert any(_told(version, name) != _clean(version) for version in found)


@pytest.mark.parametrize("name", mutants())
def test_a_mutant_does_not_crash_by_accident(name: str) -> None:
    for version in _version_of(name):
        internal = [one for one in _told(version, name) if one[1] == 500 and "bug of the emulator" in str(one[2])]
        assert internal == []


def test_a_law_is_one_sentence_of_its_own() -> None:
    laws = [one.law for one in mutants().values()]
    assert [law for law in laws if not law.endswith(".") or law.count(".") != 1] == []
    assert len(mutants()) >= 60


def test_an_unknown_mutant_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        mutant_named("no.such-mutant")
