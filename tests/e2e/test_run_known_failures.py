"""``run`` with waivers and a baseline: what is known doesn't decide, and none outlives its reason."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from narrow_runs import CHOICE, VERSION, report_of, run
from served import Done, command


@pytest.mark.parametrize(
    ("until", "code", "told"),
    [("2999-01-01", 0, "but for 1 waived failure"), ("2020-01-01", 1, "(owner ann) ended on 2020-01-01: remove it")],
)
def test_waiver_covers_until_its_day(
    broken: tuple[str, Done, Path], tmp_path: Path, until: str, code: int, told: str
) -> None:
    """A known failure that somebody owns doesn't decide; after its day it does, and the run says which waiver ended."""
    url, _, _ = broken
    file = tmp_path / "conformance.toml"
    file.write_text(f'[[waiver]]\ncheck = "embeddings.count"\nowner = "ann"\nreason = "known"\nexpires = {until}\n')
    arguments = ("--config", str(file), "--target", url, "--scenario", "corpus.embeddings.create")
    done, _ = run(tmp_path, "out", *arguments)
    assert code == done.code, done.out + done.err
    assert told in done.out


def test_junit_names_who_answers_for_a_waived_failure(broken: tuple[str, Done, Path], tmp_path: Path) -> None:
    """It is skipped with the reason, never passed; its properties say what it would be and until when."""
    url, _, _ = broken
    file = tmp_path / "conformance.toml"
    waiver = 'check = "embeddings.count"\nowner = "ann"\nreason = "known"\nlink = "https://b/1"\nexpires = 2999-01-01\n'
    file.write_text(f"[[waiver]]\n{waiver}")
    arguments = ("--config", str(file), "--target", url, "--scenario", "corpus.embeddings.create")
    _, out = run(tmp_path, "out", *arguments, "-n", "2")
    cases = ET.parse(out / VERSION / "junit.xml").getroot().iter("testcase")
    case = next(case for case in cases if case.attrib["name"].endswith(":embeddings.count"))
    named = dict(line.partition(": ")[::2] for line in str(case.findtext("system-out")).splitlines())
    assert ("waived", "fail", "ann") == (named["outcome"], named["waived.outcome"], named["waived.owner"])
    assert ("known", "https://b/1", "2999-01-01") == tuple(named[f"waived.{n}"] for n in ("reason", "link", "expires"))
    skipped = case.find("skipped")
    assert skipped is not None
    assert "waived (fail): ann: known" in skipped.attrib["message"]
    assert 0 == command(tmp_path, "verify", str(out)).code


@pytest.mark.parametrize("workers", [pytest.param("0", marks=pytest.mark.prove), "2"])
def test_only_what_the_baseline_did_not_have_fails(
    broken: tuple[str, Done, Path], tmp_path: Path, workers: str
) -> None:
    """A known failure is told with its date and doesn't decide; one that is new does; one that is gone is named."""
    url, _, first = broken
    known = (*CHOICE, "--baseline", str(first), "-n", workers)
    done, again = run(tmp_path, "again", "--target", url, *known)
    assert 0 == done.code, done.out + done.err
    assert "but for 1 known failure" in done.out
    day = report_of(first).header["started"][:10]
    assert [day] == [v.waived.since for v in report_of(again).verdicts if v.waived is not None]
    # What it knew itself is known on, since the same day.
    third, _ = run(tmp_path, "third", "--target", url, *CHOICE, "--baseline", str(again))
    assert (0, True) == (third.code, f"known since {day}" in third.out)


def test_a_new_failure_fails_beside_a_baseline(first: tuple[Done, Path], broken: tuple[str, Done, Path]) -> None:
    url, _, out = broken
    done, _ = run(out.parent, "new", "--target", url, *CHOICE, "--baseline", str(first[1]))
    assert 1 == done.code
    assert "FAIL embeddings.count" in done.out


@pytest.mark.parametrize("front", ["run", pytest.param("pytest", marks=pytest.mark.prove)])
def test_a_waiver_that_ended_ends_with_exit_1_though_the_target_is_right(
    tmp_path: Path, suite: Callable[..., Done], front: str
) -> None:
    """It says nothing about the target: the conclusion stays, the exit code and the badge don't."""
    out, file = tmp_path / "out", tmp_path / "conformance.toml"
    file.write_text('[[waiver]]\ncheck = "usage.*"\nowner = "ann"\nreason = "r"\nexpires = 2020-01-01\n')
    if front == "run":
        done, out = run(tmp_path, "out", "--config", str(file), *CHOICE)
    else:
        words = ("--aoai-config", str(file), "--aoai-out", str(out), "--aoai-api-version", VERSION)
        done = suite(*words, "-q")
    assert 1 == done.code, done.out + done.err
    assert f"{VERSION}: conformant in its scope (" in done.out
    assert "out of date: the waiver of usage.* (owner ann) ended on 2020-01-01: remove it" in done.out
    assert (1, "conformant") == tuple(report_of(out).footer[name] for name in ("exit_code", "conclusion"))
    assert "green" not in json.loads((out / VERSION / "badge.json").read_text())["color"]
    assert 0 == command(tmp_path, "verify", str(out)).code


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("absent", "can't be read"),
        ("other", "holds no report of 2024-06-01 (it is one of"),
        ("others", f"holds no report of 2024-06-01 (it has those of {VERSION}, which --api-version judges"),
        ("out", "are one folder"),
    ],
)
def test_a_baseline_that_is_none_is_told_before_anything_is_sent(
    first: tuple[Done, Path], tmp_path: Path, name: str, says: str
) -> None:
    folders = {"absent": tmp_path / "absent", "other": first[1] / VERSION, "others": first[1], "out": tmp_path / "out"}
    baseline = folders[name]
    version = "2024-06-01" if name in ("other", "others") else VERSION
    words = ("run", "--api-version", version, "--baseline", str(baseline), "--out", str(tmp_path / "out"))
    done = command(tmp_path, *words)
    assert (2, 1) == (done.code, len(done.lines)), done.lines
    assert says in done.lines[0]
