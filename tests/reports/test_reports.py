"""The canonical report loses nothing, and the derived reports agree with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import evolve
from jsonschema import Draft202012Validator
from report_pages import exchanges_of

from conformance._parts import part
from conformance.errors import UsageError
from conformance.evidence.body import shortened
from conformance.evidence.exchange import Chunk, Exchange, Fault, FaultKind, Response
from conformance.evidence.trace import Observation, Trace
from conformance.requests.case import Case, JsonBody
from conformance.requests.request import Request
from conformance.run import recording
from conformance.settings.scope import RunScope
from conformance.verdict import Finding, Level, Outcome, Verdict, Waived

jsonl = part("reports.jsonl")
console = part("reports.console")
failure = part("reports.failure")

HEADER = {
    "suite": "0",
    "api_version": "v",
    "spec_digest": "d" * 64,
    "target": {"url": "https://t.example", "auth": "api-key", "embedded": False},
    "scope": RunScope().to_json(),
    "seed": 0,
    "started": "2026-01-01T00:00:00Z",
    "checks": {"a.check": {"level": "MUST", "clause": "c", "clause_text": "A rule <b>.", "title": "t", "source": "s"}},
    "errata": {},
}
FOOTER = {
    "conclusion": "not conformant",
    "exit_code": 1,
    "outcomes": {"fail": 1},
    "requests": 2,
    "finished": "2026-01-01T00:00:01Z",
    "interrupted": False,
    "notes": ["a note"],
    "outdated": [],
}


def observation(body: object = None, **more: object) -> Observation:
    case = Case(operation="o", method="POST", path="/p", body=JsonBody(body), **more)  # type: ignore[arg-type]
    data = json.dumps(body).encode()
    request = Request("POST", "https://t.example/p?api-version=v", (("content-type", "application/json"),), data)
    chunks = (Chunk(0.25, b'{"x":'), Chunk(0.5, b"\xff1}"))
    return Observation(case, Exchange(request, Response(200, (("x-request-id", "r1"),), chunks, elapsed=0.5)))


def small_report(folder: Path) -> Path:
    cut = observation({"small": 1})
    fault = Fault(FaultKind.CLOSED, "closed", 0.5)
    seen = (observation({"long": "x" * 500}), Observation(cut.case, Exchange(cut.exchange.request, None, fault)))
    findings = tuple(Finding(f"wrong <script>{n}</script>", one.case.id, "/x", "1", "2") for n, one in enumerate(seen))
    verdicts = [Verdict("a.check", "corpus.o", Outcome.FAIL, findings, 2, cases=tuple(one.case.id for one in seen))]
    jsonl.write(folder / jsonl.NAME, HEADER, [Trace("corpus.o", seen)], verdicts, FOOTER)
    return folder


def test_what_is_written_is_read(tmp_path: Path) -> None:
    report = jsonl.read(small_report(tmp_path))
    trace = report.traces["corpus.o"]
    assert (b'{"x":', b"\xff1}") == tuple(chunk.data for chunk in trace.observations[0].response.chunks)
    assert observation({"long": "x" * 500}) == trace.observations[0]
    assert (Outcome.FAIL, 2) == (report.verdicts[0].outcome, len(report.verdicts[0].findings))


def test_a_shortened_answer_says_so_in_every_report(tmp_path: Path) -> None:
    """It has its length, its digest and the reason, and is read as it was written."""
    whole = observation(1)
    long = evolve(whole.exchange.response, chunks=(Chunk(0.25, b"head" * 5_000), Chunk(0.5, b"\0tail" * 4_000)))
    short = shortened(long, "no room for it")
    seen = Observation(whole.case, evolve(whole.exchange, response=short))
    verdict = Verdict("a.check", "corpus.o", Outcome.NOT_TESTABLE, reason="no room for it")
    written = jsonl.write(tmp_path / jsonl.NAME, HEADER, [Trace("corpus.o", (seen,))], [verdict], FOOTER)
    assert seen == jsonl.read(tmp_path).traces["corpus.o"].observations[0]
    for line in (tmp_path / jsonl.NAME).read_text("utf-8").splitlines():
        assert [] == [error.message for error in validator().iter_errors(json.loads(line))]
    (shown,) = exchanges_of(part("reports.html").render(written, "out"))
    told = shown["response"]["shortened"]
    assert (40_000, short.shortened.sha256, "no room for it") == (told["size"], told["sha256"], told["reason"])
    assert "headhead" in shown["response"]["body"]["text"]


def test_control_characters_don_t_fill_the_disk() -> None:
    """JSON writes six characters for each; base64 needs less than two."""
    to_json, from_json = (getattr(part("reports.evidence_json"), f"exchange_{way}_json") for way in ("to", "from"))
    exchange = observation(1).exchange.answered(Response(200, (), (Chunk(0.0, b"\0" * 300_000),)))
    assert len(json.dumps(to_json(exchange))) < 450_000
    assert exchange == from_json(to_json(exchange))


def validator() -> Draft202012Validator:
    folder = Path(str(part("reports").__file__)).parent
    return Draft202012Validator(json.loads((folder / "schema.json").read_text("utf-8")))


def test_every_line_is_valid(tmp_path: Path) -> None:
    for line in (small_report(tmp_path) / jsonl.NAME).read_text("utf-8").splitlines():
        assert [] == [error.message for error in validator().iter_errors(json.loads(line))]


def test_a_changed_report_is_refused(tmp_path: Path) -> None:
    file = small_report(tmp_path) / jsonl.NAME
    file.write_text(file.read_text("utf-8").replace('"outcome":"fail"', '"outcome":"pass"', 1), "utf-8")
    with pytest.raises(UsageError, match=r"report.jsonl:\d+: this line is not as it was written"):
        jsonl.read(file)


@pytest.mark.parametrize("lost", [1, 30, 200])
def test_a_truncated_report_is_read_as_far_as_it_goes(tmp_path: Path, lost: int) -> None:
    file = small_report(tmp_path) / jsonl.NAME
    file.write_bytes(file.read_bytes()[:-lost])
    assert jsonl.read(file).footer is None


def test_the_smallest_request_is_the_witness(tmp_path: Path) -> None:
    report = jsonl.read(small_report(tmp_path))
    finding, seen, more = failure.witness(report.verdicts[0], report.traces["corpus.o"])
    assert (observation({"small": 1}).case.id, 1) == (finding.case_id, more)
    assert seen.case.id == finding.case_id


def test_a_failure_is_about_ten_lines(tmp_path: Path) -> None:
    report = jsonl.read(small_report(tmp_path))
    lines = list(failure.explain(report.verdicts[0], report.traces["corpus.o"], HEADER["checks"], run_dir="out"))
    assert 12 >= len(lines)
    assert "FAIL a.check (MUST) in corpus.o" == lines[0]


@pytest.mark.parametrize("name", ["html", "markdown", "badge"])
def test_derived_reports_say_the_conclusion_and_escape_what_came(tmp_path: Path, name: str) -> None:
    text = part(f"reports.{name}").render(jsonl.read(small_report(tmp_path)), "out")
    assert "not conformant" in text
    if name == "html":
        assert "<script>0" not in text
        assert observation({"small": 1}).case.id in text


def test_a_truncated_run_is_told_in_every_derived_report(tmp_path: Path) -> None:
    file = small_report(tmp_path) / jsonl.NAME
    file.write_bytes(file.read_bytes()[:-5])
    report = jsonl.read(file)
    assert all("truncated" in part(f"reports.{name}").render(report, "out") for name in ("html", "markdown", "badge"))


def test_levels_and_waivers_survive() -> None:
    waived = Waived(Outcome.WARN, "ann", "why", "https://l", "2030-01-01")
    verdict = Verdict("c", "s", Outcome.WAIVED, (Finding("m", "0" * 12, level=Level.SHOULD),), waived=waived)
    evidence = part("reports.evidence_json")
    assert verdict == evidence.verdict_from_json(json.loads(json.dumps(evidence.verdict_to_json(verdict))))


def test_console_tells_a_reason_once(tmp_path: Path) -> None:
    """Items that could not be judged for one reason are one telling, the widest first; the rest is counted."""
    traces = [Trace(f"corpus.{n}", (observation({"n": n}),)) for n in range(9)]
    verdicts = [Verdict("a.check", f"corpus.{n}", Outcome.NOT_TESTABLE, reason=f"why {min(n, 5)}") for n in range(9)]
    jsonl.write(tmp_path / jsonl.NAME, HEADER, traces, verdicts, FOOTER)
    lines = list(console.render(jsonl.read(tmp_path), "out"))
    reasons = [line.split(maxsplit=1)[1] for line in lines if line.startswith("  reason")]
    assert ["why 5", "why 0", "why 1", "why 2", "why 3"] == reasons
    assert (
        "… and 1 more causes of 1 verdicts, the widest 1 verdict of 1 rule in 1 operation (o): see out/index.html"
        in lines
    )
    again = [Verdict("a.check", f"corpus.{n}", Outcome.NOT_TESTABLE, reason="why") for n in range(9)]
    jsonl.write(tmp_path / jsonl.NAME, HEADER, traces, again, FOOTER)
    assert "  explains  9 verdicts of 1 rule in 1 operation (o)" in console.render(jsonl.read(tmp_path), "out")


def test_every_derived_report_offers_what_a_run_asks_of_one() -> None:
    asked = recording.Format.render.__annotations__
    assert {"report": "Report", "run_dir": "str", "return": "str"} == asked
    names = [made.NAME for made in recording.formats()]
    assert {"index.html", "summary.md", "badge.json"} <= {*names}
    assert len(names) == len({*names, jsonl.NAME, part("reports.manifest").NAME}) - 2, "two files of one name"
    for made in recording.formats():
        assert asked == made.render.__annotations__
        assert isinstance(made.NAME, str)


def test_attempts_are_shown_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    """Oldest first, and the answer that was judged last."""
    seen = observation({"small": 1})
    attempts = tuple(Exchange(seen.exchange.request, Response(status)) for status in (502, 429))
    again = Observation(seen.case, evolve(seen.exchange, attempts=attempts))
    jsonl.write(
        tmp_path / jsonl.NAME,
        HEADER,
        [Trace("corpus.o", (again,))],
        [Verdict("a.check", "corpus.o", Outcome.PASS)],
        FOOTER,
    )
    (shown,) = exchanges_of(part("reports.html").render(jsonl.read(tmp_path), "out"))
    assert [502, 429] == [attempt["response"]["status"] for attempt in shown["attempts"]]
    assert 200 == shown["response"]["status"]


def test_code_in_the_title_of_a_rule_is_code_on_the_page(tmp_path: Path) -> None:
    """Double backticks become an element in the heading of a cause; what they hold is escaped all the same."""
    report = jsonl.read(small_report(tmp_path))
    info = {**report.header["checks"]["a.check"], "title": "``a <i>`` is ``b``; ``c"}
    finding = evolve(report.verdicts[0].findings[0], message="the target says ``d``")
    told = evolve(
        report,
        header={**report.header, "checks": {"a.check": info}},
        verdicts=(evolve(report.verdicts[0], findings=(finding,)),),
    )
    page = part("reports.html").render(told, "out")
    assert 1 == page.count("<code>a &lt;i&gt;</code> is <code>b</code>; ``c")
    assert "<i>" not in page
    assert "the target says ``d``" in page
