"""What a real client sends and gets, recorded on the way, is judged: a foreign recording without a difference."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import test_assistants_client as assistants
import test_v1_client as v1
from client_recorder import Recorder
from openai import AzureOpenAI, OpenAI

from conformance.cli import main
from conformance.spec.loading import load
from conformance.verdict import Outcome
from reports import jsonl

#: Methods of the client that are called at least.
LEAST = 20


class Recording(httpx.BaseTransport):
    """Passes requests on, and writes each exchange as a line of the documented form."""

    def __init__(self, file: Path) -> None:
        self._inner = httpx.HTTPTransport()
        self._file = file

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        started = time.time()
        sent = request.read()
        answer = self._inner.handle_request(request)
        pieces = [(time.time() - started, piece) for piece in answer.iter_raw()]
        line = {
            "method": request.method,
            "url": str(request.url),
            "request_headers": list(request.headers.multi_items()),
            "request_base64": base64.b64encode(sent).decode(),
            "status": answer.status_code,
            "headers": list(answer.headers.multi_items()),
            "body_base64": base64.b64encode(b"".join(piece for _, piece in pieces)).decode(),
            "started": started,
        }
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        whole = b"".join(piece for _, piece in pieces)
        return httpx.Response(answer.status_code, headers=answer.headers, content=whole, request=request)

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def recorded(base: Callable[[str], str], tmp_path: Path) -> Iterator[tuple[Callable[[str], Recorder], Path]]:
    """Clients whose traffic goes through a recorder, and the file that it writes."""
    file, opened = tmp_path / "traffic.jsonl", []

    def made(version: str) -> Recorder:
        http = httpx.Client(transport=Recording(file), timeout=20)
        common: dict[str, Any] = {
            "api_key": "emulator-key",
            "max_retries": 0,
            "http_client": http,
            "default_headers": {"aoai-evals": "preview"},
        }
        spec = load(version)
        if spec.surface == "dated":
            client: OpenAI = AzureOpenAI(azure_endpoint=base(version), api_version=version, **common)
        else:
            client = OpenAI(base_url=f"{base(version)}{spec.base_path}", **common)
        opened.append((client, Recorder(client)))
        return opened[-1][1]

    yield made, file
    for client, _ in opened:
        client.close()


@pytest.mark.parametrize(
    ("version", "unknown", "stories"),
    [
        (
            "2024-05-01-preview",
            0,
            (assistants.test_assistants, assistants.test_threads_and_messages, assistants.test_runs_polled),
        ),
        (
            "v1-preview",
            1,  # the client cancels runs of evaluations on a route that no document has
            (
                v1.test_responses_kept_continued_and_deleted,
                v1.test_response_tools_and_parsed_answers,
                v1.test_responses_streamed,
                v1.test_evals,
                v1.test_fine_tuning,
                v1.test_graders,
                v1.test_models,
                v1.test_inference,
            ),
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_traffic_of_a_real_client_is_conformant(
    recorded: tuple[Callable[[str], Recorder], Path],
    version: str,
    unknown: int,
    stories: tuple[Callable[..., None], ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    connect, file = recorded
    called: set[str] = set()

    def noting(name: str) -> Recorder:
        client = connect(name)
        client.called = called
        return client

    for story in stories:
        story(connect=noting, version=version)
    assert LEAST <= len(called)
    code = main(["judge", str(file), "--api-version", version, "-o", str(file.parent / "out")])
    report = jsonl.read(file.parent / "out" / version)
    wrong = [one for one in report.verdicts if one.outcome in (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)]
    assert [] == [(one.check, one.scenario, one.findings[:1]) for one in wrong]
    told = capsys.readouterr().out
    assert 0 == code, told
    assert f"{len(file.read_text('utf-8').splitlines()) - unknown} exchanges" in told
    assert any(one.scenario.startswith("recorded.lifecycle.") for one in report.verdicts)
