"""Over real sockets: the process, keep-alive, chunked bodies, faults on the wire, and answers changed by a hook."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings, StreamFaults
from conformance.emulator.process import emulator
from conformance.emulator.server import asgi, running
from conformance.errors import HarnessError
from conformance.evidence.event_stream import parse
from conformance.evidence.exchange import Chunk, Exchange, Fault, FaultKind
from conformance.requests.headers import REDACTED
from conformance.spec.loading import load, versions
from conformance.spec.spec import Spec

V = next(v for v in versions() if load(v).surface == "dated" and "chat.stream" in load(v).features)
CHAT = f"/openai/deployments/gpt-4o/chat/completions?api-version={V}"
HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}
KEY = {"api-key": "emulator-key"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with emulator([V]) as base:
        yield base


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, headers=KEY) as made:
        yield made


def served(settings: Settings, transform: Any = None) -> Any:
    return running(asgi(App.of(V, settings=settings), transform))


def test_a_process_answers(client: httpx.Client) -> None:
    answer = client.post(CHAT, json=HELLO)
    assert (200, "chat.completion") == (answer.status_code, answer.json()["object"])
    assert str(len(answer.content)) == answer.headers["content-length"]
    assert "date" in answer.headers


def test_it_is_gone_afterwards() -> None:
    with emulator([V]) as base:
        assert 401 == httpx.get(f"{base}/openai/assistants").status_code
    with pytest.raises(httpx.ConnectError):
        httpx.get(base)


def test_it_loads_nothing_that_only_a_client_needs() -> None:
    """That would be most of its start: the libraries that derive requests, send them or run tests."""
    code = "import sys, conformance.emulator.server\nprint(*(name.partition('.')[0] for name in sys.modules))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    loaded = set(done.stdout.split())
    assert "starlette" in loaded
    assert set() == loaded & {
        "schemathesis",
        "hypothesis",
        "pytest",
        "httpx",
        "httpcore",
        "openapi_spec_validator",
        "rich",
    }


def test_the_key_is_not_on_the_command_line() -> None:
    with emulator([V], settings=Settings(key="very-secret")) as base:
        assert 200 == httpx.post(f"{base}{CHAT}", json=HELLO, headers={"api-key": "very-secret"}).status_code
        for folder in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                assert b"very-secret" not in folder.read_bytes()
            except OSError:
                continue


def test_a_process_that_can_not_start_is_said_so() -> None:
    with pytest.raises(HarnessError), emulator(["1999-no-such-version"]):
        pass


def test_a_process_that_prints_what_is_no_text_is_said_not_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os; os.write(1, b'\\xff\\n')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(HarnessError, match="did not start"), emulator([V]):
        pass


def test_the_module_says_where_it_listens() -> None:
    command = [sys.executable, "-m", "conformance.emulator.server", "--api-version", V]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("ready http://127.0.0.1:")
        assert 401 == httpx.get(line.removeprefix("ready ").strip()).status_code
    finally:
        process.terminate()
        process.wait(60)
        if process.stdout:
            process.stdout.close()


def test_one_connection_serves_many_requests(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port))
    bodies = []
    for _ in range(3):
        connection.request(
            "POST", CHAT, json.dumps({**HELLO, "stream": True}), {**KEY, "content-type": "application/json"}
        )
        response = connection.getresponse()
        assert "chunked" == response.getheader("transfer-encoding")
        bodies.append(response.read())
        local = connection.sock.getsockname()
    assert connection.sock.getsockname() == local
    assert all(body.endswith(b"data: [DONE]\n\n") for body in bodies)
    connection.close()


def test_a_chunked_request_body(client: httpx.Client) -> None:
    def pieces() -> Iterator[bytes]:
        data = json.dumps(HELLO).encode()
        yield from (data[at : at + 5] for at in range(0, len(data), 5))

    answer = client.post(CHAT, content=pieces(), headers={"content-type": "application/json"})
    assert 200 == answer.status_code


def test_a_body_over_the_limit_is_refused() -> None:
    with served(Settings(body_limit=1_000)) as base:
        answer = httpx.post(f"{base}{CHAT}", content=b" " * 5_000, headers={**KEY, "content-type": "application/json"})
        assert 413 == answer.status_code


def test_garbage_on_the_wire_is_no_500(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(b"GARBAGE\r\n\r\n")
        assert b" 500 " not in connection.recv(1000)


def test_an_odd_path_and_query_reach_the_application(client: httpx.Client) -> None:
    assert 404 == client.get(f"/openai/%00/../x%2f?api-version={V}&a=%ff&&=").status_code


def stream(base: str) -> tuple[bytes, bool]:
    """The bytes of a streamed chat and whether the body ended as HTTP says."""
    received = b""
    with httpx.stream("POST", f"{base}{CHAT}", json={**HELLO, "stream": True}, headers=KEY) as answer:
        try:
            for data in answer.iter_raw():
                received += data
        except httpx.RemoteProtocolError:
            return received, False
    return received, True


def test_a_whole_stream_arrives() -> None:
    with served(Settings()) as base:
        received, whole = stream(base)
        assert (True, True) == (whole, received.endswith(b"data: [DONE]\n\n"))


def test_a_cut_stream_ends_without_its_last_chunk() -> None:
    with served(Settings(faults=StreamFaults(cut=3))) as base:
        received, whole = stream(base)
        assert (False, 3) == (whole, len(parse([Chunk(0.0, received)]).events))


def test_a_drip_is_the_same_stream() -> None:
    with served(Settings()) as plain, served(Settings(faults=StreamFaults(drip=True))) as dripping:
        events = [[event.json for event in parse([Chunk(0.0, stream(base)[0])]).events] for base in (plain, dripping)]
    told = [[one["choices"] if one else None for one in each] for each in events]
    assert told[0] == told[1]


def test_chunks_come_at_their_times() -> None:
    # The pause is long, so that a reader that gets the processor late still sees it.
    with served(Settings(latency=0.15, faults=StreamFaults(stall=2.0))) as base:
        started = time.monotonic()
        arrivals = []
        with httpx.stream("POST", f"{base}{CHAT}", json={**HELLO, "stream": True}, headers=KEY) as answer:
            head = time.monotonic() - started
            arrivals = [time.monotonic() - started for _ in answer.iter_raw()]
    assert head >= 0.15
    assert arrivals[-1] >= 2.15
    assert arrivals[0] < arrivals[-1] - 0.25


def test_a_hook_changes_the_answer_and_its_length() -> None:
    seen: list[tuple[Exchange, int]] = []

    def transform(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange:
        seen.append((exchange, len(earlier)))
        assert exchange.response is not None
        return exchange.answered(evolve(exchange.response, chunks=(Chunk(0.0, b'{"broken"'), Chunk(0.0, b":1}"))))

    with served(Settings(), transform) as base, httpx.Client(base_url=base, headers=KEY) as client:
        answers = [client.post(CHAT, json=HELLO) for _ in range(2)]
    assert [{"broken": 1}, {"broken": 1}] == [answer.json() for answer in answers]
    assert "12" == answers[0].headers["content-length"]
    assert [0, 1] == [earlier for _, earlier in seen]
    assert REDACTED == seen[0][0].request.header("api-key")
    assert "emulator-key" not in repr(seen[0][0])


@pytest.mark.parametrize("keep", [True, False])
def test_a_fault_drops_the_connection(keep: bool) -> None:
    def transform(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange:
        fault = Fault(FaultKind.CLOSED, "dropped", 0.0)
        return evolve(exchange, response=exchange.response if keep else None, fault=fault)

    with served(Settings(), transform) as base, pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{base}{CHAT}", json=HELLO, headers=KEY)


def test_the_hook_may_change_the_status_and_drop_the_body() -> None:
    def transform(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange:
        assert exchange.response is not None
        return exchange.answered(evolve(exchange.response, status=204, chunks=()))

    with served(Settings(), transform) as base, httpx.Client(base_url=base, headers=KEY) as client:
        assert [(204, b"")] * 2 == [(a.status_code, a.content) for a in (client.post(CHAT, json=HELLO) for _ in "ab")]


def test_a_version_of_the_user(small: Callable[..., Spec], tmp_path: Path) -> None:
    small("2099-01-01")
    with emulator(["2099-01-01"], folder=tmp_path) as base, httpx.Client(base_url=base, headers=KEY) as client:
        assert 200 == client.get("/openai/assistants?api-version=2099-01-01").status_code
        assert 404 == client.get("/openai/nothing?api-version=2099-01-01").status_code
