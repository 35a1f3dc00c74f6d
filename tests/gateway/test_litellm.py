"""Through LiteLLM, a gateway that many people use: what it alters is found, and two runs give the same table.

Only in ``tox -e gateways``, which installs it into an environment of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gateways import KEY, certified, free_port, litellm
from benchmarks.litellm_rows import LOOKED_AT

pytestmark = pytest.mark.gateways


def _rows(footer: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    """The rows that count."""
    rows = (row for row in footer["rows"] if row["level"] != "OBS")
    return {(row["nature"], row["rule"], row["kind"], row["field"]) for row in rows}


def test_two_runs_through_litellm_find_the_same_and_each_row_was_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_KEY", KEY)
    port = free_port()
    with litellm(tmp_path, port) as url:
        first, second = (certified(url, port, tmp_path, tmp_path / name) for name in ("first", "second"))
    sys.stdout.write((tmp_path / "first" / "2024-10-21" / "summary.md").read_text("utf-8"))
    assert _rows(first) == _rows(second)
    assert _rows(first) == set(LOOKED_AT)
