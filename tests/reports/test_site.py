"""The site has a row for each implementation and api-version, links that exist, and feeds that readers accept."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from attrs import evolve
from test_headline import report_of
from test_reports import FOOTER, HEADER, observation

from conformance._parts import part
from conformance.cli import main
from conformance.evidence.trace import Trace
from conformance.verdict import Outcome, Verdict

site = part("reports.site")
jsonl = part("reports.jsonl")


def made(folder: Path) -> Path:
    """A site of two runs of one implementation and one of another, whose name holds markup."""
    passed, failed = (Verdict("a.check", "corpus.o", one, judged=1) for one in (Outcome.PASS, Outcome.FAIL))
    runs = [
        ("one", "2026-01-01T00:00:00Z", failed, "not conformant"),
        ("one", "2026-02-01T00:00:00Z", passed, "conformant"),
        ("<b>two</b>", "2026-01-15T00:00:00Z", passed, "conformant"),
    ]
    reports = []
    for name, started, verdict, conclusion in runs:
        report = report_of([verdict], conclusion=conclusion)
        reports.append(site.run_of(name, evolve(report, header={**report.header, "started": started})))
    site.site(reports, folder, "A title")
    return folder


def test_each_link_of_the_site_leads_somewhere(tmp_path: Path) -> None:
    text = (made(tmp_path) / "index.html").read_text("utf-8")
    links = re.findall(r'href="([^"]+)"', text)
    assert len({link for link in links if link.endswith("index.html")}) == 3
    assert [] == [link for link in links if not (tmp_path / link.partition("#")[0]).is_file()]


def test_a_row_shows_the_newest_run_and_the_history_before_it(tmp_path: Path) -> None:
    text = (made(tmp_path) / "index.html").read_text("utf-8")
    rows = text.partition("<tbody>")[2].split("<tr>")[1:]
    assert 2 == len(rows)
    (one,) = (row for row in rows if ">one</th>" in row)
    assert "conformant (profile standard)" in one.replace("not conformant", "")
    # From none to all of the checks.
    assert 'points="0.0,22.0 120.0,2.0"' in one
    assert "aoai-conformance run --api-version v --profile standard --seed 0 --target https://t.example" in one
    assert "<b>" not in text


def test_feeds_have_the_newest_first(tmp_path: Path) -> None:
    made(tmp_path)
    items = ET.parse(tmp_path / "feed.xml").getroot().findall("channel/item")
    dates = [parsedate_to_datetime(str(item.findtext("pubDate"))) for item in items]
    assert dates == sorted(dates, reverse=True)
    feed = json.loads((tmp_path / "feed.json").read_text("utf-8"))
    assert [item.findtext("guid") for item in items] == [item["id"] for item in feed["items"]]
    assert ["2026-02-01", "2026-01-15", "2026-01-01"] == [item["date_published"][:10] for item in feed["items"]]


def test_the_command_reads_run_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for version in ("v", "w"):
        folder = tmp_path / "run" / version
        folder.mkdir(parents=True)
        trace = Trace("corpus.o", (observation(1),))
        verdict = Verdict("a.check", "corpus.o", Outcome.PASS, judged=1)
        jsonl.write(folder / jsonl.NAME, {**HEADER, "api_version": version}, [trace], [verdict], FOOTER)
    assert 0 == main(["site", f"mine={tmp_path / 'run'}", "--out", str(tmp_path / "site")])
    assert capsys.readouterr().out.startswith("2 reports: ")
    assert 2 == (tmp_path / "site" / "index.html").read_text("utf-8").count(">mine</th>")
    assert 2 == main(["site", str(tmp_path / "site"), "--out", str(tmp_path / "again")])
    assert "no report here" in capsys.readouterr().err
