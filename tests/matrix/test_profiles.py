"""The data of the small profiles: it names what there is, keeps to its bounds, and shows what it says.

A sample of bad targets runs with the other tests, all of them in every version with ``tox -e prove``.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from attribution import Stage, Target, targets_of
from choosing import CAPABILITIES, QUICK_PART, SHARES, SMOKE_REQUESTS

from conformance.requests.case_names import named_cases
from conformance.requests.profile import Profile
from conformance.run.order import best_of
from conformance.run.plan import plan
from conformance.run.selection import corpus_of, scenarios_in
from conformance.scenarios.registry import scenarios_of
from conformance.settings.options import Options
from conformance.spec.choices import choice_of, kills_of
from conformance.spec.loading import load, versions

COMPUTED = [version for version in versions() if load(version).profiles]

#: Versions whose smallest profile shows less than it should → what it shows, because more takes too many requests.
SHORT = {"2025-04-01-preview": 0.87, "v1-preview": 0.86, "v1": 0.75}

#: One bad target in so many, of the versions that are tried with every change.
EVERY, SAMPLED = 12, ("2024-10-21", "2024-05-01-preview")


@cache
def stage(version: str, profile: str) -> Stage:
    return Stage(load(version), profile)


def is_shown(version: str, profile: str, target: Target) -> None:
    """A bad target fails at the profile. Where the version has only a softer rule for it, ``standard`` warns too."""
    word = stage(version, profile).shown(target, first=True).word
    wanted = "fail" if word == "fail" else stage(version, Profile.STANDARD).shown(target, first=True).word
    assert (target.name, wanted) == (target.name, word or "not shown")


def promised(version: str, profile: str) -> list[Target]:
    """The bad targets that a profile shows, by its data."""
    tables = load(version).profiles
    missed = {*tables[profile]["missed"], *tables[Profile.STANDARD]["missed"]}
    return [target for target in targets_of(load(version)) if target.name not in missed]


def test_every_version_is_computed() -> None:
    assert [*versions()] == COMPUTED


@pytest.mark.parametrize("profile", Profile.CHOSEN)
@pytest.mark.parametrize("version", COMPUTED)
def test_what_the_data_names_is_there(version: str, profile: str) -> None:
    spec = load(version)
    choice = choice_of(spec, profile)
    assert choice is not None
    assert version == choice.version
    scripts = {one.id for one in scenarios_of(spec, Profile.STANDARD)}
    corpora = {one.id: one for one in corpus_of(spec, Options(operations=tuple(choice.requests)))}
    assert set() == set(choice.order) - scripts - set(corpora)
    assert {one.operations[0] for one in corpora.values()} == set(choice.requests)
    for one in corpora.values():
        assert set() == set(choice.requests[one.operations[0]]) - set(named_cases(one.cases)), one.id


@pytest.mark.parametrize("version", COMPUTED)
def test_what_shows_most_for_its_price_is_scenarios_of_standard(version: str) -> None:
    """All of them but those that show nothing: so a budget that ends a run early ends it behind the best."""
    spec = load(version)
    order = best_of(spec, Profile.STANDARD)
    assert set() == set(order) - {one.id for one in scenarios_in(spec, Options())}
    assert len(order) == len(set(order))
    assert {*choice_of(spec, Profile.SMOKE).order} <= {*order}  # type: ignore[union-attr]


@pytest.mark.parametrize("profile", Profile.CHOSEN)
@pytest.mark.parametrize("version", COMPUTED)
def test_what_a_profile_takes_is_what_its_data_says(version: str, profile: str) -> None:
    """After a change of the requests the data is old: ``python tests/matrix --requests VERSION`` makes it anew."""
    spec = load(version)
    kills = kills_of(spec, profile)
    assert kills is not None
    assert (
        kills.tokens == plan(spec, scenarios_in(spec, Options(profile=profile)), capabilities=CAPABILITIES).total.tokens
    )


@pytest.mark.parametrize("version", COMPUTED)
def test_the_small_profiles_keep_their_bounds(version: str) -> None:
    smoke, quick, standard = (kills_of(load(version), one) for one in (*Profile.CHOSEN, Profile.STANDARD))
    assert smoke is not None
    assert quick is not None
    assert standard is not None
    assert smoke.requests <= SMOKE_REQUESTS
    assert quick.requests <= QUICK_PART * standard.requests
    assert quick.tokens <= QUICK_PART * standard.tokens
    assert smoke.known == quick.known == standard.known
    assert smoke.shown >= SHORT.get(version, SHARES[Profile.SMOKE]) * standard.shown
    assert quick.shown >= SHARES[Profile.QUICK] * standard.shown


@pytest.mark.parametrize("profile", Profile.CHOSEN)
@pytest.mark.parametrize("version", COMPUTED)
def test_what_is_missed_is_what_the_numbers_say(version: str, profile: str) -> None:
    tables = load(version).profiles
    standard = tables[Profile.STANDARD]
    assert standard["known"] == standard["shown"] + len(standard["missed"])
    assert standard["shown"] == tables[profile]["shown"] + len(tables[profile]["missed"])
    assert {*standard["missed"], *tables[profile]["missed"]} <= {target.name for target in targets_of(load(version))}


@pytest.mark.parametrize("profile", Profile.CHOSEN)
@pytest.mark.parametrize("version", SAMPLED)
def test_a_sample_of_bad_targets_is_shown(version: str, profile: str) -> None:
    some = [one for one in promised(version, profile) if one.mutant is None or one.mutant.loosen is None][::EVERY]
    for target in some:
        if any(True for _ in stage(version, profile).met(target)):
            is_shown(version, profile, target)


@pytest.mark.prove
@pytest.mark.parametrize("profile", Profile.CHOSEN)
@pytest.mark.parametrize("version", COMPUTED)
def test_every_bad_target_is_shown(version: str, profile: str) -> None:
    tables = load(version).profiles
    shown = 0
    for target in targets_of(load(version)):
        word = stage(version, profile).shown(target, first=True).word
        shown += bool(word)
        if target in promised(version, profile) and word:
            is_shown(version, profile, target)
    assert tables[profile]["shown"] <= shown
