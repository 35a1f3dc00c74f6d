"""JUnit: a test case for each verdict, in the form that Jenkins' schema allows and GitHub and GitLab read.

``classname`` is ``<api-version>.<group>``, so that readers show a tree; ``name`` is ``<scenario>:<check>`` and never
changes. The schema (``junit-10.xsd`` of Jenkins' xUnit plugin) has no properties of a test case, so what is known of a
verdict stands in ``system-out``. A file that pytest wrote for ``--junitxml`` gets the same cases.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import asdict

from conformance.evidence.timeline import escaped, visible
from conformance.judging.repeats import scenario_of
from conformance.target.preflight import SERVED_CHECK
from conformance.verdict import Outcome, Verdict

from .failure import explain
from .headline import Headline, headline
from .jsonl import Report
from .matrix import Place, places

__all__ = ["ITEM", "NAME", "add_to", "properties", "render"]

NAME = "junit.xml"

#: The element for each outcome but those of a pass; an error for all others. A waiver is no pass and fails nothing.
_KINDS = {Outcome.FAIL: "failure", Outcome.NOT_APPLICABLE: "skipped", Outcome.WAIVED: "skipped"}

#: Element → the attribute with its number.
_PLURALS = {"failure": "failures", "error": "errors", "skipped": "skipped"}

#: Characters that XML 1.0 doesn't have (section 2.2), besides those that every report escapes.
_NO_XML = {0xFFFE: "\\ufffe", 0xFFFF: "\\uffff"}

#: What pytest calls an item of a run: api-version, scenario, check.
ITEM = re.compile(r"([^:]+):([^:]+):([^:]+)")


def properties(verdict: Verdict, level: str, clause: str) -> Iterator[tuple[str, object]]:
    """Yield what is told about a verdict besides its explanation, as (name, value)."""
    yield "outcome", verdict.outcome.value
    yield "level", level
    yield "clause", clause
    yield "judged", verdict.judged
    if verdict.unjudged:
        yield "unjudged", sum(part.count for part in verdict.unjudged)
        yield "coverage", verdict.coverage
    if verdict.stability:
        yield "repeated", verdict.stability
    if verdict.witness:
        yield "witness", verdict.witness
    # The report has all of them; JUnit readers show a few lines.
    for finding in verdict.findings[:5]:
        yield "finding", f"{finding.case_id} {finding.message}"
    if verdict.waived is not None:
        for name, value in asdict(verdict.waived).items():
            if value:
                yield f"waived.{name}", str(value)


def render(report: Report, run_dir: str) -> str:
    """XML text."""
    suite = ET.Element("testsuite", {"name": "aoai-conformance", "timestamp": report.header["started"]})
    _add_headline(ET.SubElement(suite, "properties"), report.header["api_version"], headline(report))
    shares = _shares(report)
    for verdict, place in places(report):
        case = ET.SubElement(suite, "testcase", {"time": f"{shares[verdict.scenario]:.6f}"})
        _fill(case, report, verdict, place, run_dir)
    suite.set("time", f"{sum(float(case.get('time', '0')) for case in suite.iter('testcase')):.3f}")
    _count(suite)
    whole = ET.Element("testsuites", {"name": "aoai-conformance"})
    whole.append(suite)
    ET.indent(whole)
    return ET.tostring(whole, encoding="unicode", xml_declaration=True) + "\n"


def _shares(report: Report) -> dict[str, float]:
    """Seconds of an item by its scenario: an equal part of the time that the scenario's requests waited for answers, so
    that the sums that readers of JUnit show are those of the run.
    """
    items = Counter(verdict.scenario for verdict in report.verdicts)
    seconds: dict[str, float] = dict.fromkeys(items, 0.0)
    for name, outline in report.outlines.items():
        scenario = scenario_of(name)
        if scenario in seconds:
            seconds[scenario] += outline.seconds
    return {scenario: whole / items[scenario] for scenario, whole in seconds.items()}


def _fill(case: ET.Element, report: Report, verdict: Verdict, place: Place, run_dir: str) -> None:
    """Write what is known of a verdict into a test case."""
    header = report.header
    case.set("classname", escaped(f"{header['api_version']}.{place.group}"))
    case.set("name", escaped(f"{verdict.scenario}:{verdict.check}"))
    kind = "" if verdict.outcome in (Outcome.PASS, Outcome.WARN) else _KINDS.get(verdict.outcome, "error")
    told: list[str] = []
    if kind != "skipped" and verdict.outcome is not Outcome.PASS:
        trace = report.traces[verdict.evidence]
        told = [*explain(verdict, trace, header["checks"], run_dir=run_dir, auth=header["target"]["auth"])]
    if kind:
        held = verdict.waived
        words = f"waived ({held.outcome.value}): {held.text}" if held is not None else verdict.reason
        node = ET.SubElement(case, kind, {"message": escaped(words or verdict.outcome.value)})
        node.text = visible("\n".join(told)) or None
    info = header["checks"].get(verdict.check, {})
    named = properties(verdict, info.get("level", ""), info.get("clause", ""))
    lines = [f"{name}: {escaped(str(value))}" for name, value in named]
    # A warning fails nothing, so this is its only place.
    lines += ["", *told] if verdict.outcome is Outcome.WARN else []
    ET.SubElement(case, "system-out").text = visible("\n".join(lines))
    for node in case.iter():
        node.text = node.text and node.text.translate(_NO_XML)
        node.attrib.update({name: value.translate(_NO_XML) for name, value in node.attrib.items()})


def _count(suite: ET.Element) -> None:
    """Write the numbers of the test cases of a suite."""
    cases = [*suite.iter("testcase")]
    kinds = Counter(child.tag for case in cases for child in case)
    suite.attrib |= {"tests": str(len(cases))} | {many: str(kinds[one]) for one, many in _PLURALS.items()}


def _add_headline(held: ET.Element, version: str, first: Headline) -> None:
    """Add a headline to the properties of a test suite."""
    for name, value in first.named():
        ET.SubElement(held, "property", {"name": f"{version}.{name}", "value": escaped(value)})


def add_to(file: Path, headlines: Mapping[str, Headline], reports: Mapping[str, Report], out: str = "") -> None:
    """Give a file that pytest wrote the form of :func:`render`, and keep the test cases of other tests.

    The headlines become properties ``<api-version>.conclusion`` and so on. The verdicts of the preflight are added,
    which are no items of pytest: a resource that is claimed and not served. ``out`` is the run folder. A file that is
    missing or isn't JUnit is left alone.
    """
    try:
        tree = ET.parse(file)  # noqa: S314 - pytest wrote it a moment ago
    except (OSError, ET.ParseError):
        return
    suite = next(tree.iter("testsuite"), None)
    if suite is None:
        return
    held = suite.find("properties")
    if held is None:
        held = ET.Element("properties")
        suite.insert(0, held)
    for version, first in headlines.items():
        _add_headline(held, version, first)
    known: dict[tuple[str, ...], tuple[Report, Verdict, Place]] = {
        (version, verdict.scenario, verdict.check): (report, verdict, place)
        for version, report in reports.items()
        for verdict, place in places(report)
    }
    for case in suite.iter("testcase"):
        item = ITEM.fullmatch(case.get("name", ""))
        if item is not None and item.groups() in known:
            seconds = case.get("time", "0")
            case.clear()
            case.set("time", seconds)
            _fill(case, *known[item.groups()], f"{out}/{item[1]}")
    for item_id, found in known.items():
        if found[1].check == SERVED_CHECK:
            _fill(ET.SubElement(suite, "testcase", {"time": "0"}), *found, f"{out}/{item_id[0]}")
    _count(suite)
    tree.write(file, encoding="utf-8", xml_declaration=True)
