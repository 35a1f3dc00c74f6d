"""JUnit: of a run pytest itself writes the file, item by item, and the headline is added; of recorded traffic the file
is written here, in the same form.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import asdict

from conformance.evidence.timeline import escaped, visible
from conformance.target.preflight import SERVED_CHECK
from conformance.verdict import Outcome, Verdict

from .failure import explain
from .headline import Headline, headline
from .jsonl import Report

__all__ = ["add_to", "document", "properties"]

#: The element for each outcome but those of a pass; an error for all others. A waiver is no pass and fails nothing.
_KINDS = {Outcome.FAIL: "failure", Outcome.NOT_APPLICABLE: "skipped", Outcome.WAIVED: "skipped"}

#: Element → the attribute with its number.
_PLURALS = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def properties(verdict: Verdict, level: str, clause: str) -> Iterator[tuple[str, object]]:
    """Yield what JUnit holds about a verdict besides its outcome, as (name, value)."""
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


def document(report: Report, run_dir: str) -> str:
    """A JUnit file of one report: a test case for each item, named as pytest names those of a run."""
    suite = ET.Element("testsuite", {"name": "aoai-conformance", "timestamp": report.header["started"]})
    _add_headline(ET.SubElement(suite, "properties"), report.header["api_version"], headline(report))
    kinds = Counter(_add_case(suite, report, verdict, run_dir) for verdict in report.verdicts)
    suite.attrib |= {"tests": str(len(report.verdicts))}
    suite.attrib |= {plural: str(kinds[one]) for one, plural in _PLURALS.items()}
    whole = ET.Element("testsuites", {"name": "aoai-conformance"})
    whole.append(suite)
    ET.indent(whole)
    return ET.tostring(whole, encoding="unicode", xml_declaration=True) + "\n"


def _add_case(suite: ET.Element, report: Report, verdict: Verdict, run_dir: str) -> str:
    """Add a verdict to a test suite. Returns the element that says why it is no pass; "" for a pass or a warning."""
    name = f"test_rule[{report.header['api_version']}:{verdict.scenario}:{verdict.check}]"
    case = ET.SubElement(suite, "testcase", {"classname": "conformance", "name": escaped(name), "time": "0"})
    info = report.header["checks"].get(verdict.check, {})
    held = ET.SubElement(case, "properties")
    for key, value in properties(verdict, info.get("level", ""), info.get("clause", "")):
        ET.SubElement(held, "property", {"name": key, "value": escaped(str(value))})
    if verdict.outcome in (Outcome.PASS, Outcome.WARN):
        return ""
    kind = _KINDS.get(verdict.outcome, "error")
    lines = explain(verdict, report.traces[verdict.evidence], report.header["checks"], run_dir=run_dir)
    node = ET.SubElement(case, kind, {"message": escaped(verdict.reason or verdict.outcome.value)})
    if kind != "skipped":
        node.text = visible("\n".join(lines))
    return kind


def _add_headline(held: ET.Element, version: str, first: Headline) -> None:
    """Add a headline to the properties of a test suite."""
    for name, value in first.named():
        ET.SubElement(held, "property", {"name": f"{version}.{name}", "value": escaped(value)})


def add_to(file: Path, headlines: Mapping[str, Headline], reports: Mapping[str, Report]) -> None:
    """Add to a finished JUnit file what pytest knows nothing of.

    These are the headlines, as properties ``<api-version>.conclusion`` and ``.coverage``, and the verdicts of the
    preflight, which are no items: a resource that is claimed and not served.

    A file that is missing or isn't JUnit is left alone.
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
    for report in reports.values():
        for verdict in report.verdicts:
            if verdict.check == SERVED_CHECK:
                kind = _add_case(suite, report, verdict, "")
                for count in ("tests", *([_PLURALS[kind]] if kind else ())):
                    suite.set(count, str(int(suite.get(count, "0")) + 1))
    tree.write(file, encoding="utf-8", xml_declaration=True)
