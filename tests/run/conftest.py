"""A small correct server whose behaviour tests can switch, and runners that use it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from time_limit import within

from conformance.run.runner import Runner
from conformance.settings.configuration import Budget, Config
from conformance.settings.configuration import Target as TargetConfig
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.target.journal import Journal
from conformance.target.target import Target

from .memory import PATIENCE

NO_CAPS = Budget()


class Board:
    """What the server does: ``answer(method, path, body, number)`` → status and JSON. It counts what is in flight."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.most = 0
        self.answer: Callable[[str, str, Any, int], tuple[int, Any]] = lambda method, path, body, number: (200, {})
        self.url = ""
        self._now = 0
        self._lock = threading.Lock()

    def take(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        with self._lock:
            self.seen.append((method, path.split("?", maxsplit=1)[0]))
            number = len(self.seen)
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            return self.answer(method, path.split("?", maxsplit=1)[0], body, number)
        finally:
            with self._lock:
                self._now -= 1


@pytest.fixture
def bounded() -> Iterator[None]:
    """The test fails if it hangs."""
    with within(PATIENCE):
        yield


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_one(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, value = board.take(self.command, self.path, json.loads(raw) if raw else None)
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = handle_one  # noqa: N815 - the names that http.server looks for

        def log_message(self, *args: object) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that was stopped leaves in the middle; that is no news."""

    server = Quiet(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    board.url = f"http://127.0.0.1:{server.server_port}"
    yield board
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def spec() -> Spec:
    return load("2024-05-01-preview")


@pytest.fixture
def target_for(spec: Spec, board: Board, tmp_path: Path) -> Iterator[Callable[..., Target]]:
    opened: list[Any] = []

    def make(*, budget: Budget = NO_CAPS, waivers: Any = (), **values: Any) -> Target:
        can = {"model": frozenset({"chat", "embeddings"})}
        settings = evolve(TargetConfig(url=board.url, key="canary", live=False, deployments=can), **values)
        journal = Journal(tmp_path, target=board.url, api_version=spec.version, sync=False)
        target = Target(Config(target=settings, budget=budget, waivers=waivers), spec, journal=journal)
        opened.extend([journal, target])
        return target

    yield make
    for item in reversed(opened):
        item.close()


@pytest.fixture
def run(spec: Spec, target_for: Callable[..., Target]) -> Iterator[Callable[..., Runner]]:
    opened: list[Runner] = []

    def make(scenarios: Any, checks: Any = (), *, target: Target | None = None, **values: Any) -> Runner:
        opened.append(Runner(spec, scenarios, checks, target or target_for(), **values))
        return opened[-1]

    yield make
    for runner in opened:
        runner.close()
