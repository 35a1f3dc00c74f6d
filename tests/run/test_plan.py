"""The plan is an upper bound of what a target gets, and not far above. The target counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import frozen

from conformance.emulator.app import App
from conformance.emulator.behaviour import DEFAULT_DEPLOYMENTS, Settings
from conformance.emulator.server import asgi, running
from conformance.requests.profile import Profile
from conformance.run.plan import Plan, plan
from conformance.run.runner import Runner
from conformance.run.selection import scenarios_in
from conformance.settings.configuration import Budget, Config
from conformance.settings.configuration import Target as TargetConfig
from conformance.settings.options import Options
from conformance.spec.loading import load, versions
from conformance.target.cleanup import Cleaned, clean
from conformance.target.journal import Journal
from conformance.target.limits import Allowance
from conformance.target.preflight import preflight
from conformance.target.target import Target

KEY = "canary-4d0b5be1"

DEPLOYMENTS = {one.name: one.abilities for one in DEFAULT_DEPLOYMENTS}

#: How far a plan may be above what is sent. In a small run the bounds that its few scripts declare don't even out.
MARGIN, SMALL_MARGIN = 1.3, 3.0


@frozen
class Sent:
    """A run without verdicts: what was planned, what the target got, and what the budget counts."""

    planned: Plan
    got: int
    counted: int
    cleaned: Cleaned


def sent(version: str, options: Options, folder: Path, budget: Budget = Budget()) -> Sent:  # noqa: B008 - a frozen value
    """Send everything: preflight, scenarios, removal."""
    spec = load(version)
    scenarios = scenarios_in(spec, options)
    app = App.of(version, settings=Settings(key=KEY))
    with running(asgi(app)) as url:
        config = Config(
            target=TargetConfig(live=False, deployments=DEPLOYMENTS).at_emulator(url, KEY),
            budget=budget,
        )
        able = frozenset().union(*DEPLOYMENTS.values())
        allowance = Allowance(budget)
        with (
            Journal(folder, target=url, api_version=version, sync=False) as journal,
            Target(config, spec, journal=journal, allowance=allowance) as target,
        ):
            found = preflight(target, spec)
            with Runner(spec, scenarios, (), target, profile=options.profile, preflight=found) as runner:
                for scenario in scenarios:
                    runner.trace(scenario.id)
            cleaned = clean(target, journal, 240, 8)
    return Sent(plan(spec, scenarios, capabilities=able), app._served, allowance.spent.requests, cleaned)


def keeps_to_its_plan(version: str, folder: Path, options: Options) -> None:
    one = sent(version, options, folder)
    assert one.got == one.counted, "removal and preflight are part of the budget"
    assert one.got <= one.planned.total.requests + one.planned.pages
    margin = SMALL_MARGIN if options.profile in Profile.CHOSEN else MARGIN
    assert one.got <= one.planned.total.requests <= margin * one.got
    assert () == one.cleaned.left


@pytest.mark.parametrize("version", versions())
def test_a_smoke_run_keeps_to_its_plan(version: str, tmp_path: Path) -> None:
    keeps_to_its_plan(version, tmp_path, Options(profile=Profile.SMOKE))


@pytest.mark.prove
@pytest.mark.parametrize("profile", [Profile.QUICK, *Profile.WHOLE])
@pytest.mark.parametrize("version", versions())
def test_every_run_keeps_to_its_plan(version: str, profile: str, tmp_path: Path) -> None:
    keeps_to_its_plan(version, tmp_path, Options(profile=profile))


@pytest.mark.parametrize("shard", ["1/3", "2/3", "3/3"])
@pytest.mark.parametrize(
    "version",
    [pytest.param(version, marks=() if version == "2023-11-06-beta" else pytest.mark.prove) for version in versions()],
)
def test_each_shard_of_a_smoke_run_keeps_to_its_plan(version: str, shard: str, tmp_path: Path) -> None:
    """Objects are shared in a smoke run, but a shard has none that another one creates."""
    keeps_to_its_plan(version, tmp_path, Options(profile=Profile.SMOKE, shard=shard))


@pytest.mark.parametrize("cap", [30, 70])
def test_a_budget_has_room_for_the_removal_of_what_was_created(cap: int, tmp_path: Path) -> None:
    """It is kept when something is created: neither is the budget exceeded, nor does anything stay behind."""
    one = sent("2023-11-06-beta", Options(profile=Profile.SMOKE), tmp_path, Budget(requests=cap))
    assert one.got == one.counted <= cap < one.planned.total.requests
    assert one.cleaned.removed
    assert () == one.cleaned.left
