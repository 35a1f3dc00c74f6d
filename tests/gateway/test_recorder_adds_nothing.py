"""The emulator behind the recorder answers as the emulator alone does."""

from __future__ import annotations

from pathlib import Path

import pytest
from served import command, serving


@pytest.mark.prove
def test_a_run_against_the_recorder_differs_in_nothing_from_one_against_the_emulator(tmp_path: Path) -> None:
    """All of one api-version: the same requests, and no verdict differs."""
    version = ("--api-version", "2024-10-21")
    for name, more in (("alone", ()), ("recorded", ("--record", str(tmp_path / "tape.jsonl")))):
        with serving(tmp_path, *version, *more) as url:
            done = command(tmp_path, "run", "--target", url, *version, "--out", str(tmp_path / name))
            assert 0 == done.code, done.out + done.err
    done = command(tmp_path, "compare", str(tmp_path / "alone"), str(tmp_path / "recorded"))
    assert (0, True) == (done.code, "no difference;" in done.out), done.out
    assert len((tmp_path / "tape.jsonl").read_text("utf-8").splitlines()) > 500
