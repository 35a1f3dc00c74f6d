"""The emulator behind plain sockets that keep every byte of each request, in the order of arrival."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from conformance.evidence.exchange import Response
from conformance.requests.request import Request

#: Answers a request.
Answer = Callable[[Request], Response]


def _read(file: Any) -> bytes:
    """One request with its content, as it came; b"" at the end of the connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = file.readline(65_536)
        if not line:
            return b""
        head += line
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return head + file.read(int(lengths[0]) if lengths else 0)


def _parsed(raw: bytes) -> Request:
    """The request of these bytes."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *fields = head.decode("utf-8", "surrogateescape").split("\r\n")
    method, target, _ = first.split(" ")
    headers = tuple((name, value.strip()) for name, _, value in (field.partition(":") for field in fields))
    host = next(value for name, value in headers if name.lower() == "host")
    return Request(method, f"http://{host}{target}", headers, body)


def _written(response: Response, *, head: bool) -> bytes:
    """The bytes of an answer."""
    kept = [
        (n, v) for n, v in response.headers if n.lower() not in ("content-length", "transfer-encoding", "connection")
    ]
    if response.status != 204:
        kept.append(("Content-Length", str(len(response.body))))
    lines = [f"HTTP/1.1 {response.status} {response.reason}", *(f"{name}: {value}" for name, value in kept)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (b"" if head else response.body)


class _Handler(socketserver.StreamRequestHandler):
    """One connection."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        server = self.server
        assert isinstance(server, RawServer)
        while raw := _read(self.rfile):
            request = _parsed(raw)
            with server.lock:
                server.received.append(raw)
                response = server.answer(request)
            self.wfile.write(_written(response, head=request.method == "HEAD"))


class RawServer(socketserver.ThreadingTCPServer):
    """``received`` are the requests, byte for byte."""

    daemon_threads = allow_reuse_address = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.lock = answer, threading.Lock()
        self.received: list[bytes] = []

    @property
    def url(self) -> str:
        """Scheme and authority."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that left in the middle is no news."""


@contextmanager
def raw_server(answer: Answer) -> Iterator[RawServer]:
    """A server in a thread."""
    server = RawServer(answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
