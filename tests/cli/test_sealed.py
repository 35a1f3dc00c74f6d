"""``verify`` notices every change to a report after it was written, and names its place."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from written import report, verdict

from conformance._parts import part
from conformance.cli import main
from conformance.verdict import Outcome

NAME = "report.jsonl"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with one version, as a run leaves it."""
    run = tmp_path_factory.mktemp("run")
    names = ("http.accepted", "http.json", "http.no-server-error", "http.request-id")
    folder = report(run / "2024-05-01-preview", *(verdict(name, Outcome.PASS) for name in names))
    for name in ("index.html", "summary.md", "badge.json"):
        (folder / name).write_text(f"{name}: 4 pass\n", "utf-8")
    (run / "index.html").write_text("<p>overview</p>", "utf-8")
    for place in (folder, run):
        part("reports.manifest").write(place)
    return run


@pytest.fixture
def run(good: Path, tmp_path: Path) -> Path:
    """A copy to be spoiled."""
    return Path(shutil.copytree(good, tmp_path / "run"))


def verified(run: Path, capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and output of ``verify``."""
    code = main(["verify", str(run)])
    return code, "".join(capfd.readouterr())


def lines_of(run: Path) -> tuple[Path, list[bytes]]:
    file = run / "2024-05-01-preview" / NAME
    return file, file.read_bytes().splitlines(keepends=True)


def test_what_a_run_left_is_as_it_was(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert (0, "4 of 4 verdicts are the same") == (
        verified(run, capfd)[0],
        verified(run, capfd)[1].split(": ")[1].strip(),
    )


@pytest.mark.parametrize("number", range(200))
def test_one_changed_byte_is_found_with_its_line(run: Path, capfd: pytest.CaptureFixture[str], number: int) -> None:
    """Any byte of the report, turned into any other one: the line is named."""
    random = Random(number)
    file, lines = lines_of(run)
    content = bytearray(b"".join(lines))
    place = random.randrange(len(content))
    content[place] ^= random.randrange(1, 256)
    file.write_bytes(bytes(content))
    line = 1 + bytes(content[:place]).count(b"\n")
    code, text = verified(run, capfd)
    assert 1 == code
    named = [int(found) for found in re.findall(rf"{NAME}:(\d+)", text)]
    # Where the line feed of the last line is gone, the report ends one line earlier: it is truncated.
    assert line in named or "truncated" in text


def _drop(lines: list[bytes], place: int) -> tuple[list[bytes], int]:
    return [*lines[:place], *lines[place + 1 :]], place + 1


def _double(lines: list[bytes], place: int) -> tuple[list[bytes], int]:
    return [*lines[: place + 1], *lines[place:]], place + 2


def _swap(lines: list[bytes], place: int) -> tuple[list[bytes], int]:
    return [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]], place + 1


@pytest.mark.parametrize("change", [_drop, _double, _swap])
def test_a_line_that_is_gone_doubled_or_moved_is_found(
    run: Path, capfd: pytest.CaptureFixture[str], change: Callable[[list[bytes], int], tuple[list[bytes], int]]
) -> None:
    """Whatever line it is, the first one that no longer follows from the one before it is named."""
    file, lines = lines_of(run)
    for place in range(len(lines) - 1):
        spoiled, first = change(lines, place)
        file.write_bytes(b"".join(spoiled))
        code, text = verified(run, capfd)
        assert (1, True) == (code, f"{NAME}:{first}" in text), (place, text)


@pytest.mark.parametrize("kept", range(1, 8))
def test_a_truncated_report_is_never_good(run: Path, capfd: pytest.CaptureFixture[str], kept: int) -> None:
    """Cut after any line, with a manifest that fits: 3, because what is there is as it was written."""
    file, lines = lines_of(run)
    assert kept < len(lines)
    file.write_bytes(b"".join(lines[:kept]))
    for place in (file.parent, run):
        part("reports.manifest").write(place)
    code, text = verified(run, capfd)
    assert (3, True) == (code, "truncated" in text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("conclusion", "not conformant"),
        ("conclusion", "partial"),
        ("exit_code", 1),
        ("exit_code", 0.5),
        ("outcomes", {}),
        ("outcomes", {"pass": 5}),
        ("requests", 2),
        ("requests", None),
        ("operations", []),
        ("operations", ["chat.completions.create"]),
    ],
)
def test_a_forged_footer_is_held_against_the_verdicts(
    run: Path, capfd: pytest.CaptureFixture[str], name: str, value: object
) -> None:
    """Even where the whole report and both manifests were written anew around it."""
    folder = run / "2024-05-01-preview"
    read = part("reports.jsonl").read(folder)
    forged = {**(read.footer or {}), name: value}
    part("reports.jsonl").write(folder / NAME, read.header, read.traces.values(), read.verdicts, forged)
    for place in (folder, run):
        part("reports.manifest").write(place)
    code, text = verified(run, capfd)
    assert (1, True) == (code, f"footer: {name} is {value!r}" in text)


@pytest.mark.parametrize(
    "name",
    [
        "index.html",
        "manifest.json",
        "2024-05-01-preview/index.html",
        "2024-05-01-preview/summary.md",
        "2024-05-01-preview/badge.json",
        "2024-05-01-preview/manifest.json",
    ],
)
@pytest.mark.parametrize("number", range(4))
def test_an_edited_file_is_named(run: Path, capfd: pytest.CaptureFixture[str], name: str, number: int) -> None:
    random = Random(f"{name}{number}")
    content = bytearray((run / name).read_bytes())
    content[random.randrange(len(content))] ^= random.randrange(1, 256)
    (run / name).write_bytes(bytes(content))
    code, text = verified(run, capfd)
    assert (1, True) == (code, str(run / Path(name).parent) in text)


def test_a_file_that_came_or_went_is_named(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (run / "2024-05-01-preview" / "badge.json").rename(run / "2024-05-01-preview" / "medal.json")
    code, text = verified(run, capfd)
    assert (1, True, True) == (code, "badge.json: is missing" in text, "medal.json: was added" in text)


def test_a_report_without_a_verdict_shows_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, text = verified(report(tmp_path), capfd)
    assert (3, True) == (code, "holds no verdict" in text)


def test_what_a_verdict_says_is_verified_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The outcome is right, the count of what was judged isn't."""
    folder = report(tmp_path, verdict("http.accepted", Outcome.PASS))
    read = part("reports.jsonl").read(folder)
    plain = part("reports.evidence_json")
    more = plain.verdict_from_json({**plain.verdict_to_json(read.verdicts[0]), "judged": 72})
    part("reports.jsonl").write(folder / NAME, read.header, read.traces.values(), [more], read.footer)
    part("reports.manifest").write(folder)
    code, text = verified(folder, capfd)
    assert (1, True) == (code, "says something else" in text)


def test_the_manifest_is_read_by_a_common_tool(good: Path) -> None:
    """SHA-256 as ``sha256sum`` prints it."""
    import hashlib

    folder = good / "2024-05-01-preview"
    listed = json.loads((folder / "manifest.json").read_text("utf-8"))["files"]
    assert {NAME, "index.html", "summary.md", "badge.json"} == set(listed)
    assert listed == {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in listed}
