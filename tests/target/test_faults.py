"""Faulty servers: each leads to a fault of the right kind with everything that was received, within the time limit."""

from __future__ import annotations

import gzip
import socket
import threading
import time

import pytest
from attrs import evolve
from served import nobody

from conformance.errors import GuardError
from conformance.evidence.exchange import Exchange, FaultKind
from conformance.requests.case import Case, JsonBody

from .conftest import KEY, Open, Serve
from .wire_server import http

CHAT = Case(
    operation="chat.completions.create",
    method="POST",
    path="/deployments/{deployment-id}/chat/completions",
    path_params={"deployment-id": "{deployment}"},
    body=JsonBody({"messages": [{"role": "user", "content": "Hello {run}"}]}),
    capability="chat",
)
CREATE = Case(
    operation="assistants.create", method="POST", path="/assistants", body=JsonBody({"model": "{deployment}"})
)
LIST = Case(operation="assistants.list", method="GET", path="/assistants")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def kind(exchange: Exchange) -> FaultKind | None:
    return exchange.fault.kind if exchange.fault else None


def test_a_whole_answer_keeps_its_bytes_headers_and_times(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: c.sendall(http({"ok": True}, 200, "X-Twice: 1", "x-twice: 2")))
    exchange = open_target(server.url).send(CHAT)
    assert exchange.response is not None
    assert exchange.response.body == b'{"ok": true}'
    assert [v for k, v in exchange.response.headers if k.lower() == "x-twice"] == ["1", "2"]
    assert exchange.response.complete
    assert 0 < exchange.response.headers_at <= exchange.response.chunks[0].at <= exchange.response.elapsed


def test_a_request_asks_for_plain_bytes_and_carries_what_it_should(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: c.sendall(http({})))
    target = open_target(server.url, headers={"x-extra": "yes"})
    target.send(CHAT)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "post /openai/deployments/model/chat/completions?api-version=2024-05-01-preview http/1.1"
    assert {"accept-encoding: identity", f"api-key: {KEY}", "x-extra: yes"} <= set(lines)
    assert f"Hello {target.run_id}".encode() in body


def test_gzip_is_kept_as_it_came(serve: Serve, open_target: Open) -> None:
    packed = gzip.compress(b'{"a": 1}')
    server = serve(lambda c, r, n: c.sendall(http(packed, 200, "Content-Encoding: gzip")))
    exchange = open_target(server.url).send(CHAT)
    assert exchange.response is not None
    assert exchange.response.body == packed


def test_redirects_are_not_followed(serve: Serve, open_target: Open) -> None:
    elsewhere = serve(lambda c, r, n: c.sendall(http({})))
    server = serve(lambda c, r, n: c.sendall(http({}, 307, f"Location: {elsewhere.url}/steal")))
    exchange = open_target(server.url).send(CHAT)
    assert exchange.status == 307
    assert elsewhere.requests == []


def test_chunks_keep_their_borders_and_times(serve: Serve, open_target: Open) -> None:
    def drip(c: socket.socket, r: bytes, n: int) -> None:
        c.sendall(HEAD + b"5\r\ndata:\r\n")
        time.sleep(0.05)
        c.sendall(b"4\r\n a\n\n\r\n0\r\n\r\n")

    exchange = open_target(serve(drip).url).send(CHAT)
    assert exchange.response is not None
    assert exchange.response.complete
    assert [chunk.data for chunk in exchange.response.chunks] == [b"data:", b" a\n\n"]
    assert exchange.response.chunks[1].at - exchange.response.chunks[0].at > 0.03


def test_a_cut_chunked_body_is_closed_and_keeps_what_came(serve: Serve, open_target: Open) -> None:
    exchange = open_target(serve(lambda c, r, n: c.sendall(HEAD + b"5\r\ndata:\r\n")).url).send(CHAT)
    assert exchange.response is not None
    assert kind(exchange) is FaultKind.CLOSED
    assert exchange.response.body == b"data:"
    assert not exchange.response.complete


def test_a_body_shorter_than_its_length_is_closed(serve: Serve, open_target: Open) -> None:
    answer = http({"long": "enough"})[:-4]
    exchange = open_target(serve(lambda c, r, n: c.sendall(answer)).url).send(CHAT)
    assert kind(exchange) is FaultKind.CLOSED
    assert exchange.status == 200


@pytest.mark.parametrize("alive", [True, False])
def test_an_answer_that_broke_off_is_judged_by_what_the_target_says_afterwards(
    serve: Serve, open_target: Open, alive: bool
) -> None:
    """A target that cuts each answer is broken; one from which nothing comes any more is away."""
    cut = HEAD + b"5\r\ndata:\r\n"
    server = serve(lambda c, r, n: c.sendall(cut) if alive or b"GET /openai/assistants" not in r else None)
    target = open_target(server.url)
    target.control = LIST
    exchange = target.send(CHAT)
    assert (kind(exchange), exchange.control_ok) == (FaultKind.CLOSED, alive)
    assert exchange.unreached is not alive


def test_a_connection_closed_once_is_no_verdict(serve: Serve, open_target: Open) -> None:
    cut = HEAD + b"5\r\ndata:\r\n"
    server = serve(lambda c, r, n: c.sendall(cut if n < 3 else http({})))
    exchange = open_target(server.url).send(CHAT)
    assert exchange.ok
    assert [kind(attempt) for attempt in exchange.attempts] == [FaultKind.CLOSED] * 2


def test_a_closed_connection_repeats_no_creation(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: None)
    assert kind(open_target(server.url).send(CREATE)) is FaultKind.CLOSED
    assert len(server.requests) == 1


def test_what_is_not_http_is_a_protocol_fault_that_shows_it(serve: Serve, open_target: Open) -> None:
    exchange = open_target(serve(lambda c, r, n: c.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")).url).send(CHAT)
    assert kind(exchange) is FaultKind.PROTOCOL
    assert exchange.fault is not None
    assert "SSH-2.0" in exchange.fault.message
    assert exchange.response is None


def test_a_bad_chunk_size_is_a_protocol_fault(serve: Serve, open_target: Open) -> None:
    exchange = open_target(serve(lambda c, r, n: c.sendall(HEAD + b"zz\r\n")).url).send(CHAT)
    assert kind(exchange) is FaultKind.PROTOCOL
    assert exchange.status == 200


def test_silence_ends_with_a_read_timeout(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: server.over.wait(60) and None)
    assert kind(open_target(server.url).send(CHAT)) is FaultKind.READ_TIMEOUT


def test_a_stall_within_a_stream_keeps_what_came(serve: Serve, open_target: Open) -> None:
    def stall(c: socket.socket, r: bytes, n: int) -> None:
        c.sendall(HEAD + b"5\r\ndata:\r\n")
        server.over.wait(60)

    server = serve(stall)
    exchange = open_target(server.url).send(CHAT)
    assert exchange.response is not None
    assert kind(exchange) is FaultKind.READ_TIMEOUT
    assert exchange.response.body == b"data:"


@pytest.mark.parametrize("start", [HEAD, b"HTTP/1.1 200 OK\r\n"], ids=["body", "headers"])
def test_what_never_ends_is_ended_by_the_whole_timeout(serve: Serve, open_target: Open, start: bytes) -> None:
    piece = b"1\r\nx\r\n" if start is HEAD else b"x-a: b\r\n"

    def endless(c: socket.socket, r: bytes, n: int) -> None:
        c.sendall(start)
        while not server.over.wait(0.05):
            c.sendall(piece)

    server = serve(endless)
    exchange = open_target(server.url).send(CHAT)
    assert kind(exchange) is FaultKind.TOTAL_TIMEOUT


def test_a_body_over_the_limit_is_left(serve: Serve, open_target: Open) -> None:
    exchange = open_target(serve(lambda c, r, n: c.sendall(http(b"x" * 200_000))).url).send(CHAT)
    assert exchange.response is not None
    assert kind(exchange) is FaultKind.TOO_LARGE
    assert 0 < len(exchange.response.body) < 200_000


def test_no_listener_is_a_connect_fault(open_target: Open) -> None:
    with nobody() as url:
        exchange = open_target(url).send(CHAT)
    assert kind(exchange) is FaultKind.CONNECT
    assert len(exchange.attempts) == 3


def test_an_unknown_name_is_a_dns_fault(open_target: Open) -> None:
    exchange = open_target("https://no-such-host.invalid", retries=0).send(CHAT)
    assert kind(exchange) is FaultKind.DNS


def test_no_tls_where_it_is_expected_is_a_tls_fault(open_target: Open) -> None:
    plain = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = plain.accept()
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.close()

    thread = threading.Thread(target=answer)
    thread.start()
    exchange = open_target(f"https://127.0.0.1:{plain.getsockname()[1]}", retries=0).send(CHAT)
    thread.join()
    plain.close()
    assert kind(exchange) is FaultKind.TLS


def test_the_connection_is_kept(serve: Serve, open_target: Open) -> None:
    seen: set[object] = set()

    def keep(c: socket.socket, r: bytes, n: int) -> bool:
        seen.add(c.getpeername())
        c.sendall(http({}, 200, "Connection: keep-alive"))
        return True

    target = open_target(serve(keep).url)
    for _ in range(5):
        target.send(CHAT)
    assert len(seen) == 1


def test_cancel_after_leaves_the_stream_and_the_next_case_works(serve: Serve, open_target: Open) -> None:
    def stream(c: socket.socket, r: bytes, n: int) -> bool:
        c.sendall(HEAD + b"5\r\ndata:\r\n" if n == 1 else http({}))
        return not server.over.wait(0.0)

    server = serve(stream)
    target = open_target(server.url)
    left = target.send(evolve(CHAT, cancel_after=3))
    assert left.response is not None
    assert left.fault is None
    assert not left.response.complete
    assert target.send(CHAT).ok


def test_dot_segments_and_escapes_go_out_as_they_are(serve: Serve, open_target: Open) -> None:
    server = serve(lambda c, r, n: c.sendall(http({}, 404)))
    case = Case(
        operation="assistants.get",
        method="GET",
        path="/assistants/{assistant_id}",
        path_params={"assistant_id": "../x/%"},
    )
    open_target(server.url).send(case)
    assert server.requests[0].startswith(b"GET /openai/assistants/..%2Fx%2F%25?")


def test_a_path_that_leaves_the_origin_is_refused(open_target: Open) -> None:
    case = Case(operation="x", method="GET", path="@elsewhere.example/steal")
    with pytest.raises(GuardError, match="instead of"):
        open_target("http://127.0.0.1:1", base_path="").send(case)
