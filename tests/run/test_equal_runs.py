"""Runs against a target that never changes come to the same verdicts, though it closes connections without a word."""

from __future__ import annotations

import re
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conformance.emulator.app import App
from conformance.requests.request import Request
from conformance.run.choice import choose
from conformance.run.session import Session
from conformance.settings.options import Options

VERSION = "2024-05-01-preview"

#: A corpus that only asks, corpora of objects that are created first, and a script that changes objects.
SCENARIOS = ("corpus.embeddings.create", "corpus.assistants.*", "lifecycle.assistants", "lists.assistants")

#: What differs between two runs in a request: ids of objects and the name of the run.
NAMES = re.compile(rb"[a-z]+_[0-9A-Za-z]{6,}|\b[0-9a-f]{8}\b")


class Handler(BaseHTTPRequestHandler):
    """The emulator over plain sockets. A fifth of its answers, chosen by the request, is a 500, and then it closes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        server = self.server
        assert isinstance(server, Server)
        path = self.path.split("?", maxsplit=1)[0]
        said = NAMES.sub(b"", b" ".join((self.command.encode(), path.encode(), body)))
        if zlib.crc32(said) % 5 == 0 and self.command == "POST":
            server.broken += 1
            data = b'{"error":{"code":"500","message":"no"}}'
            self.send_response(500)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))  # and no "Connection: close"
            self.end_headers()
            self.wfile.write(data)
            self.close_connection = True
            return
        url = f"http://{self.headers['host']}{self.path}"
        with server.lock:
            response = server.app.handle(Request(self.command, url, tuple(self.headers.items()), body))
        assert response is not None
        self.send_response_only(response.status)
        for name, value in response.headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    do_GET = do_POST = do_DELETE = do_HEAD = do_PUT = do_PATCH = answer  # noqa: N815 - names of http.server

    def log_message(self, *args: object) -> None:
        """Nothing is printed."""


class Server(ThreadingHTTPServer):
    """The server with one emulator, and how many of its answers were broken."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.app, self.lock, self.broken = App.of(VERSION), threading.Lock(), 0

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that left in the middle is no news."""


@contextmanager
def closing() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def verdicts(folder: Path) -> frozenset[tuple[str, ...]]:
    """What a whole run says of each item, with how much was judged."""
    with closing() as server:
        options = Options(
            target=f"http://127.0.0.1:{server.server_port}",
            api_versions=(VERSION,),
            scenarios=SCENARIOS,
            out=folder,
            selection={"--scenario": list(SCENARIOS)},
        )
        (chosen,) = choose(options)
        session = Session.open([chosen])
        session.start()
        for item in chosen.items:
            session.verdict(item)
        session.close()
        assert server.broken > 5
    found = session.reports[VERSION].verdicts
    assert {"fail", "pass"} <= {verdict.outcome.value for verdict in found}
    return frozenset((one.scenario, one.check, one.outcome.value, one.coverage, one.reason) for one in found)


@pytest.mark.parametrize("runs", [2, pytest.param(20, marks=pytest.mark.prove)])
def test_a_server_that_closes_after_each_500_gets_the_same_verdicts_each_time(
    runs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "emulator-key")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conformance.toml").write_text("[target]\nlive = false\n")
    first = verdicts(tmp_path / "0")
    others = [verdicts(tmp_path / str(number)) for number in range(1, runs)]
    assert [[]] * (runs - 1) == [sorted(first ^ other) for other in others]
