"""A small correct server of objects, what is sent to it, and the removal of what that created."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from conformance.requests.case import Case, JsonBody
from conformance.target.cleanup import Cleaned, clean
from conformance.target.target import Target

from .conftest import Serve
from .wire_server import WireServer, http

STORE = Case("vector_stores.create", "POST", "/vector_stores", body=JsonBody({"name": "{run}"}))

#: The time that a shelf tells: in seconds, and in its answers.
NOON = 1_704_110_400
DATE = "Date: Mon, 01 Jan 2024 12:00:00 GMT"


class Shelf:
    """A small correct server. ``objects`` are its objects by path; ``made`` the bodies of the answers to creations, in
    turn. ``ruled`` answers before it does, where it returns bytes.
    """

    def __init__(self, serve: Serve, *made: Any) -> None:
        self.objects: dict[str, Any] = {}
        self.made = list(made)
        self.seen: list[tuple[str, str]] = []
        self.ruled: Callable[[str, str], bytes | None] = lambda method, path: None
        self.server: WireServer = serve(self._answer)
        self.url = self.server.url

    def _answer(self, connection: socket.socket, request: bytes, number: int) -> None:
        method, target, _ = request.split(b"\r\n", 1)[0].decode().split(" ")
        path = target.partition("?")[0].removeprefix("/openai")
        self.seen.append((method, path))
        connection.sendall(self.ruled(method, path) or self._correct(method, path))

    def _correct(self, method: str, path: str) -> bytes:
        if method == "POST":
            made = self.made.pop(0)
            self.objects[f"{path}/{quote(made['id'], safe='')}"] = made
            return http(made, 200, DATE)
        if path not in self.objects:
            return http({"error": {"code": None}}, 404, DATE)
        if method == "DELETE":
            for inside in [one for one in self.objects if one == path or one.startswith(path + "/")]:
                del self.objects[inside]
            return http({"deleted": True}, 200, DATE)
        return http(self.objects[path], 200, DATE)


def cleaned(target: Target) -> Cleaned:
    """Remove what the journal of a target names."""
    assert target.journal is not None
    return clean(target, target.journal)


def reasons(made: Cleaned) -> dict[str, str]:
    """Why something is left, by path."""
    return {left.entry.path: left.reason for left in made.left}
