"""A run whose time is over sends nothing more, judges what it has, and says why."""

from __future__ import annotations

from pathlib import Path

from served import ORDINARY, command

from conformance._parts import part


def test_a_run_without_time_left_says_so_in_every_api_version(tmp_path: Path) -> None:
    (tmp_path / "conformance.toml").write_text("[budget]\nwall_seconds = 0.001\n", "utf-8")
    versions = [ORDINARY, "v1-preview"]
    chosen = [f"--api-version={version}" for version in dict.fromkeys(versions)]
    done = command(tmp_path, "run", "--out", "out", "--operation=chat.*", "--profile=smoke", *chosen)
    assert 3 == done.code, done.out + done.err
    for version in versions:
        report = part("reports.jsonl").read(tmp_path / "out" / version)
        assert report.footer is not None
        assert ("inconclusive", 0) == (report.footer["conclusion"], report.footer["requests"])
        assert any("the 0.001 seconds of the run are over (budget.wall_seconds)" in v.reason for v in report.verdicts)
