"""Where an answer ends (RFC 9112 section 6.3): what a server sends after it is counted and told by its cause.

The servers write bytes to sockets themselves, so nothing of ours decides where their messages end.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from attrs import evolve

from conformance.checks.catalogue import all_checks
from conformance.evidence.exchange import Exchange, FaultKind
from conformance.evidence.trace import Observation, Trace
from conformance.judging.judge import judge
from conformance.requests.case import Case
from conformance.settings.configuration import Limits, Timeouts
from conformance.spec.loading import load
from conformance.target.head import Head
from conformance.target.tail import Tail
from conformance.verdict import Outcome, Verdict
from reports.evidence_json import exchange_from_json, exchange_to_json

from .conftest import Open, Serve
from .test_faults import CHAT, LIST

ASKED_HEAD = evolve(LIST, method="HEAD")
JSON = b"Content-Type: application/json\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + JSON
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def verdict(case: Case, exchange: Exchange, check: str) -> Verdict:
    trace = Trace(scenario="corpus.x", observations=(Observation(case, exchange),))
    return judge(load("2024-05-01-preview"), all_checks()[check], trace)


def sent(serve: Serve, open_target: Open, case: Case, *pieces: bytes) -> Exchange:
    """The exchange with a server that sends these bytes, one piece after the other, and keeps the connection."""

    def script(connection: socket.socket, _request: bytes, _number: int) -> bool:
        for piece in pieces:
            connection.sendall(piece)
        return True

    return open_target(serve(script).url, timeouts=Timeouts(surplus=5.0)).send(case)


@pytest.mark.parametrize(
    ("case", "pieces", "cause"),
    [
        (CHAT, [OK + b"Content-Length: 2\r\n\r\n{}}}"], "bytes follow the content that Content-Length: 2 announces"),
        (CHAT, [OK + b"Content-Length: 0\r\n\r\n{}"], "bytes follow the content that Content-Length: 0 announces"),
        (CHAT, [CHUNKED + b"2\r\n{}\r\n0\r\n\r\n{}"], "bytes follow the last chunk"),
        (CHAT, [CHUNKED + b"2;a=b\r\n{}\r\n0\r\nX-T: 1\r\n\r\n\r\n"], "bytes follow the last chunk"),
        (CHAT, [b"HTTP/1.1 204 No Content\r\n\r\n{}"], "a 204 has content"),
        (CHAT, [b"HTTP/1.1 204 No Content\r\n\r\n", b"{}"], "a 204 has content"),
        (CHAT, [b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", b"{}"], "a 304 has content"),
        (ASKED_HEAD, [OK + b"Content-Length: 2\r\n\r\n", b"{}"], "the answer to HEAD has content"),
        (ASKED_HEAD, [CHUNKED, b"2\r\n{}\r\n0\r\n\r\n"], "the answer to HEAD has content"),
        (CHAT, [b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\n{}{}"], "Content-Length: 2"),
    ],
)
def test_bytes_after_an_answer_are_told_by_their_cause(
    serve: Serve, open_target: Open, case: Case, pieces: list[bytes], cause: str
) -> None:
    exchange = sent(serve, open_target, case, *pieces)
    assert exchange.fault is None
    found = verdict(case, exchange, "http.framing.nothing-after")
    assert found.outcome is Outcome.FAIL
    assert cause in found.findings[0].message
    again = exchange_from_json(exchange_to_json(exchange)).response
    assert again is not None
    assert again.surplus > 0


@pytest.mark.parametrize(
    ("case", "piece"),
    [
        (CHAT, OK + b"Content-Length: 2\r\n\r\n{}"),
        (CHAT, CHUNKED + b"2\r\n{}\r\n0\r\n\r\n"),
        (CHAT, CHUNKED + b"0002\r\n{}\r\n000\r\nTrailer: 1\r\n\r\n"),
        (CHAT, b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
        (ASKED_HEAD, OK + b"Content-Length: 2\r\n\r\n"),
        # A server that tells that it closes an idle connection (RFC 9110 section 15.5.9) has answered nothing.
        (CHAT, OK + b"Content-Length: 2\r\n\r\n{}HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"),
    ],
)
def test_a_message_that_ends_where_it_should_is_quiet(
    serve: Serve, open_target: Open, case: Case, piece: bytes
) -> None:
    def script(connection: socket.socket, _request: bytes, _number: int) -> bool:
        connection.sendall(piece)
        return False

    exchange = open_target(serve(script).url).send(case)
    assert exchange.response is not None
    assert exchange.response.surplus == 0
    assert exchange.response.complete


def test_surplus_bytes_are_not_the_next_answer(serve: Serve, open_target: Open) -> None:
    def script(connection: socket.socket, _request: bytes, number: int) -> bool:
        more = b"HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n" if number == 1 else b""
        connection.sendall(OK + b"Content-Length: 2\r\n\r\n{}" + more)
        return True

    target = open_target(serve(script).url)
    first, second = target.send(CHAT), target.send(CHAT)
    assert (200, 200) == (first.status, second.status)
    assert first.response is not None
    assert second.response is not None
    assert (True, 0) == (first.response.surplus > 0, second.response.surplus)


@pytest.mark.parametrize("keep", [True, False])
def test_a_length_that_is_too_large_is_named(serve: Serve, open_target: Open, keep: bool) -> None:
    def script(connection: socket.socket, _request: bytes, _number: int) -> bool:
        connection.sendall(OK + b"Content-Length: 20\r\n\r\n{}")
        return keep

    exchange = open_target(serve(script).url, timeouts=Timeouts(idle=0.2), retries=0).send(CHAT)
    assert exchange.fault is not None
    assert (FaultKind.READ_TIMEOUT if keep else FaultKind.CLOSED) is exchange.fault.kind
    told = verdict(CHAT, evolve(exchange, control_ok=True), "http.message.whole")
    assert told.outcome is Outcome.FAIL
    assert "Content-Length announces 20 bytes, 2 came" in told.findings[0].message


def test_a_length_beside_chunks_is_told_over_a_socket(serve: Serve, open_target: Open) -> None:
    both = OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    exchange = sent(serve, open_target, CHAT, both)
    assert verdict(CHAT, exchange, "http.framing.one-length").outcome is Outcome.FAIL
    assert verdict(CHAT, exchange, "http.framing.nothing-after").outcome is Outcome.PASS


def test_two_lengths_that_differ_are_named(serve: Serve, open_target: Open) -> None:
    exchange = sent(serve, open_target, CHAT, OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}")
    assert exchange.fault is not None
    assert FaultKind.PROTOCOL is exchange.fault.kind
    assert "Content-Length" in exchange.fault.message


@pytest.mark.parametrize(
    "message", [OK + b"Content-Length: 3\r\n\r\nabc", CHUNKED + b"3\r\nabc\r\nA;x\r\n0123456789\r\n0\r\n\r\n"]
)
def test_the_end_is_found_however_the_bytes_are_cut(message: bytes) -> None:
    def counted(data: bytes, cut: Callable[[bytes], list[bytes]]) -> int:
        head = Head(Limits(), "GET")
        for piece in cut(data):
            head.feed(piece)
        assert head.tail is not None
        return head.tail.surplus

    cuts: list[Callable[[bytes], list[bytes]]] = [
        lambda data, size=size: [data[n : n + size] for n in range(0, len(data), size)]  # type: ignore[misc] # bound now
        for size in (1, 2, 3, 7, 1000)
    ]
    for cut in cuts:
        assert counted(message, cut) == 0
        assert counted(message + b"more", cut) == 4


@pytest.mark.parametrize("digits", [20, 21, 4_301, 50_000])
def test_no_length_is_too_long_to_be_read(digits: int) -> None:
    """Python reads no number of more than 4,300 digits."""
    section = b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * digits
    tail = Tail("GET", section)
    tail.feed(b"{}")
    assert (0, False) == (tail.surplus, tail.over)
