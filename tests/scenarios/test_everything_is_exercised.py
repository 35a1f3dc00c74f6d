"""A standard run on the correct emulator: all checks pass, none is untested, and every operation gets a request."""

from __future__ import annotations

from functools import cache

import offline
import pytest

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.emulator.store import Clock
from conformance.evidence.trace import Trace
from conformance.judging.judge import judge
from conformance.requests.profile import Profile
from conformance.run.selection import items_of
from conformance.scenarios.registry import scenarios_of
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of
from conformance.verdict import Outcome

#: Operations without a state of their own: the corpora ask them, no scripted scenario needs to.
STATELESS = ("audio.", "completions.", "embeddings.", "images.", "realtime.")
#: A run needs an assistant; a version may have runs and nothing that makes assistants.
RUNS = ("threads.runs.", "threads.create_and_run")


@cache
def played(version: str) -> dict[str, Trace]:
    """The traces of all scripted scenarios."""
    spec = load(version)
    app = App([spec], clock=Clock.fixed())
    answer = offline.answering(app, spec)
    return {
        scenario.id: offline.play(spec, scenario, answer, wait=app.clock.advance)
        for scenario in scenarios_of(spec, Profile.STANDARD)
    }


@pytest.mark.parametrize("version", versions())
def test_every_scenario_passes_and_nothing_is_left_untested(version: str) -> None:
    spec, traces = load(version), played(version)
    items = items_of(spec, scenarios_of(spec, Profile.STANDARD), all_checks().values())
    verdicts = [judge(spec, item.check, traces[item.scenario]) for item in items]
    loud = [v for v in verdicts if v.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)]
    assert [] == [f"{v.outcome} {v.check} {v.scenario} {v.reason}" for v in loud]
    assert any(v.outcome is Outcome.PASS for v in verdicts)


@pytest.mark.parametrize("version", versions())
def test_every_stateful_operation_is_part_of_a_scenario(version: str) -> None:
    asked = {seen.case.operation for trace in played(version).values() for seen in trace if seen.exchange.ok}
    known = operations_of(load(version))
    alone = STATELESS if "assistants.create" in known else (*STATELESS, *RUNS)
    stateful = {id for id in known if not id.startswith(alone)}
    assert set() == stateful - asked


@pytest.mark.parametrize("version", versions())
def test_a_scenario_keeps_to_its_plan(version: str) -> None:
    spec, traces = load(version), played(version)
    plans = {one.id: one.requests + one.pages for one in scenarios_of(spec, Profile.STANDARD)}
    assert {} == {id: len(t.observations) for id, t in traces.items() if len(t.observations) > plans[id]}


@pytest.mark.parametrize("version", versions())
def test_case_ids_are_unique_within_a_scenario(version: str) -> None:
    for id, trace in played(version).items():
        ids = [seen.case.id for seen in trace]
        assert sorted(set(ids)) == sorted(ids), id


@pytest.mark.parametrize("version", versions())
def test_what_is_created_can_be_removed_and_carries_the_marker(version: str) -> None:
    """Where the version has a DELETE for what was made, the case names it; where there is room, metadata marks it."""
    spec = load(version)
    known = operations_of(spec)
    deletes = {op.path.rpartition("/")[0] for op in known.values() if op.method == "DELETE"}
    unmarked, kept = [], []
    for id, trace in played(version).items():
        for seen in trace:
            case, operation = seen.case, known[seen.case.operation]
            if case.method != "POST" or not case.creates or case.expect == "reject":
                continue
            if operation.path in deletes and case.undo is None:
                kept.append(f"{id} {case.step}")
            body = case.json
            if isinstance(body, dict) and "metadata" in body and "{run}" not in str(body["metadata"]):
                unmarked.append(f"{id} {case.step}")
    assert [] == unmarked
    assert [] == kept
