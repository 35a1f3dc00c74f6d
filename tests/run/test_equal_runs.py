"""Runs against a target that never changes come to the same verdicts, though it closes connections without a word."""

from __future__ import annotations

import re
import zlib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from whole_run import KEY, Reply, report_of, serving

from conformance.requests.request import Request

VERSION = "2024-05-01-preview"

#: By version: a corpus that only asks, corpora of objects that are created first, and scripts that change objects.
SCENARIOS = {
    VERSION: ("corpus.embeddings.create", "corpus.assistants.*", "lifecycle.assistants", "lists.assistants"),
    "2025-04-01-preview": (
        *("corpus.embeddings.create", "corpus.responses.*", "corpus.vector_stores.search", "lifecycle.responses"),
        *("vector_stores.searched", "lists.responses.input_items"),
    ),
    # Forms are left out: their boundaries are drawn, so that each run would have other requests answered with 500.
    "v1": (
        *("corpus.embeddings.create", "corpus.conversations.*", "corpus.realtime.client_secrets.create"),
        *("lifecycle.conversations", "conversations.items", "lists.conversations.items", "lists.containers"),
    ),
}

#: What differs between two runs in a request: ids of objects, the name of the run, and the marks of what it creates.
NAMES = re.compile(rb"[a-z]+[_-][0-9A-Za-z]{6,}|\b[0-9a-f]{8}\b|[0-9a-f]{16,}")


def a_fifth(request: Request, number: int) -> Reply | None:
    """A fifth of the POST requests, chosen by what they hold, gets a 500, and then the connection is closed."""
    said = NAMES.sub(b"", b" ".join((request.method.encode(), urlsplit(request.url).path.encode(), request.body)))
    return Reply(500, close=True) if zlib.crc32(said) % 5 == 0 and request.method == "POST" else None


def verdicts(folder: Path, version: str) -> frozenset[tuple[str, ...]]:
    """What a whole run says of each item, with how much was judged."""
    with serving(version, a_fifth) as (url, server):
        report = report_of(folder, url, version, *SCENARIOS[version])
        assert sum(a_fifth(request, 0) is not None for request in server.requests) > 5
    assert {"fail", "pass"} <= {verdict.outcome.value for verdict in report.verdicts}
    return frozenset((one.scenario, one.check, one.outcome.value, one.coverage, one.reason) for one in report.verdicts)


@pytest.mark.parametrize(
    ("version", "runs"),
    [
        pytest.param(version, runs, marks=() if (version, runs) == (VERSION, 2) else pytest.mark.prove)
        for version, runs in ((VERSION, 2), (VERSION, 20), ("2025-04-01-preview", 3), ("v1", 3))
    ],
)
def test_a_server_that_closes_after_each_500_gets_the_same_verdicts_each_time(
    version: str, runs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    first = verdicts(tmp_path / "0", version)
    others = [verdicts(tmp_path / str(number), version) for number in range(1, runs)]
    assert [[]] * (runs - 1) == [sorted(first ^ other) for other in others]
