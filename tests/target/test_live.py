"""Whose the target is: its owner says it, or who answers. What is live is protected in the whole run."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from served import CANARY, command, serving

from conformance._parts import part
from conformance.emulator.app import App
from conformance.emulator.behaviour import DEFAULT_DEPLOYMENTS, Settings
from conformance.emulator.server import asgi, running
from conformance.evidence.exchange import Exchange, Response
from conformance.requests.case import Auth
from conformance.requests.headers import EMULATOR_HEADER
from conformance.requests.request import Request
from conformance.settings.configuration import Budget
from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.target.limits import NOTHING, WRONG_KEY_PROBES, Allowance, Spent, Withheld
from conformance.target.preflight import answered_by_emulator, from_emulator, preflight
from conformance.verdict import Outcome

from .conftest import KEY, Open, Serve
from .test_target import CHAT
from .wire_server import WireServer, http

#: Words of objects that somebody else has in the account.
PRIVATE = "kestrel-plan-77"


# -- who answers ------------------------------------------------------------------------------------------------------


def exchange(*headers: tuple[str, str]) -> Exchange:
    return Exchange(Request("GET", "http://t.example/"), Response(200, headers))


def test_a_target_is_ours_only_if_every_answer_says_so() -> None:
    """A gateway may send some routes to an emulator and others to a live resource."""
    ours = exchange((EMULATOR_HEADER, "1"))
    silent = Exchange(Request("GET", "http://t.example/"))
    assert [True, True, False, False, False] == [
        from_emulator(each) for each in ([ours], [ours, silent], [ours, exchange()], [silent], [])
    ]


@pytest.mark.parametrize("broken", [None, lambda exchange, earlier: evolve(exchange, response=Response(500))])
def test_our_emulator_says_who_it_is_whatever_is_wrong_with_its_answer(
    open_target: Open, spec: Spec, broken: Callable[..., Exchange] | None
) -> None:
    with running(asgi(App.of(spec.version, settings=Settings(key=KEY)), broken)) as url:
        named = {one.name: one.abilities for one in DEFAULT_DEPLOYMENTS}
        target = open_target(url, live=None, retries=0, deployments=named)
        assert target.live, "as long as nobody has answered"
        assert answered_by_emulator(target, spec)
        assert preflight(target, spec).emulated


def test_another_server_on_this_machine_is_live(serve: Serve, open_target: Open, spec: Spec) -> None:
    server = serve(lambda c, r, n: c.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"))
    assert not preflight(open_target(server.url, live=None), spec).emulated


# -- one budget for a run ---------------------------------------------------------------------------------------------


def answer(connection: socket.socket, request: bytes, number: int) -> None:
    """A success without content, from a target that doesn't say who it is."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")


@pytest.mark.parametrize("processes", ["0", "2"])
def test_budget_and_wrong_keys_hold_for_all_api_versions_and_processes(
    serve: Serve, tmp_path: Path, processes: str
) -> None:
    """Counted at the target: the requests of two api-versions together keep within the budget."""
    # The checks don't matter here, and judging takes the most time.
    choice = ["--scenario", "corpus.chat.completions.create", "--check", "http.accepted"]
    choice += ["--api-version", "2024-06-01", "--api-version"]
    for cap, reached in (("60", True), ("100000", False)):
        server: WireServer = serve(answer)
        words = ["--target", server.url, *choice, "2024-10-21", "-n", processes, "--out", str(tmp_path / cap)]
        command(tmp_path, "run", *words, env={"AOAI_BUDGET_REQUESTS": cap})
        sent = len(server.requests)
        wrong = sum(b"0" * 32 in request.lower() and CANARY.encode() not in request for request in server.requests)
        assert sent <= int(cap)
        assert (sent <= 60) is reached, "without a cap it sends more than that"
        assert wrong <= WRONG_KEY_PROBES
        # A process of two may send one of them, and this scenario belongs to one process.
        assert reached or wrong == (1 if processes == "2" else WRONG_KEY_PROBES)


def test_a_wrong_key_is_sent_once_though_kept_connections_are_closed(serve: Serve, open_target: Open) -> None:
    """A server may close a kept connection when the next request comes. That request counts, whether it saw it or not:
    a probe with a wrong key that has to be repeated is both probes of the run.
    """
    known: set[object] = set()

    def once(connection: socket.socket, request: bytes, number: int) -> bool:
        if connection.getpeername() in known:
            return False
        known.add(connection.getpeername())
        connection.sendall(http({}, 200, "Connection: keep-alive"))
        return True

    target = open_target(serve(once).url, live=True)
    asked = [target.send(case) for case in (CHAT, evolve(CHAT, auth=Auth.WRONG), evolve(CHAT, auth=Auth.WRONG))]
    assert [(200, 0)] * 3 == [(exchange.status, len(exchange.attempts)) for exchange in asked]
    assert WRONG_KEY_PROBES == target.allowance.spent.wrong_keys


def test_what_was_spent_elsewhere_is_taken_off_the_budget(open_target: Open) -> None:
    def left(allowance: Allowance) -> int:
        for number in range(100):
            try:
                allowance.take(CHAT, "chat", live=True)
            except Withheld:
                return number
        return 100

    budget = Budget(requests=10)
    assert [10, 6, 3, 0] == [
        left(Allowance(budget, before=before, share=share))
        for before, share in ((NOTHING, 1.0), (Spent(4), 1.0), (Spent(4), 0.5), (Spent(10), 1.0))
    ]
    assert Spent(3, 5, 7, 9.0, 11) == Spent(1, 2, 3, 4.0, 5) + Spent(2, 3, 4, 5.0, 6)


# -- a whole run that protects its target -----------------------------------------------------------------------------


def post(url: str, path: str, value: Mapping[str, Any]) -> None:
    head = {"api-key": CANARY, "content-type": "application/json"}
    sent = urllib.request.Request(url + path, json.dumps(value).encode(), head)
    with urllib.request.urlopen(sent, timeout=30) as answered:
        answered.read()


def fill(url: str, version: str) -> None:
    """Objects of somebody else, in each list of the account that is easy to fill."""
    spec = load(version)
    path = "/openai/v1/{}" if spec.surface == "v1" else "/openai/{}?api-version=" + version
    for number in range(30):
        name = {"name": f"{PRIVATE}-{number}", "metadata": {"owner": PRIVATE}}
        post(url, path.format("vector_stores"), name)
        if "containers.create" in operations_of(spec):
            post(url, path.format("containers"), {"name": f"{PRIVATE}-{number}"})
        if "assistants.create" in operations_of(spec):
            post(url, path.format("assistants"), {**name, "model": "gpt-4o", "instructions": PRIVATE})


#: What a run with the other tests sends: to the lists with objects of others and to their likes, to what is expensive,
#: and to what takes requests with a wrong key.
PART = ("vector_stores.*", "assistants.*", "containers.*", "files.*", "images.*", "evals.*", "embeddings.*")

#: Whole runs are proofs, and so is every run of a version that is an addition to another one of them.
RUNS = [
    pytest.param(
        (version, part),
        id=f"{version}-{'part' if part else 'whole'}",
        marks=() if part and version == "v1-preview" else pytest.mark.prove,
    )
    for version in ("2024-05-01-preview", "2025-04-01-preview", "v1-preview", "v1")
    for part in (PART, ())
]


@pytest.fixture(scope="module", params=RUNS)
def protected(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Any]]:
    """A standard run with ``live = true`` at an emulator with objects of somebody else: its folder and its console."""
    (version, part_of_it), state = request.param, tmp_path_factory.mktemp("live")
    with serving(state, "--api-version", version) as url:
        fill(url, version)
        words = ["--target", url, "--api-version", version, "--out", str(state / "out")]
        words += [f"--operation={name}" for name in part_of_it]
        yield state / "out" / version, command(state, "run", *words, env={"AOAI_TARGET_LIVE": "true"})


def test_a_protected_run_raises_no_false_alarm(protected: tuple[Path, Any]) -> None:
    """Nothing fails or lacks something because it is protected. What was left out is its scope, told in one line."""
    folder, done = protected
    report = part("reports.jsonl").read(folder)
    others = [
        f"{v.outcome.value} {v.check} {v.scenario}: {v.reason}"
        for v in report.verdicts
        if v.outcome not in (Outcome.PASS, Outcome.NOT_APPLICABLE)
    ]
    assert [] == others
    assert 0 == done.code, done.out + done.err
    assert "conformant in its scope" in done.out
    assert "left out as expensive" in report.footer["notes"][0]
    assert "[target] live = false changes that" in report.footer["notes"][0]


def test_a_protected_run_keeps_nothing_of_others(protected: tuple[Path, Any]) -> None:
    folder, done = protected
    files = [file for file in folder.parent.rglob("*") if file.is_file()]
    assert [] == [file.name for file in files if PRIVATE.encode() in file.read_bytes()]
    assert PRIVATE not in done.out + done.err


def test_the_evidence_of_a_protected_run_is_judged_alike_again(protected: tuple[Path, Any], tmp_path: Path) -> None:
    done = command(tmp_path, "verify", str(protected[0]))
    assert 0 == done.code, done.out + done.err
