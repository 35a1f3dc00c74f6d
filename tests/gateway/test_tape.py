"""What a recording upstream writes down: bytes as they arrived, in a file too, without keys."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.faults import NO_FAULT, UpstreamFault, answered_with
from conformance.emulator.recorder import recording
from conformance.emulator.server import asgi
from conformance.emulator.tape import Tape
from conformance.requests.headers import REDACTED

_KEY = "upstream-key-5d1c"
_BODY = b'{"input": "one"}'
_PATH = "/openai/deployments/text-embedding-3-small/embeddings?api-version=2024-10-21"
_HEAD = (
    f"POST {_PATH} HTTP/1.1\r\nHost: up.example\r\nX-Odd-Case: A  b\r\nApi-KEY: {_KEY}\r\n"
    f"content-type: application/json\r\nContent-Length: {len(_BODY)}\r\n\r\n"
).encode()


def _ask(url: str, data: bytes) -> bytes:
    """Send bytes on a connection of their own and read until the other side closes or the answer is whole."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as raw:
        raw.sendall(data.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        received = b""
        try:
            while piece := raw.recv(65536):
                received += piece
        except ConnectionResetError:
            pass
        return received


@pytest.fixture
def tape(tmp_path: Path) -> Iterator[Tape]:
    made = Tape(tmp_path / "tape.jsonl", (_KEY,))
    yield made
    made.close()


def test_the_header_section_is_kept_as_it_arrived_but_for_the_key(tape: Tape) -> None:
    with recording(asgi(App.of("2024-10-21", settings=Settings(key=_KEY))), tape) as url:
        assert b"200" in _ask(url, _HEAD + _BODY).split(b"\r\n")[0]
        assert tape.settled(0, 20)
    (row,) = tape.since(0)
    assert ("X-Odd-Case", "A  b") in row.request.headers
    assert f"X-Odd-Case: A  b\r\nApi-KEY: {REDACTED}\r\n".encode() in row.head
    assert _KEY.encode() not in row.head
    assert row.request.body == _BODY
    assert row.credentials == {"api-key": tape.digest(_KEY)}
    assert row.answer is not None
    assert row.answer.status == 200
    assert row.answer.json["object"] == "list"
    assert row.ended is not None
    assert row.ended >= row.at


def test_a_key_in_the_query_or_in_the_body_is_not_kept(tape: Tape, tmp_path: Path) -> None:
    """A gateway may put the key of a client wherever it likes."""
    body = json.dumps({"input": "one", "user": _KEY}).encode()
    head = _HEAD.replace(b"2024-10-21 ", f"2024-10-21&api-key={_KEY} ".encode())
    head = head.replace(f"Length: {len(_BODY)}".encode(), f"Length: {len(body)}".encode())
    with recording(asgi(App.of("2024-10-21", settings=Settings(key=_KEY))), tape) as url:
        assert b"200" in _ask(url, head + body).split(b"\r\n")[0]
        assert tape.settled(0, 20)
    (row,) = tape.since(0)
    assert row.request.url.endswith(f"&api-key={REDACTED}")
    assert {"input": "one", "user": REDACTED} == json.loads(row.request.body)
    tape.close()
    request, answer = (json.loads(line) for line in (tmp_path / "tape.jsonl").read_text("utf-8").splitlines())
    kept = (request["url"].encode(), base64.b64decode(request["head"]), base64.b64decode(answer["body"]))
    assert [False] * 3 == [_KEY.encode() in one for one in kept]


def test_the_file_has_a_line_when_a_request_begins_and_one_when_it_ends(tape: Tape, tmp_path: Path) -> None:
    with recording(asgi(App.of("2024-10-21", settings=Settings(key=_KEY))), tape) as url:
        _ask(url, _HEAD + _BODY)
        assert tape.settled(0, 20)
    tape.close()
    lines = [json.loads(line) for line in (tmp_path / "tape.jsonl").read_text("utf-8").splitlines()]
    assert ["request", "answer"] == [line["event"] for line in lines]
    assert base64.b64decode(lines[1]["body"]) == _BODY
    assert lines[1]["answer"]["status"] == 200
    assert _KEY not in (tmp_path / "tape.jsonl").read_text("utf-8")


@pytest.mark.parametrize(
    ("fault", "begins", "whole"),
    [
        (answered_with("busy", 429, "429", "wait", headers=(("retry-after", "1"),)), b"HTTP/1.1 429", True),
        (UpstreamFault("gone", reset=True), b"", True),
        (UpstreamFault("half", cut=0), b"HTTP/1.1 200", False),
        (UpstreamFault("malformed", malformed=True), b"HTTP/1.1 200", True),
    ],
    ids=lambda value: value.name if isinstance(value, UpstreamFault) else "",
)
def test_a_fault_is_met_and_named(tape: Tape, fault: UpstreamFault, begins: bytes, whole: bool) -> None:
    with recording(asgi(App.of("2024-10-21", settings=Settings(key=_KEY))), tape) as url:
        tape.expect(fault)
        answer = _ask(url, _HEAD + _BODY)
        assert tape.settled(0, 20)
        tape.expect(NO_FAULT)
        healthy = _ask(url, _HEAD + _BODY)
    assert answer.startswith(begins)
    assert (b"" == begins) is (answer == b"")
    assert healthy.startswith(b"HTTP/1.1 200")
    assert [row.injected for row in tape.since(0)] == [fault.name, ""]
    if fault.cut is not None or fault.malformed:
        body = answer.partition(b"\r\n\r\n")[2]
        with pytest.raises(json.JSONDecodeError):
            json.loads(body)
        # The last chunk of a chunked body (RFC 9112 section 7.1) says that nothing is missing.
        assert whole is answer.endswith(b"0\r\n\r\n")


def test_a_fault_of_one_request_is_met_once(tape: Tape) -> None:
    with recording(asgi(App.of("2024-10-21", settings=Settings(key=_KEY))), tape) as url:
        tape.expect(answered_with("busy once", 503, "x", "x", times=1))
        first, second = (_ask(url, _HEAD + _BODY) for _ in range(2))
    assert first.startswith(b"HTTP/1.1 503")
    assert second.startswith(b"HTTP/1.1 200")
