"""The headline of every report: the conclusion, and how much of the run it rests on."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from report_pages import exchanges_of, index_of
from test_reports import FOOTER, HEADER, observation

from conformance._parts import part
from conformance.evidence.trace import Trace
from conformance.settings.scope import RunScope
from conformance.verdict import Finding, Outcome, Unjudged, Verdict, Waived

WHOLE = RunScope()
PARTS = (Unjudged(Outcome.NOT_TESTABLE, "the target answered 500", 31), Unjudged(Outcome.UNAVAILABLE, "429", 6))
TOLD = "judged 3 of 40; 31 not: the target answered 500; 6 not: 429"


def report_of(verdicts: Iterable[Verdict], scope: RunScope = WHOLE, **footer: Any) -> Any:
    """A report in memory, of requests that all were answered."""
    kept = tuple(verdicts)
    traces = {verdict.scenario: Trace(verdict.scenario, (observation({"n": verdict.scenario}),)) for verdict in kept}
    return part("reports.jsonl").Report({**HEADER, "scope": scope.to_json()}, traces, kept, {**FOOTER, **footer})


def in_part(scenario: str = "corpus.o", *parts: Unjudged) -> Verdict:
    """A pass some of whose exchanges could not be judged."""
    case = observation({"n": scenario}).case.id
    return Verdict("a.check", scenario, Outcome.PASS, judged=3, cases=(case,), unjudged=parts or PARTS, witness=case)


def rendered(report: Any) -> dict[str, str]:
    """The text of each format that tells of a whole run."""
    made = {name: part(f"reports.{name}").render(report, "out") for name in ("html", "markdown", "badge")}
    made["console"] = "\n".join(part("reports.console").render(report, "out"))
    made["overview"] = part("reports.overview").page([part("reports.row").row_of(report)])
    return made


@pytest.mark.parametrize("name", ["html", "markdown", "badge", "console", "overview"])
def test_each_report_says_that_items_were_judged_in_part(name: str) -> None:
    report = report_of([in_part(), in_part("corpus.p")], conclusion="conformant")
    assert "judged in part" in rendered(report)[name]
    whole = report_of([Verdict("a.check", "corpus.o", Outcome.PASS, judged=3)], conclusion="conformant")
    assert "judged in part" not in rendered(whole)[name]


def test_the_line_on_coverage_counts_items_and_tells_the_commonest_reasons() -> None:
    """One answer that is missing is missing in many items: what is counted is items, and the words say so."""
    more = [in_part(f"corpus.{n}", Unjudged(Outcome.NOT_TESTABLE, f"reason {n}")) for n in range(4)]
    nothing = Verdict("a.check", "corpus.q", Outcome.INCONCLUSIVE, reason="no quota")
    first = part("reports.headline").headline(report_of([in_part(), in_part("corpus.p"), *more, nothing]))
    reasons = "the target answered 500 (in 2 items), 429 (in 2 items), reason 0 (in 1 item), and 3 more"
    expected = (f"judged in part: 6 items; reasons: {reasons}", "not judged: 1 item; reason: no quota")
    assert expected == first.coverage


def test_an_operation_that_refuses_everything_is_the_reason_of_all_that_it_leaves_open() -> None:
    """Its refusals have many words, in what was judged in part too. What follows from another verdict has its own."""
    cause = "files: every valid request was answered with 500; declare it"
    parts = (Unjudged(Outcome.NOT_TESTABLE, "the target answered 500"), Unjudged(Outcome.NOT_TESTABLE, "the rest", 0))
    broken = [
        Verdict("b.check", "corpus.o", Outcome.NOT_TESTABLE, reason="the step 'a'", cause=cause),
        Verdict("c.check", "corpus.o", Outcome.NOT_TESTABLE, reason="the step 'b'", cause=cause),
        Verdict("d.check", "corpus.p", Outcome.NOT_TESTABLE, reason="the step 'c'", cause="b.check in corpus.o"),
    ]
    first = part("reports.headline").headline(report_of([in_part("corpus.o", *parts), *broken]))
    assert (
        f"judged in part: 1 item; reason: {cause}",
        f"not judged: 3 items; reasons: {cause} (in 2 items), the step 'c' (in 1 item)",
    ) == first.coverage


@pytest.mark.parametrize(
    ("narrowed", "words"),
    [
        (RunScope(profile="smoke"), "profile smoke"),
        (RunScope(operations=("chat.*",)), "profile standard; operations chat.*"),
        (RunScope(scenarios=("a", "b"), checks=("c",)), "profile standard; scenarios a, b; checks c"),
        (RunScope(families=("fuzz",), profile="exhaustive"), "profile exhaustive; families fuzz"),
        (RunScope(shard="2/3"), "profile standard; shard 2/3"),
        (RunScope(pytest="3 of 9 items"), "profile standard; pytest 3 of 9 items"),
        (RunScope(unsupported={"x.*": "no"}, unclaimed=("vision",)), "profile standard; not claimed: x.*, vision"),
        (RunScope(not_served={"files": "404"}), "profile standard; not served: files"),
        (RunScope(left_out={"video": 4}, budget={"tokens": 9}), "left out as expensive: video; budget: 9 tokens"),
        (RunScope(unclaimed=tuple("abcdef")), "profile standard; not claimed: a, b, c, d and 2 more"),
    ],
)
@pytest.mark.parametrize("name", ["html", "markdown", "badge", "console", "overview", "junit", "allure"])
def test_a_narrower_scope_stands_in_each_headline(name: str, narrowed: RunScope, words: str, tmp_path: Path) -> None:
    """Nowhere is a run that looked at a part called conformant alone, and its badge is not the one of a whole run."""
    report = report_of([Verdict("a.check", "corpus.o", Outcome.PASS, judged=1)], narrowed, conclusion="conformant")
    first = {"v": part("reports.headline").headline(report)}
    if name == "junit":
        (tmp_path / "junit.xml").write_text("<testsuites><testsuite/></testsuites>")
        part("reports.junit").add_to(tmp_path / "junit.xml", first, {})
        text = (tmp_path / "junit.xml").read_text()
    elif name == "allure":
        part("reports.allure").add_headlines(tmp_path, first)
        text = (tmp_path / "environment.properties").read_text()
    else:
        text = rendered(report)[name]
    assert "conformant in its scope (profile " in text
    assert words in text
    assert [] == re.findall(r"(?<!not )conformant(?! in its scope)(?!:)", text)
    if name == "badge":
        assert "brightgreen" != json.loads(text)["color"]


@pytest.mark.parametrize("profile", ["standard", "exhaustive"])
def test_a_whole_run_names_its_profile(profile: str) -> None:
    passed = Verdict("a.check", "corpus.o", Outcome.PASS, judged=1)
    report = report_of([passed], RunScope(profile), conclusion="conformant")
    for text in rendered(report).values():
        assert f"conformant (profile {profile})" in text


WAIVED = Waived(Outcome.FAIL, "ann", "a bug that is filed", "https://bugs.example/1", "2999-01-01")
KNOWN = Waived(Outcome.FAIL, since="2026-02-03")


def waived(why: Waived, scenario: str = "corpus.o") -> Verdict:
    """A failure that doesn't decide."""
    finding = Finding("wrong", observation({"n": scenario}).case.id)
    return Verdict("a.check", scenario, Outcome.WAIVED, (finding,), judged=1, waived=why)


@pytest.mark.parametrize("name", ["html", "markdown", "badge", "console", "overview"])
def test_waived_failures_stand_in_each_headline(name: str) -> None:
    """A failure that somebody answers for is still one: nowhere does a plain conformant hide it."""
    known = waived(KNOWN, "corpus.q")
    report = report_of([waived(WAIVED), waived(WAIVED, "corpus.p"), known], conclusion="conformant")
    text = rendered(report)[name]
    assert "conformant but for 2 waived failures and 1 known failure (profile standard)" in text
    if name == "badge":
        assert "green" not in json.loads(text)["color"]


@pytest.mark.parametrize("name", ["html", "markdown", "console"])
def test_each_page_says_who_answers_for_a_waived_failure_and_until_when(name: str) -> None:
    text = rendered(report_of([waived(WAIVED), waived(KNOWN, "corpus.p")]))[name]
    told = ("ann", "a bug that is filed", "https://bugs.example/1", "2999-01-01", "known since 2026-02-03", "fail")
    assert [] == [word for word in told if word not in text]


def test_what_else_is_waived_is_no_failure() -> None:
    verdicts = [waived(Waived(Outcome.WARN, "ann", "r")), waived(Waived(Outcome.UNAVAILABLE, "ann", "r"), "corpus.p")]
    first = part("reports.headline").headline(report_of(verdicts, conclusion="not conformant"))
    expected = "not conformant, besides 1 waived warning and 1 waived item that was not judged (profile standard)"
    assert expected == first.text


@pytest.mark.parametrize("name", ["html", "markdown", "console", "overview"])
def test_what_is_out_of_date_is_named(name: str) -> None:
    gone = ["the waiver of x (owner ann) ended on 2020-01-01: remove it"]
    passed = Verdict("a.check", "corpus.o", Outcome.PASS, judged=1)
    pages = rendered(report_of([passed], conclusion="conformant", outdated=gone))
    assert gone[0] in pages[name]
    assert "conformant (profile standard); 1 waiver or baseline entry is out of date" in pages[name]
    assert "green" not in json.loads(pages["badge"])["color"]


def test_a_scope_survives_the_report() -> None:
    scope = RunScope(
        "smoke", ("a",), shard="1/2", unsupported={"x": "y"}, left_out={"n": 2}, budget={"seconds": 0.5}, waivers=("w",)
    )
    assert scope == RunScope.from_json(json.loads(json.dumps(scope.to_json())))


def test_what_a_scope_leaves_out_is_told_with_reasons() -> None:
    scope = RunScope(unsupported={"files.*": "no store"}, not_served={"chat": "GET /x answered 404"}, left_out={"n": 2})
    pages = rendered(report_of([in_part()], scope))
    for page in (pages["html"], pages["markdown"]):
        assert [] == [word for word in ("no store", "GET /x answered 404", "--expensive n") if word not in page]


@pytest.mark.parametrize("name", ["html", "markdown"])
def test_pages_tell_the_coverage_of_each_item(name: str) -> None:
    assert TOLD in rendered(report_of([in_part()]))[name]


def test_the_page_links_each_pass_to_its_witness() -> None:
    page, case = rendered(report_of([in_part()]))["html"], observation({"n": "corpus.o"}).case.id
    assert [case] == [verdict["witness"] for verdict in index_of(page)["verdicts"]]
    assert [case] == [one["id"] for one in exchanges_of(page)]


def test_the_badge_of_a_run_that_was_judged_in_part_is_not_the_brightest() -> None:
    def colour(*verdicts: Verdict) -> str:
        return str(json.loads(rendered(report_of(verdicts, conclusion="conformant"))["badge"])["color"])

    assert "brightgreen" == colour(Verdict("a.check", "corpus.o", Outcome.PASS, judged=1))
    assert "brightgreen" != colour(in_part())


def test_junit_and_allure_get_the_headline_beside_what_they_hold(tmp_path: Path) -> None:
    first = {"v": part("reports.headline").headline(report_of([in_part()], conclusion="conformant"))}
    file = tmp_path / "junit.xml"
    file.write_text('<testsuites><testsuite name="s"><testcase name="t"/></testsuite></testsuites>')
    (tmp_path / "environment.properties").write_text("own=kept\n")
    part("reports.junit").add_to(file, first, {})
    part("reports.allure").add_headlines(tmp_path, first)
    part("reports.allure").add_headlines(tmp_path, first)
    suite = ET.parse(file).getroot().find("testsuite")
    assert suite is not None
    assert ["properties", "testcase"] == [child.tag for child in suite]
    told = {one.attrib["name"]: one.attrib["value"] for one in suite.iter("property")}
    assert dict(first["v"].named()) == {name.removeprefix("v."): value for name, value in told.items()}
    lines = (tmp_path / "environment.properties").read_text().splitlines()
    assert ["own=kept", *(f"{name}={value}" for name, value in told.items())] == lines


@pytest.mark.parametrize(("outcome", "failures"), [(Outcome.FAIL, 1), (Outcome.WARN, 0)])
def test_junit_tells_what_is_claimed_and_not_served(tmp_path: Path, outcome: Outcome, failures: int) -> None:
    """It is no item of pytest, and without it a file of a run that is not conformant would show no failure."""
    found = Finding("files is claimed and not served", "", "status", outcome=outcome)
    claim = Verdict("claims.served", "resource.files", outcome, (found,), judged=1, reason=found.message)
    item = Verdict("a.check", "corpus.o", Outcome.FAIL, judged=1)
    file = tmp_path / "junit.xml"
    file.write_text('<testsuites><testsuite tests="0" failures="0"/></testsuites>')
    part("reports.junit").add_to(file, {}, {"v": report_of([claim, item])})
    (suite,) = ET.parse(file).getroot()
    (case,) = suite.iter("testcase")
    assert ("1", str(failures)) == (suite.attrib["tests"], suite.attrib["failures"])
    assert case.attrib["name"].endswith("resource.files:claims.served")
    assert [found.message] * failures == [one.attrib["message"] for one in case.iter("failure")]


def test_a_junit_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    for text in ("<not closed", "<other/>"):
        file = tmp_path / "junit.xml"
        file.write_text(text)
        part("reports.junit").add_to(file, {}, {})
        assert text == file.read_text()
    part("reports.junit").add_to(tmp_path / "absent.xml", {}, {})
    assert not (tmp_path / "absent.xml").exists()


def test_a_waived_failure_is_no_error_in_a_junit_file_of_our_own() -> None:
    """pytest shows it as skipped; a file that is written here has the same form."""
    text = part("reports.junit").render(report_of([waived(WAIVED)], conclusion="conformant"), "run")
    suite = ET.fromstring(text.encode()).find("testsuite")
    assert suite is not None
    assert ("1", "0", "0", "1") == tuple(suite.attrib[name] for name in ("tests", "failures", "errors", "skipped"))
