"""The same over sockets, with the command line: a server that gives one answer to everything is never conformant."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from null_answers import ANSWERS, SATISFIED, NullAnswer
from served import CANARY, ORDINARY, command

from conformance._parts import part
from conformance.requests.request import Request
from conformance.verdict import Outcome

VERSION = ORDINARY


@pytest.fixture
def serve() -> Iterator[Callable[[NullAnswer], str]]:
    """Start a server with an answer; its URL."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: NullAnswer) -> str:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                request = Request(self.command, self.path, tuple(self.headers.items()), body)
                response = answer(request)
                if response is None:
                    self.close_connection = True
                    return
                self.send_response(response.status)
                for name, value in response.headers:
                    self.send_header(name, value)
                if response.status != 204:
                    self.send_header("content-length", str(len(response.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(response.body)

            def __getattr__(self, name: str) -> Callable[[], None]:
                if name.startswith("do_"):  # whatever the method, also one that nobody knows
                    return self.handle_any
                raise AttributeError(name)

            def log_message(self, *args: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    "profile", ["smoke", *(pytest.param(one, marks=pytest.mark.prove) for one in ("quick", "standard"))]
)
@pytest.mark.parametrize("name", ["404", "object", "only [DONE]"])
def test_a_run_is_not_conformant(serve: Callable[[NullAnswer], str], tmp_path: Path, name: str, profile: str) -> None:
    url, out = serve(ANSWERS[name]), tmp_path / "out"
    choice = ("--target", url, "--api-version", VERSION, "--profile", profile, "--out", str(out))
    done = command(tmp_path, "run", *choice)
    report = part("reports.jsonl").read(out / VERSION)
    passed = {verdict.check for verdict in report.verdicts if verdict.outcome is Outcome.PASS}
    assert set() == {check for check in passed if name not in SATISFIED.get(check, ((), ""))[0]}
    assert (1, "not conformant") == (done.code, report.footer["conclusion"])
    assert CANARY not in done.out + done.err
