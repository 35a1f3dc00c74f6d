"""The control request distinguishes a faulty answer from a target that is down, and is counted like any other
request.
"""

from __future__ import annotations

import socket
import threading

import pytest

from conformance.settings.configuration import Budget
from conformance.target.limits import Withheld

from .conftest import Open, Serve
from .test_faults import CHAT, LIST
from .wire_server import http


def test_a_5xx_that_repeats_is_sent_three_times_and_a_control_request_tells_the_rest(
    serve: Serve, open_target: Open
) -> None:
    server = serve(lambda c, r, n: c.sendall(http({}, 500 if b"chat" in r.split(b"\r\n")[0] else 200)))
    target = open_target(server.url)
    target.control = LIST
    exchange = target.send(CHAT)
    assert (exchange.status, len(exchange.attempts), exchange.control_ok) == (500, 2, True)
    assert len(server.requests) == 4


def test_a_target_that_is_down_fails_the_control_request_too(serve: Serve, open_target: Open) -> None:
    target = open_target(serve(lambda c, r, n: c.sendall(http({}, 503))).url)
    target.control = LIST
    assert target.send(CHAT).control_ok is False


def test_a_target_that_dies_while_it_says_5xx_is_away(serve: Serve, open_target: Open) -> None:
    """What it said to a control request before it died counts no more."""
    dead = threading.Event()

    def script(c: socket.socket, r: bytes, n: int) -> None:
        if b"chat" in r.split(b"\r\n")[0]:
            c.sendall(http({}, 500)[:-1] if dead.is_set() else http({}, 500))
        elif not dead.is_set():
            c.sendall(http({}))

    target = open_target(serve(script).url)
    target.control = LIST
    assert target.send(CHAT).control_ok is True
    dead.set()
    assert target.send(CHAT).control_ok is False


def test_a_closed_connection_that_may_not_be_asked_about_is_no_evidence(serve: Serve, open_target: Open) -> None:
    """The budget ends between the request and its repetition: that it was closed once proves nothing."""
    server = serve(lambda c, r, n: None)
    target = open_target(server.url, budget=Budget(requests=1))
    target.control = LIST
    with pytest.raises(Withheld):
        target.send(CHAT)
    assert len(server.requests) == 1


def test_control_requests_count(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: None)
    target = open_target(server.url, budget=Budget(requests=6), retries=0)
    target.control = LIST
    for _ in range(3):
        assert target.send(CHAT).control_ok is False
    with pytest.raises(Withheld):
        target.send(CHAT)
    assert len(server.requests) == 6


def test_silence_is_asked_about_once_for_all_who_met_it(serve: Serve, open_target: Open) -> None:
    """Eight exchanges that wait for nothing are not followed by a control request each, one after the other."""
    server = serve(lambda c, r, n: bool(c.recv(1)))  # until the other side gives up
    target = open_target(server.url)
    target.control = LIST
    threads = [threading.Thread(target=target.send, args=(CHAT,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(b"GET" in request[:4] for request in server.requests) < 8


@pytest.mark.parametrize(("status", "control_ok"), [(500, None), (503, False)])
def test_without_a_control_request_only_a_gateway_says_that_the_target_is_down(
    serve: Serve, open_target: Open, status: int, control_ok: bool | None
) -> None:
    exchange = open_target(serve(lambda c, r, n: c.sendall(http({}, status))).url).send(CHAT)
    assert exchange.control_ok is control_ok
