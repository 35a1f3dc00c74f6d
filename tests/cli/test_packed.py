"""A report that somebody packed with gzip is read by every command, and by none is a damaged one taken for a report."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest
from written import VERSION, report, verdict

from conformance._parts import part
from conformance.cli import main
from conformance.verdict import Outcome

packed = part("reports.packed")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder with one version, whose report somebody packed with another program."""
    folder = report(tmp_path / "run" / VERSION, verdict("http.accepted", Outcome.PASS))
    part("reports.manifest").write(tmp_path / "run")
    file = folder / "report.jsonl"
    (folder / "report.jsonl.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    return tmp_path / "run"


def test_a_packed_report_is_what_it_was(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Its manifest still holds: packing changes nothing in the report."""
    assert (0, "") == (main(["verify", str(run)]), capfd.readouterr().err)
    assert 0 == main(["verify", str(run / VERSION)])


def test_a_packed_report_is_compared(run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    plain = report(tmp_path / "other", verdict("http.accepted", Outcome.PASS))
    assert 0 == main(["compare", str(run), str(plain)])


def test_a_packed_report_is_judged(run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """As the plain one is: one request for embeddings, answered with an empty object."""
    file = run / VERSION / "report.jsonl.gz"
    plain = tmp_path / "plain.jsonl"
    plain.write_bytes(gzip.decompress(file.read_bytes()))
    told = []
    for name in (file, plain):
        code = main(["judge", str(name), "--api-version", VERSION, "--out", str(tmp_path / "out")])
        told.append((code, [line for line in capfd.readouterr().out.splitlines() if line.startswith("FAIL")]))
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
    assert told[0] == told[1]


@pytest.mark.parametrize("damage", ["cut", "changed", "other"])
def test_a_damaged_file_is_told(run: Path, damage: str, capfd: pytest.CaptureFixture[str]) -> None:
    file = run / VERSION / "report.jsonl.gz"
    data = file.read_bytes()
    spoilt = {"cut": data[:-20], "changed": data[:40] + bytes([data[40] ^ 1]) + data[41:], "other": b"not gzip"}
    file.write_bytes(spoilt[damage])
    assert 1 == main(["verify", str(run)])
    assert "can't be unpacked" in "".join(capfd.readouterr())


def test_a_file_that_unpacks_without_end_fills_no_disk(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "LARGEST", 1 << 20)
    file = run / VERSION / "report.jsonl.gz"
    file.write_bytes(gzip.compress(b"\0" * (3 << 20)))
    with pytest.raises(part("reports.jsonl").UsageError, match="larger than"):
        part("reports.jsonl").read(run / VERSION)


def test_equal_reports_are_packed_alike(tmp_path: Path) -> None:
    """And at most half as large as before."""
    kept = []
    for name in ("a", "b"):
        file = tmp_path / name / "report.jsonl"
        file.parent.mkdir()
        file.write_bytes(b'{"type":"exchange","scenario":"corpus.o"}\n' * 1_000)
        kept.append(packed.pack(file).read_bytes())
        assert not file.exists()
    assert kept[0] == kept[1]
    assert len(kept[0]) * 2 < 42 * 1_000
