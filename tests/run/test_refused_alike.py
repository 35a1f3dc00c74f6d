"""A resource that refuses all valid requests alike gets few of them, and is one finding that says how to declare it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from conformance._parts import part
from conformance.emulator.app import App
from conformance.emulator.server import asgi, running
from conformance.evidence.exchange import Exchange, Fault, FaultKind, Response
from conformance.requests.request import Request
from conformance.run.choice import choose
from conformance.run.session import Session
from conformance.scenarios.refusals import given_up
from conformance.settings.options import Options
from conformance.verdict import Outcome

VERSION = "2024-05-01-preview"

#: A resource with many operations, and one beside it that is served.
SCENARIOS = ("corpus.assistants.*", "lifecycle.assistants", "corpus.embeddings.create")


def of(status: int, error: Any = None, *, control_ok: bool | None = None) -> Exchange:
    """An exchange with this refusal."""
    answer = Response(status).with_json({"error": error or {}})
    return Exchange(Request("POST", "http://t/x"), answer, control_ok=control_ok)


FAULT = Exchange(Request("POST", "http://t/x"), None, Fault(FaultKind.CLOSED, "closed", 0.0))


@pytest.mark.parametrize("status", [500, 501, 502, 403, 404, 405, 410])
def test_equal_statuses_of_a_whole_operation_end_its_corpus(status: int) -> None:
    found = given_up("x.y", [of(status, {"message": str(number)}) for number in range(5)])
    assert found is not None
    assert (status == 403, f"5 valid requests of x.y were refused alike, with {status}") == (
        found.account,
        found.reason.split(", so ")[0],
    )


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [of(500), of(500), Exchange(Request("POST", "http://t/x"), Response(200))],
        [of(500), of(404)],
        [of(401), of(401)],
        [of(429), of(429)],
        [of(408), of(408)],
        [of(503, control_ok=False)] * 3,
        [of(400, {"code": "a", "message": "x"}), of(400, {"code": "a", "message": "y"})],
        [of(400, {"code": "a", "message": "x", "param": "n"})] * 3,
        [FAULT, FAULT, FAULT],
    ],
)
def test_what_may_concern_single_requests_ends_nothing(answers: list[Exchange]) -> None:
    assert None is given_up("x.y", answers)


def test_equal_errors_without_a_parameter_end_a_corpus() -> None:
    """A gateway that doesn't know the operation answers 400 with the same words each time."""
    assert None is not given_up("x.y", [of(400, {"code": "OperationNotSupported", "message": "no"})] * 3)


class Server:
    """The emulator's answers, but those for which ``wrong`` returns a status; counts the requests by operation."""

    def __init__(self, wrong: Callable[[Request, int], int | None]) -> None:
        self._wrong = wrong
        self._times: Counter[tuple[str, str, bytes]] = Counter()
        self.refused: Counter[str] = Counter()
        self.bodies: dict[str, set[bytes]] = {}

    def __call__(self, exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange:
        request = exchange.request
        key = (request.method, request.url, request.body)
        before, self._times[key] = self._times[key], self._times[key] + 1
        route = f"{request.method} {re.sub(r'[?].*|asst_[^/?]+', '', request.url).rsplit('/openai/')[-1]}"
        self.bodies.setdefault(route, set()).add(request.body)
        status = self._wrong(request, before)
        if status is None or exchange.response is None:
            return exchange
        self.refused[route] += 1
        answer = evolve(exchange.response, status=status).with_json({"error": {"code": str(status), "message": "no"}})
        return evolve(exchange, response=answer, fault=None)


def run(folder: Path, server: Server, *scenarios: str, more: str = "") -> Any:
    """The report of a run of some scenarios."""
    (folder / "conformance.toml").write_text(f"[target]\nlive = false\n{more}")
    with running(asgi(App.of(VERSION), server)) as url:
        options = Options(
            target=url,
            api_versions=(VERSION,),
            scenarios=scenarios,
            out=folder / "out",
            selection={"--scenario": list(scenarios)},
        )
        (chosen,) = choose(options)
        session = Session.open([chosen])
        session.start()
        for item in chosen.items:
            session.verdict(item)
        session.close()
    return session.reports[VERSION]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "emulator-key")
    monkeypatch.chdir(tmp_path)


#: The line of the configuration that declares the resource.
LINE = '[target.unsupported] "assistants.*" = "why it isn\'t served"'


@pytest.mark.parametrize(("status", "outcome"), [(500, "fail"), (403, "unavailable")])
def test_a_resource_that_refuses_everything_is_one_finding_after_few_requests(
    tmp_path: Path, status: int, outcome: str
) -> None:
    server = Server(lambda request, before: status if "/assistants" in request.url else None)
    report = run(tmp_path, server, *SCENARIOS)
    notable = [one for one in part("reports.summary").summarise(report).notable if "embeddings" not in one.scenario]
    (group, *others) = part("reports.summary").grouped(notable)
    assert [] == [(one.scenario, one.check, one.outcome.value, one.reason) for rest in others for one in rest]
    told = f"assistants: every valid request was answered with {status}; if that is meant: {LINE}"
    assert {told} == {one.cause for one in group}
    assert told in (tmp_path / "out" / VERSION / "summary.md").read_text("utf-8")
    assert outcome == group[0].outcome.value
    # Five valid requests of the operation, the set-ups of the others, the first step of the lifecycle, the preflight.
    times = 3 if status >= 500 else 1
    assert {} == {route: many for route, many in server.refused.items() if many > 11 * times}
    # The neighbour is judged as always.
    embeddings = {one.outcome for one in report.verdicts if one.scenario == "corpus.embeddings.create"}
    assert {Outcome.PASS, Outcome.NOT_APPLICABLE} == embeddings


def test_a_resource_that_answers_404_is_one_finding_after_one_request(tmp_path: Path) -> None:
    server = Server(lambda request, before: 404 if "/assistants" in request.url else None)
    report = run(tmp_path, server, *SCENARIOS)
    (finding,) = part("reports.summary").summarise(report).notable
    assert ("fail", "claims.served", 1) == (finding.outcome.value, finding.check, sum(server.refused.values()))
    assert LINE in finding.reason


def test_a_route_that_answers_404_is_one_finding_after_few_requests(tmp_path: Path) -> None:
    """The list is served, so the preflight finds nothing."""
    server = Server(lambda request, before: 404 if request.method == "POST" and "/assistants" in request.url else None)
    report = run(tmp_path, server, *SCENARIOS)
    (group, *others) = part("reports.summary").grouped(part("reports.summary").summarise(report).notable)
    assert [] == others
    line = LINE.replace("*", "create")
    assert {f"assistants.create: every valid request was answered with 404; if that is meant: {line}"} == {
        one.cause for one in group
    }
    assert 11 >= server.refused["POST assistants"]


def test_a_target_that_answers_500_to_everything_ends_each_corpus_early(tmp_path: Path) -> None:
    server = Server(lambda request, before: 500)
    report = run(tmp_path, server, "corpus.chat.completions.create", more="retries = 0\n")
    (trace,) = report.traces.values()
    assert (5, Outcome.NOT_TESTABLE) == (len(trace.observations), trace.outcome)
    assert ("not conformant", 1) == (report.footer["conclusion"], report.footer["exit_code"])
    # The preflight asks too.
    assert 5 + 1 >= server.refused["POST deployments/gpt-4o/chat/completions"]


@pytest.mark.parametrize("times", [pytest.param(1, marks=pytest.mark.prove), 2, 1000])
def test_a_request_that_is_refused_among_good_ones_ends_nothing(tmp_path: Path, times: int) -> None:
    """One hiccup, two, or one value that never works: everything is sent, as at a good target."""
    body = {"input": "A short text."}

    def wrong(request: Request, before: int) -> int | None:
        sent = json.loads(request.body or b"null") if "/embeddings" in request.url else None
        ours = isinstance(sent, dict) and sent.keys() & body.keys() and len(sent) == 1
        return 500 if ours and before < times else None

    server, good = Server(wrong), Server(lambda request, before: None)
    reports = [run(tmp_path, one, "corpus.embeddings.create") for one in (server, good)]
    assert sum(server.refused.values()) > 0
    first, second = ([one.cases for one in report.outlines.values()] for report in reports)
    assert second == first


def test_everything_is_sent_on_request(tmp_path: Path) -> None:
    few = run(tmp_path, Server(lambda request, before: 500), "corpus.embeddings.create", more="retries = 0\n")
    more = "retries = 0\n[run]\ngive_up_after = 0\n"
    every = run(tmp_path, Server(lambda request, before: 500), "corpus.embeddings.create", more=more)
    assert 5 == few.footer["requests"] < every.footer["requests"]
