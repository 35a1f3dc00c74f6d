"""How one verdict shows what it rests on: marks where findings point, numbers as they were sent, what is missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import evolve
from browsing import Opening
from playwright.sync_api import Page, expect
from test_hostile import FOOTER, HEADER

from conformance._parts import part
from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.evidence.trace import Observation, Trace
from conformance.requests.case import Break, Case, Expect, JsonBody
from conformance.requests.request import Request
from conformance.verdict import Finding, Level, Outcome, Unjudged, Verdict, Waived

CHECKS = {"a.check": {"level": "MUST", "area": "http", "clause": "c", "clause_text": "A clause.", "title": "A rule."}}
QUIET = {**FOOTER, "outdated": [], "notes": [], "drift": []}

#: A member that is there twice, numbers that a parser would change, and a list that is one line.
LIST = ", ".join(["0.5"] * 40)
BODY = f'{{"twice": 1.0, "twice": 10000000000000000000001, "list": [{LIST}], "a~/b": {{"c": "d"}}}}'.encode()


def seen(body: bytes = BODY, media_type: str = "application/json") -> Observation:
    sent = {"input": "x", "dimensions": -1}
    broken = Break("/dimensions", "minimum")
    case = Case("o", "POST", "/p", body=JsonBody(sent), expect=Expect.REJECT, reason="below the minimum", breaks=broken)
    request = Request("POST", "https://t.example/p", (("content-type", "application/json"),), json.dumps(sent).encode())
    headers = (("content-type", media_type), ("retry-after", "soon"))
    return Observation(case, Exchange(request, Response(200, headers, (Chunk(0.1, body),), reason="OK", elapsed=0.2)))


def page_of(folder: Path, one: Observation, findings: Sequence[Finding], **more: object) -> Path:
    """The page of a report with one verdict."""
    verdict = evolve(Verdict("a.check", "corpus.o", Outcome.FAIL, tuple(findings), 1), **more)  # type: ignore[arg-type]
    header = {**HEADER, "checks": CHECKS, "errata": {"e-1": "What we hold instead."}}
    report = part("reports.jsonl").Report(header, {"corpus.o": Trace("corpus.o", (one,))}, (verdict,), QUIET)
    file = folder / "index.html"
    file.write_text(part("reports.html").render(report, "out"), "utf-8")
    return file


def marked(page: Page, label: str) -> list[str]:
    """The lines of a body that are marked."""
    lines: list[str] = page.get_by_label(label).locator(".line.marked").all_inner_texts()
    return [line.strip() for line in lines]


@pytest.mark.parametrize(
    ("place", "line", "said"),
    [
        ("/twice", '"twice": 10000000000000000000001,', "wrong"),
        ("/a~0~1b/c", '"c": "d"', "wrong"),
        ("/a~0~1b/gone/deep", '"a~/b": {', "/a~0~1b/gone/deep is not here"),
        ("", "{", "wrong"),
    ],
)
def test_the_place_that_a_finding_names_is_marked(
    tmp_path: Path, opened: Opening, place: str, line: str, said: str
) -> None:
    """A place that isn't there is told at its parent. Of two members with one name, clients see the last."""
    one = seen()
    page = opened(page_of(tmp_path, one, [Finding("wrong", one.case.id, place)]), "item=a.check--corpus.o")
    expect(page.get_by_label("Body of the response").locator(".said")).to_contain_text(said)
    assert [line] == marked(page, "Body of the response")


def test_json_is_formatted_and_not_changed(tmp_path: Path, opened: Opening) -> None:
    one = seen()
    page = opened(page_of(tmp_path, one, [Finding("wrong", one.case.id, "status")]), "item=a.check--corpus.o")
    shown = page.get_by_label("Body of the response")
    for text in ('"twice": 1.0,', "[0.5, 0.5, 0.5, 0.5, 0.5, 0.5, … 34 more]"):
        expect(shown).to_contain_text(text)
    page.get_by_role("button", name="As sent").last.click()
    expect(shown).to_have_text(BODY.decode())


def test_the_request_shows_what_it_breaks_on_purpose(tmp_path: Path, opened: Opening) -> None:
    one = seen()
    page = opened(page_of(tmp_path, one, [Finding("accepted", one.case.id, "status")]), "item=a.check--corpus.o")
    assert ['"dimensions": -1'] == marked(page, "Body of the request")
    expect(page.locator(".case")).to_contain_text("a correct target refuses it: below the minimum")
    expect(page.locator(".start.marked")).to_contain_text("200 OK")


def test_headers_are_marked_and_missing_ones_told(tmp_path: Path, opened: Opening) -> None:
    one = seen()
    findings = [
        Finding("no number", one.case.id, "header:Retry-After", "seconds", "soon"),
        Finding("is missing", one.case.id, "header:x-request-id"),
    ]
    page = opened(page_of(tmp_path, one, findings), "item=a.check--corpus.o")
    expect(page.locator(".headers .marked")).to_contain_text("retry-after")
    expect(page.locator(".headers .marked")).to_contain_text("expected seconds; came soon")
    expect(page.get_by_label("Response", exact=True)).to_contain_text("a.check: is missing")


def test_a_verdict_says_all_that_it_rests_on(tmp_path: Path, opened: Opening) -> None:
    """Level of the finding, clause, erratum, waiver, coverage, and how often it was the same."""
    one = seen()
    waived = Waived(Outcome.WARN, "ann", "known", "https://bugs.example/1", "2999-01-01")
    file = page_of(
        tmp_path,
        one,
        [Finding("wrong", one.case.id, "/twice", "1", "2", level=Level.SHOULD)],
        outcome=Outcome.WAIVED,
        waived=waived,
        errata=("e-1",),
        unjudged=(Unjudged(Outcome.NOT_TESTABLE, "the target answered 500", 3),),
        repeats={"warn": 1, "pass": 1},
        stable=False,
    )
    about = opened(file, "item=a.check--corpus.o").locator(".about")
    for told in (
        "waived",
        "SHOULD",
        "A rule.",
        "c: A clause.",
        "e-1: What we hold instead.",
        "ann: known (until 2999-01-01, https://bugs.example/1)",
        "judged 1 of 4; 3 not: the target answered 500",
        "unstable: warned 1 of 2, passed 1",
    ):
        expect(about).to_contain_text(told)
    expect(about).not_to_contain_text("MUST")


@pytest.mark.parametrize("place", ["", "/a", "byte:3", "event:1", "a place of another kind"])
def test_no_finding_is_lost_where_its_place_can_t_be_shown(tmp_path: Path, opened: Opening, place: str) -> None:
    """The answer is no JSON and no stream."""
    one = seen(b"<p>no</p>", "text/html")
    page = opened(page_of(tmp_path, one, [Finding("wrong", one.case.id, place)]), "item=a.check--corpus.o")
    expect(page.get_by_label("Response", exact=True)).to_contain_text("a.check: wrong")


def test_what_the_page_has_no_room_for_is_looked_for_in_the_report(
    tmp_path: Path, opened: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part("reports.page_evidence"), "ROOM", 0)
    monkeypatch.setattr(part("reports.page_evidence"), "FIRST", 0)
    one = seen()
    page = opened(page_of(tmp_path, one, [Finding("wrong", one.case.id, "/twice")]), "item=a.check--corpus.o")
    expect(page.locator("main")).to_contain_text(f"report.jsonl beside this page has it: look for {one.case.id}")
    page.locator(".steps summary").click()
    expect(page.locator(".steps")).to_contain_text("1 exchange are only in report.jsonl")
