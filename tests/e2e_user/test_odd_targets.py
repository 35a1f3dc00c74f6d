"""Targets with unusual answers: they get a verdict with evidence, and never crash the suite."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from served import ORDINARY, command

HALF_A_PAIR = '"\\ud800"'
ODD = {
    "an id that no URL can hold": (
        f'{{"id":{HALF_A_PAIR},"data":[{{"id":{HALF_A_PAIR}}}],"has_more":true,"last_id":{HALF_A_PAIR}}}'
    ),
    "deep": "[" * 50_000 + "]" * 50_000,
    "numbers beyond reason": '{"id":' + "9" * 6_000 + ',"created":1e999,"data":NaN}',
    "null": "null",
}


@contextmanager
def answering(body: str, status: int = 200) -> Iterator[str]:
    """A server with one answer to everything; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = answer  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize("name", ODD)
def test_an_odd_answer_is_judged(name: str, tmp_path: Path) -> None:
    chosen = ("--api-version", ORDINARY, "--scenario", "corpus.assistants.*", "--profile", "smoke", "--out", "out")
    with answering(ODD[name]) as url:
        done = command(tmp_path, "run", "--target", url, *chosen)
    # An answer that is nested too deeply is not judged: the run is no success, but blames nobody.
    assert (3 if name == "deep" else 1) == done.code, done.lines[-3:]
    assert "Traceback" not in done.out + done.err
    (version,) = (tmp_path / "out").glob("*/report.jsonl")
    for file in ("index.html", "summary.md", "badge.json", "junit.xml"):
        assert (version.parent / file).stat().st_size > 0
    assert "error" not in json.loads((version.parent / "badge.json").read_text())["message"]


def test_who_chose_a_part_is_told_about_that_part(tmp_path: Path) -> None:
    with answering('{"error":{"code":"404","message":"Resource not found"}}', 404) as url:
        chosen = ("--api-version", ORDINARY, "--scenario", "corpus.assistants.*", "--profile", "smoke")
        done = command(tmp_path, "run", "--target", url, *chosen)
    assert 1 == done.code
    assert ["FAIL claims.served (MUST) in resource.assistants"] == [x for x in done.lines if x.startswith("FAIL")]


def test_a_target_that_serves_nothing_of_the_version_is_told_so_once(tmp_path: Path) -> None:
    """Most often the version or the base path is wrong; two lines say so, not hundreds."""
    with answering('{"error":{"code":"404","message":"Resource not found"}}', 404) as url:
        done = command(tmp_path, "run", "--target", url, "--api-version", "2024-06-01", "--profile", "smoke")
    assert 1 == done.code
    notes = [line for line in done.lines if line.startswith("note: nothing of 2024-06-01 is served")]
    assert 1 == len(notes), done.lines
    assert "404 404" not in done.out
