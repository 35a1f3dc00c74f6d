"""A small run creates few objects: what one corpus creates, others use; none uses what another removes."""

from __future__ import annotations

from collections.abc import Callable
from graphlib import TopologicalSorter
from typing import Any

import pytest

from conformance.corpus.corpus import build_corpus
from conformance.evidence.trace import Trace
from conformance.run.runner import Runner
from conformance.scenarios.corpus_scenario import corpus_scenarios
from conformance.scenarios.scenario import Scenario
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.target.target import Target

from .conftest import Board

Run = Callable[..., Runner]

ASSISTANTS = ("assistants.create", "assistants.get", "assistants.modify", "assistants.delete")


def small(spec: Spec, *operations: str) -> dict[str, Scenario]:
    """The corpora of a smoke run, by operation."""
    made = corpus_scenarios(build_corpus(spec, "smoke", operations=operations or None))
    return {one.operations[0]: one for one in made}


def created(traces: dict[str, Trace]) -> dict[str, int]:
    """How many objects each corpus of assistants created."""
    return {
        name: sum(seen.case.operation == "assistants.create" and seen.exchange.ok for seen in trace)
        for name, trace in traces.items()
    }


def assistants(board: Board, *, refused: bool = False) -> None:
    """Let the board keep assistants; with ``refused`` it makes the first one only after it has refused one."""
    kept: dict[str, Any] = {}

    def answer(method: str, path: str, _body: Any, number: int) -> tuple[int, Any]:
        if method == "POST" and path.endswith("/assistants"):
            if refused and not kept:
                kept["first"] = None
                return 400, {"error": {"code": "x", "message": "not now"}}
            id = f"asst_{number}"
            kept[id] = {"id": id, "object": "assistant"}
            return 200, kept[id]
        id = path.rsplit("/", 1)[-1]
        found = kept.pop(id, None) if method == "DELETE" else kept.get(id)
        return (200, found) if found else (404, {"error": {"code": None, "message": "gone"}})

    board.answer = answer


@pytest.fixture
def target(target_for: Callable[..., Target]) -> Target:
    """A target with a deployment for assistants."""
    return target_for(deployments={"model": frozenset({"assistants", "chat"})})


def played(scenarios: dict[str, Scenario], run: Run, target: Target, concurrency: int = 2) -> dict[str, Trace]:
    with run(tuple(scenarios.values()), target=target, concurrency=concurrency) as runner:
        return {name: runner.trace(one.id) for name, one in scenarios.items()}


@pytest.mark.parametrize("concurrency", [1, 4])
def test_readers_use_what_the_creator_made_and_a_deletion_has_its_own(
    board: Board, run: Run, target: Target, concurrency: int
) -> None:
    assistants(board)
    traces = played(small(load("2024-05-01-preview"), *ASSISTANTS), run, target, concurrency)
    assert dict.fromkeys(ASSISTANTS[:3], 0) | {ASSISTANTS[0]: 1, ASSISTANTS[3]: 1} == created(traces)
    answers = {
        name: {seen.exchange.status for seen in trace if not seen.case.role.startswith("probe.")}
        for name, trace in traces.items()
    }
    assert {name: {200} for name in ASSISTANTS} == answers


def test_without_the_object_of_another_corpus_each_creates_its_own(board: Board, run: Run, target: Target) -> None:
    assistants(board, refused=True)
    traces = played(small(load("2024-05-01-preview"), *ASSISTANTS), run, target, 1)
    assert dict.fromkeys(ASSISTANTS[1:], 1) | {ASSISTANTS[0]: 0} == created(traces)


def test_without_the_corpus_of_the_creator_each_creates_its_own(board: Board, run: Run, target: Target) -> None:
    assistants(board)
    whole = small(load("2024-05-01-preview"), *ASSISTANTS)
    traces = played({"assistants.get": whole["assistants.get"]}, run, target)
    assert {"assistants.get": 1} == created(traces)


@pytest.mark.parametrize("version", versions())
def test_nobody_is_given_what_is_removed_or_serves_once(version: str) -> None:
    spec = load(version)
    known, found = operations_of(spec), small(spec)
    for name, one in found.items():
        makers = {found[each.scenario.removeprefix("corpus.")].operations[0] for each in one.given.values()}
        assert name not in makers
        if known[name].method == "DELETE":
            removed = list(one.cases[0].path_params.values())[-1]
            assert not [given for given in one.given if "{" + given + "}" in removed]
        assert not set(one.given) & set(known[name].facts.fresh)


@pytest.mark.parametrize("version", versions())
def test_no_scenario_waits_for_itself(version: str) -> None:
    """Also not through others: none of them would ever start."""
    waits = {one.id: {each.scenario for each in one.given.values()} for one in small(load(version)).values()}
    assert set(waits) == set(TopologicalSorter(waits).static_order())


def test_other_profiles_share_nothing() -> None:
    made = corpus_scenarios(build_corpus(load("2024-06-01"), "standard"))
    assert not any(one.given for one in made)
