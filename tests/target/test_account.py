"""An expired key, or requests of this run that delay each other, never count against the target."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conformance.evidence.exchange import FaultKind
from conformance.requests.case import Auth, Case, JsonBody
from conformance.settings.configuration import Timeouts
from conformance.target.credential import REFUSED_SINCE

from .conftest import KEY, Open, Serve
from .test_faults import CHAT, CREATE, LIST
from .wire_server import http

OTHER_KEY = "canary-another-5521"
EXPIRED = http({"error": {"code": "401", "message": "The token has expired."}}, 401)


def header_of(request: bytes, name: str) -> str:
    lines = request.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    return next((line.split(": ", 1)[1] for line in lines if line.lower().startswith(name + ":")), "")


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("auth", ["api-key", "bearer"])
def test_a_key_that_was_accepted_before_says_nothing_once_it_is_refused(
    serve: Serve, open_target: Open, auth: str, status: int
) -> None:
    refusal = http({"error": {"code": "x", "message": "no"}}, status)
    server = serve(lambda c, r, n: c.sendall(http({}) if n == 1 else refusal))
    target = open_target(server.url, auth=auth)
    assert "" == target.send(CHAT).outside
    assert (status, REFUSED_SINCE) == (target.send(CHAT).status, target.send(CHAT).outside)


def test_a_key_that_never_was_accepted_is_judged(serve: Serve, open_target: Open) -> None:
    """A target that refuses the right key from the first request on is no matter of the account alone."""
    server = serve(lambda c, r, n: c.sendall(EXPIRED))
    exchange = open_target(server.url).send(CHAT)
    assert (401, "", 1) == (exchange.status, exchange.outside, len(server.requests))


@pytest.mark.parametrize("auth", [Auth.NONE, Auth.WRONG])
def test_a_probe_without_the_right_key_is_judged(serve: Serve, open_target: Open, auth: Auth) -> None:
    server = serve(lambda c, r, n: c.sendall(http({}) if n == 1 else EXPIRED))
    target = open_target(server.url)
    target.send(CHAT)
    probe = Case(CHAT.operation, "POST", CHAT.path, CHAT.path_params, body=CHAT.body, auth=auth, capability="chat")
    assert (401, "") == (target.send(probe).status, target.send(probe).outside)


def test_a_new_key_in_the_file_is_read_and_the_request_repeated_once(
    serve: Serve, open_target: Open, tmp_path: Path
) -> None:
    """What was refused with the old key is answered with the new one, and neither stands in the evidence."""
    file = tmp_path / "key"
    file.write_text(OTHER_KEY + "\n", "utf-8")

    def script(c: socket.socket, request: bytes, number: int) -> None:
        good = number == 1 or header_of(request, "api-key") == OTHER_KEY
        c.sendall(http({"key": header_of(request, "api-key")}) if good else EXPIRED)

    target = open_target(serve(script).url, key_file=str(file))
    first, second = target.send(CHAT), target.send(CHAT)
    assert (200, 200, "") == (first.status, second.status, second.outside)
    assert [401] == [attempt.status for attempt in second.attempts]
    assert not any(key in repr(one) for one in (first, second) for key in (KEY, OTHER_KEY))


def test_a_file_that_is_gone_or_holds_the_same_key_changes_nothing(
    serve: Serve, open_target: Open, tmp_path: Path
) -> None:
    server = serve(lambda c, r, n: c.sendall(http({}) if n == 1 else EXPIRED))
    target = open_target(server.url, key_file=str(tmp_path / "absent"))
    target.send(CHAT)
    assert REFUSED_SINCE == target.send(CHAT).outside
    assert 2 == len(server.requests)


def test_a_control_request_never_meets_a_connection_that_its_server_is_closing(serve: Serve, open_target: Open) -> None:
    """After a 500 the server closes and doesn't say so; the next request on that connection would find it dead."""

    def script(c: socket.socket, request: bytes, number: int) -> bool:
        broken = b"/chat/" in request.split(b"\r\n")[0]
        c.sendall(http({}, 500 if broken else 200, "Connection: keep-alive"))
        return not broken

    server = serve(script)
    for _ in range(20):
        target = open_target(server.url)
        target.control = LIST
        target.send(LIST)
        exchange = target.send(CHAT)
        assert (500, True) == (exchange.status, exchange.control_ok)


class OneAtATime:
    """A server that answers what comes alone, and is silent to what comes beside something else."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.free = threading.Event()
        self.together = threading.Barrier(3, timeout=60)
        self.patient: Callable[[], None] = lambda: None

    def script(self, c: socket.socket, request: bytes, number: int) -> None:
        if number <= 3:
            self.together.wait()  # the first three are under way together
            self.patient()
        else:
            self.free.wait(60)  # the client of the one that it works on may have given up too
        if self.lock.acquire(blocking=False):
            try:
                if number <= 3:
                    self.over.wait(60)  # it works on this one until the others gave up
                c.sendall(http({"number": number}))
            finally:
                self.lock.release()
                self.free.set()
        else:
            c.recv(1)  # silence, until the client goes away
            self.over.set()


def test_what_was_silent_beside_others_is_asked_again_alone(serve: Serve, open_target: Open) -> None:
    queue = OneAtATime()
    server = serve(queue.script)
    target = open_target(server.url, timeouts=Timeouts(connect=60.0, read=2.0, idle=2.0, whole=60.0))

    def patient() -> None:
        """What is sent from now on is waited for, however busy the machine is."""
        target._transport._timeouts = Timeouts(connect=60.0, read=60.0, idle=60.0, whole=60.0)

    queue.patient = patient
    with ThreadPoolExecutor(3) as pool:
        exchanges = [future.result() for future in [pool.submit(target.send, LIST) for _ in range(3)]]
    again = [one for one in exchanges if one.attempts]
    assert again
    assert {FaultKind.READ_TIMEOUT} == {one.attempts[0].fault.kind for one in again if one.attempts[0].fault}
    assert [True] * 3 == [one.ok for one in exchanges]


def test_a_target_that_is_silent_alone_is_blamed(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: c.recv(1) and None)
    exchange = open_target(server.url).send(LIST)
    assert exchange.fault is not None
    assert (FaultKind.READ_TIMEOUT, "", 1) == (exchange.fault.kind, exchange.outside, len(server.requests))


def test_what_may_have_changed_something_is_not_sent_again_after_silence_beside_others(
    serve: Serve, open_target: Open
) -> None:
    """Two creations at the same time, both without an answer: each was sent once and says nothing."""
    both = threading.Barrier(2, timeout=60)

    def script(c: socket.socket, request: bytes, number: int) -> None:
        both.wait()
        c.recv(1)

    server = serve(script)
    target = open_target(server.url)
    cases = [
        Case(CREATE.operation, "POST", CREATE.path, body=JsonBody({"model": "{deployment}", "name": name}))
        for name in "ab"
    ]
    with ThreadPoolExecutor(2) as pool:
        exchanges = [future.result() for future in [pool.submit(target.send, case) for case in cases]]
    assert 2 == len(server.requests)
    assert [True, True] == ["not sent again" in one.outside for one in exchanges]
