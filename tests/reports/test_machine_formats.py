"""What other programs read: JUnit, SARIF and annotations of GitHub Actions."""

from __future__ import annotations

import json
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from test_headline import WAIVED, report_of, waived

from conformance._parts import part
from conformance.settings.scope import RunScope
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of
from conformance.spec.shipped import specs_dir
from conformance.spec.source_lines import operation_lines
from conformance.verdict import Finding, Level, Outcome, Verdict

github, junit, matrix, sarif = (part(f"reports.{name}") for name in ("github", "junit", "matrix", "sarif"))

#: For each element of JUnit: the attributes that it must have, those that it may have, and the elements inside.
#: Facts of ``junit-10.xsd`` of Jenkins' xUnit plugin.
ALLOWED: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name"},
        {"time", "classname", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    **{name: (set(), {"type", "message"}, set()) for name in ("failure", "error", "skipped")},
    **{name: (set(), set(), set()) for name in ("system-out", "system-err")},
}


def problems(node: ET.Element) -> list[str]:
    """Where a document isn't what the schema allows."""
    needed, possible, inside = ALLOWED[node.tag]
    found = [f"{node.tag}: {name} is missing" for name in needed - set(node.attrib)]
    found += [f"{node.tag}: {name} is not allowed" for name in set(node.attrib) - needed - possible]
    if not re.fullmatch(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?", node.get("time", "0")):
        found.append(f"{node.tag}: time {node.get('time')}")
    for child in node:
        found += [f"{child.tag} in {node.tag}"] if child.tag not in inside else problems(child)
    return found


def finding(message: str = "wrong", **more: Any) -> Finding:
    return Finding(message, "0" * 12, **more)


EVERY = (
    Verdict("a.check", "corpus.chat.completions.create", Outcome.PASS, judged=2, witness="0" * 12),
    Verdict("a.check", "corpus.files.list", Outcome.FAIL, (finding("1 < 2 \x1b[31m \uffff & ]]>"),), judged=1),
    Verdict("b.check", "corpus.files.list", Outcome.WARN, (finding("soft", level=Level.SHOULD),), judged=1),
    Verdict("b.check", "lifecycle.files", Outcome.NOT_TESTABLE, reason="nothing there"),
    Verdict("a.check", "lifecycle.files", Outcome.NOT_APPLICABLE, reason="no such field"),
    Verdict("claims.served", "resource.files", Outcome.FAIL, (finding("files is claimed and not served"),), judged=1),
    waived(WAIVED),
)


def test_junit_has_a_case_for_each_verdict_and_nothing_that_the_schema_forbids() -> None:
    root = ET.fromstring(junit.render(report_of(EVERY), "out").encode())
    assert [] == problems(root)
    cases = {case.attrib["name"]: case for case in root.iter("testcase")}
    assert [f"{verdict.scenario}:{verdict.check}" for verdict in EVERY] == [*cases]
    groups = [f"v.{place.group}" for _, place in matrix.places(report_of(EVERY))]
    assert groups == [case.attrib["classname"] for case in cases.values()]
    (suite,) = root
    counts = tuple(suite.attrib[name] for name in ("tests", "failures", "errors", "skipped"))
    assert ("7", "2", "1", "2") == counts


def test_a_warning_fails_nothing_in_junit_and_is_told() -> None:
    root = ET.fromstring(junit.render(report_of(EVERY), "out").encode())
    (case,) = (case for case in root.iter("testcase") if case.attrib["name"] == "corpus.files.list:b.check")
    assert ["system-out"] == [child.tag for child in case]
    assert "outcome: warn" in str(case[0].text)
    assert "found     soft" in str(case[0].text)


def test_a_junit_file_of_pytest_becomes_valid_too(tmp_path: Path) -> None:
    """Test cases of others stay as they are."""
    file = tmp_path / "junit.xml"
    name = "v:corpus.files.list:a.check"
    file.write_text(
        '<testsuites name="pytest tests"><testsuite name="pytest" errors="0" failures="1" skipped="0" tests="2">'
        f'<testcase classname="conformance.suite" name="{name}" time="0.125"><properties><property name="outcome"'
        ' value="fail"/></properties><failure message="x">y</failure></testcase>'
        '<testcase classname="theirs" name="test_it" time="0.5"/></testsuite></testsuites>'
    )
    junit.add_to(file, {}, {"v": report_of(EVERY[1:2])}, "out")
    root = ET.parse(file).getroot()
    assert [] == problems(root)
    found = [(case.attrib["classname"], case.attrib["name"], case.attrib["time"]) for case in root.iter("testcase")]
    assert [("v.o", "corpus.files.list:a.check", "0.125"), ("theirs", "test_it", "0.5")] == found


def sarif_of(*verdicts: Verdict, version: str = "v") -> Any:
    report = report_of(verdicts)
    report.header["api_version"] = version  # type: ignore[index]  # a plain dict here
    return json.loads(sarif.render(report, "out"))["runs"][0]


def test_sarif_has_a_result_for_each_failure_and_warning_with_the_level_of_its_rule() -> None:
    run = sarif_of(*EVERY)
    told = [(one["ruleId"], one["level"], one["properties"]["scenario"]) for one in run["results"]]
    expected = [
        ("a.check", "error", "corpus.files.list"),
        ("b.check", "warning", "corpus.files.list"),
        ("claims.served", "warning", "resource.files"),
        ("a.check", "error", "corpus.o"),
    ]
    assert expected == told
    assert [False, False, False, True] == ["suppressions" in one for one in run["results"]]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[one["ruleIndex"]] == one["ruleId"] for one in run["results"] if "ruleIndex" in one)


def test_a_result_of_sarif_keeps_its_fingerprint_and_no_two_share_one() -> None:
    first, again = (sarif_of(*EVERY)["results"] for _ in range(2))
    marks = [one["partialFingerprints"] for one in first]
    assert marks == [one["partialFingerprints"] for one in again]
    assert len(marks) == len({json.dumps(one) for one in marks})


@pytest.mark.parametrize("version", versions())
def test_a_result_of_sarif_stands_at_its_operation(version: str) -> None:
    """The line of the file names the method, and a line above it the path."""
    operations = operations_of(load(version))
    lines = operation_lines(load(version))
    assert set(operations) == set(lines)
    for name, (file, line) in lines.items():
        text = (specs_dir().parent / file).read_text("utf-8").splitlines()
        assert operations[name].method.lower() == text[line - 1].strip().strip("'\"").partition(":")[0].strip("'\"")
        assert any(operations[name].path in one for one in text[:line])


def sarif_schema() -> Any:
    """The schema that OASIS publishes, as the npm package ``@microsoft/jest-sarif`` carries it."""
    root = Path(__file__).resolve().parents[2]
    folders = [Path(os.environ.get("NODE_PATH", "")), root / "node_modules", root / "frontend" / "node_modules"]
    for folder in folders:
        for file in folder.glob("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0*.json"):
            return json.loads(file.read_text("utf-8"))
    pytest.skip("needs SARIF's schema: npm install @microsoft/jest-sarif, and NODE_PATH naming its node_modules")


def test_sarif_keeps_its_schema() -> None:
    schema = sarif_schema()
    validator = jsonschema.validators.validator_for(schema)(schema)
    value = json.loads(sarif.render(report_of(EVERY), "out"))
    assert [] == [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]


def test_annotations_name_each_cause_and_count_the_others() -> None:
    """GitHub shows ten of each kind."""
    many = [Verdict(f"c{n}.check", "corpus.o", Outcome.FAIL, (finding(f"x{n}: 5%\n\r"),), judged=1) for n in range(30)]
    lines = [*github.commands(report_of([*many, EVERY[2]], RunScope()))]
    assert 10 == sum(line.startswith("::error ") for line in lines)
    assert "21 more causes" in lines[10]
    assert 1 == sum(line.startswith("::warning ") for line in lines)
    assert lines[-1].startswith("::notice title=v::not conformant")
    assert all(len(line.splitlines()) == 1 for line in lines)
    assert "5%25" in lines[0]


def test_the_summary_of_the_job_gets_the_summary_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "summary.md").write_text("# v\n")
    target = tmp_path / "job"
    target.write_text("before\n")
    github.summarise_job((tmp_path / "summary.md").read_text("utf-8"), {github.SUMMARY: str(target)})
    assert "before\n# v\n\n" == target.read_text()
    github.summarise_job((tmp_path / "summary.md").read_text("utf-8"), {})


def test_the_times_of_junit_add_up_to_what_the_answers_took() -> None:
    """Two scenarios of half a second each, of which one has three items."""
    names = ("corpus.o", "corpus.p")
    verdicts = [Verdict(f"c{n}.check", names[n // 3], Outcome.PASS, judged=1) for n in range(4)]
    (suite,) = ET.fromstring(junit.render(report_of(verdicts, RunScope()), "out"))
    times = [float(case.attrib["time"]) for case in suite.iter("testcase")]
    assert [0.166667] * 3 + [0.5] == times
    assert 1.0 == float(suite.attrib["time"])
