"""Each run has a state folder and a key of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from whole_run import KEY


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
