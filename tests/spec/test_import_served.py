"""What ``spec import`` made is a version like any other: it is listed, judged and served."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from import_documents import imported, three

from conformance.cli import main
from conformance.corpus.corpus import build_corpus
from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.requests.case import Expect
from conformance.requests.request import Request
from conformance.requests.wire import encode_body
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of
from conformance.spectools.importing import import_file


def test_the_suite_loads_what_was_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(three({"type": "object", "properties": {"input": {"type": "string"}}}), tmp_path)
    capsys.readouterr()
    assert main(["list", "operations", "--api-version", "mine", "--specs", str(tmp_path / "versions"), "--json"]) == 0
    assert [row["operation"] for row in json.loads(capsys.readouterr().out)] == ["embeddings.create"]


@pytest.mark.parametrize("version", [version for version in versions() if not load(version).extends])
def test_what_show_prints_can_be_imported(version: str, tmp_path: Path) -> None:
    """Round trip: operations, streams and features of requests survive."""
    ours = load(version)
    (tmp_path / "document.json").write_text(json.dumps(ours.document), encoding="utf-8")
    done = import_file(tmp_path / "document.json", version, tmp_path / "versions")
    theirs = load(version, tmp_path / "versions")
    assert done.nearest == version
    assert (theirs.base_path, theirs.surface) == (ours.base_path, ours.surface)
    streams = {id: op.stream and (op.stream.protocol, op.stream.done) for id, op in operations_of(ours).items()}
    assert {
        id: op.stream and (op.stream.protocol, op.stream.done) for id, op in operations_of(theirs).items()
    } == streams


def test_a_smoke_run_of_an_imported_version(tmp_path: Path) -> None:
    """The embedded emulator gets the same folder and serves the version under its new name."""
    document = json.loads(json.dumps(load("2024-10-21").document))
    (tmp_path / "document.json").write_text(json.dumps(document), encoding="utf-8")
    import_file(tmp_path / "document.json", "2024-11-11", tmp_path / "versions")
    options = ["--api-version", "2024-11-11", "--specs", str(tmp_path / "versions"), "--profile", "smoke"]
    command = [sys.executable, "-m", "conformance", "run", *options, "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2024-11-11: conformant in its scope (profile smoke). 6 operations" in done.stdout
    assert (tmp_path / "out" / "2024-11-11" / "report.jsonl").is_file()


def test_an_api_at_the_root_of_its_server_is_served(tmp_path: Path) -> None:
    """Also a body whose media type is another kind of JSON: the request that is derived names it."""
    thing = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    answer = {"200": {"description": "d", "content": {"application/json": {"schema": thing}}}}
    change = {"content": {"application/merge-patch+json": {"schema": {"type": "object", "required": ["name"]}}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "https://api.example/"}],
        "paths": {
            "/things": {"patch": {"requestBody": {**change, "required": True}, "responses": answer}},
            "/ready": {"get": {"responses": {"200": {"description": "without a body"}}}},
        },
    }
    imported(document, tmp_path)
    spec = load("mine", tmp_path / "versions")
    app = App.of("mine", settings=Settings(key="k"), folder=tmp_path / "versions")
    answers = []
    for case in build_corpus(spec, "smoke", cached=False):
        if case.expect is Expect.ACCEPT:
            content, kind = encode_body(case.body, {})
            headers = (("api-key", "k"), ("content-type", kind)) if kind else (("api-key", "k"),)
            sent = Request(case.method, f"http://127.0.0.1{case.path}", headers, content)
            answers.append((case.method, kind, app.handle(sent).status))
    assert {("GET", "", 200), ("PATCH", "application/merge-patch+json", 200)} == set(answers)
