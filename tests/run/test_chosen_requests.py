"""Which scenarios a small profile has: those that data names; and what holds where there is no data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from conformance.cli import main
from conformance.corpus.corpus import build_corpus
from conformance.requests.profile import Profile
from conformance.run.selection import scenarios_in
from conformance.settings.options import Options
from conformance.spec.choices import choice_of, kills_of
from conformance.spec.loading import load
from conformance.spec.spec import Spec

VERSION = "2024-10-21"
NUMBERS = {"shown": 3, "known": 5, "requests_sent": 7, "tokens": 11}


def naming(profile: str, order: list[str], requests: Mapping[str, list[str]], version: str = VERSION) -> Spec:
    """A version whose data names these scenarios and requests."""
    return evolve(load(version), profiles={profile: {**NUMBERS, "order": order, "requests": dict(requests)}})


CHOSEN = naming(
    "smoke",
    ["corpus.embeddings.create", "streams.equality.completions", "corpus.chat.completions.create"],
    {"embeddings.create": ["embeddings.batch", "embeddings"], "chat.completions.create": ["chat.stream"]},
)


def options(profile: str = "smoke", **more: Any) -> Options:
    return Options(profile=profile, no_cache=True, **more)


def test_a_small_profile_sends_what_its_data_names() -> None:
    made = {one.id: [case.role for case in one.cases] for one in scenarios_in(CHOSEN, options())}
    assert {
        "corpus.embeddings.create": ["embeddings.batch", "embeddings"],
        "corpus.chat.completions.create": ["chat.stream"],
        "streams.equality.completions": [],
    } == made


def test_a_selected_operation_that_the_data_leaves_out_gets_its_plainest_request() -> None:
    (one,) = scenarios_in(CHOSEN, options(operations=("completions.create",), families=("template",)))
    assert "completions" == one.cases[0].role


def test_quick_sends_the_plainest_request_of_every_other_operation() -> None:
    spec = naming("quick", ["corpus.embeddings.create"], {"embeddings.create": ["embeddings.batch"]})
    made = {one.operations[0]: one for one in scenarios_in(spec, options("quick"))}
    assert {*build_corpus(spec).operations} == set(made)
    assert ["embeddings.batch"] == [case.role for case in made["embeddings.create"].cases]
    assert "completions" == made["completions.create"].cases[0].role


def test_a_name_that_the_version_does_not_have_is_left_out() -> None:
    names = {"embeddings.create": ["gone", "embeddings.base64"], "completions.create": ["gone"]}
    made = build_corpus(naming("smoke", [], names), "smoke", cached=False).operations
    assert ["embeddings.base64"] == [case.role for case in made["embeddings.create"].cases]
    assert ["completions"] == [case.role for case in made["completions.create"].cases], "the plainest one"


def test_data_of_another_version_comes_beside_the_plainest_requests() -> None:
    """They hold what every version is judged by: streams, keys, api-versions."""
    ours = evolve(load(VERSION), version="ours", profiles={})
    plain = build_corpus(naming("smoke", [], {}), "smoke", cached=False)
    made = build_corpus(ours, "smoke", cached=False)
    assert {case.id for case in plain} < {case.id for case in made}
    assert {"probe.auth.none", "probe.auth.wrong", "probe.api-version.missing"} <= {case.role for case in plain}


def test_what_data_names_is_another_corpus_and_another_file_of_the_cache() -> None:
    spec = load(VERSION)
    one, other = (build_corpus(each, "smoke", operations=["embeddings.create"]) for each in (spec, CHOSEN))
    assert one.digest != other.digest


def test_a_version_without_data_takes_that_of_the_nearest_one() -> None:
    """Nobody weighed its other operations, so each gets its plainest request."""
    spec = evolve(load("2024-05-01-preview"), version="ours", profiles={})
    choice = choice_of(spec, "smoke")
    assert choice is not None
    assert "2024-05-01-preview" == choice.version
    assert None is kills_of(spec, "smoke")
    made = {case.operation for one in scenarios_in(spec, options()) for case in one.cases}
    assert {*build_corpus(spec).operations} == made


def test_a_version_that_has_nothing_in_common_with_any_gets_the_plainest_requests() -> None:
    spec = load(VERSION)
    paths = {path: item for path, item in spec.document["paths"].items() if "images" in path}
    spec = evolve(spec, version="ours", profiles={}, document={**spec.document, "paths": paths})
    if choice_of(spec, "smoke") is None:
        made = build_corpus(spec, "smoke", cached=False)
        assert 1 <= len(made) <= 6


@pytest.mark.parametrize("profile", Profile.ALL)
def test_plan_tells_how_many_known_defects_a_profile_shows(
    profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    kills = kills_of(load(VERSION), "standard" if profile == "exhaustive" else profile)
    assert kills is not None
    least = "at least " if profile == "exhaustive" else ""
    assert 0 == main(["plan", "--api-version", VERSION, "--profile", profile])
    assert f"kills {least}{kills.shown} of {kills.known} known defects of this version\n" in capsys.readouterr().out


def test_plan_says_nothing_of_defects_for_a_part_of_a_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert 0 == main(["plan", "--api-version", VERSION, "--operation", "embeddings.*"])
    assert "kills" not in capsys.readouterr().out
