"""The scope of a run is computed from options, configuration and preflight, and is the same in every report."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from attrs import evolve

from conformance.run.choice import Chosen
from conformance.run.known_failures import KnownFailures
from conformance.run.notes import header
from conformance.run.opening import Opened
from conformance.settings.configuration import Budget, Config, Target
from conformance.settings.options import Options, from_mapping
from conformance.settings.scope import RunScope
from conformance.spec.loading import load
from conformance.target.preflight import Preflight

EVERYTHING = {"all": frozenset({"chat", "tools", "logprobs", "vision", "completions", "embeddings", "dimensions"})}
ALL, NOTHING = Options(), Preflight()


def scope_of(options: Options = ALL, found: Preflight = NOTHING, **config: Any) -> RunScope:
    """The scope that a report of 2024-06-01 would hold; the target is on this machine unless ``url`` says otherwise."""
    spec = load("2024-06-01")
    target = Target(url=config.pop("url", "http://127.0.0.1:1"), deployments=config.pop("deployments", EVERYTHING))
    target = evolve(target, live=config.pop("live", None))
    settings = Config(target, **config)
    known = KnownFailures(spec.version, date(2026, 1, 1))
    run = Opened(Chosen(spec, options, settings, known), settings, embedded=False, found=found)
    return RunScope.from_json(header(run, run.chosen.items, "")["scope"])


def chosen(**rows: Any) -> Options:
    """Options as the command line gives them."""
    return from_mapping({f"aoai_{name}": value for name, value in rows.items()})


@pytest.mark.parametrize(
    ("rows", "fields"),
    [
        ({"operation": ["chat.*"]}, {"operations": ("chat.*",)}),
        ({"scenario": ["corpus.*"]}, {"scenarios": ("corpus.*",)}),
        ({"check": ["usage.*"]}, {"checks": ("usage.*",)}),
        ({"family": ["template"]}, {"families": ("template",)}),
        ({"shard": "2/3"}, {"shard": "2/3"}),
        ({"profile": "smoke"}, {"profile": "smoke"}),
    ],
)
def test_what_was_chosen_is_the_scope(rows: dict[str, Any], fields: dict[str, Any]) -> None:
    scope = scope_of(chosen(**rows))
    assert fields == {name: getattr(scope, name) for name in fields}
    assert scope.narrowed


def test_images_are_left_out_for_a_live_target_only() -> None:
    """What costs money is sent to a resource of somebody's only where its kind is allowed by name."""
    able = {"all": EVERYTHING["all"] | {"images", "transcription", "translation", "speech"}}
    live: dict[str, Any] = {"url": "https://somewhere.example", "deployments": able}
    assert "images" in scope_of(**live).left_out
    assert "images" not in scope_of(**live, budget=Budget(expensive=frozenset({"images"}))).left_out
    assert {} == scope_of(**live, live=False).left_out
    assert "images" in scope_of(**live | {"url": "http://localhost:8585"}).left_out


def test_a_capability_without_a_deployment_is_not_claimed() -> None:
    """Where no deployment does chat, that none does chat with tools is no news; where one does, it is."""
    assert "chat" in scope_of(deployments={"e": frozenset({"embeddings"})}).unclaimed
    assert "chat+tools" not in scope_of(deployments={"e": frozenset({"embeddings"})}).unclaimed
    apart = {"a": EVERYTHING["all"] - {"tools"}, "b": frozenset({"tools", "embeddings"})}
    assert "chat+tools" in scope_of(deployments=apart).unclaimed


def test_who_chose_a_part_is_told_what_is_not_served_of_it() -> None:
    found = Preflight(resources={"chat": "404", "images": "404"})
    assert {"chat": "404", "images": "404"} == scope_of(found=found).not_served
    assert {"chat": "404"} == scope_of(chosen(operation=["chat.*"]), found).not_served


def test_caps_of_the_budget_are_told() -> None:
    assert {"requests": 9, "tokens": 100} == scope_of(budget=Budget(requests=9, tokens=100)).budget
