"""``judge``: a run folder that ``verify`` accepts, exit codes as for ``run``, the scope in every headline."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from miniatures import CHUNKS, FORMATS, KEY, SAID, as_har, chat, events, streamed

from conformance.cli import main
from reports import jsonl

BAD = {**SAID, "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 8}}


def judge(folder: Path, *entries: dict[str, Any], more: tuple[str, ...] = (), ending: str = "har") -> int:
    """The exit code of the command on a file with these entries. The reports are in ``folder / "out"``."""
    file = folder / f"traffic.{ending}"
    file.write_text(FORMATS[ending](entries), "utf-8")
    return main(["judge", str(file), "-o", str(folder / "out"), *more])


@pytest.mark.parametrize("ending", FORMATS)
def test_right_traffic_is_conformant_in_every_format(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == judge(tmp_path, chat(), streamed(), ending=ending)
    assert "conformant in its scope (recorded traffic, 2 exchanges)" in capsys.readouterr().out


@pytest.mark.parametrize("ending", FORMATS)
def test_wrong_traffic_is_not_and_the_place_is_told(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 1 == judge(tmp_path, chat(), chat(BAD), ending=ending)
    told = capsys.readouterr().out
    assert "not conformant (recorded traffic, 2 exchanges)" in told
    assert "FAIL usage.adds-up" in told
    assert f"{tmp_path / f'traffic.{ending}'}: " in told.partition("FAIL usage.adds-up")[2].split("\n\n")[0]


def test_junit_has_the_form_that_pytest_gives_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run's file is pytest's own; both have the same elements, attributes and names of cases."""
    assert 1 == judge(tmp_path, chat(), chat(BAD), chat(SAID, status=429))
    root = ET.parse(tmp_path / "out" / "2024-05-01-preview" / "junit.xml").getroot()
    suite = root.find("testsuite")
    assert suite is not None
    cases = {case.attrib["name"]: case for case in suite.iter("testcase")}
    assert str(len(cases)) == suite.attrib["tests"]
    failed = cases["recorded.chat.completions.create:usage.adds-up"]
    told = dict(line.partition(": ")[::2] for line in str(failed.findtext("system-out")).splitlines())
    assert ("fail", "MUST") == (told["outcome"], told["level"])
    failure = failed.find("failure")
    assert failure is not None
    assert "FAIL usage.adds-up" in str(failure.text)
    kinds = {kind: sum(1 for _ in suite.iter(kind)) for kind in ("failure", "error", "skipped")}
    assert kinds == {"failure": 1, "error": int(suite.attrib["errors"]), "skipped": int(suite.attrib["skipped"])}
    assert "1" == suite.attrib["failures"]
    first = {each.attrib["name"]: each.attrib["value"] for each in suite.find("properties") or ()}
    assert "not conformant" in first["2024-05-01-preview.conclusion"]
    capsys.readouterr()


def test_the_folder_is_a_sealed_run_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    judge(tmp_path, chat(), chat(BAD), streamed())
    out = tmp_path / "out"
    assert {"report.jsonl", "index.html", "summary.md", "badge.json", "manifest.json"} <= {
        file.name for file in (out / "2024-05-01-preview").iterdir()
    }
    assert 0 == main(["verify", str(out)])
    page = out / "2024-05-01-preview" / "summary.md"
    page.write_text(page.read_text("utf-8").replace("recorded", "sent"), "utf-8")
    assert 1 == main(["verify", str(out)])
    capsys.readouterr()


def test_every_line_of_the_report_has_the_documented_form(tmp_path: Path) -> None:
    judge(tmp_path, chat(), streamed())
    schema = json.loads((Path(jsonl.__file__).parent / "schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    lines = (tmp_path / "out" / "2024-05-01-preview" / "report.jsonl").read_text("utf-8").splitlines()
    assert [] == [error.message for line in lines for error in validator.iter_errors(json.loads(line))]


def test_no_file_of_the_folder_holds_the_key(tmp_path: Path) -> None:
    judge(tmp_path, chat(), streamed(), chat(BAD))
    assert KEY in (tmp_path / "traffic.har").read_text("utf-8")
    files = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert files
    assert [] == [file.name for file in files if KEY in file.read_text("utf-8")]


def test_versions_have_folders_of_their_own(tmp_path: Path) -> None:
    judge(tmp_path, chat(), chat(query="api-version=2024-10-21"))
    assert ["2024-05-01-preview", "2024-10-21"] == sorted(f.name for f in (tmp_path / "out").iterdir() if f.is_dir())
    judge(tmp_path / ".", chat(), more=("--api-version", "2024-06-01"))
    assert (tmp_path / "out" / "2024-06-01" / "report.jsonl").is_file()


def test_what_was_not_judged_is_in_the_notes(tmp_path: Path) -> None:
    judge(tmp_path, chat(), chat(url="https://h/healthz?key=abc"), chat(query="api-version=2024-02-01"))
    footer = jsonl.read(tmp_path / "out" / "2024-05-01-preview").footer
    assert footer is not None
    unknown = "1 exchange of routes that no document has, not judged: POST /healthz (1)"
    assert [
        "1 exchange with 2024-02-01 judged by the document of 2024-05-01-preview, the nearest with the operation",
        f"{unknown} (--api-version V takes requests that name none)",
    ] == footer["notes"]


def test_nothing_to_judge_is_inconclusive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 3 == judge(tmp_path, chat(url="https://h/healthz"))
    assert "nothing could be judged" in capsys.readouterr().out


@pytest.mark.parametrize("ending", sorted(set(FORMATS) - {"jsonl"}))  # a file without lines is told as empty
def test_a_recording_of_nothing_says_why_it_is_not_judged(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 3 == judge(tmp_path, ending=ending)
    assert "nothing could be judged\nthe files hold no exchange\n" == capsys.readouterr().out


REFUSED = {"error": {"code": "DeploymentNotFound", "message": "The API deployment for this resource does not exist."}}


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_traffic_without_a_success_is_never_conformant(
    status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = [["content-type", "application/json"], ["retry-after", "1"]]
    assert 3 == judge(tmp_path, chat(REFUSED, status=status, headers=headers))
    told = capsys.readouterr().out
    assert "conformant" not in told
    assert "no successful answer was recorded" in told
    assert 0 == main(["verify", str(tmp_path / "out")])


def test_mistakes_end_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["judge", str(tmp_path / "none.har")])
    assert 2 == judge(tmp_path, chat(), more=("--api-version", "1999-01-01"))
    (tmp_path / "bad.har").write_text(as_har([chat()])[:-5], "utf-8")
    assert 2 == main(["judge", str(tmp_path / "bad.har"), "-o", str(tmp_path / "no")])
    assert not (tmp_path / "no").exists()
    (tmp_path / "file").write_text("", "utf-8")
    assert 2 == judge(tmp_path, chat(), more=("-o", str(tmp_path / "file" / "x")))
    assert "file/x" in capsys.readouterr().err


def test_times_that_nobody_noted_are_not_judged(tmp_path: Path) -> None:
    timeless, timed = {**streamed()}, {**streamed(), "body": None, "chunks": [[0.2, events(CHUNKS)]]}
    for entry, wanted in ((timeless, "not_applicable"), (timed, "pass")):
        judge(tmp_path, entry, ending="jsonl")
        verdicts = jsonl.read(tmp_path / "out" / "2024-05-01-preview").verdicts
        assert [wanted] == [v.outcome.value for v in verdicts if v.check == "stream.timing.first-event"]


def test_a_report_that_was_judged_can_be_judged_again(tmp_path: Path) -> None:
    judge(tmp_path, chat(), chat(BAD), streamed())
    first = jsonl.read(tmp_path / "out" / "2024-05-01-preview")
    report = tmp_path / "out" / "2024-05-01-preview" / "report.jsonl"
    assert 1 == main(["judge", str(report), "-o", str(tmp_path / "again")])
    again = jsonl.read(tmp_path / "again" / "2024-05-01-preview")
    assert [(v.check, v.outcome) for v in first.verdicts] == [(v.check, v.outcome) for v in again.verdicts]
