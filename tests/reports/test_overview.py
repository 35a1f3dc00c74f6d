"""The table above the reports of a run: a row for each api-version, which agrees with the reports below it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs

from attrs import evolve
from test_headline import report_of

from conformance._parts import part
from conformance.settings.scope import RunScope
from conformance.verdict import Finding, Outcome, Verdict

overview = part("reports.overview")
row = part("reports.row")

CHECKS = {
    "a.check": {"area": "chat"},
    "b.check": {"area": "streams", "level": "MUST", "title": "b | <b>"},
    "c.check": {"area": "chat"},
}


def rows() -> list[Any]:
    """The rows of two reports: one is right in a narrow scope, one has a failure, and areas differ."""
    good = [Verdict("a.check", f"corpus.{n}", Outcome.PASS, judged=1) for n in "op"]
    # What doesn't apply is no column of anybody's interest, unless there is nothing else.
    good.append(Verdict("c.check", "corpus.o", Outcome.NOT_APPLICABLE))
    bad = Verdict("b.check", "corpus.o", Outcome.FAIL, (Finding("wrong", "case"),), judged=1)
    reports = [
        report_of(good, RunScope(profile="smoke"), conclusion="conformant"),
        report_of([*good, bad], conclusion="not conformant"),
    ]
    return [
        row.row_of(evolve(report, header={**report.header, "api_version": version, "checks": CHECKS}))
        for version, report in zip(("v1", "v2"), reports, strict=True)
    ]


class Table(HTMLParser):
    """The texts of the cells of each row, and all links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.links: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self._inside = True
            self.rows[-1].append("")
        self.links += [str(dict(attrs)["href"])] if tag == "a" else []

    def handle_data(self, data: str) -> None:
        if self._inside and self.rows:
            self.rows[-1][-1] += f" {data.strip()}" if data.strip() else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag not in ("th", "td")


def test_the_table_has_outcome_scope_date_and_the_counts_of_each_area() -> None:
    head, one, two = Table(overview.page(rows())).rows
    assert ["api-version", "outcome and scope", "date", "chat", "streams"] == [cell.strip() for cell in head]
    assert " conformant in its scope (profile smoke)" in one[1]
    assert (" v1", " 2026-01-01T00:00:00Z", " ✓ 2 pass", " –") == (one[0], *one[2:])
    assert " not conformant (profile standard)" in two[1]
    assert " broken rule: b | <b>" in two[1]
    assert (" v2", " ✓ 2 pass", " ✗ 1 fail") == (two[0], *two[3:])


def test_the_title_counts_the_conclusions_the_worst_first() -> None:
    assert "<h1>2 api-versions: 1 not conformant, 1 conformant in its scope</h1>" in overview.page(rows())
    assert overview.markdown(rows()).startswith("# 2 api-versions: 1 not conformant, 1 conformant in its scope\n")


def test_a_cell_leads_to_its_verdicts() -> None:
    links = Table(overview.page(rows())).links
    (cell,) = [link for link in links if link.startswith("v2/index.html#") and "streams" in link]
    assert {"outcome": ["fail"], "area": ["streams"]} == parse_qs(cell.partition("#")[2])


def test_markdown_has_the_same_table() -> None:
    lines = [line for line in overview.markdown(rows()).splitlines() if line.startswith("|")]
    head, _, one, two = (re.split(r"(?<!\\)\|", line.strip("|")) for line in lines)
    assert len(head) == len(one) == len(two)
    assert [" ✓ 2 pass ", "  "] == one[-2:]
    assert [" [v2](v2/summary.md) ", " ✗ 1 fail "] == [two[0], two[-1]]
    assert " broken rule: b \\| \\<b\\> " == two[2]


def test_the_summary_of_a_job_has_no_link_to_a_file() -> None:
    assert "](" not in overview.markdown(rows(), linked=False)
