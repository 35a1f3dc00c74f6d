"""A server on a real socket that answers every request in a hostile way. Honest answers come from the emulator."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from attrs import define, frozen
from target.wire_server import WireServer

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.evidence.exchange import Response
from conformance.requests.request import Request

#: The key of the target. No artefact of a run may hold it.
KEY = "canary-5e1f07b9c2a84d36"

#: Seconds between two bytes of a drip.
DRIP = 0.02


@frozen
class Behaviour:
    """``act`` answers one request. ``trouble`` marks what may come of the network alone, so that no rule may be called
    broken for it.
    """

    name: str
    act: Callable[[Talk], None]
    trouble: bool = False

    @property
    def about(self) -> str:
        """What the server does, in words."""
        return " ".join((self.act.__doc__ or "").split()).rstrip(".")


@define(eq=False)
class Talk:
    """One request on one connection, and what the server can do about it."""

    server: HostileServer
    connection: socket.socket
    request: Request
    number: int

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.connection.sendall(data)

    def forever(self, piece: bytes | Callable[[int], bytes], pause: float = 0.0) -> None:
        """Send pieces until the client leaves or the server ends."""
        number = 0
        while not (self.server.over.wait(pause) if pause else self.server.over.is_set()):
            self.send(piece if isinstance(piece, bytes) else piece(number))
            number += 1

    def drip(self, data: bytes) -> None:
        """Send byte by byte."""
        for place in range(len(data)):
            if self.server.over.wait(DRIP):
                return
            self.send(data[place : place + 1])

    def stall(self) -> None:
        """Keep the connection open and send nothing."""
        self.connection.settimeout(0.2)
        while not self.server.over.is_set():
            with contextlib.suppress(TimeoutError):
                if not self.connection.recv(65_536):
                    return

    def reset(self) -> None:
        """End the connection with a reset instead of a proper close."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def honest(self) -> Response:
        """What the emulator answers."""
        with self.server.lock:
            return self.server.app.handle(self.request)

    def answer(
        self,
        body: bytes,
        media: str = "application/json",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        *,
        length: int | None = None,
    ) -> None:
        """Send a whole answer with a Content-Length, right or not."""
        lines = [f"HTTP/1.1 {status} Sure", f"Content-Type: {media}"]
        lines.append(f"Content-Length: {len(body) if length is None else length}")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\nConnection: close\r\n\r\n" + body)

    def compact(self) -> tuple[Response, bytes]:
        """What the emulator answers, and its body without blanks between the values if it is JSON."""
        honest = self.honest()
        if not honest.is_json:
            return honest, honest.body
        return honest, json.dumps(honest.json, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")

    def relay(self, response: Response, body: bytes | None = None) -> None:
        """Send an honest answer, with another body if one is given."""
        media = response.header("content-type") or "application/json"
        self.answer(response.body if body is None else body, media, response.status)


class HostileServer(WireServer):
    """A server that answers every request by one behaviour. The emulator gives the honest answers."""

    def __init__(self, behaviour: Behaviour, app: App) -> None:
        self.behaviour, self.app, self.lock = behaviour, app, threading.Lock()
        super().__init__(self._act)

    def _act(self, connection: socket.socket, data: bytes, number: int) -> None:
        """Answer one request; the connection ends with it."""
        self.behaviour.act(Talk(self, connection, _request(data), number))


def _request(data: bytes) -> Request:
    """A request from its bytes."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = tuple((name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in rest))
    return Request(method, f"http://target{target}", headers, body)


@contextmanager
def serving(behaviour: Behaviour, version: str) -> Iterator[HostileServer]:
    """A server that behaves so, until the end of the block."""
    server = HostileServer(behaviour, App.of(version, settings=Settings(key=KEY)))
    try:
        yield server
    finally:
        server.close()
