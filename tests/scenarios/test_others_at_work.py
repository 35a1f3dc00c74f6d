"""No verdict depends on what other clients, or other scenarios of the same run, do in the same lists meanwhile."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import offline
import pytest

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.emulator.store import Clock
from conformance.evidence.exchange import Exchange
from conformance.judging.judge import judge
from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.requests.request import Request
from conformance.run.selection import items_of
from conformance.scenarios.registry import scenarios_of
from conformance.scenarios.scenario import Scenario
from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

KEY = ("api-key", "emulator-key")


class Crowd:
    """The emulator, and others who repeat each creation in the account's lists that they see.

    Before each request they create ``many`` objects, and remove those that they created ``lives`` requests before, if
    that is not 0.
    """

    def __init__(self, spec: Spec, many: int, lives: int) -> None:
        self.app = App([spec], clock=Clock.fixed())
        self._good = offline.answering(self.app, spec)
        self._many, self._lives = many, lives
        self._creations: dict[str, Request] = {}
        self._theirs: list[list[str]] = []

    def __call__(self, case: Case, request: Request) -> Exchange:
        for url in self._theirs.pop(0) if 0 < self._lives == len(self._theirs) else ():
            assert self.app.handle(Request("DELETE", url, (KEY,), b"")) is not None
        self._theirs.append([])
        for made in self._creations.values():
            for _ in range(self._many):
                answer = self.app.handle(made)
                assert answer is not None
                base, _, query = made.url.partition("?")
                self._theirs[-1].append(f"{base}/{answer.json['id']}?{query}")
        exchange = self._good(case, request)
        if case.creates and "{" not in case.path and exchange.ok:
            named = (*((name, value) for name, value in request.headers if name.lower() != KEY[0]), KEY)
            self._creations[case.path] = Request("POST", request.url, named, request.body)
        return exchange


def told(spec: Spec, scenario: Scenario, crowd: Crowd) -> Mapping[str, tuple[str, str]]:
    """Outcome and reason by check."""
    trace = offline.play(spec, scenario, crowd, wait=crowd.app.clock.advance)
    items = items_of(spec, (scenario,), all_checks().values())
    found = (judge(spec, item.check, trace) for item in items)
    return {one.check: (one.outcome.value, re.sub(r"[a-z]+[_-][0-9a-zA-Z]{8,}", "", one.reason)) for one in found}


@cache
def alone(version: str, name: str) -> Mapping[str, tuple[str, str]]:
    """What is told where nobody else is at work."""
    return told(load(version), scenario_of(version, name), Crowd(load(version), 0, 0))


def scenario_of(version: str, name: str) -> Scenario:
    (found,) = [one for one in scenarios_of(load(version), Profile.STANDARD) if one.id == name]
    return found


def names(version: str) -> list[str]:
    """The scenarios that look into a list of the account."""
    known = operations_of(load(version))

    def looks(scenario: Scenario) -> bool:
        return any(name.endswith(".list") and "{" not in known[name].path for name in scenario.operations)

    return [one.id for one in scenarios_of(load(version), Profile.STANDARD) if looks(one)]


CASES: list[Any] = [("2024-05-01-preview", "lists.assistants"), ("2024-05-01-preview", "lifecycle.assistants")]
CASES += [("v1-preview", name) for name in names("v1-preview")]
#: Those of the newest versions are tried in ``tox -e prove``.
CASES += [
    pytest.param(version, name, marks=pytest.mark.prove)
    for version in ("2025-04-01-preview", "v1")
    for name in names(version)
]


def same(version: str, name: str, many: int, lives: int) -> None:
    crowded = told(load(version), scenario_of(version, name), Crowd(load(version), many, lives))
    before = alone(version, name)
    assert {} == {check: (before[check], crowded[check]) for check in before if before[check] != crowded[check]}


@pytest.mark.parametrize(("version", "name"), CASES)
def test_every_verdict_is_the_same_beside_objects_that_stay(version: str, name: str) -> None:
    """More than a page of them after each request."""
    same(version, name, 21, 0)


@pytest.mark.parametrize("many", [3, pytest.param(45, marks=pytest.mark.prove)])
@pytest.mark.parametrize(("version", "name"), CASES)
def test_every_verdict_is_the_same_beside_objects_that_come_and_go(version: str, name: str, many: int) -> None:
    """Cursors of a walk are often gone when they are used.

    Twice ``many`` objects exist at a time, which fit on the largest page together with ours. If there were more, and
    each was gone at once, nobody could walk past them: then the verdict is that others crowd out our object.
    """
    same(version, name, many, 2)


@pytest.mark.parametrize("name", ["lists.assistants", "lists.vector_stores", "lifecycle.assistants"])
def test_every_verdict_is_the_same_if_no_other_object_stays(name: str) -> None:
    """Every cursor that belongs to others is gone when it is used."""
    same("2024-05-01-preview", name, 3, 1)
