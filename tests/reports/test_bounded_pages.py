"""The HTML pages: what a target sent can neither run nor hide anything in them."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from attrs import evolve
from test_reports import FOOTER, HEADER, observation, small_report

from conformance._parts import part
from conformance.evidence.exchange import Chunk, Response
from conformance.evidence.trace import Observation, Trace
from conformance.migration.conclusion import Upgrade
from conformance.passage.judge import Judged
from conformance.settings.scope import RunScope

jsonl = part("reports.jsonl")


class Page(HTMLParser):
    """A reader that knows nothing of our templates: the policy, the texts of styles and scripts, all attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.policy = ""
        self.inline: dict[str, list[str]] = {"style": [], "script": []}
        self.attributes: set[str] = set()
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.attributes |= {*named}
        if named.get("http-equiv", "") == "Content-Security-Policy":
            self.policy = named["content"] or ""
        # A script of another type than JavaScript is data, which no browser runs and no policy concerns.
        self._inside = tag if tag in self.inline and "type" not in named else ""
        if self._inside:
            self.inline[tag].append("")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.inline[self._inside][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def pages(folder: Path) -> dict[str, str]:
    """Each kind of page, with hostile texts: of a report, above several, of a move, of a gateway."""
    report = jsonl.read(small_report(folder))
    hostile = evolve(report, header={**report.header, "api_version": "v\u202e<script>"})
    head = dict.fromkeys(("gateway", "profile", "started", "suite", "upstream", "seed"), "<style>")
    head["api_version"] = "v\u202e<script>"
    site = part("reports.site")
    site.site([site.run_of("i\u202e<script>", hostile)], folder / "site", "A title")
    return {
        "report": part("reports.html").render(report, "out"),
        "overview": part("reports.overview").page([part("reports.row").row_of(hostile)]),
        "site": (folder / "site" / "index.html").read_text("utf-8"),
        "upgrade": part("reports.upgrade_page").render(Upgrade("v\u202e<script>", "w<style>", ())),
        "gateway": part("reports.passage_page").render(head, (), Judged((), {}), (), ("<script>",)),
    }


@pytest.mark.parametrize("name", ["report", "overview", "site", "upgrade", "gateway"])
def test_the_policy_allows_exactly_what_the_page_holds(tmp_path: Path, name: str) -> None:
    """CSP Level 3: an inline element runs if the digest of its text is listed. Nothing may be loaded or sent."""
    page = Page(pages(tmp_path)[name])
    rules = dict(rule.strip().split(" ", 1) for rule in page.policy.split(";"))
    assert {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}.items() <= rules.items()
    for kind, texts in page.inline.items():
        digests = [f"'sha256-{base64.b64encode(hashlib.sha256(t.encode()).digest()).decode()}'" for t in texts]
        assert digests == rules.get(f"{kind}-src", "").split()
    assert set() == {name for name in page.attributes if name.startswith("on") or name == "style"}
    assert (1, int(name == "report")) == (len(page.inline["style"]), len(page.inline["script"]))


def test_direction_marks_and_control_characters_are_shown(tmp_path: Path) -> None:
    marks = "\u202e\u2066\u200f\u061c\x1b\x00\ud800"
    seen = observation({"t": "x"})
    answer = Response(200, (("x-a", marks),), (Chunk(0.1, marks.encode("utf-8", "surrogatepass")[:-3]),))
    trace = Trace("corpus.o", (Observation(seen.case, evolve(seen.exchange, response=answer)),))
    jsonl.write(tmp_path / jsonl.NAME, HEADER, [trace], [], {**FOOTER, "notes": [marks]})
    report = jsonl.read(tmp_path)
    for name in ("html", "markdown"):
        text = part(f"reports.{name}").render(report, "out")
        assert [] == [hex(ord(mark)) for mark in marks if mark in text]
        assert "\\u202e" in text
    assert RunScope().to_json() == report.header["scope"]
