"""Clients name the deployment in the path and again as ``model`` in the body; a target that refuses it is found."""

from __future__ import annotations

import json
from pathlib import Path

import offline
import pytest
from attrs import evolve
from corpus_stage import STANDARD, corpus

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.evidence.exchange import Exchange
from conformance.judging.judge import judge
from conformance.requests.case import Case, Expect, JsonBody
from conformance.requests.request import Request
from conformance.run.selection import corpus_of
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.verdict import Level, Outcome

RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"

VERSION, EMBEDDINGS = "2024-10-21", "embeddings.create"


@pytest.mark.parametrize("version", STANDARD)
def test_each_json_request_to_a_deployment_is_sent_once_with_its_name_in_the_body(version: str) -> None:
    made = corpus(version)
    for name, operation in operations_of(load(version)).items():
        cases = made.operations[name].cases
        first = next(iter(cases), None)
        wanted = "/deployments/" in operation.path and first is not None and isinstance(first.body, JsonBody)
        found = [case for case in cases if case.role == "model.named"]
        assert ([(Expect.ACCEPT, Level.MUST)] if wanted else []) == [(case.expect, case.level) for case in found], name
        for case in found:
            assert isinstance(case.body, JsonBody)
            assert "{deployment}" == case.body.value["model"] == case.path_params["deployment-id"]


def test_a_target_that_refuses_the_name_in_the_body_fails() -> None:
    spec = load(VERSION)
    plain = offline.answering(App.of(VERSION), spec)

    def strict(case: Case, request: Request) -> Exchange:
        exchange = plain(case, request)
        if case.role != "model.named" or exchange.response is None:
            return exchange
        assert json.loads(request.body)["model"] in request.url
        told = {"error": {"code": "BadRequest", "message": "Unknown field: model"}}
        return evolve(exchange, response=evolve(exchange.response.with_json(told), status=400))

    (scenario,) = corpus_of(spec, Options(operations=(EMBEDDINGS,), no_cache=True))
    check = all_checks()["http.accepted"]
    good, bad = (judge(spec, check, offline.play(spec, scenario, answer)) for answer in (plain, strict))
    assert (Outcome.PASS, Outcome.FAIL) == (good.outcome, bad.outcome)
    assert ["a valid request was answered with 400: Unknown field: model"] == [one.message for one in bad.findings]


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the recordings do not come with the checkout")
def test_the_service_was_recorded_to_accept_it() -> None:
    entries = [entry for file in RECORDINGS.glob("*.json") for entry in json.loads(file.read_text("utf-8"))["entries"]]
    accepted = {
        entry["path"].split("/", 4)[-1]
        for entry in entries
        if "/deployments/" in entry["path"] and entry["status"] == 200 and "model" in (entry["request_body"] or ())
    }
    assert {"chat/completions", "completions", "embeddings", "images/generations"} <= accepted
