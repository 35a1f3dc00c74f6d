"""``via`` as its users call it: through real gateways, with declared changes, and at targets that say nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.gateways import free_port, nginx
from conformance.cli import main
from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.server import asgi, running

from .editing import drop, field
from .forwarder import HONEST, Alteration, Gateway, Message, gateway

_KEY = "emulator-key"


def _via(url: str, port: int, out: Path, *more: str) -> int:
    """Run the command on few requests."""
    words = ["via", "--gateway", url, "--upstream-port", str(port), "--api-version", "2024-10-21", "--profile", "smoke"]
    return main(
        [*words, "--operation", "embeddings.*", "--operation", "chat.*", "--out", str(out), "--wait", "5", *more]
    )


@contextmanager
def _between(alteration: Alteration = HONEST) -> Iterator[tuple[Gateway, int]]:
    """A gateway of the tests in front of a port on which the command will start its upstream."""
    port = free_port()
    with gateway(f"http://127.0.0.1:{port}", _KEY) as made:
        made.alteration = alteration
        yield made, port


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", _KEY)


def test_an_honest_gateway_is_transparent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with _between() as (made, port):
        assert _via(made.url, port, tmp_path) == 0
    told = capsys.readouterr()
    assert f"2024-10-21 through {made.url}: transparent" in told.out
    assert f"proxy_pass http://127.0.0.1:{port};" in told.err
    page = (tmp_path / "2024-10-21" / "index.html").read_text("utf-8")
    assert "429 with Retry-After" in page
    assert "<script" not in page
    assert main(["verify", str(tmp_path)]) == 0


def test_an_added_field_is_found_and_declared_it_is_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    adds = Alteration("adds", request=field("top_p", 1))
    with _between(adds) as (made, port):
        assert _via(made.url, port, tmp_path / "open") == 1
        config = tmp_path / "conformance.toml"
        config.write_text('[[gateway.adds]]\nfield = "request:/top_p"\nreason = "our default"\n', "utf-8")
        assert _via(made.url, port, tmp_path / "declared", "--config", str(config)) == 0
    told = capsys.readouterr().out
    assert "not transparent: 1 alteration (1 MUST)" in told
    assert "transparent with 1 declared alteration" in told
    assert main(["compare", str(tmp_path / "declared"), str(tmp_path / "open")]) == 1
    assert "new: MUST policy request added /top_p" in capsys.readouterr().out


@pytest.mark.prove
def test_a_declared_change_that_never_happens_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "conformance.toml"
    config.write_text('[[gateway.removes]]\nfield = "answer:header:x-ms-region"\nreason = "policy"\n', "utf-8")
    with _between() as (made, port):
        assert _via(made.url, port, tmp_path / "out", "--config", str(config)) == 0
    assert "WARN   gateway.removes answer:header:x-ms-region: declared, and never seen" in capsys.readouterr().out


def test_a_changed_report_is_told_with_its_line(tmp_path: Path) -> None:
    with _between() as (made, port):
        _via(made.url, port, tmp_path)
    file = tmp_path / "2024-10-21" / "passages.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:3], lines[3].replace(b"200", b"201", 1), *lines[4:]]))
    assert main(["verify", str(tmp_path)]) != 0


class _Says(BaseHTTPRequestHandler):
    """Answers everything with one answer."""

    status, body = 404, b""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed."""

    def do_POST(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(self.status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b""),
        (200, b"{}"),
        *(pytest.param(*one, marks=pytest.mark.prove) for one in ((500, b"{}"), (200, b""), (204, b""))),
    ],
)
def test_a_gateway_that_says_nothing_is_not_transparent(status: int, body: bytes, tmp_path: Path) -> None:
    handler = type("Says", (_Says,), {"status": status, "body": body})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        assert _via(f"http://127.0.0.1:{server.server_port}", 0, tmp_path, "--wait", "0.2") == 1
        server.shutdown()
    footer = json.loads((tmp_path / "2024-10-21" / "passages.jsonl").read_bytes().splitlines()[-1])
    assert "not transparent" == footer["conclusion"]


def test_objects_are_created_and_removed_through_the_gateway(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with _between() as (made, port):
        words = ["--operation", "vector_stores.*", "--operation", "threads.*"]
        assert _via(made.url, port, tmp_path, "--api-version", "2024-05-01-preview", *words) == 0
    assert "2024-05-01-preview through" in capsys.readouterr().out
    lines = (tmp_path / "2024-05-01-preview" / "passages.jsonl").read_bytes().splitlines()
    sent = [row for row in map(json.loads, lines) if row["type"] == "passage"]
    removed = [row for row in sent if row["case"]["operation"] in ("vector_stores.delete", "threads.delete")]
    assert any(row["calls"][0]["exchange"]["response"]["status"] == 200 for row in removed)


def test_nobody_at_the_url_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _via(f"http://127.0.0.1:{free_port()}", 0, tmp_path, "--wait", "0.2") == 3
    assert "no answer in 0.2 s" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("alteration", "told_so"),
    [
        (HONEST, (0, "")),
        (Alteration("drops", answer=drop("usage")), (0, "SHOULD defect answer  dropped   /usage")),
        (
            Alteration("hides", answer=lambda m: m.without("x-ms-region")),
            (0, "SHOULD defect answer  dropped   header:x-ms-region"),
        ),
        (Alteration("refuses", request=field("n", "many")), (1, "MUST   defect request refused   status")),
    ],
    ids=lambda value: value.name if isinstance(value, Alteration) else "",
)
def test_in_front_of_an_upstream_that_is_not_ours_one_side_is_seen(
    alteration: Alteration,
    told_so: tuple[int, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The client's key is for the gateway alone; the upstream has one of its own."""
    settings = Settings(key="the-key-of-the-upstream")
    monkeypatch.setenv("AOAI_UPSTREAM_KEY", settings.key)
    with running(asgi(App.of("2024-10-21", settings=settings))) as real, gateway(real, settings.key) as made:
        made.alteration = alteration
        assert _via(made.url, 0, tmp_path, "--upstream", real, "--operation", "chat.*") == told_so[0]
    told = capsys.readouterr().out
    assert ("not transparent" in told) is (alteration is not HONEST)
    assert told_so[1] in told


def test_the_key_of_a_client_is_not_sent_to_an_upstream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(asgi(App.of("2024-10-21"))) as real:
        assert _via(real, 0, tmp_path, "--upstream", real) == 2
    assert "no key for the upstream: the environment variable AOAI_UPSTREAM_KEY is not set" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(asgi(App.of("2024-10-21"))) as other:
        assert _via(other, int(other.rpartition(":")[2]), tmp_path) == 2
    assert "can't listen on 127.0.0.1:" in capsys.readouterr().err


def test_without_a_key_the_last_answer_is_told_and_what_to_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    refuses = Alteration("asks for a key", extra=lambda message, gateway: Message(("401",), (), b""))
    with _between(refuses) as (made, port):
        assert _via(made.url, port, tmp_path, "--wait", "0.2") == 1
    told = capsys.readouterr().err
    assert "no valid request succeeded in 0.2 s, the last answer was 401" in told
    assert "AZURE_OPENAI_API_KEY is the key of a client" in told


def test_help_loads_no_server() -> None:
    words = [sys.executable, "-X", "importtime", "-m", "conformance", "via", "--help"]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stderr
    assert "uvicorn" not in told
    assert "starlette" not in told


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx isn't installed (Debian: nginx-light)")
def test_nginx_as_a_plain_reverse_proxy_is_transparent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    above = free_port()
    with nginx(tmp_path, above) as url:
        assert _via(url, above, tmp_path / "out") == 0
    told = capsys.readouterr().out
    assert "transparent\n" in told
    # Its own page for an upstream that closes the connection.
    assert "closed before the answer                   502" in told
