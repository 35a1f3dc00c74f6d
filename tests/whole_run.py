"""A whole run in this process against the emulator behind plain sockets: a test changes its answers and connections."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from attrs import frozen

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.requests.request import Request
from conformance.run.choice import choose
from conformance.run.session import Session
from conformance.settings.options import Options

#: The key, and two tokens.
KEY = "emulator-key"
TOKENS = ("canary-old-token-17", "canary-new-token-18")


@frozen
class Reply:
    """An answer in place of the emulator's. ``close``: the connection is closed then, and nothing announces it.
    ``hangs``: it never comes. ``done``: nobody sees that the emulator does what it was asked for.
    """

    status: int = 500
    body: bytes = b'{"error":{"code":"500","message":"no"}}'
    close: bool = False
    hangs: bool = False
    done: bool = False


#: Gets a request and its number, from 1. None leaves the answer to the emulator.
Act = Callable[[Request, int], Reply | None]


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    answered = 0

    def answer(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        request = Request(self.command, f"http://{self.headers['host']}{self.path}", tuple(self.headers.items()), body)
        reply = server.noted(request)
        self.answered += 1
        if reply is not None and reply.done:
            with server.lock:
                server.app.handle(request)
        if reply is not None and reply.hangs:
            server.over.wait()
            self.close_connection = True
            return
        if reply is not None:
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = reply.close
            return
        with server.lock:
            response = server.app.handle(request)
        assert response is not None
        self.send_response_only(response.status)
        self.send_header("Date", self.date_time_string())  # RFC 9110, section 6.6.1
        for name, value in response.headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        if response.status != 204:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.close_connection = self.answered == server.most

    do_GET = do_POST = do_DELETE = do_HEAD = do_PUT = do_PATCH = answer  # noqa: N815 - names of http.server

    def log_message(self, *args: object) -> None:
        """Nothing is printed."""


class Server(ThreadingHTTPServer):
    """The emulator of one api-version. ``most``: a connection is closed without a word after so many answers."""

    daemon_threads = True

    def __init__(self, version: str, act: Act, most: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.app, self.lock = App.of(version, settings=Settings(key=KEY, tokens=TOKENS)), threading.Lock()
        self.act, self.most, self.over = act, most, threading.Event()
        self.requests: list[Request] = []

    def noted(self, request: Request) -> Reply | None:
        """Count a request and ask what to answer."""
        with self.lock:
            self.requests.append(request)
            return self.act(request, len(self.requests))

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that left in the middle is no news."""


@contextmanager
def serving(version: str, act: Act = lambda request, number: None, *, most: int = 0) -> Iterator[tuple[str, Server]]:
    """A server in a thread, and its URL."""
    server = Server(version, act, most)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def report_of(folder: Path, url: str, version: str, *scenarios: str, more: str = "live = false", **options: Any) -> Any:
    """The report of a run of some scenarios in a folder. ``more`` are lines of ``[target]``, or tables after them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "conformance.toml").write_text(f"[target]\n{more}\n")
    made = Options(
        target=url,
        api_versions=(version,),
        scenarios=scenarios,
        config=folder / "conformance.toml",
        out=folder / "out",
        selection={"--scenario": list(scenarios)},
        **options,
    )
    (chosen,) = choose(made)
    session = Session.open([chosen])
    session.start()
    for item in chosen.items:
        session.verdict(item)
    session.close()
    return session.reports[version]
