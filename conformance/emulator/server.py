"""The HTTP server of the application: Starlette and uvicorn, bytes in, chunks out at their times.

``asgi(app, transform)`` takes a function that changes each answer before it is written: a pure function of the exchange
and of the previous exchanges of this server. An answer with a fault, or an incomplete one, drops the connection.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import uvicorn
from attrs import define, evolve, field
from starlette.applications import Starlette
from starlette.routing import Mount

from conformance import __version__
from conformance.emulator.app import App
from conformance.emulator.behaviour import SETTINGS_VARIABLE, Settings
from conformance.evidence.exchange import Exchange, Response
from conformance.requests.headers import EMULATOR_HEADER, redact
from conformance.requests.request import Request

__all__ = ["ASGI", "Receive", "Scope", "Send", "Transform", "asgi", "main", "running", "serve"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]
Transform = Callable[[Exchange, Sequence[Exchange]], Exchange]

#: The number of earlier exchanges that a transform is given.
MEMORY = 1000

#: After this many chunks other connections get their turn.
_TURN = 32

#: The key of the ASGI scope under which the connection's transport is kept.
_TRANSPORT = "conformance.target.transport"
#: Headers of the connection (RFC 9110 section 7.6.1): uvicorn sets them itself.
_HOP = frozenset({"content-length", "transfer-encoding", "connection"})


@define(eq=False)
class _Front:
    """The ASGI application: reads a request, lets the app answer, writes the answer."""

    app: App
    transform: Transform | None = None
    earlier: deque[Exchange] = field(factory=lambda: deque(maxlen=MEMORY))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        started = time.monotonic()
        request = await self._read(scope, receive)
        if request is None:
            return
        transport = scope.get(_TRANSPORT)
        response: Response | None = self.app.handle(request)
        dropped = False
        if self.transform is not None and response is not None:
            exchange = self._transformed(request, response)
            response, dropped = exchange.response, exchange.fault is not None
        if response is not None:
            dropped = dropped or not response.complete
            await self._write(_as_head(request, response), send, transport, started, dropped)
        if dropped and transport is not None:
            transport.close()
            for _ in range(3):  # the server must notice the closed transport, else it completes the answer itself
                await asyncio.sleep(0)

    async def _read(self, scope: Scope, receive: Receive) -> Request | None:
        """The whole request, or None if the client has left. Reading stops just above the body limit."""
        pieces: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            piece = message.get("body", b"")
            if piece:
                pieces.append(piece)
                size += len(piece)
            if not message.get("more_body", False) or size > self.app.settings.body_limit:
                break
        query = scope["query_string"]
        # The decoded path can't tell an encoded slash from a real one.
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        host = next((value for name, value in headers if name == "host"), "localhost")
        url = f"http://{host}{path}" + (f"?{query.decode('latin-1')}" if query else "")
        return Request(scope["method"], url, headers, b"".join(pieces))

    def _transformed(self, request: Request, response: Response) -> Exchange:
        """The exchange after the transform. Secrets are redacted before."""
        settings = self.app.settings
        hidden = redact(request.headers, (settings.key, *settings.tokens))
        exchange = Exchange(evolve(request, headers=hidden), response, started=self.app.clock.now())
        transform = self.transform
        result = exchange if transform is None else transform(exchange, tuple(self.earlier))
        # The correct exchange is remembered, not the changed one: a transform sees what the server would have answered.
        self.earlier.append(exchange)
        return result

    @staticmethod
    async def _write(response: Response, send: Send, transport: Any, started: float, dropped: bool) -> None:
        """Write head and chunks at their times, until the client leaves. A body that isn't a stream gets a
        Content-Length.
        """
        headers = [(k.lower().encode("latin-1"), v.encode("latin-1", "replace")) for k, v in response.headers]
        sized = any(name == b"content-length" for name, _ in headers)
        # A counterexample may say both, or announce content of a 204; otherwise the server decides about framing.
        framed = sized and any(name == b"transfer-encoding" for name, _ in headers)
        surplus = sized and response.status == 204 and bool(response.chunks)
        framed = framed or surplus
        headers = [(name, value) for name, value in headers if framed or name.decode("latin-1") not in _HOP]
        length = sum(len(chunk.data) for chunk in response.chunks)
        if not framed and (sized or not length) and response.status >= 200 and response.status not in (204, 304):
            # One byte more than is sent: the client must see that a dropped answer is incomplete.
            headers.append((b"content-length", str(length + (1 if dropped else 0)).encode()))
        # Bytes that a counterexample adds go out behind the announced content, before the server closes.
        extra = response.surplus if transport is not None and any(n == b"content-length" for n, _ in headers) else 0
        if surplus or extra:
            headers.append((b"connection", b"close"))  # the bytes must not be read as the next answer
        # Added here, behind every injected bug: whatever is wrong with an answer, it says that an emulator sent it.
        headers.append((EMULATOR_HEADER.encode(), __version__.encode()))
        # Times count from the arrival of the request, so that the work of the emulator is part of the delay.
        await _until(started + response.headers_at)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        last = len(response.chunks) - 1
        for index, chunk in enumerate(response.chunks):
            await _until(started + chunk.at)
            # Chunks without a pause between them would keep all other connections waiting until the end of the stream.
            if index % _TURN == _TURN - 1:
                await asyncio.sleep(0)
            if transport is not None and transport.is_closing():
                return
            more = dropped or index < last or bool(extra)
            await send({"type": "http.response.body", "body": chunk.data, "more_body": more})
        if extra:
            transport.write(b"." * extra)
        if (extra or not response.chunks) and not dropped:
            await send({"type": "http.response.body", "body": b""})


def _as_head(request: Request, response: Response) -> Response:
    """For HEAD: content of the announced length. The server doesn't send it, but announces its length (RFC 9110
    9.3.2).
    """
    announced = response.header("content-length") or ""
    if request.method != "HEAD" or response.chunks or not announced.isdigit():
        return response
    return response.with_body(bytes(int(announced)))


async def _until(moment: float) -> None:
    """Sleep until a moment of the monotonic clock."""
    delay = moment - time.monotonic()
    # Shorter waits would be lengthened by the event loop.
    if delay > 0.0005:
        await asyncio.sleep(delay)


def asgi(app: App, transform: Transform | None = None) -> ASGI:
    """The application as ASGI 3. ``transform(exchange, earlier)`` changes the answers; secrets in exchanges are
    redacted.
    """
    inner = Starlette(routes=[Mount("/", app=_Front(app, transform))])

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            # An internal of uvicorn. Other servers don't have it; there, connections can't be dropped.
            scope[_TRANSPORT] = getattr(getattr(send, "__self__", None), "transport", None)
        await inner(scope, receive, send)

    return front


class _Server(uvicorn.Server):
    """A server that calls ``ready`` with its port when it accepts connections. In a thread it handles no signals."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[int], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready(self.servers[0].sockets[0].getsockname()[1])


def _server(
    app: ASGI, host: str, port: int, ready: Callable[[int], None], http: Literal["auto"] | type[asyncio.Protocol]
) -> _Server:
    """The configured uvicorn server."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=http,
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=True,
        lifespan="off",
        # Longer than any pause of a run: a connection that the server closes while a request arrives looks like a
        # fault.
        timeout_keep_alive=75,
        # A stream that stalls on purpose must not delay the end of a run.
        timeout_graceful_shutdown=1,
        ws="none",
    )
    return _Server(config, ready)


def serve(
    app: ASGI,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ready: Callable[[int], None],
    http: Literal["auto"] | type[asyncio.Protocol] = "auto",
) -> None:
    """Serve until a signal ends the process. ``ready`` is called with the port once connections are accepted.

    ``http`` is the class that speaks HTTP on a connection, for those who want to see its bytes.
    """
    _server(app, host, port, ready, http).run()


@contextmanager
def running(
    app: ASGI,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    http: Literal["auto"] | type[asyncio.Protocol] = "auto",
) -> Iterator[str]:
    """A server in a thread of this process; port 0 takes a free one. Yields its base URL; raises OSError if it can't
    listen.
    """
    listening = threading.Event()
    ports: list[int] = []

    def ready(port: int) -> None:
        ports.append(port)
        listening.set()

    server = _server(app, host, port, ready, http)

    def run() -> None:
        try:
            server.run()
        except SystemExit:
            # How uvicorn says that it can't listen; whoever waits sees that there is no port.
            pass
        finally:
            listening.set()

    thread = threading.Thread(target=run, name="emulator", daemon=True)
    thread.start()
    # Also set if the server ends without listening, so this wait is short in practice.
    listening.wait(30)
    if not ports:
        raise OSError(f"the emulator can't listen on {host}")
    try:
        yield f"http://{host}:{ports[0]}"
    finally:
        server.should_exit = True
        thread.join(10)


def _end_with_stdin() -> None:
    """End this process when its standard input is closed, that is when its parent ends."""
    sys.stdin.buffer.read()
    # Without cleanup: the parent is gone, and a normal exit would wait for open streams.
    os._exit(0)


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point of ``python -m conformance.emulator.server``, which :mod:`conformance.emulator.process` starts.

    It prints one line, ``ready <base URL>``, when it accepts connections.
    """
    parser = argparse.ArgumentParser(prog="python -m conformance.emulator.server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--api-version", action="append", required=True)
    parser.add_argument("--specs", type=Path)
    parser.add_argument(
        "--until-stdin-ends",
        action="store_true",
        help="end when standard input is closed, that is when the parent process ends",
    )
    parser.add_argument(
        "--steps", action="store_true", help="let whoever has the key move the clock to the next second"
    )
    given = parser.parse_args(arguments)
    if given.until_stdin_ends:
        threading.Thread(target=_end_with_stdin, name="parent", daemon=True).start()
    text = os.environ.get(SETTINGS_VARIABLE)
    settings = Settings.from_json(text) if text else Settings()
    app = App.of(*given.api_version, settings=settings, folder=given.specs)

    def ready(port: int) -> None:
        sys.stdout.write(f"ready http://{given.host}:{port}\n")
        sys.stdout.flush()

    served = asgi(app)
    if given.steps:
        from conformance.emulator.clock_route import stepping

        served = stepping(served, app.clock, settings.key)
    # What was made so far stays until the end. Without this, each full collection walks through the documents.
    gc.freeze()
    serve(served, host=given.host, port=given.port, ready=ready)


if __name__ == "__main__":
    main()
