"""Reports that don't fit into memory: evidence stays in its file, and what is shown of it is bounded and counted."""

from __future__ import annotations

import base64
import random
from pathlib import Path

import pytest
from attrs import evolve
from report_pages import exchanges_of, index_of
from test_reports import FOOTER, HEADER, observation

from conformance._parts import part
from conformance.evidence.exchange import Chunk
from conformance.evidence.outline import outline_of
from conformance.evidence.trace import Observation, Trace
from conformance.verdict import Finding, Outcome, Verdict

jsonl = part("reports.jsonl")
html = part("reports.html")


def trace(name: str, many: int) -> Trace:
    return Trace(name, tuple(observation({"scenario": name, "n": n}) for n in range(many)), ended="so")


TRACES = [trace("corpus.a", 3), trace("corpus.b", 5), trace("corpus.c", 0), trace("corpus.d", 1)]


def written(folder: Path) -> Path:
    jsonl.write(folder / jsonl.NAME, HEADER, TRACES, [Verdict("a.check", "corpus.a", Outcome.PASS)], FOOTER)
    return folder


def test_traces_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    report = jsonl.read(written(tmp_path))
    assert [one.scenario for one in TRACES] == list(report.traces)
    assert TRACES == list(report.traces.values())
    assert TRACES[1] == report.traces["corpus.b"]
    assert ("corpus.b" in report.traces, "corpus.x" in report.traces, 4) == (True, False, len(report.traces))
    with pytest.raises(KeyError):
        report.traces["corpus.x"]


def test_outlines_are_those_of_the_traces(tmp_path: Path) -> None:
    """Whether they were read from a file or made in memory."""
    wanted = {one.scenario: outline_of(one) for one in TRACES}
    assert wanted == jsonl.read(written(tmp_path)).outlines
    assert wanted == jsonl.Report(HEADER, {one.scenario: one for one in TRACES}, ()).outlines


def test_the_time_of_a_trace_is_that_of_its_file(tmp_path: Path) -> None:
    """A file keeps microseconds, a clock gives more."""
    (one,) = trace("corpus.a", 1).observations
    assert one.exchange.response is not None
    slow = evolve(one, exchange=evolve(one.exchange, response=evolve(one.exchange.response, elapsed=0.12345649)))
    made = Trace("corpus.a", (slow,) * 3)
    jsonl.write(tmp_path / jsonl.NAME, HEADER, [made], [], FOOTER)
    assert 3 * 0.123456 == pytest.approx(outline_of(made).seconds, abs=1e-9)
    assert jsonl.read(tmp_path).outlines["corpus.a"].seconds == outline_of(made).seconds


def test_evidence_is_copied_from_one_report_to_another_as_it_stands(tmp_path: Path) -> None:
    """With the digests that the lines have there."""
    (tmp_path / "one").mkdir()
    before = jsonl.read(written(tmp_path / "one"))
    order = ["corpus.d", "corpus.b"]
    made = jsonl.write(tmp_path / jsonl.NAME, HEADER, [(before, name) for name in order], [], FOOTER)
    again = jsonl.read(tmp_path)
    assert order == list(made.traces) == list(again.traces)
    assert [TRACES[3], TRACES[1]] == list(made.traces.values()) == list(again.traces.values())


def test_a_scenario_that_was_cut_off_keeps_what_came(tmp_path: Path) -> None:
    file = written(tmp_path) / jsonl.NAME
    lines = file.read_bytes().splitlines(keepends=True)
    second = [n for n, line in enumerate(lines) if b'"scenario":"corpus.b","type":"exchange"' in line]
    file.write_bytes(b"".join(lines[: second[1] + 1]))  # all of the first scenario, two exchanges of the second
    report = jsonl.read(tmp_path)
    assert TRACES[0] == report.traces["corpus.a"]
    cut = report.traces["corpus.b"]
    assert (TRACES[1].observations[:2], "the report was cut off", Outcome.UNAVAILABLE) == (
        cut.observations,
        cut.ended,
        cut.outcome,
    )


def test_a_case_is_found_without_reading_all_evidence(tmp_path: Path) -> None:
    wanted = TRACES[1].observations[3]
    assert (TRACES[1], wanted) == jsonl.read(written(tmp_path)).observation(wanted.case.id[:10])


def large(number: int) -> Observation:
    seen = observation({"n": number})
    answer = evolve(seen.exchange.response, chunks=(Chunk(0.0, b"a" * 2_000),))
    return Observation(seen.case, evolve(seen.exchange, response=answer))


def test_the_page_shows_what_findings_name_and_counts_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is room for some parts only: the last exchange is among them, because a finding names it."""
    monkeypatch.setattr(part("reports.page_evidence"), "PART", 10_000)
    monkeypatch.setattr(part("reports.page_evidence"), "ROOM", 8_000)
    long = Trace("corpus.a", tuple(large(number) for number in range(100)))
    last = long.observations[-1].case.id
    failed = Verdict("a.check", "corpus.a", Outcome.FAIL, (Finding("wrong", last),), 100)
    page = html.render(jsonl.Report(HEADER, {"corpus.a": long}, (failed,), FOOTER), "out")
    shown = [one["id"] for one in exchanges_of(page)]
    assert 1 < len(shown) < 100
    assert last in shown
    steps = index_of(page)["traces"]["corpus.a"]["steps"]
    assert {*shown} == {case for case, *_, where in steps if where >= 0}
    assert 100 - len(shown) == sum(where < 0 for *_, where in steps)


def test_the_page_lists_some_findings_and_counts_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part("reports.page_index"), "LISTED", 3)
    seen = trace("corpus.a", 9)
    failed = Verdict("a.check", "corpus.a", Outcome.FAIL, tuple(Finding("bad", one.case.id) for one in seen), 9)
    (verdict,) = index_of(html.render(jsonl.Report(HEADER, {"corpus.a": seen}, (failed,), FOOTER), "out"))["verdicts"]
    assert (3, 9) == (len(verdict["findings"]), verdict["found"])


def test_no_run_makes_a_page_of_more_than_6_megabytes() -> None:
    """Evidence that can't be compressed, all of it named by findings that quote as much as they may."""
    noise = random.Random(0)
    seen = []
    for number in range(90):
        one = observation({"n": number})
        body = base64.b64encode(noise.randbytes(75_000))
        seen.append(Observation(one.case, evolve(one.exchange, response=one.exchange.response.with_body(body))))
    quotes = [base64.b64encode(noise.randbytes(1_500)).decode() for _ in range(900)]
    findings = tuple(Finding(quotes[n], seen[n % 90].case.id, "/x", quotes[-n], quotes[n]) for n in range(900))
    failed = [Verdict(f"a.{n}", "corpus.a", Outcome.FAIL, findings[n * 9 : n * 9 + 9]) for n in range(100)]
    report = jsonl.Report(HEADER, {"corpus.a": Trace("corpus.a", tuple(seen))}, tuple(failed), FOOTER)
    page = html.render(report, "out")
    assert 3_000_000 < len(page) < 6_000_000
    assert 900 == sum(verdict["found"] for verdict in index_of(page)["verdicts"])


def test_a_long_body_says_how_much_of_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part("reports.page_evidence"), "LONGEST", 1_000)
    page = html.render(jsonl.Report(HEADER, {"corpus.a": Trace("corpus.a", (large(0),))}, (), FOOTER), "out")
    body = exchanges_of(page)[0]["response"]["body"]
    assert ("a" * 1_000, 2_000) == (body["text"], body["of"])
