"""A static site of many reports: implementations, api-versions and areas in one table, each with its history.

The site needs no server and loads nothing. ``index.html`` links a copy of each report's page; ``feed.xml`` (RSS 2.0)
and ``feed.json`` (JSON Feed 1.1) have an entry for each run, the newest first; ``badge.json`` stands beside each page.
"""

from __future__ import annotations

import json
import re
import shlex
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from attrs import frozen

from conformance.evidence.timeline import visible
from conformance.settings.scope import RunScope

from .badge import render as badge
from .html import render as page
from .jsonl import Report
from .row import Row, row_of
from .row_page import rendered

__all__ = ["Run", "run_of", "site"]

#: Pixels of a line of history.
_WIDTH, _HEIGHT = 120, 24

#: The most entries of a feed.
_ENTRIES = 50


@frozen
class Run:
    """One report on the site. ``slug`` is its folder there, ``again`` the command that judges the same again, and
    ``start`` the one that starts the implementation before, "" if nobody told it.
    """

    implementation: str
    slug: str
    again: str
    start: str
    row: Row
    report: Report

    @property
    def told(self) -> str:
        """How much of what was judged is right."""
        return f"{self.row.passed} of {self.row.checks} checks passed"


def run_of(implementation: str, report: Report, start: str = "") -> Run:
    """A report as a run of an implementation; "" stands for the URL of its target. ``start`` is a command."""
    row = row_of(report)
    name = implementation or row.target
    slug = re.sub(r"[^a-z0-9.]+", "-", f"{name} {row.version} {row.started}".lower()).strip("-")
    return Run(name, slug, _again(report.header), start, row, report)


def _again(header: Mapping[str, Any]) -> str:
    """The command that judges the same again."""
    scope, target = RunScope.from_json(header["scope"]), header["target"]
    if scope.recorded:
        return "recorded traffic: aoai-conformance judge FILE"
    settings = (("AUTH", target["auth"], "api-key"), ("BASE_PATH", target.get("base_path"), None))
    before = "".join(f"AOAI_TARGET_{name}={shlex.quote(str(one))} " for name, one, usual in settings if one != usual)
    words = ["aoai-conformance", "run", "--api-version", str(header["api_version"])]
    words += ["--profile", scope.profile, "--seed", str(header["seed"])]
    words += [] if target.get("embedded") else ["--target", str(target["url"])]
    chosen = (("--operation", scope.operations), ("--scenario", scope.scenarios), ("--check", scope.checks))
    words += [word for flag, names in chosen for name in names for word in (flag, name)]
    words += ["--shard", scope.shard] if scope.shard else []
    return before + shlex.join(words)


def site(runs: Iterable[Run], folder: Path, title: str) -> None:
    """Write the site into a folder. Raises :class:`OSError` if that fails."""
    newest = sorted(runs, key=lambda run: run.row.started, reverse=True)
    for run in newest:
        place = folder / run.slug
        place.mkdir(parents=True, exist_ok=True)
        (place / "index.html").write_text(page(run.report, run.slug), "utf-8", "backslashreplace")
        (place / "badge.json").write_text(badge(run.report, run.slug), "utf-8", "backslashreplace")
    (folder / "index.html").write_text(_index(newest, title), "utf-8", "backslashreplace")
    (folder / "feed.xml").write_text(_rss(newest[:_ENTRIES], title), "utf-8", "backslashreplace")
    (folder / "feed.json").write_text(_json_feed(newest[:_ENTRIES], title), "utf-8", "backslashreplace")


def _index(newest: Sequence[Run], title: str) -> str:
    """The page with the table: a row for each implementation and api-version, the newest run of each."""
    rows: dict[tuple[str, str], list[Run]] = {}
    for run in newest:
        rows.setdefault((run.implementation, run.row.version), []).append(run)
    shown = [(history[0], history, _line(history)) for _, history in sorted(rows.items())]
    return rendered("site.html.j2", [run.row for run in newest], title=title, runs=shown)


def _line(history: Sequence[Run]) -> str:
    """The points of a line of the shares of passed checks, the oldest first; "" for fewer than two runs."""
    if len(history) < 2:
        return ""
    step = _WIDTH / (len(history) - 1)
    oldest = [*reversed(history)]
    return " ".join(
        f"{place * step:.1f},{_HEIGHT - 2 - run.row.share * (_HEIGHT - 4):.1f}" for place, run in enumerate(oldest)
    )


def _entries(newest: Sequence[Run]) -> Iterator[tuple[Run, str, str]]:
    """Yield each run with a title and a text."""
    for run in newest:
        yield run, f"{run.implementation}, {run.row.version}: {run.row.first.text}", f"{run.told}. {run.again}"


def _rss(newest: Sequence[Run], title: str) -> str:
    """RSS 2.0. Links are relative: the site may stand anywhere."""
    root = ET.Element("rss", {"version": "2.0"})
    channel = ET.SubElement(root, "channel")
    for name, text in (("title", title), ("link", "index.html"), ("description", title)):
        ET.SubElement(channel, name).text = visible(text)
    for run, named, text in _entries(newest):
        item = ET.SubElement(channel, "item")
        when = format_datetime(datetime.fromisoformat(run.row.started))
        told = (("title", named), ("link", f"{run.slug}/index.html"), ("pubDate", when), ("description", text))
        for name, value in told:
            ET.SubElement(item, name).text = visible(value)
        ET.SubElement(item, "guid", {"isPermaLink": "false"}).text = run.slug
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _json_feed(newest: Sequence[Run], title: str) -> str:
    """JSON Feed 1.1 (jsonfeed.org)."""
    items = [
        {
            "id": run.slug,
            "url": f"{run.slug}/index.html",
            "title": named,
            "content_text": text,
            "date_published": run.row.started,
        }
        for run, named, text in _entries(newest)
    ]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": title,
        "home_page_url": "index.html",
        "items": items,
    }
    return visible(json.dumps(feed, ensure_ascii=False, indent=1)) + "\n"
