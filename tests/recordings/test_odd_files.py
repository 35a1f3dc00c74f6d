"""Odd files of recorded traffic end with 2 and a place, or are judged: none hangs or ends in an error of ours."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from miniatures import HELLO, KEY, SAID, as_har, as_lines, as_vcr, chat, streamed

from conformance.cli import main
from conformance.errors import UsageError
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.evidence.trace import Observation, Trace
from conformance.recordings.files import read_file
from conformance.requests.case import Case
from conformance.requests.request import Request
from reports import jsonl
from reports.chain import Chain

LONG = "9" * 5_000
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
CASSETTE = (
    "interactions:\n- request: {method: GET, uri: 'http://h/x'}\n  response: {status: {code: 200}, parsed_body: %s}"
)


def har(**response: Any) -> str:
    """A HAR of one exchange with these fields in its answer's content."""
    document = json.loads(as_har([chat()]))
    document["log"]["entries"][0]["response"]["content"] |= response
    return json.dumps(document)


def timed(*chunks: list[Any]) -> str:
    return as_lines([{**streamed(), "body": None, "chunks": list(chunks)}])


REFUSED = {
    "an alias into itself": ("interactions: &a [*a]\n", ":1: an alias leads into itself"),
    "aliases that multiply": (BOMB, "aliases multiply the document beyond reason"),
    "deep YAML": ("a: " + "[" * 5_000, "nested too deeply"),
    "a date as a body": (CASSETTE % "!!timestamp 2025-01-01", "parsed_body: a value that JSON can't hold"),
    "a set as a body": (CASSETTE % "!!set {a, b}", "parsed_body: a value that JSON can't hold"),
    "an endless number as a body": (CASSETTE % ".inf", "parsed_body: a value that JSON can't hold"),
    "a number beyond JSON": (as_lines([chat(1)]).replace('"body": 1', '"body": 1e999'), "line 1: body: a value that"),
    "a URL that is none": (as_lines([chat(url="https://[x/openai")]), "line 1: url: not a URL"),
    "a path that makes no URL": (as_lines([{**chat(url=None), "path": "[x/openai"}]), "line 1: path: not a URL"),
    "a URL that is none in HAR": (as_har([chat(url="https://[x/openai")]), "entry 1: request: url: not a URL"),
    "a URL that is none in YAML": (as_vcr([chat(url="https://[x/")]), "interaction 1: request: uri: not a URL"),
    "a size of 400 digits": (har(size=10**400, text=None), "content: size: not a finite number"),
    "a size that is endless": (har(size=float("inf"), text=None), "content: size: not a finite number"),
    "a time that is endless": (timed([float("inf"), "x"]), "not a finite number"),
    "a time that is no number": (timed([float("nan"), "x"]), "not a finite number"),
    "a time before the request": (timed([-0.5, "x"]), "line 1: chunks: times must be seconds after the request"),
    "times that fall": (timed([0.5, "x"], [0.25, "y"]), "line 1: chunks: times must be seconds after the request"),
    "a length below 0": (har(_arrivals=[[0.1, 900], [0.2, -3]]), "not a number of bytes"),
    "a half length": (har(_arrivals=[[0.1, 1.5]]), "not a number of bytes"),
    "an integer that is too long": (f'{{"log":\n{{"entries": {LONG}}}}}', ":2: an integer of more than 4300 digits"),
    "one on a later line": (as_lines([chat(), chat(7)]).replace('"body": 7', f'"body": -{LONG}'), ":2: an integer of"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_can_not_be_read_ends_with_2_and_its_place(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "odd.txt"
    file.write_text(text, "utf-8")
    assert 2 == main(["judge", str(file), "-o", str(tmp_path / "out")])
    told = capsys.readouterr().err
    assert str(file) in told
    assert message in told


JUDGED = {
    "a date of YAML": as_vcr([chat()]).replace("version: 1", "version: 2025-01-01"),
    "a large number in a request": as_lines([chat(body={**HELLO, "seed": 10**400}), chat()]),
    "an endless number in a request": as_lines([chat(body='{"messages":[],"seed":1e999}'), chat()]),
    "no number in a request": as_lines([chat(body='{"messages":[],"seed":NaN}'), chat()]),
    "a large number in an answer": as_lines([chat({**SAID, "created": 10**400}), chat()]),
    "an endless number in an answer": as_lines([chat('{"created": 1e999}'), chat()]),
    "keys that are no texts": (
        "- {method: POST, path: /openai/v1/files, request_form: {1: a, true: b}, status: 200, body: ''}"
    ),
    "a secret in the place of a host": as_lines([chat(url=f"https://{KEY}/openai/v1/models", method="GET"), chat()]),
}


@pytest.mark.parametrize("text", JUDGED.values(), ids=JUDGED.keys())
def test_what_can_be_read_is_judged(text: str, tmp_path: Path) -> None:
    file = tmp_path / "odd.txt"
    file.write_text(text, "utf-8")
    assert main(["judge", str(file), "-o", str(tmp_path / "out")]) in (0, 1, 3)
    for report in tmp_path.glob("out/*/report.jsonl"):
        text = report.read_text("utf-8")
        assert KEY not in text
        assert "Infinity" not in text
        assert "NaN" not in text.replace('seed\\":NaN', "")
    assert 0 == main(["verify", str(tmp_path / "out")])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_into_which_nobody_writes_ends(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match=r"pipe: .*nobody wrote into this pipe"):
        list(read_file(tmp_path / "pipe"))


@pytest.mark.parametrize("times", [(0.5, 0.25), (-1.0, 0.5), (0.25, float("inf"))])
def test_a_report_whose_times_were_changed_is_refused(times: tuple[float, float], tmp_path: Path) -> None:
    request = Request("POST", "http://x/openai/deployments/d/chat/completions?api-version=v", body=b"{}")
    good = Response(200, chunks=(Chunk(0.25, b"{"), Chunk(0.5, b"}")), elapsed=0.5)
    case = Case("chat.completions.create", "POST", "/deployments/{d}/chat/completions")
    trace = Trace("corpus.chat.completions.create", (Observation(case, Exchange(request, good)),))
    file = tmp_path / "report.jsonl"
    jsonl.write(file, {"api_version": "v"}, [trace], [], {})
    assert good.chunks == next(iter(read_file(file))).arrivals
    old, new = "[[0.25,1],[0.5,1]]", json.dumps([[at, 1] for at in times], separators=(",", ":"))
    assert old in file.read_text("utf-8")
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(UsageError, match="times must be seconds after the request"):
        list(read_file(file))


def test_no_line_of_a_report_holds_a_number_that_json_does_not_have() -> None:
    for number in (float("inf"), float("nan")):
        with pytest.raises(ValueError, match="not JSON compliant"):
            Chain().line({"at": number})
