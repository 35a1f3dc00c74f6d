"""What one answer may hold and how long it may take: a target that sends more is cut off, and nothing is lost by it."""

from __future__ import annotations

import gzip
import hashlib
import socket
import threading
import time
from typing import Any

import pytest

from conformance.evidence.exchange import Exchange, FaultKind
from conformance.requests.case import Case, JsonBody
from conformance.settings.configuration import Budget, Limits, Timeouts
from conformance.target import silence
from conformance.target.limits import Allowance, Withheld
from conformance.verdict import Outcome

from .conftest import KEY, Open, Serve
from .wire_server import Script, http

CHAT = Case(
    operation="chat.completions.create",
    method="POST",
    path="/deployments/{deployment-id}/chat/completions",
    path_params={"deployment-id": "{deployment}"},
    body=JsonBody({"messages": []}),
    capability="chat",
)
LIST = Case(operation="assistants.list", method="GET", path="/assistants")

SMALL = Limits(header_bytes=2_000, headers=20, interim_answers=3, answer_bytes=50_000, events=10, kept_bytes=9_000)

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def sends(*pieces: bytes) -> Script:
    def script(connection: socket.socket, request: bytes, number: int) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return script


def kind(exchange: Exchange) -> FaultKind | None:
    return exchange.fault.kind if exchange.fault else None


@pytest.mark.parametrize(
    ("pieces", "limit"),
    [
        ((b"HTTP/1.1 200 OK\r\nX-Long: ", b"a" * 3_000), "header_bytes"),
        ((b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 3_000 + b"\r\nContent-Length: 0\r\n\r\n",), "header_bytes"),
        ((b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 21 + b"Content-Length: 0\r\n\r\n",), "headers"),
        ((INTERIM * 4 + http(b"{}"),), "interim_answers"),
        ((INTERIM[:20], INTERIM[20:] + INTERIM, INTERIM * 2), "interim_answers"),
        ((http(b"a" * 50_001),), "answer_bytes"),
        ((STREAM + chunked(b"data: 1\n\n" * 11),), "events"),
        ((STREAM, *[chunked(b"data: 1\r\n\r\n")] * 11), "events"),
        ((STREAM, *[chunked(b"data: 1\n") + chunked(b"\n")] * 11), "events"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_answer_beyond_a_limit_is_cut_off(
    serve: Serve, open_target: Open, pieces: tuple[bytes, ...], limit: str
) -> None:
    exchange = open_target(serve(sends(*pieces)).url, limits=SMALL).send(CHAT)
    assert FaultKind.TOO_LARGE is kind(exchange)
    assert exchange.fault is not None
    assert f"limits.{limit})" in exchange.fault.message


@pytest.mark.parametrize(
    "pieces",
    [
        (INTERIM * 3 + http(b"{}"),),
        (b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 19 + b"Content-Length: 2\r\n\r\n{}",),
        (STREAM + chunked(b"data: 1\n\n" * 10) + b"0\r\n\r\n",),
        (http(b"a" * 50_000),),
    ],
)
def test_an_answer_at_its_limits_is_whole(serve: Serve, open_target: Open, pieces: tuple[bytes, ...]) -> None:
    exchange = open_target(serve(sends(*pieces)).url, limits=SMALL).send(CHAT)
    assert (None, 200) == (exchange.fault, exchange.status)


def test_a_long_answer_is_read_to_its_end_and_known_by_its_digest(serve: Serve, open_target: Open) -> None:
    body = b"[" + b"1," * 10_000 + b"1]"
    exchange = open_target(serve(sends(http(body))).url, limits=SMALL).send(CHAT)
    assert exchange.response is not None
    told = exchange.response.shortened
    assert told is not None
    assert (None, True, len(body)) == (exchange.fault, exchange.response.complete, told.size)
    assert hashlib.sha256(body).hexdigest() == told.sha256
    assert len(exchange.response.body) < 9_000


def test_the_run_keeps_large_answers_as_long_as_there_is_room(serve: Serve, open_target: Open) -> None:
    """Small ones are kept in any case."""
    target = open_target(
        serve(sends(http(b"a" * 10_000))).url, limits=Limits(answer_bytes=50_000, evidence_bytes=25_000)
    )
    whole = [
        exchange.response.shortened is None for exchange in (target.send(CHAT) for _ in range(3)) if exchange.response
    ]
    assert [True, True, False] == whole


def test_a_key_at_the_edge_of_what_is_kept_leaves_no_piece(serve: Serve, open_target: Open) -> None:
    def echo(connection: socket.socket, request: bytes, number: int) -> None:
        key = next(line.split(b": ")[1] for line in request.split(b"\r\n") if line.lower().startswith(b"api-key"))
        connection.sendall(http(key * 1_000))

    target = open_target(serve(echo).url, limits=SMALL)
    exchange = target.send(CHAT)
    assert exchange.response is not None
    assert exchange.response.shortened is not None
    for half in (KEY[:4], KEY[-4:]):
        assert half.encode() not in exchange.response.body


def test_a_request_that_is_read_slowly_ends_with_the_exchange(serve: Serve, open_target: Open) -> None:
    """The deadline holds while a request is sent, although each piece is taken in time."""
    over = threading.Event()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    listener.bind(("127.0.0.1", 0))
    listener.listen()

    def sip() -> None:
        connection, _ = listener.accept()
        with connection:
            while not over.wait(0.05):
                if not connection.recv(1_000):
                    return

    threading.Thread(target=sip, daemon=True).start()
    target = open_target(f"http://127.0.0.1:{listener.getsockname()[1]}", timeouts=Timeouts(2.0, 1.0, 1.0, 1.0))
    big = Case(**{**_fields(CHAT), "body": JsonBody({"text": "a" * 30_000_000})})
    exchange = target.send(big)
    over.set()
    listener.close()
    assert FaultKind.TOTAL_TIMEOUT is kind(exchange)


def _fields(case: Case) -> dict[str, Any]:
    names = ("operation", "method", "path", "path_params", "capability")
    return {name: getattr(case, name) for name in names}


def test_after_the_time_of_the_run_nothing_is_sent(serve: Serve, open_target: Open) -> None:
    server = serve(sends(http(b"{}")))
    allowance = Allowance(Budget(wall_seconds=5), until=time.monotonic())
    target = open_target(server.url, allowance=allowance)
    with pytest.raises(Withheld, match="the 5 seconds of the run are over") as told:
        target.send(CHAT)
    assert (Outcome.INCONCLUSIVE, True, []) == (told.value.outcome, told.value.final, server.requests)


def test_an_exchange_ends_with_the_time_of_the_run(serve: Serve, open_target: Open) -> None:
    """It says nothing about the target then."""
    over = threading.Event()
    server = serve(lambda connection, request, number: over.wait(60) and None)
    allowance = Allowance(Budget(wall_seconds=0.3), until=time.monotonic() + 0.3)
    target = open_target(server.url, allowance=allowance, timeouts=Timeouts(5.0, 20.0, 20.0, 20.0))
    exchange = target.send(CHAT)
    over.set()
    assert (FaultKind.CANCELLED, True) == (kind(exchange), exchange.unreached)


def test_what_was_created_is_removed_after_the_time_of_the_run(serve: Serve, open_target: Open) -> None:
    server = serve(sends(http(b"{}")))
    target = open_target(server.url, allowance=Allowance(Budget(wall_seconds=5), until=time.monotonic() + 60))
    target.resume()
    assert float("inf") == target._transport.until


def test_a_silent_route_is_not_waited_for_again(serve: Serve, open_target: Open) -> None:
    """After some silent answers the rest of the route is withheld; others go on."""
    over = threading.Event()

    def script(connection: socket.socket, request: bytes, number: int) -> bool | None:
        if b"/chat/" in request:
            return over.wait(60) and None
        connection.sendall(http(b"{}"))
        return None

    server = serve(script)
    target = open_target(server.url, timeouts=Timeouts(5.0, 0.4, 0.4, 20.0))
    target.control = LIST
    assert [FaultKind.READ_TIMEOUT] * silence.ROUTE == [kind(target.send(CHAT)) for _ in range(silence.ROUTE)]
    with pytest.raises(Withheld, match=r"3 answers of chat\.completions\.create in a row") as told:
        target.send(CHAT)
    assert (Outcome.UNAVAILABLE, False) == (told.value.outcome, told.value.final)
    assert 200 == target.send(LIST).status
    over.set()


def test_a_silent_target_is_given_up(serve: Serve, open_target: Open) -> None:
    over = threading.Event()
    server = serve(lambda connection, request, number: over.wait(60) and None)
    target = open_target(server.url, timeouts=Timeouts(5.0, 0.05, 0.05, 20.0))
    cases = [Case(operation=f"thing.{number}", method="GET", path="/assistants") for number in range(silence.TARGET)]
    for case in cases:
        target.send(case)
    with pytest.raises(Withheld, match="the last 12 answers of the target") as told:
        target.send(LIST)
    assert (Outcome.UNAVAILABLE, True) == (told.value.outcome, told.value.final)
    over.set()


def test_an_answer_in_between_resets_the_count(serve: Serve, open_target: Open) -> None:
    over = threading.Event()

    def script(connection: socket.socket, request: bytes, number: int) -> bool | None:
        if number % 3:
            return over.wait(60) and None
        connection.sendall(http(b"{}"))
        return None

    target = open_target(serve(script).url, timeouts=Timeouts(5.0, 0.4, 0.4, 20.0))
    assert [True, True, False] * 2 + [True] == [kind(target.send(LIST)) is not None for _ in range(7)]
    over.set()


@pytest.mark.parametrize(
    ("body", "media", "why"),
    [
        (b"[" * 101 + b"]" * 101, "application/json", "nested more than 100 levels"),
        (b'data: {"a":' + b"[" * 101 + b"]" * 101 + b"}\n\n", "text/event-stream", "nested more than 100 levels"),
        (b"[" * 100 + b"]" * 100, "application/json", ""),
        (b"[" * 9_000, "audio/mpeg\r\nX-Not: json", "nested more than 100 levels"),
        (b"ID3" + b"[" * 9_000, "audio/mpeg", ""),
        (b":\n" * 150_001, "text/event-stream", "more than 150000 lines"),
        (b"[" + b"[]," * 1_000_000 + b"1]", "application/json", "take too much memory"),
    ],
)
def test_what_could_not_be_judged_within_our_means_is_marked(
    serve: Serve, open_target: Open, body: bytes, media: str, why: str
) -> None:
    server = serve(sends(http(body, 200, f"Content-Type: {media}")))
    exchange = open_target(server.url, limits=Limits()).send(CHAT)
    assert exchange.response is not None
    told = exchange.response.shortened
    assert why in (told.reason if told else "")
    assert bool(why) == bool(told)


def test_what_was_not_read_to_its_end_is_not_kept(serve: Serve, open_target: Open) -> None:
    exchange = open_target(serve(sends(http(b"a" * 60_000))).url, limits=SMALL).send(CHAT)
    assert exchange.response is not None
    assert exchange.response.shortened is not None
    assert len(exchange.response.body) < 9_000


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"[" * 200 + b"]" * 200, "application/json"),
        (b"[" + b",".join([b"{}"] * 450_000) + b"]", "application/json"),
        (b"\r\n" * 1_500_000, "text/event-stream"),
        (b" " * 5_000_000, "application/json"),
    ],
    ids=["deep", "many values", "many lines", "long"],
)
def test_limits_hold_for_what_comes_out_of_a_coding(
    serve: Serve, open_target: Open, content: bytes, media_type: str
) -> None:
    """A few kilobytes of gzip may stand for more than can be judged."""
    body = gzip.compress(content)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Encoding: gzip\r\n"
    answer = head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body
    exchange = open_target(serve(lambda c, r, n: c.sendall(answer)).url).send(CHAT)
    assert exchange.response is not None
    assert exchange.response.shortened is not None
