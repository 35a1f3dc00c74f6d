"""Scripts against targets with arbitrary answers: they never raise, always end, and touch no foreign object."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import offline
import pytest

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.emulator.store import Clock
from conformance.evidence.exchange import Chunk, Exchange, Fault, FaultKind, Response
from conformance.judging.judge import judge
from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.requests.request import Request
from conformance.requests.wire import to_request
from conformance.run.selection import items_of
from conformance.scenarios.registry import scenarios_of
from conformance.scenarios.scenario import Settings, Wait
from conformance.spec.loading import load, versions
from conformance.target.bookkeeping import Bookkeeping
from conformance.target.guards import check_path_ids
from conformance.target.journal import Journal
from conformance.verdict import Outcome

JSON = (("content-type", "application/json"),)


def _json(value: object, status: int = 200) -> Response:
    return Response(status, JSON, (Chunk(0.0, json.dumps(value).encode()),))


#: What a broken target may answer to everything.
ANSWERS: dict[str, Response | None] = {
    "null": _json(None),
    "list": _json([]),
    "number": _json(5),
    "object": _json({}),
    "numbers for ids": _json({"id": 7, "data": 5, "status": 3, "output": 1, "generations": 2, "required_action": 4}),
    "texts in lists": _json({"id": "x_1", "data": ["a"], "output": ["b"], "generations": ["c"], "result_files": [1]}),
    "never ready": _json({"id": "x_1", "object": "thread.run", "status": "in_progress", "has_more": True,
                          "data": [{"id": "x_1"}, {"id": "x_2"}]}),
    "always waiting": _json({"id": "x_1", "object": "thread.run", "status": "requires_action", "required_action": {}}),
    "empty": Response(200, JSON, ()),
    "refused": _json({"error": {"code": "400", "message": "no"}}, 400),
    "broken": _json({"error": {"code": "500", "message": "no"}}, 500),
    "text": Response(200, (("content-type", "text/plain"),), (Chunk(0.0, b"hello"),)),
    "silence": None,
}  # fmt: skip


#: Tried in ``tox -e prove``: they have the most scenarios.
NEWEST = [pytest.param(version, marks=pytest.mark.prove) for version in ("2025-04-01-preview", "v1")]


def _saying(response: Response | None) -> Callable[[Case, Request], Exchange]:
    def answer(case: Case, request: Request) -> Exchange:
        fault = None if response is not None else Fault(FaultKind.READ_TIMEOUT, "silence", 1.0)
        return Exchange(request, response, fault)

    return answer


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize(
    "version",
    ["2024-05-01-preview", "v1-preview", *NEWEST, pytest.param("2023-11-06-beta", marks=pytest.mark.prove)],
)
def test_no_script_and_no_check_stumbles_over_an_answer(version: str, name: str) -> None:
    spec = load(version)
    scenarios = scenarios_of(spec, Profile.STANDARD)
    settings = Settings(poll_interval=1.0, deadline=3.0, read_after_write=2.0)
    errors = []
    for scenario in scenarios:
        trace = offline.play(spec, scenario, _saying(ANSWERS[name]), settings)
        assert len(trace.observations) <= scenario.requests, scenario.id
        for item in items_of(spec, (scenario,), all_checks().values()):
            verdict = judge(spec, item.check, trace)
            if verdict.outcome is Outcome.ERROR:
                errors.append(f"{item.check.id} {scenario.id} {verdict.reason}")
    assert [] == errors


JOBS = {
    "2024-05-01-preview": "runs.completed",
    "v1-preview": "evals.run",
    "2025-04-01-preview": "runs.completed",
    "v1": "batches.results",
}


@pytest.mark.parametrize("version", ["2024-05-01-preview", "v1-preview", *NEWEST])
def test_a_job_that_does_not_end_is_not_testable_with_its_last_state(version: str) -> None:
    """Runs, jobs and stores that go on for ever: no failure, and the reason tells the state."""
    spec = load(version)
    app = App([spec], clock=Clock.fixed())
    good = offline.answering(app, spec)

    def held(case: Case, request: Request) -> Exchange:
        exchange = good(case, request)
        value = exchange.response.json if exchange.ok and exchange.response else None
        if request.method != "GET" or not isinstance(value, dict) or "status" not in value:
            return exchange
        changed = {**value, "status": "in_progress", "completed_at": None, "required_action": None}
        return exchange.answered(exchange.response.with_json({k: v for k, v in changed.items() if k in value}))

    (scenario,) = [one for one in scenarios_of(spec, Profile.STANDARD) if one.id == JOBS[version]]
    trace = offline.play(spec, scenario, held)
    verdicts = [judge(spec, i.check, trace) for i in items_of(spec, (scenario,), all_checks().values())]
    stuck = [v for v in verdicts if v.outcome is Outcome.NOT_TESTABLE]
    assert stuck
    assert any("in_progress" in verdict.reason for verdict in stuck)


@pytest.mark.parametrize("version", versions(drafts=True))
def test_changing_methods_name_only_what_the_scenario_made(version: str, tmp_path: Path) -> None:
    """Played as the runner plays it: an id in the path of a changing method came out of an own create, or the service
    made its object for one of ours.
    """
    spec = load(version)
    app = App([spec], clock=Clock.fixed())
    good = offline.answering(app, spec)
    values = {"deployment": "gpt-4o", "run": "run0"}
    for scenario in scenarios_of(spec, Profile.STANDARD):
        journal = Journal(tmp_path, target="t", api_version=version, sync=False)
        journal.began(app.clock.now(), 0.0)
        books = Bookkeeping(spec, journal, 1.0, live=True)

        def guarded(
            case: Case, request: Request, books: Bookkeeping = books, owned: set[str] = journal.owned
        ) -> Exchange:
            check_path_ids(case, values, owned)
            exchange = good(case, request)
            books.settle(books.intend(case, values), case, values, exchange)
            return exchange

        offline.play(spec, scenario, guarded)
        journal.close()


@pytest.mark.parametrize("version", ["2024-05-01-preview", "v1-preview", *NEWEST])
def test_an_account_with_ten_thousand_foreign_objects_is_walked_in_its_own_window(version: str) -> None:
    spec = load(version)
    app = App([spec], clock=Clock.fixed())
    answer = offline.answering(app, spec)
    (scenario,) = [one for one in scenarios_of(spec, Profile.STANDARD) if one.id == "lists.vector_stores"]
    alone = len(offline.play(spec, scenario, answer, wait=app.clock.advance).observations)
    first = next(iter(app.store.collection("vector-stores")))
    for number in range(10_000):
        foreign = {**first, "id": f"vs_foreign{number}"}
        app.store.collection("vector-stores").put(foreign["id"], foreign)
    app.clock.advance(60)
    crowded = offline.play(spec, scenario, answer, wait=app.clock.advance)
    assert len(crowded.observations) <= alone + 2
    for item in items_of(spec, (scenario,), all_checks().values()):
        verdict = judge(spec, item.check, crowded)
        assert verdict.outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE), item.check.id
    shown = {one["id"] for one in app.store.collection("vector-stores")}
    assert len([id for id in shown if id.startswith("vs_foreign")]) == 10_000


def test_polls_wait_between_looks_and_end_at_the_deadline() -> None:
    spec = load("2024-05-01-preview")
    (scenario,) = [one for one in scenarios_of(spec, Profile.STANDARD) if one.id == "runs.completed"]
    settings = Settings(poll_interval=2.0, deadline=7.0)
    script = scenario.script(spec, settings)
    waited, step = 0.0, next(script)
    stuck = _json({"id": "x_1", "object": "thread.run", "status": "queued"})
    while True:
        try:
            if isinstance(step, Wait):
                waited += step.seconds
                step = script.send(())
            else:
                sent = [to_request(case, spec, origin="http://x", bindings={}) for case in step]
                step = script.send(tuple(Exchange(request, stuck) for request in sent))
        except StopIteration:
            break
    assert 7.0 <= waited <= 9.0
