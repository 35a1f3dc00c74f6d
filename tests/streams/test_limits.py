"""Targets whose streams never start, never end, or send too slowly or too much: bounded time and memory, correct
verdicts.
"""

from __future__ import annotations

import socket
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from good_streams import ASK, CHAT, HELLO
from stream_stage import DATED, failed, frames, seen, spec_of, verdicts
from target.wire_server import WireServer, http

from conformance.checks.catalogue import find_check
from conformance.evidence.event_stream import MOST_LINES, stream_of
from conformance.evidence.exchange import FaultKind
from conformance.evidence.trace import Observation
from conformance.requests.case import Case, JsonBody
from conformance.settings.configuration import Config, Limits, Timeouts
from conformance.settings.configuration import Target as TargetConfig
from conformance.target.target import Target
from conformance.verdict import Outcome

IDLE, WHOLE, MOST = 0.25, 0.7, 100_000

CASE = Case(
    operation=CHAT,
    method="POST",
    path="/deployments/{deployment-id}/chat/completions",
    path_params={"deployment-id": "{deployment}"},
    body=JsonBody(ASK),
    capability="chat",
)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENTS = frames(*HELLO)

Behave = Callable[[WireServer, socket.socket], None]


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def never_starts(server: WireServer, connection: socket.socket) -> None:
    server.over.wait(10)


def headers_only(server: WireServer, connection: socket.socket) -> None:
    connection.sendall(HEAD)
    server.over.wait(10)


def left_open(server: WireServer, connection: socket.socket) -> None:
    connection.sendall(HEAD + chunked(EVENTS))
    server.over.wait(10)


def drips(server: WireServer, connection: socket.socket) -> None:
    connection.sendall(HEAD)
    while not server.over.wait(0.02):
        connection.sendall(chunked(b":"))


def beats(server: WireServer, connection: socket.socket) -> None:
    connection.sendall(HEAD + chunked(EVENTS[:200]))
    while not server.over.wait(0.02):
        connection.sendall(chunked(b": ping\n\n"))


def floods(server: WireServer, connection: socket.socket) -> None:
    connection.sendall(HEAD)
    block = chunked(b"data: " + b"x" * 65_536)
    for _ in range(16_384):  # a gigabyte, if anybody takes it
        connection.sendall(block)


def cuts(server: WireServer, connection: socket.socket) -> None:
    connection.sendall(HEAD + chunked(EVENTS[:300]))


@pytest.fixture
def ask() -> Iterator[Callable[[Behave], tuple[Target, Observation]]]:
    """Send the stream request to a server that behaves so once, and well ever after."""
    opened: list[WireServer | Target] = []

    def run(behave: Behave) -> tuple[Target, Observation]:
        def script(connection: socket.socket, request: bytes, number: int) -> None:
            if number == 1:
                behave(server, connection)
            else:
                connection.sendall(http(EVENTS, 200, "Content-Type: text/event-stream"))

        server = WireServer(script)
        limits = Timeouts(connect=2.0, read=IDLE, idle=IDLE, whole=WHOLE)
        settings = TargetConfig(
            url=server.url,
            key="canary-0b1c2d3e4f",
            timeouts=limits,
            retries=0,
            deployments={"model": frozenset({"chat"})},
        )
        target = Target(Config(target=settings, limits=Limits(answer_bytes=MOST)), spec_of(DATED))
        opened.extend((server, target))
        return target, Observation(CASE, target.send(CASE))

    yield run
    for one in reversed(opened):
        one.close()


@pytest.mark.parametrize(
    ("behave", "kind", "said"),
    [
        (never_starts, FaultKind.READ_TIMEOUT, "no answer began"),
        (headers_only, FaultKind.READ_TIMEOUT, "left open"),
        (left_open, FaultKind.READ_TIMEOUT, "although [DONE] had come"),
        (drips, FaultKind.TOTAL_TIMEOUT, "left open beyond the limit"),
        (beats, FaultKind.TOTAL_TIMEOUT, "left open beyond the limit"),
        (floods, FaultKind.TOO_LARGE, "grew beyond the size limit"),
        (cuts, FaultKind.CLOSED, "closed before the message body ended"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_stream_without_an_end_is_bounded_and_judged(
    ask: Callable[[Behave], tuple[Target, Observation]], behave: Behave, kind: FaultKind, said: str
) -> None:
    target, observed = ask(behave)
    assert observed.exchange.fault is not None
    assert kind is observed.exchange.fault.kind
    verdict = verdicts(observed)["sse.ends"]
    assert Outcome.FAIL is verdict.outcome
    assert said in verdict.findings[0].message
    following = Observation(CASE, target.send(CASE))
    assert set() == failed(following)


def test_what_came_before_the_limit_is_right_and_only_the_end_is_wrong(
    ask: Callable[[Behave], tuple[Target, Observation]],
) -> None:
    _, observed = ask(left_open)
    assert {"sse.ends"} == failed(observed)


def test_a_flood_takes_no_more_memory_than_its_limit(ask: Callable[[Behave], tuple[Target, Observation]]) -> None:
    tracemalloc.start()
    _, observed = ask(floods)
    verdicts(observed)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(observed.response.body) < MOST + 200_000
    assert most < 40_000_000


@pytest.mark.parametrize("line", [b":\n", b"\n", b"data\n\n", b"x\n"])
def test_a_flood_of_lines_is_left_unread_and_never_green(line: bytes) -> None:
    observation = seen(CHAT, ASK, line * (MOST_LINES + 70_000))
    stream = stream_of(observation.response)
    assert stream.flooded
    assert len(stream.events) + len(stream.comments) + len(stream.deviations) < MOST_LINES + 70_000
    outcome = verdicts(observation, checks=[find_check("sse.data.json")])["sse.data.json"].outcome
    assert Outcome.NOT_TESTABLE is outcome


def test_the_limits_have_the_documented_defaults() -> None:
    assert (60.0, 300.0, 64 * 1024 * 1024) == (Timeouts().idle, Timeouts().whole, Limits().answer_bytes)
