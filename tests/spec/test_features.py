"""The features of a version: requests use those that it lists, and no others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from conformance.corpus.corpus import build_corpus
from conformance.requests.field_rules import body_of
from conformance.requests.profile import Profile
from conformance.scenarios.registry import scenarios_of
from conformance.spec.loading import load, versions
from conformance.spec.operation_facts import Ability
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.spectools.carryover import documented_features

VERSION = "2024-06-01"


def with_features(folder: Path, *features: str) -> Spec:
    """A folder with the files of a version that lists these features."""
    home = folder / VERSION
    home.mkdir(parents=True)
    theirs = load(VERSION).path
    assert theirs is not None
    for file in theirs.iterdir():
        text = file.read_text("utf-8")
        if file.name == "version.toml":
            text, replaced = re.subn(r"features = \[[^]]*\]", f"features = {list(features)}", text)
            assert 1 == replaced
        (home / file.name).write_text(text, "utf-8")
    return load(VERSION, folder)


def shown(spec: Spec) -> set[str]:
    """The features that the requests of the standard corpus ask for."""
    cases = build_corpus(spec, Profile.STANDARD, cached=False)
    known = operations_of(spec)
    return {
        each.feature for case in cases for each in known[case.operation].facts.abilities if each.shown(body_of(case))
    }


def test_a_version_that_lists_no_features_is_asked_for_none(tmp_path: Path) -> None:
    """Its operations are still judged; only what a client may use or leave is not asked for."""
    spec = with_features(tmp_path)
    assert set() == {feature for feature in load(VERSION).features if spec.has(feature)}
    assert set() == shown(spec)
    corpus = build_corpus(spec, Profile.STANDARD, cached=False)
    assert [] == [part.operation for part in corpus.parts if not part.cases]
    left_out = {name: why for part in corpus.parts for name, why in part.left_out.items() if "feature" in name}
    assert {"the version does not list it among its features"} == set(left_out.values())


def test_a_version_is_asked_for_what_it_lists(tmp_path: Path) -> None:
    """One feature brings back its own requests and those of no other."""
    assert {"chat.seed", "chat.n"} == shown(with_features(tmp_path, "chat.seed", "chat.n"))
    assert {"chat.seed", "chat.n", "chat.stream", "completions.echo"} < shown(load(VERSION))


def test_a_story_about_a_feature_needs_it(tmp_path: Path) -> None:
    """The scenarios of streams are told only of a version that lists streams."""
    told = {scenario.id for scenario in scenarios_of(with_features(tmp_path, "chat.stream"), Profile.STANDARD)}
    assert {"streams.cancelled", "streams.equality.chat.completions"} <= told
    assert "streams.equality.completions" not in told


@pytest.mark.parametrize("version", versions())
def test_the_features_are_those_that_the_document_describes(version: str) -> None:
    """Two witnesses: the list in version.toml, and the fields and types in the corrected document."""
    spec = load(version)
    asked = {ability.feature for ability in spec.facts.abilities}
    assert documented_features(spec) == sorted(spec.features & asked)


@pytest.mark.parametrize(
    ("expected", "body"),
    [
        (True, {"tools": [{"type": "function"}]}),
        (True, {"tools": "x"}),
        (True, {"n": -1}),
        (False, {"n": 7}),
        (True, {"n": 0}),
        (False, {"tools": []}),
        (False, {"tools": None}),
        (False, {"tools": False}),
        (False, {"other": 1}),
        (False, [1]),
        (False, None),
        (False, "tools"),
    ],
)
def test_an_ability_shows_by_a_value(expected: bool, body: Any) -> None:
    """Null, false, what is empty and what the ability names ask for nothing; a body of a wrong type neither."""
    assert expected is Ability("f", ("*",), ("/tools", "/n"), nothing=(7,)).shown(body)


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        (True, {"type": "image_url"}),
        (True, [{"content": [{"type": "text"}, {"type": "image_url"}]}]),
        (False, [{"content": "image_url"}]),
        (False, [{"type": ["image_url"]}]),
    ],
)
def test_an_ability_shows_by_a_type(expected: bool, value: Any) -> None:
    """The type of an object at any depth below the field."""
    assert expected is Ability("f", ("*",), ("/messages",), ("image_url",)).shown({"messages": value})
