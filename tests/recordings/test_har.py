"""HAR of a run: it has the documented form, other readers open it, and judged again it leads to the same verdicts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from haralyzer import HarEntry, HarParser
from offline import answering, broken, play

from conformance.checks.catalogue import all_checks, find_check
from conformance.cli import main
from conformance.corpus.corpus import build_corpus
from conformance.emulator.app import App
from conformance.evidence.exchange import Chunk, Exchange, Fault, FaultKind, Response
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Scope
from conformance.judging.judge import judge
from conformance.recordings.cleaning import exchange_of, secrets_of
from conformance.recordings.files import read_file
from conformance.recordings.har_writer import write_har
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.scenarios.corpus_scenario import corpus_scenario
from conformance.spec.loading import load
from conformance.verdict import Outcome
from reports import jsonl

SPEC = load("2024-10-21")

#: Object → the fields that HAR 1.2 requires of it, with their types.
REQUIRED: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "entry": {"startedDateTime": str, "time": (int, float), "request": dict, "response": dict, "cache": dict,
              "timings": dict},
    "request": {"method": str, "url": str, "httpVersion": str, "cookies": list, "headers": list, "queryString": list,
                "headersSize": int, "bodySize": int},
    "response": {"status": int, "statusText": str, "httpVersion": str, "cookies": list, "headers": list,
                 "content": dict, "redirectURL": str, "headersSize": int, "bodySize": int},
    "content": {"size": int, "mimeType": str},
    "timings": {"send": (int, float), "wait": (int, float), "receive": (int, float)},
}  # fmt: skip


def must_have(kind: str, value: Mapping[str, Any]) -> None:
    """Assert that an object has its required fields, and none of its own without an underscore."""
    for name, wanted in REQUIRED[kind].items():
        assert isinstance(value[name], wanted), (kind, name)


def exchange(body: bytes, **more: Any) -> Exchange:
    """An exchange with this answer."""
    request = Request("POST", "https://h/openai/v1/responses?api-version=v1", (("content-type", "a/b"),), b"\xff\x00")
    pieces = (Chunk(0.25, body[:2]), Chunk(0.5, body[2:]))
    response = Response(200, (("content-type", "text/plain"),), pieces, elapsed=0.5, headers_at=0.125)
    return evolve(Exchange(request, response, started=1_700_000_000.0), **more)


def trace(*exchanges: Exchange) -> Trace:
    case = Case("responses.create", "POST", "/responses")
    return Trace("corpus.responses.create", tuple(Observation(case, one) for one in exchanges))


def test_every_entry_has_the_form_of_har_1_2(tmp_path: Path) -> None:
    cut = exchange(b"half", fault=Fault(FaultKind.CLOSED, "closed", 0.5))
    write_har(tmp_path / "a.har", [trace(exchange(b"text"), exchange(b"\xff\xfe\x00"), cut), trace(exchange(b""))])
    log = json.loads((tmp_path / "a.har").read_text("utf-8"))["log"]
    assert "1.2" == log["version"]
    assert {"name", "version"} == set(log["creator"])
    assert 4 == len(log["entries"])
    for entry in log["entries"]:
        must_have("entry", entry)
        must_have("request", entry["request"])
        must_have("response", entry["response"])
        must_have("content", entry["response"]["content"])
        must_have("timings", entry["timings"])
        assert entry["time"] == sum(entry["timings"].values())


def test_a_reader_of_another_project_opens_it(tmp_path: Path) -> None:
    """haralyzer finds the same requests, statuses and texts; it refuses files that aren't HAR."""
    sent = [exchange(b"text"), exchange(b"\xff\xfe\x00"), exchange(b"more", started=1_700_000_001.5)]
    write_har(tmp_path / "a.har", [trace(*sent)])
    opened = HarParser.from_file(str(tmp_path / "a.har"))
    assert ("1.2", 3) == (opened.har_data["version"], len(opened.har_data["entries"]))
    entries = [HarEntry(entry) for entry in opened.har_data["entries"]]
    assert [("POST", sent[0].request.url, 200)] * 3 == [(one.request.method, one.url, one.status) for one in entries]
    assert "text" == entries[0].response.text
    assert [one.started for one in sent] == [one.startTime.timestamp() for one in entries]
    assert [500.0] * 3 == [one.time for one in entries]
    assert [sent[0].request.headers[0]] * 3 == [
        (one.request.headers[0]["name"], one.request.headers[0]["value"]) for one in entries
    ]


@pytest.mark.parametrize("body", [b"text \xc3\xa4", b"\xff\xfe\x00", b""], ids=["text", "bytes", "nothing"])
def test_an_exchange_comes_back_as_it_was(body: bytes, tmp_path: Path) -> None:
    sent = exchange(body)
    write_har(tmp_path / "a.har", [trace(sent)])
    (one,) = read_file(tmp_path / "a.har")
    made = exchange_of(one, secrets_of([one]))
    assert isinstance(made, Exchange)
    assert made.response is not None
    assert sent.request == made.request
    assert (body, sent.started) == (made.response.body, made.started)
    if body:
        assert [0.25, 0.5] == [piece.at for piece in made.response.chunks]


def test_an_answer_that_was_cut_is_no_answer(tmp_path: Path) -> None:
    whole = exchange(b"half")
    assert whole.response is not None
    cancelled = evolve(whole, response=evolve(whole.response, complete=False))
    lost = exchange(b"half", fault=Fault(FaultKind.CLOSED, "closed", 0.5))
    write_har(tmp_path / "a.har", [trace(lost, cancelled, whole)])
    assert [0, 0, 200] == [one.status for one in read_file(tmp_path / "a.har")]


def test_what_a_browser_broke_off_is_no_answer(tmp_path: Path) -> None:
    write_har(tmp_path / "a.har", [trace(exchange(b"half"))])
    document = json.loads((tmp_path / "a.har").read_text("utf-8"))
    document["log"]["entries"][0]["response"]["_error"] = "net::ERR_ABORTED"
    (tmp_path / "a.har").write_text(json.dumps(document), "utf-8")
    assert [0] == [one.status for one in read_file(tmp_path / "a.har")]


@cache
def corpus(operation: str) -> Any:
    """The scenario of one operation's derived requests."""
    made = build_corpus(SPEC, "smoke", 0, operations=[operation], expensive=frozenset(), cached=False)
    return corpus_scenario(made.parts[0])


def judged_again(played: Trace, folder: Path) -> dict[str, Outcome]:
    """The verdicts on the HAR of a trace, by check."""
    write_har(folder / "a.har", [played])
    main(["judge", str(folder / "a.har"), "-o", str(folder / "out")])
    return {verdict.check: verdict.outcome for verdict in jsonl.read(folder / "out" / SPEC.version).verdicts}


BROKEN = {
    "chat.completions.create": ("usage.adds-up", "schema.response", "stream.id.constant", "sse.done.once"),
    "embeddings.create": ("embeddings.count", "http.media-type", "http.json"),
}


@pytest.mark.parametrize("operation", BROKEN)
def test_the_har_of_right_traffic_is_right(operation: str, tmp_path: Path) -> None:
    again = judged_again(play(SPEC, corpus(operation), answering(App((SPEC,)), SPEC)), tmp_path)
    assert Outcome.PASS in again.values()
    assert {} == {name: outcome for name, outcome in again.items() if outcome in (Outcome.FAIL, Outcome.WARN)}


@pytest.mark.parametrize(("operation", "name"), [(op, name) for op, names in BROKEN.items() for name in names])
def test_the_har_of_a_broken_server_fails_by_the_same_check(operation: str, name: str, tmp_path: Path) -> None:
    check = find_check(name)
    played = play(SPEC, corpus(operation), broken(answering(App((SPEC,)), SPEC), check.counterexample))
    assert Outcome.FAIL is judge(SPEC, check, played).outcome
    assert Outcome.FAIL is judged_again(played, tmp_path)[name]


#: What no recording shows → the checks that can't judge it.
LOST = {
    "which key was sent": {"auth.missing.refused", "auth.wrong.refused", "auth.status"},
    "whether the service has a route without an api-version, or with one that no document has": {
        "api-version.missing.refused",
        "api-version.unknown.refused",
        "errors.envelope",
    },
    "how the content was coded and framed": {
        "http.content-coding",
        "http.content-coding.accepted",
        "http.framing.nothing-after",
        "http.framing.one-length",
        "sse.not-compressed",
    },
    "how an answer would have ended that was cut": {"http.message.whole", "sse.ends"},
    "whether a deployment is there that never answered": {"http.accepted"},
    "whether a 5xx that didn't come again was an outage": {"http.no-server-error"},
}


@pytest.mark.prove
@pytest.mark.parametrize("operation", [*BROKEN, "completions.create"])
def test_judge_is_as_sharp_as_a_run_but_for_what_no_recording_shows(operation: str, tmp_path: Path) -> None:
    """Each check of single exchanges that fails on a broken server fails on its HAR too."""
    missed = set()
    for check in all_checks().values():
        if check.scope is Scope.EXCHANGE and check.concerns(corpus(operation).id, [operation]):
            played = play(SPEC, corpus(operation), broken(answering(App((SPEC,)), SPEC), check.counterexample))
            if judge(SPEC, check, played).outcome in (Outcome.FAIL, Outcome.WARN):
                again = judged_again(played, tmp_path).get(check.id)
                missed |= set() if again in (Outcome.FAIL, Outcome.WARN) else {check.id}
    assert missed <= set().union(*LOST.values())


def test_run_writes_the_file_and_seals_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["--api-version", SPEC.version, "--profile", "smoke", "--operation", "embeddings.create", "--har"]
    assert 0 == main(["run", *words, "--out", str(tmp_path / "run")])
    file = tmp_path / "run" / SPEC.version / "traffic.har"
    sent = sum(len(trace.observations) for trace in jsonl.read(file.parent).traces.values())
    assert sent == len(json.loads(file.read_text("utf-8"))["log"]["entries"])
    assert 0 == main(["verify", str(tmp_path / "run")])
    assert 0 == main(["judge", str(file), "-o", str(tmp_path / "judged")])
    file.write_text(file.read_text("utf-8").replace("embedding", "embodying", 1), "utf-8")
    assert 1 == main(["verify", str(tmp_path / "run")])
    assert "traffic.har" in capfd.readouterr().out
