"""What takes longest begins first; where a budget may end the run, what shows most for its price."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from attrs import evolve

from conformance.requests.case import Case
from conformance.run.choice import Chosen
from conformance.run.known_failures import KnownFailures
from conformance.run.order import best_of, queued
from conformance.run.selection import scenarios_in
from conformance.scenarios.scenario import Given, Scenario, Script, Settings
from conformance.settings.configuration import Budget, Config
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.spec.spec import Spec


def nothing(spec: Spec, settings: Settings) -> Script:
    yield from ()


def script(name: str, requests: int) -> Scenario:
    return Scenario(name, ("files.list",), nothing, requests=requests)


def case(name: str) -> Case:
    return Case(operation="files.list", method="GET", path=f"/{name}")


def corpus(name: str, *setup: str, of: Any = ()) -> Scenario:
    """A corpus that creates the named objects for itself, and uses those of other corpora."""
    made = Scenario(name, ("files.list",), nothing, cases=(case(name),), setup=tuple(map(case, setup)))
    return evolve(made, given={each.id: Given(each.id, "case", "name") for each in of})


def order(*scenarios: Scenario) -> list[str]:
    return [each.id for each in queued(scenarios)]


def test_scripts_come_first_and_the_longest_of_them_before_the_others() -> None:
    assert ["walk", "life", "a", "b"] == order(corpus("a"), script("life", 6), script("walk", 70), corpus("b"))


def test_a_corpus_whose_objects_are_made_one_after_the_other_comes_before_one_that_needs_none() -> None:
    assert ["deep", "flat", "plain"] == order(corpus("plain"), corpus("flat", "x"), corpus("deep", "x", "y", "z"))


def test_copies_of_an_object_are_made_together_and_count_once() -> None:
    assert ["two", "many"] == order(corpus("many", "x", "x", "x", "x"), corpus("two", "x", "y"))


def test_who_creates_for_others_comes_before_all_that_wait_for_it() -> None:
    """The chain goes on in the corpora that are given the object: threads, then runs, then steps."""
    threads = corpus("threads")
    runs = corpus("runs", of=[threads])
    steps = corpus("steps", of=[runs, threads])
    plain = corpus("plain", "x")
    assert ["threads", "runs", "plain", "steps"] == order(steps, runs, plain, threads)


def test_what_shows_most_for_its_price_comes_before_longer_chains_if_it_is_named() -> None:
    given = (corpus("a"), script("life", 6), script("walk", 70), corpus("b", "x", "y"))
    assert ["b", "life", "walk", "a"] == [each.id for each in queued(given, ("b", "gone", "life"))]


def test_what_is_named_first_waits_for_nothing_but_what_creates_its_objects() -> None:
    threads = corpus("threads")
    runs = corpus("runs", of=[threads])
    steps = corpus("steps", of=[runs, threads])
    given = (script("walk", 70), corpus("a"), threads, runs, steps)
    assert ["threads", "runs", "steps", "a", "walk"] == [each.id for each in queued(given, ("steps", "a"))]


@pytest.mark.parametrize("profile", ["smoke", "quick", "standard", "exhaustive"])
def test_a_budget_of_requests_orders_by_what_the_data_says(profile: str) -> None:
    """Only a cap that may end the run does: without one, the longest chain decides how long it takes."""
    spec = load("2024-10-21")
    named = best_of(spec, profile)
    options = Options(profile=profile)
    ends, whole = (
        [each.id for each in Chosen(spec, options, Config(budget=budget), known(spec)).sent]
        for budget in (Budget(requests=40), Budget(wall_seconds=60.0))
    )
    assert [*named] == ends[: len(named)]
    assert sorted(ends) == sorted(whole)
    assert [each.id for each in queued(scenarios_in(spec, options))] == whole


def test_a_version_that_nobody_weighed_has_the_order_of_the_nearest_one() -> None:
    ours = evolve(load("2024-10-21"), version="ours", profiles={})
    assert best_of(load("2024-10-21"), "quick") == best_of(ours, "standard")


def known(spec: Spec) -> KnownFailures:
    return KnownFailures(spec.version, date(2026, 1, 1), ())


def test_what_is_alike_keeps_its_order_and_everything_is_there_once() -> None:
    assert ["a", "b", "c", "d"] == order(corpus("a"), corpus("b"), corpus("c"), corpus("d"))


def test_corpora_that_wait_for_each_other_are_no_endless_chain() -> None:
    one, other = corpus("one"), corpus("other")
    assert ["one", "other"] == sorted(order(corpus("one", of=[other]), corpus("other", of=[one])))
