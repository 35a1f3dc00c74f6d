"""A gateway that loses answers to creations: the target did what was asked, and the client never hears of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpcore

__all__ = ["Lost", "lossy"]

#: Fields of one connection only (RFC 9110 section 7.6.1), and those that are written anew.
_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "date", "server")

#: What was created and lost: (path of the collection, id).
Lost = list[tuple[str, str]]


@contextmanager
def lossy(url: str, each: int) -> Iterator[tuple[str, Lost]]:
    """A gateway before ``url`` that closes the connection instead of each so-manieth answer that names a new object.
    Yields its address and what was lost so far.
    """
    lost: Lost = []
    numbers = count(1)
    pool = httpcore.ConnectionPool(max_connections=50)

    class Gateway(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def relay(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = [(name, value) for name, value in self.headers.items() if name.lower() != "connection"]
            answer = pool.request(self.command, url + self.path, headers=headers, content=body)
            made = _made(answer.content) if self.command == "POST" and answer.status == 200 else ""
            if made and next(numbers) % each == 0:
                lost.append((urlsplit(self.path).path, made))
                self.close_connection = True
                return
            self.send_response_only(answer.status)
            for name, value in answer.headers:
                if name.decode().lower() not in _HOP or name.lower() == b"date":
                    self.send_header(name.decode(), value.decode("latin-1"))
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self.relay
            raise AttributeError(name)

        def log_message(self, *arguments: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", lost
    finally:
        server.shutdown()
        server.server_close()
        pool.close()


def _made(content: bytes) -> str:
    """The id of the object in an answer; "" if there is none."""
    try:
        value = json.loads(content)
    except ValueError:
        return ""
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
