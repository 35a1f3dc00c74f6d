"""JUnit: of a run pytest itself writes the file, item by item, and the headline is added; of recorded traffic the file
is written here, in the same form.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import asdict

from conformance.evidence.timeline import escaped, visible
from conformance.verdict import Outcome, Verdict

from .failure import explain
from .headline import Headline, headline
from .jsonl import Report

__all__ = ["add_headlines", "document", "properties"]

#: The element for each outcome that is neither a pass nor a failure.
_KINDS = {Outcome.FAIL: "failure", Outcome.NOT_APPLICABLE: "skipped"}


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
    version, counts = report.header["api_version"], {"failure": 0, "error": 0, "skipped": 0}
    told = ET.SubElement(suite, "properties")
    for name, text in headline(report).named():
        ET.SubElement(told, "property", {"name": f"{version}.{name}", "value": escaped(text)})
    for verdict in report.verdicts:
        name = f"test_rule[{version}:{verdict.scenario}:{verdict.check}]"
        case = ET.SubElement(suite, "testcase", {"classname": "conformance", "name": escaped(name), "time": "0"})
        info = report.header["checks"].get(verdict.check, {})
        held = ET.SubElement(case, "properties")
        for key, value in properties(verdict, info.get("level", ""), info.get("clause", "")):
            ET.SubElement(held, "property", {"name": key, "value": escaped(str(value))})
        if verdict.outcome in (Outcome.PASS, Outcome.WARN):
            continue
        kind = _KINDS.get(verdict.outcome, "error")
        counts[kind] += 1
        lines = explain(verdict, report.traces[verdict.evidence], report.header["checks"], run_dir=run_dir)
        node = ET.SubElement(case, kind, {"message": escaped(verdict.reason or verdict.outcome.value)})
        if kind != "skipped":
            node.text = visible("\n".join(lines))
    suite.attrib |= {"tests": str(len(report.verdicts))}
    suite.attrib |= {plural: str(counts[one]) for one, plural in _PLURALS.items()}
    whole = ET.Element("testsuites", {"name": "aoai-conformance"})
    whole.append(suite)
    ET.indent(whole)
    return ET.tostring(whole, encoding="unicode", xml_declaration=True) + "\n"


#: Element → the attribute with its number.
_PLURALS = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def add_headlines(file: Path, headlines: Mapping[str, Headline]) -> None:
    """Add properties to the test suite of a finished JUnit file: ``<api-version>.conclusion`` and ``.coverage``.

    A file that is missing or isn't JUnit is left alone.
    """
    try:
        tree = ET.parse(file)  # noqa: S314 - pytest wrote it a moment ago
    except (OSError, ET.ParseError):
        return
    suite = next(tree.iter("testsuite"), None)
    if suite is None:
        return
    properties = suite.find("properties")
    if properties is None:
        properties = ET.Element("properties")
        suite.insert(0, properties)
    for version, first in headlines.items():
        for name, value in first.named():
            ET.SubElement(properties, "property", {"name": f"{version}.{name}", "value": value})
    tree.write(file, encoding="utf-8", xml_declaration=True)
