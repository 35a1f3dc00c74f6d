"""``serve --record`` as a gateway's author uses it by hand: faults for chosen requests, what arrived, the barrier."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.control import controlled
from conformance.emulator.fault_script import faults
from conformance.emulator.recorder import KeptBytes, recorded
from conformance.emulator.server import asgi, running
from conformance.emulator.tape import Tape

_KEY = "upstream-key-5d1c"
_PATH = "/openai/deployments/text-embedding-3-small/embeddings?api-version=2024-10-21"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """The address of a recording upstream that can be steered."""
    tape = Tape(tmp_path / "tape.jsonl", (_KEY,))
    app = asgi(App.of("2024-10-21", settings=Settings(key=_KEY, varied=True)))
    with running(controlled(recorded(app, tape), tape, _KEY), http=KeptBytes) as at:
        yield at
    tape.close()


def _ask(url: str, method: str, path: str, body: Any = None, key: str = _KEY) -> tuple[int, Any]:
    """Status and JSON of an answer; (0, None) if the connection ended without one."""
    data = json.dumps(body).encode() if body is not None else None
    headers = {"api-key": key, "content-type": "application/json"}
    request = urllib.request.Request(url + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")
    except (OSError, http.client.HTTPException):
        return 0, None


def _embed(url: str, text: str) -> int:
    return _ask(url, "POST", _PATH, {"input": text})[0]


def test_a_fault_is_met_by_the_requests_that_contain_its_text(url: str) -> None:
    status, told = _ask(url, "POST", "/_recorder/faults", {"contains": "case-7", "status": 503, "times": 1})
    assert (201, "case-7") == (status, told["faults"][0]["contains"])
    _ask(url, "POST", "/_recorder/faults", {"contains": "case-8", "reset": True})
    assert [200, 503, 200, 0, 0] == [_embed(url, f"this is case-{number}") for number in (1, 7, 7, 8, 8)]
    armed = _ask(url, "GET", "/_recorder/faults")[1]["faults"]
    assert [("case-7", 1, 0), ("case-8", 2, None)] == [(one["contains"], one["met"], one["left"]) for one in armed]
    _ask(url, "DELETE", "/_recorder/faults")
    assert 200 == _embed(url, "this is case-8")


def test_requests_with_one_text_wait_for_each_other_and_for_nobody_else(url: str) -> None:
    """Two faults that differ in nothing but the text, each of which waits for two requests."""
    for text in ("case-7", "case-8"):
        _ask(url, "POST", "/_recorder/faults", {"contains": text, "status": 503, "gather": 2, "patience": 600})
    with ThreadPoolExecutor(3) as clients:
        waiting = [clients.submit(_embed, url, f"this is {text}") for text in ("case-7", "case-8")]
        while [1, 1] != [one["met"] for one in _ask(url, "GET", "/_recorder/faults")[1]["faults"]]:
            pass
        assert {"settled": False, "requests": 2} == _ask(url, "GET", "/_recorder/settled?seconds=0.2")[1]
        assert [None, None] == [one["answer"] for one in _ask(url, "GET", "/_recorder/requests")[1]["requests"]]
        assert 503 == _embed(url, "case-8 once more")
        assert 503 == waiting[1].result()
        assert not waiting[0].done()
        assert [503, 503] == [_embed(url, "case-7 once more"), waiting[0].result()]


def test_a_status_may_be_written_with_a_fraction_of_nothing(url: str) -> None:
    _ask(url, "POST", "/_recorder/faults", {"status": 503.0})
    assert 503 == _embed(url, "x")


def test_a_body_of_one_s_own_and_headers_are_sent(url: str) -> None:
    busy = {"status": 429, "headers": {"Retry-After": "7"}, "body": {"error": {"code": "429", "message": "wait"}}}
    _ask(url, "POST", "/_recorder/faults", busy)
    request = urllib.request.Request(url + _PATH, b'{"input": "x"}', {"api-key": _KEY})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    assert ("7", "application/json") == (refused.value.headers["retry-after"], refused.value.headers["content-type"])
    assert busy["body"] == json.loads(refused.value.read())


@pytest.mark.parametrize("name", [fault.name for fault, streams in faults() if not streams and fault.status])
def test_every_fault_of_the_script_is_a_preset(name: str, url: str) -> None:
    assert 201 == _ask(url, "POST", "/_recorder/faults", {"preset": name, "contains": "now"})[0]
    wanted = next(fault.status for fault, _ in faults() if fault.name == name)
    assert [200, wanted] == [_embed(url, "later"), _embed(url, "now")]


def test_what_arrived_is_told_and_the_barrier_waits_for_answers(url: str) -> None:
    _ask(url, "POST", "/_recorder/faults", {"contains": "slow", "stall": 600, "name": "sleeps"})
    assert 200 == _embed(url, "quick")
    assert {"settled": True, "requests": 1} == _ask(url, "GET", "/_recorder/settled")[1]
    # It leaves when the server does.
    threading.Thread(target=_embed, args=(url, "slow"), daemon=True).start()
    while 2 > _ask(url, "GET", "/_recorder/settled?since=2&seconds=0")[1]["requests"]:
        pass
    assert {"settled": False, "requests": 2} == _ask(url, "GET", "/_recorder/settled?since=1&seconds=0.05")[1]
    (first, second) = _ask(url, "GET", "/_recorder/requests")[1]["requests"]
    assert (1, "", 200) == (first["number"], first["injected"], first["answer"]["status"])
    assert second["answer"] is None
    assert _KEY not in json.dumps([first, second])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"status": 99}, "status"),
        ({"stall": 1e9}, "stall"),
        ({"headers": {"a": "b\r\nc: d"}}, "headers"),
        ({"odd": 1}, "odd"),
        ({"status": 429, "headers": {"Content-Length": "5"}}, "content-length follows from the body"),
        ({"status": 429, "body": "\ud800"}, "UTF-8"),
        ({"status": 429, "contains": "\ud800"}, "UTF-8"),
        ({"preset": "no such"}, "presets: 429 with Retry-After"),
        ({"contains": 7}, "contains must be a text"),
        ([], "a fault is a JSON object"),
    ],
)
def test_what_is_no_fault_is_told(body: Any, told: str, url: str) -> None:
    status, answer = _ask(url, "POST", "/_recorder/faults", body)
    assert 400 == status
    assert told in answer["error"]["message"]
    assert [] == _ask(url, "GET", "/_recorder/faults")[1]["faults"]


def test_nobody_steers_without_the_key_and_unknown_paths_are_told(url: str) -> None:
    assert 401 == _ask(url, "GET", "/_recorder/requests", key="another")[0]
    assert 404 == _ask(url, "GET", "/_recorder/else")[0]
    assert 400 == _ask(url, "GET", "/_recorder/settled?seconds=nan")[0]
