"""A server that sends the bytes that a test gives, correct or not."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any

Script = Callable[[socket.socket, bytes, int], bool | None]


def http(body: bytes | str | dict[str, Any] | list[Any] = b"", status: int = 200, *headers: str) -> bytes:
    """A whole answer with a Content-Length. It announces the end of the connection unless a header speaks of it."""
    data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = [f"HTTP/1.1 {status} Reason", f"Content-Length: {len(data)}", *headers]
    if not any(line.lower().startswith("content-type") for line in headers):
        lines.append("Content-Type: application/json")
    if not any(line.lower().startswith("connection") for line in headers):
        lines.append("Connection: close")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


class WireServer:
    """Calls ``script(connection, request, number)`` for each request; True keeps the connection."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.over = threading.Event()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        rest = b""
        try:
            while True:
                while b"\r\n\r\n" not in rest:
                    data = connection.recv(65536)
                    if not data:
                        return
                    rest += data
                head, _, rest = rest.partition(b"\r\n\r\n")
                length = 0
                for line in head.split(b"\r\n"):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                while len(rest) < length:
                    data = connection.recv(65536)
                    if not data:
                        return
                    rest += data
                request, rest = head + b"\r\n\r\n" + rest[:length], rest[length:]
                with self._lock:
                    self.requests.append(request)
                    number = len(self.requests)
                if not self.script(connection, request, number):
                    return
        except OSError:
            return
        finally:
            connection.close()

    def close(self) -> None:
        self.over.set()
        self._listener.close()
        for connection in self._connections:
            connection.close()
