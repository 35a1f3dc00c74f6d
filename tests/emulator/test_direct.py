"""The short way of a plain request: it reads what h11 reads, and what it writes is what the server writes."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h11
import pytest
import uvicorn
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.server import ServerState

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.direct import direct, plain_request
from conformance.emulator.server import asgi, running
from conformance.emulator.store import Clock
from conformance.emulator.variants import wrap
from conformance.evidence.exchange import Chunk
from conformance.spec.loading import load, versions

V = next(v for v in versions() if load(v).surface == "dated" and "chat.stream" in load(v).features)
CHAT = f"/openai/deployments/gpt-4o/chat/completions?api-version={V}"
LIST = f"/openai/assistants?api-version={V}"
HELLO = b'{"messages":[{"role":"user","content":"Hello"}]}'
STREAM = b'{"messages":[{"role":"user","content":"Hello"}],"stream":true}'
MADE = b'{"model":"gpt-4o","name":"\xc3\xa9"}'
LAST = b"GET /last HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"


def raw(method: str, target: str, body: bytes = b"", *fields: str, key: str | None = "emulator-key") -> bytes:
    """A request as it is sent."""
    lines = [f"{method} {target} HTTP/1.1", "host: 127.0.0.1", *([f"api-key: {key}"] if key else []), *fields]
    lines += ["content-type: application/json", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


GET = raw("GET", LIST)

#: What is sent over one connection; each is written when the answers to those before it have come.
CONVERSATIONS: dict[str, list[bytes]] = {
    "kept": [GET, raw("POST", CHAT, HELLO), GET],
    "created": [raw("POST", LIST, MADE), GET],
    "a stream between": [GET, raw("POST", CHAT, STREAM), GET, raw("POST", CHAT, STREAM)],
    "a pipeline": [GET + raw("POST", CHAT, HELLO) + raw("POST", CHAT, STREAM) + GET],
    "half of the next one": [GET + GET[:30], GET[30:] + raw("POST", CHAT, HELLO)],
    "in pieces": [GET[:9], GET[9:-2], GET[-2:], GET],
    "a body of its own": [raw("POST", CHAT, HELLO)[: -len(HELLO)], HELLO, GET],
    "refused": [raw("GET", LIST, key=None), raw("POST", CHAT, b"{"), raw("PATCH", LIST), raw("GET", "/x"), GET],
    "head": [raw("HEAD", LIST), GET],
    "other methods": [raw("OPTIONS", LIST), GET],
    "expects": [raw("POST", CHAT, HELLO, "expect: 100-continue"), GET],
    "closes": [raw("GET", LIST, b"", "connection: close")],
    "packed": [raw("POST", CHAT, HELLO, "accept-encoding: gzip"), GET],
    "a name of the client": [raw("GET", LIST, b"", "x-ms-client-request-id:  a b  ")],
    "a name that is no ASCII": [raw("GET", LIST, b"", "x-ms-client-request-id: \xe9"), GET],
    "chunked": [raw("POST", CHAT, b"", "transfer-encoding: chunked", "content-type: application/json") + b"0\r\n\r\n"],
    "escapes": [raw("GET", f"/openai/assistants/a%2Fb%ff?api-version={V}&limit=%31"), GET],
    "a line feed in a path": [raw("GET", f"/openai/a%0Ab?api-version={V}"), GET],
    "an empty query": [raw("GET", "/openai/assistants?"), GET],
    "another path": [raw("GET", f"//openai/assistants?api-version={V}"), GET],
    "no request": [b"GET / HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n"],
}


@contextmanager
def served(short: bool, settings: Settings | None = None) -> Iterator[str]:
    app = App.of(V, settings=settings or Settings())
    app.clock = Clock.fixed()
    with running(asgi(app), http=direct(app) if short else "auto") as url:
        yield url


def spoken(url: str, pieces: list[bytes]) -> bytes:
    """All bytes of the answers, dates aside. The server closes after the last one, which asks it to."""
    received = b""
    with _connected(url) as connection:
        for piece in pieces:
            connection.sendall(piece)
            if plain_request(piece) is not None:  # exactly one answer follows
                received += _answer(connection)
        return _without_dates(received + _rest(connection))


def _until_closed(url: str, request: bytes) -> bytes:
    """All bytes of the answer to a request and to the last one, dates aside."""
    with _connected(url) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while more := connection.recv(65_536):
            received += more
    return _without_dates(received)


def _connected(url: str) -> socket.socket:
    host, _, port = url.removeprefix("http://").partition(":")
    connection = socket.create_connection((host, int(port)), 20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _rest(connection: socket.socket) -> bytes:
    """What comes after the last request."""
    received = b""
    try:
        connection.sendall(LAST)
        while more := connection.recv(65_536):
            received += more
    except OSError:  # it has closed already
        pass
    return received


def _without_dates(received: bytes) -> bytes:
    return re.sub(rb"\r\ndate: [^\r]+", b"", received)


def _answer(connection: socket.socket) -> bytes:
    """The bytes of one answer."""
    received, parser = b"", h11.Connection(h11.CLIENT)
    parser.send(h11.Request(method="GET", target="/", headers=[("host", "a")]))
    parser.send(h11.EndOfMessage())
    while True:
        event = parser.next_event()
        if event is h11.NEED_DATA:
            data = connection.recv(65_536)
            received += data
            parser.receive_data(data)
        elif isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)):
            return received


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_both_ways_write_the_same_bytes(name: str) -> None:
    with served(short=False) as usual, served(short=True) as short:
        expected = spoken(usual, CONVERSATIONS[name])
        assert expected == spoken(short, CONVERSATIONS[name])
        assert expected.startswith(b"HTTP/1.1 ")


@pytest.mark.parametrize("settings", [Settings(latency=0.01), Settings(interval=0.001), Settings(body_limit=20)])
def test_so_they_do_where_an_answer_waits(settings: Settings) -> None:
    pieces = [GET, raw("POST", CHAT, HELLO), raw("POST", CHAT, STREAM), GET]
    with served(short=False, settings=settings) as usual, served(short=True, settings=settings) as short:
        assert spoken(usual, pieces) == spoken(short, pieces)


@contextmanager
def watched(app: App) -> Iterator[tuple[str, list[str]]]:
    """A server of the short way, and the methods of the requests that took the long one."""
    inner, long = asgi(app), list[str]()

    async def front(scope: Any, receive: Any, send: Any) -> None:
        long.append(scope["method"])
        await inner(scope, receive, send)

    with running(front, http=direct(app)) as url:
        yield url, long


def test_a_plain_request_takes_the_short_way() -> None:
    with watched(App.of(V)) as (url, long):
        assert 3 == spoken(url, [GET, raw("POST", CHAT, HELLO), GET]).count(b"HTTP/1.1 200 OK")
        assert ["GET"] == long  # the last one, which closes


def test_a_request_after_a_stream_takes_it_again() -> None:
    with watched(App.of(V)) as (url, long):
        spoken(url, [GET, raw("POST", CHAT, STREAM), GET, GET])
        assert ["POST", "GET"] == long


def test_each_request_is_answered_once() -> None:
    asked: list[str] = []
    app = App.of(V)

    def noting(call: Any, answer: Any) -> Any:
        asked.append(call.operation.id)
        return answer(call)

    with watched(wrap(app, ["*"], noting)) as (url, _):
        spoken(url, [raw("POST", CHAT, STREAM), raw("POST", CHAT, HELLO), raw("POST", CHAT, STREAM)])
    assert ["chat.completions.create"] * 3 == asked


def answering(change: dict[str, Any]) -> App:
    """An app of which one operation answers in another way."""
    app = App.of(V)
    app.clock = Clock.fixed()
    return wrap(app, ["assistants.list"], lambda call, answer: evolve(answer(call), **change))


@pytest.mark.parametrize(
    "change",
    [
        {"status": 204, "chunks": ()},
        {"status": 299},
        {"headers": (("x-name", "a"),)},
        {"headers_at": 0.01},
        {"chunks": (Chunk(0.01, b"{}"),)},
        {"chunks": (Chunk(0.0, b"{"), Chunk(0.0, b"}"))},
    ],
    ids=str,
)
def test_an_answer_that_waits_or_is_framed_otherwise_is_left_to_the_server(change: dict[str, Any]) -> None:
    with running(asgi(answering(change))) as url, watched(answering(change)) as (short, long):
        assert spoken(url, [GET]) == spoken(short, [GET])
        assert ["GET", "GET"] == long  # the second one is the last one


@pytest.mark.parametrize(
    "change",
    [
        {"headers": (("content-length", "5"), ("transfer-encoding", "chunked"))},
        {"headers": (("content-length", "1"), ("x-name", "a\x00b"))},
        {"complete": False},
        {"surplus": 3},
    ],
    ids=str,
)
def test_a_broken_answer_is_left_to_the_server(change: dict[str, Any]) -> None:
    with running(asgi(answering(change))) as url, watched(answering(change)) as (short, long):
        assert _until_closed(url, GET) == _until_closed(short, GET)
        assert ["GET"] == long


def test_a_request_that_comes_before_the_end_of_a_stream_is_answered_behind_it() -> None:
    with served(short=True, settings=Settings(interval=0.02)) as url, _connected(url) as connection:
        connection.sendall(raw("POST", CHAT, STREAM))
        received = connection.recv(100)
        connection.sendall(GET)
        while b'"object":"list"' not in received:
            received += connection.recv(65_536)
    assert 2 == received.count(b"HTTP/1.1 200 OK")
    assert received.index(b"[DONE]") < received.index(b'"object":"list"')


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self.protocol, self.written, self.closed = protocol, b"", False

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def read_in(pieces: list[bytes], *, short: bool, full: bool = False) -> bytes:
    """What is written if the pieces arrive one after the other; ``full``: while the other side takes no bytes."""
    app = App.of(V)
    app.clock = Clock.fixed()
    config, state = uvicorn.Config(asgi(app), log_level="critical", access_log=False, ws="none"), ServerState()
    config.load()
    kind: Any = direct(app) if short else AutoHTTPProtocol
    protocol = kind(config, state, {}, _loop=asyncio.get_running_loop())
    wire = Wire(protocol)
    protocol.connection_made(wire)
    if full:
        protocol.pause_writing()
    for piece in pieces:
        if not wire.closed:
            protocol.data_received(piece)
        for _ in range(20):  # more turns of the loop than an answer takes
            await asyncio.sleep(0)
    if full:
        assert b"" == wire.written
        protocol.resume_writing()
        for _ in range(20):
            await asyncio.sleep(0)
    protocol.connection_lost(None)
    await asyncio.gather(*state.tasks)
    return wire.written


@st.composite
def torn(draw: st.DrawFn) -> list[bytes]:
    """Requests, some of which arrive in two pieces or together with the next one."""
    whole = [GET, raw("POST", LIST, MADE), raw("POST", CHAT, STREAM), raw("POST", LIST, GET), raw("HEAD", LIST)]
    pieces: list[bytes] = []
    for request in draw(st.lists(st.sampled_from(whole), min_size=1, max_size=4)):
        cut = draw(st.sampled_from([0, 0, 20, len(request) - 20, len(request) - 2]))
        first, *second = [request[:cut], request[cut:]] if cut else [request]
        if pieces and draw(st.booleans()):
            pieces[-1] += first
        else:
            pieces.append(first)
        pieces += second
    return pieces


@given(torn())
@example([b"GET /x HTTP/1.1\r\nx-a: ", GET])
@example([raw("POST", LIST, GET)[: -len(GET)], GET])
@example([GET, GET[:20], GET[20:], GET])
def test_pieces_are_put_together_as_the_server_does(pieces: list[bytes]) -> None:
    usual, short = (asyncio.run(read_in(pieces, short=one)) for one in (False, True))
    assert usual == short


def test_nothing_is_written_to_a_client_that_does_not_read() -> None:
    for short in (True, False):
        assert asyncio.run(read_in([GET], short=short, full=True)).startswith(b"HTTP/1.1 200 OK")


HEADS = [
    GET,
    raw("POST", CHAT, HELLO),
    raw("DELETE", LIST, b"{}", "accept:*/*", "X-A: b  c"),
    raw("PUT", "/openai/files/a%20b?x=?&y=%0a", b"x" * 40),
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A request in which some bytes are replaced, added or left out."""
    data = bytearray(draw(st.sampled_from(HEADS)))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(data) - 1))
        piece = draw(st.one_of(st.binary(max_size=2), st.sampled_from([b"\r\n", b" ", b":", b"\t", b"\r\nhost: b"])))
        data[place : place + draw(st.integers(0, 2))] = piece
    return bytes(data)


@given(damaged())
@example(GET)
@example(GET[:-2])
@example(GET + b"G")
@example(HEADS[1][:-1])
@example(HEADS[1].replace(b"Content-Length: ", b"Content-Length: 0"))
@example(HEADS[2])
@example(HEADS[3])
def test_what_is_read_is_what_h11_reads(data: bytes) -> None:
    read = plain_request(data)
    if read is None:
        return
    parser = h11.Connection(h11.SERVER)
    parser.receive_data(data)
    head, body = parser.next_event(), b""
    assert isinstance(head, h11.Request)
    while isinstance(event := parser.next_event(), h11.Data):
        body += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    fields = tuple((name.decode(), value.decode()) for name, value in head.headers)
    assert (b"1.1", b"") == (head.http_version, parser.trailing_data[0])
    assert (head.method.decode(), fields, body) == (read.method, read.headers, read.body)
    target, host = head.target.decode(), dict(fields)["host"]
    assert f"http://{host}{target.removesuffix('?') if target.count('?') == 1 else target}" == read.url


@pytest.mark.parametrize("data", HEADS, ids=range(len(HEADS)))
def test_a_plain_request_is_read(data: bytes) -> None:
    assert plain_request(data) is not None


@pytest.mark.parametrize(
    "data",
    [
        raw("GET", "/_emulator/clock"),
        raw("GET", "/%5Femulator/clock"),
        raw("GET", LIST, b"", "Connection: keep-alive"),
        raw("POST", CHAT, HELLO, "Content-Length: 48"),
        raw("GET", LIST, b"", "Host: b"),
        raw("GET", LIST).replace(b"host: 127.0.0.1\r\n", b""),
        raw("GET", LIST).replace(b"HTTP/1.1", b"HTTP/1.0"),
        raw("GET", LIST, b"", "x-a: " + "b" * 20_000),
    ],
    ids=range(8),
)
def test_what_needs_a_closer_look_is_not(data: bytes) -> None:
    assert plain_request(data) is None
