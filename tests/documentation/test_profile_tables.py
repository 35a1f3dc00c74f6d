"""The tables of what each profile shows are those of the data: ``python -m benchmarks.frugal`` prints them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.frugal import HEAD, table
from conformance.spec.loading import versions

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["docs/site/profiles.md", "benchmarks/README.md"])
def test_a_table_of_profiles_is_the_one_of_the_data(name: str) -> None:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    start = lines.index(HEAD)
    made = list(table(versions()))
    assert made == lines[start : start + len(made)]
    assert not any(line.startswith("|") for line in lines[start + len(made) :][:1])
