"""Through LiteLLM, a gateway that many people use: what it alters is found, and two runs give the same table.

Only in ``tox -e gateways``, which installs it into an environment of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main

from .test_command import _free_port

pytestmark = pytest.mark.gateways

_KEY = "sk-client-1f9b"
_MODELS = {
    "gpt-4o": "azure/gpt-4o",
    "text-embedding-3-small": "azure/text-embedding-3-small",
    "gpt-35-turbo-instruct": "azure_text/gpt-35-turbo-instruct",
}
_CONFIG = """
[target]
key_env = "GATEWAY_KEY"
[target.deployments]
gpt-4o = ["chat", "tools", "vision", "file-input", "logprobs", "stop", "n", "json-mode", "json-schema"]
gpt-35-turbo-instruct = ["completions", "n", "stop"]
text-embedding-3-small = ["embeddings", "dimensions"]
"""

#: What it is known to alter: (rule, kind, field). Each was looked at; the comment says what it is.
_KNOWN = {
    # A default of its library.
    ("via.request.body", "added", "/stream"),
    # The deployment of the path, once more in the body: the service takes it.
    ("via.request.body", "added", "/model"),
    # A defect: clients that read the results of the prompt's filter get nothing.
    ("via.answer.body", "dropped", "/prompt_filter_results"),
    ("via.stream.events", "dropped", "/prompt filter chunk"),
    # A defect: the filter results of a choice stand in another place.
    ("via.answer.body", "renamed", "/choices/*/content_filter_results"),
    # A defect: error codes become the status.
    ("via.answer.error", "changed", "/error/code"),
    ("via.answer.error", "changed", "/error/message"),
    # A policy: ids and limits of the service are passed on under other names.
    ("via.answer.headers", "renamed", "header:apim-request-id"),
    ("via.answer.headers", "renamed", "header:x-ms-region"),
    # A defect: what a client sends in order to find its request again never arrives.
    ("via.request.ids", "dropped", "header:x-ms-client-request-id"),
    ("via.request.ids", "dropped", "header:traceparent"),
}


@contextmanager
def _litellm(folder: Path, upstream: int) -> Iterator[str]:
    """Run LiteLLM in front of a port."""
    there = {"api_base": f"http://127.0.0.1:{upstream}", "api_key": "emulator-key", "api_version": "2024-10-21"}
    models = [{"model_name": name, "litellm_params": {"model": model, **there}} for name, model in _MODELS.items()]
    config = folder / "litellm.yaml"
    # JSON is YAML.
    config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": _KEY}}), "utf-8")
    port = _free_port()
    # It fetches a table of prices at its start unless it is told to take its own.
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "HF_HUB_OFFLINE": "1"}
    environment.pop("PYTHONPATH", None)
    words = [os.environ["AOAI_TEST_LITELLM"], "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "litellm.log").open("wb") as log:
        process = subprocess.Popen(words, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def _rows(folder: Path) -> set[tuple[str, str, str]]:
    footer: dict[str, Any] = json.loads((folder / "2024-10-21" / "passages.jsonl").read_bytes().splitlines()[-1])
    return {(row["rule"], row["kind"], row["field"]) for row in footer["rows"] if row["level"] != "OBS"}


def test_two_runs_through_litellm_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_KEY", _KEY)
    (tmp_path / "conformance.toml").write_text(_CONFIG, "utf-8")
    port = _free_port()
    found = []
    with _litellm(tmp_path, port) as url:
        for name in ("first", "second"):
            words = ["via", "--gateway", url, "--upstream-port", str(port), "--api-version", "2024-10-21"]
            words += ["--config", str(tmp_path / "conformance.toml"), "--wait", "120", "--out", str(tmp_path / name)]
            words += ["--operation", "chat.*", "--operation", "completions.*", "--operation", "embeddings.*"]
            assert main(words) == 1
            found.append(_rows(tmp_path / name))
    sys.stdout.write((tmp_path / "first" / "2024-10-21" / "summary.md").read_text("utf-8"))
    assert found[0] == found[1]
    assert set() == _KNOWN - found[0]
