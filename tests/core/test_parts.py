"""Imports of strategies and reports through ``_parts``: one module in both layouts, loaded at its first use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from served import environment

from conformance._parts import late, part


def test_a_late_module_has_what_the_module_has() -> None:
    module, delayed = part("reports.jsonl"), late("reports.jsonl")
    assert module.read is delayed.read
    assert module.__file__ == delayed.__file__


def test_what_is_not_there_is_not_there() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        late("reports.jsonl").nothing  # noqa: B018 - asking is the point
    with pytest.raises(ModuleNotFoundError, match=r"reports\.nowhere"):
        late("reports.nowhere").read  # noqa: B018 - asking is the point


def test_what_is_only_imported_loads_no_strategy(tmp_path: Path) -> None:
    code = (
        "import sys, conformance.corpus.coverage, conformance.run.session\n"
        "names = [name.removeprefix('conformance.') for name in sys.modules]\n"
        "print([name for name in names if name.startswith(('strategies', 'reports'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path), capture_output=True, text=True, check=True, timeout=60
    )
    assert "[]\n" == done.stdout
