"""Ctrl-C while a run is being prepared."""

from __future__ import annotations

from pathlib import Path

import pytest
from served import ORDINARY

from conformance.cli import main
from conformance.cli._progress import Console


def test_an_interruption_before_the_first_item_is_told_by_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The target is open, and pytest has not begun: it ends without a word to the session."""

    def interrupted(_console: Console, config: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(Console, "pytest_configure", pytest.hookimpl(trylast=True)(interrupted))
    words = ["--api-version", ORDINARY, "--scenario", "corpus.assistants.list", "--out", str(tmp_path / "run")]
    assert 130 == main(["run", *words])
    assert f"{ORDINARY}: interrupted before anything was judged" in capsys.readouterr().err
