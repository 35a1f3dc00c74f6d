"""A printed curl line sends what the run sent: the same request line, header fields in the same order, and content."""

from __future__ import annotations

import os
import random
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from raw_server import RawServer, raw_server
from whole_run import KEY, TOKENS, report_of

from conformance._parts import part
from conformance.cli import main
from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.timeline import escaped, visible
from conformance.evidence.trace import Observation, Trace
from conformance.requests.case import Auth, Case, Multipart, Part, RawBody
from conformance.requests.request import Request
from conformance.requests.wire import encode_body

curl = part("reports.curl").curl
content_of = part("reports.curl").content_of
jsonl = part("reports.jsonl")
failure = part("reports.failure")

VERSION = "2025-01-01-preview"

#: JSON, streams, and forms with files.
SCENARIOS = ("corpus.audio.*", "corpus.chat.*", "corpus.files.*", "corpus.images.*", "corpus.models.*")

#: The value of a configured header.
GATEWAY = "canary-of-a-gateway-7"


def executed(lines: list[str], server: RawServer, **more: str) -> list[bytes]:
    """What arrives if bash runs these lines one after the other."""
    begin = len(server.received)
    script = "set -e\n" + "".join(f"{{ {line} ; }} >/dev/null\n" for line in lines)
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "AOAI_TARGET": server.url, **more}
    done = subprocess.run(  # the same program that a reader would use
        ["bash", "-s"], input=script.encode(), capture_output=True, timeout=300, env=environment, check=False
    )
    assert (0, b"") == (done.returncode, done.stderr)
    return server.received[begin:]


def bytes_of(request: Request, hidden: Mapping[str, str]) -> bytes:
    """A recorded request as bytes, with values in place of those that are hidden."""
    rest = request.url.partition("://")[2]
    authority, slash, target = rest.partition("/")
    fields = [("host", authority)]
    fields += [(n, v if "[" not in v else hidden[n]) for n, v in request.headers]
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        fields.append(("content-length", str(len(request.body))))
    head = "\r\n".join([f"{request.method} {slash}{target} HTTP/1.1", *(f"{n}: {v}" for n, v in fields)])
    return head.encode() + b"\r\n\r\n" + request.body


def same(raw: bytes) -> bytes:
    """A request with its host in the same letters: curl writes ``Host``, and names of fields have no case."""
    return raw.replace(b"\r\nHost: ", b"\r\nhost: ", 1).replace(b"\r\nContent-Length: ", b"\r\ncontent-length: ", 1)


def broken(request: Request) -> Response:
    """Nothing that anybody asked for."""
    return Response(418, (("content-type", "text/plain"),), (), reason="Teapot")


def careless() -> Callable[[Request], Response]:
    """The emulator, but each time of a creation is wrong, so that rules fail in every operation that creates."""
    app = App.of(VERSION, settings=Settings(key=KEY))

    def answered(request: Request) -> Response:
        answer = app.handle(request)
        return answer.with_json({**answer.json, "created_at": "now"}) if "created_at" in (answer.json or ()) else answer

    return answered


def printed(report: Any, program: str) -> Iterator[tuple[str, Request]]:
    """The lines for this program that a report prints, each with the request that it names."""
    checks, target = report.header["checks"], report.header["target"]
    for verdict in report.verdicts:
        trace = report.traces[verdict.evidence]
        for line in failure.explain(verdict, trace, checks, run_dir="out", auth=target["auth"]):
            command = line.removeprefix("  again     ")
            if command != line and command.startswith(("printf ", program)):
                found = failure.witness(verdict, trace)
                assert found is not None
                assert found[1] is not None
                yield command, found[1].exchange.request


def test_every_line_of_a_run_against_a_broken_server_sends_the_recorded_request(tmp_path: Path) -> None:
    with raw_server(broken) as server:
        report = report_of(tmp_path, server.url, VERSION, *SCENARIOS)
        sent = [*server.received]
        lines = [*printed(report, "curl ")]
        assert any("multipart" in line for line, _ in lines)
        came = executed([line for line, _ in lines], server, AZURE_OPENAI_API_KEY=KEY)
    expected = [bytes_of(request, {"api-key": KEY}) for _, request in lines]
    assert expected == [same(raw) for raw in came]
    assert set(expected) <= set(sent)


@pytest.mark.prove
def test_every_request_of_a_whole_version_can_be_sent_again(tmp_path: Path) -> None:
    """At a broken emulator. What no line can send names objects of the run, or is hidden."""
    program = f'aoai-conformance() {{ {shlex.quote(sys.executable)} -m conformance "$@"; }}'
    with raw_server(careless()) as server:
        report = report_of(tmp_path, server.url, VERSION)
        sent = {*server.received}
        folder = str(tmp_path / "out" / VERSION)
        every = [(trace.scenario, seen) for trace in report.traces.values() for seen in trace]
        pairs = [(curl(seen, content=content_of(seen.case.id, name, folder)), seen) for name, seen in every]
        lines = [(line, seen) for line, seen in pairs if line is not None]
        came = executed(
            [program, *(line for line, _ in lines)],
            server,
            AZURE_OPENAI_API_KEY=KEY,
            PYTHONPATH=os.pathsep.join(sys.path),
        )
    assert len(lines) > 400
    assert any("--content" in line for line, _ in lines)
    assert all(seen.case.bindings or "[redacted]" in seen.exchange.request.url for line, seen in pairs if line is None)
    for raw, (line, seen) in zip(came, lines, strict=True):
        expected = bytes_of(seen.exchange.request, {"api-key": "0" * 32 if seen.case.auth is Auth.WRONG else KEY})
        assert expected == same(raw), line
        assert expected in sent


@pytest.mark.parametrize(
    ("auth", "field", "key"),
    [("api-key", "api-key", KEY), ("bearer", "authorization", f"Bearer {TOKENS[0]}"), ("none", "", "")],
)
def test_every_request_of_a_run_can_be_sent_again(auth: str, field: str, key: str, tmp_path: Path) -> None:
    """Wrong keys, missing keys, heads, uploads and a configured header are among them."""
    app = App.of(VERSION, settings=Settings(key=KEY, tokens=TOKENS))
    token = tmp_path / "token"
    token.write_text(TOKENS[0] if auth == "bearer" else KEY)
    more = f'live = false\nauth = "{auth}"\nkey_file = "{token}"\nheaders = {{ "x-gateway-key" = "{GATEWAY}" }}'

    def gateway(request: Request) -> Response:
        """It knows the key itself if clients have none."""
        return app.handle(evolve(request, headers=(*request.headers, ("api-key", KEY))) if auth == "none" else request)

    with raw_server(gateway) as server:
        report = report_of(tmp_path, server.url, VERSION, *SCENARIOS, profile="smoke", more=more)
        sent = {*server.received}
        every = [seen for trace in report.traces.values() for seen in trace]
        lines = [(line, seen) for seen in every if (line := curl(seen, auth=auth)) is not None]
        came = executed(
            [line for line, _ in lines],
            server,
            AZURE_OPENAI_API_KEY=key.removeprefix("Bearer "),
            AOAI_HEADER_X_GATEWAY_KEY=GATEWAY,
        )
    wrong = key and (key.partition(" ")[0] + " " if auth == "bearer" else "") + "0" * 32
    for raw, (line, seen) in zip(came, lines, strict=True):
        used = wrong if seen.case.auth is Auth.WRONG else key
        expected = bytes_of(seen.exchange.request, {field: used, "x-gateway-key": GATEWAY})
        assert expected == same(raw), line
        assert expected in sent
    if auth != "none":
        assert {Auth.VALID, Auth.WRONG, Auth.NONE} == {seen.case.auth for _, seen in lines}


#: Ids that a server makes up.
MADE_UP = re.compile(rb"(?<=[/-])[A-Za-z0-9_]{16,}")


def test_every_replay_line_sends_the_recorded_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """But for ids that the server makes up, and the boundary between what is made and what is read."""
    with raw_server(careless()) as server:
        report = report_of(tmp_path, server.url, VERSION, "lifecycle.files*", "lifecycle.assistants*")
        shown = dict(printed(report, "aoai-conformance "))
        assert len(shown) > 1
        for line, request in shown.items():
            begin = len(server.received)
            words = shlex.split(line.replace("--run out", f"--run {tmp_path / 'out'}"))
            assert 1 == main([*words[1:], "--config", str(tmp_path / "conformance.toml")])
            came = {MADE_UP.sub(b"ID", same(raw)) for raw in server.received[begin:]}
            assert MADE_UP.sub(b"ID", bytes_of(request, {"api-key": KEY})) in came
    assert "fail" in capsys.readouterr().out


BODIES = {
    "every byte": bytes(range(256)),
    "NUL in text": b'{"a":"\\u0000"}\x00tail',
    "terminal": b'{"a":"\x1b[31mred\x07\r\x7f"}',
    "directions": '{"a":"\u202egnp.exe\u2069 \u0085"}'.encode(),
    "half a pair": '{"a":"\ud800"}'.encode("utf-8", "surrogatepass"),
    "quotes": b'it\'s "$HOME" `id` $(id) \\ \\n %s %% ! \\101',
    "a file name": b"@/etc/hostname",
    "lines": b"\r\n\r\na\n\tb\n",
    "other scripts": "π ≈ 3,14 中文 🙂".encode(),
    "nothing": b"",
    "long": b"x" * 2_000,
    "form": encode_body(Multipart((Part("file", b"\0\xff%\\'\n", "a'b.bin", "audio/wav"),)), {})[0],
}


@pytest.mark.parametrize("method", ["POST", "DELETE", "GET"])
def test_every_content_arrives_as_it_was(method: str) -> None:
    with raw_server(broken) as server:
        cases = [
            Observation(
                Case(operation="o", method=method, path="/p", body=RawBody(body, "")),
                Exchange(Request(method, f"{server.url}/p/%2E%2E/../a[1]{{x}}?q='%00&r=*", (("x-empty", ""),), body)),
            )
            for body in BODIES.values()
        ]
        lines = [curl(seen) for seen in cases]
        # What a report or a terminal would change in the line is not in it.
        assert lines == [visible(escaped(line)) for line in lines]
        came = executed(lines, server)
    expected = [bytes_of(seen.exchange.request, {}) for seen in cases]
    assert expected == [same(raw).replace(b"x-empty:\r", b"x-empty: \r") for raw in came]


def test_a_long_content_is_read_from_the_report(tmp_path: Path) -> None:
    """Longer than an argument of a program can be, with bytes that no terminal shows, packed or not."""
    long = [b"\0\xff line\r\n" * 30_000, random.Random(1).randbytes(3_000), "π".encode() * 1_001]
    program = f'aoai-conformance() {{ {shlex.quote(sys.executable)} -m conformance "$@"; }}'
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    folder = tmp_path / "a run"
    folder.mkdir()
    with raw_server(broken) as server:
        seen = [
            Observation(
                Case(operation="o", method="POST", path="/p", body=RawBody(body, "")),
                Exchange(Request("POST", f"{server.url}/p", (("content-type", "text/x"),), body)),
            )
            for body in long
        ]
        # The same case with another content, as each scenario marks what it creates.
        other = Observation(seen[0].case, Exchange(Request("POST", f"{server.url}/p", (), b"another")))
        traces = [Trace("corpus.a", (other,)), Trace("corpus.b", tuple(seen))]
        jsonl.write(folder / jsonl.NAME, {"api_version": "v"}, traces, [], {})
        lines = [curl(one, content=content_of(one.case.id, "corpus.b", str(folder))) for one in seen]
        came = executed([program, *lines], server, **path)
    assert [bytes_of(one.exchange.request, {}) for one in seen] == [same(raw) for raw in came]
    assert all(len(line) < 600 for line in lines)


def test_no_line_is_printed_that_would_send_something_else() -> None:
    """A hidden secret, or too much for a line."""
    for url, body in (
        ("/p", b'{"key":"[redacted]"}'),
        ("/p?k=[hidden]", b""),
        ("/p?sig=redacted", b""),
        ("/p", b"x" * 2_001),
        ("/p q", b""),
    ):
        request = Request("POST", f"http://h{url}", (), body)
        assert curl(Observation(Case(operation="o", method="POST", path="/p"), Exchange(request))) is None
