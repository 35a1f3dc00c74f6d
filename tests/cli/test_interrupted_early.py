"""Ctrl-C while a run is being prepared."""

from __future__ import annotations

from pathlib import Path

import pytest
from served import ORDINARY

from conformance.cli import main
from conformance.cli._progress import Console


@pytest.mark.parametrize(("hook", "place"), [("pytest_configure", "trylast"), ("pytest_collection", "tryfirst")])
def test_an_interruption_before_the_first_item_is_told_by_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], hook: str, place: str
) -> None:
    """The target is open. Before pytest has begun, it ends without a word to the session."""

    def interrupted(_console: Console) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(Console, hook, pytest.hookimpl(**{place: True})(interrupted), raising=False)
    words = ["--api-version", ORDINARY, "--scenario", "corpus.assistants.list", "--out", str(tmp_path / "run")]
    assert 130 == main(["run", *words])
    told = capsys.readouterr()
    assert ("", True) == (told.out, f"{ORDINARY}: interrupted before anything was judged" in told.err)
