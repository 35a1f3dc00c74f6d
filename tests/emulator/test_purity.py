"""The emulator must be able to disagree with the judge: it may not know the checks."""

from __future__ import annotations

import ast
from pathlib import Path

import conformance.emulator

FORBIDDEN = {"check", "checks", "catalogue", "scenarios", "strategies", "cases", "plugin", "run", "target"}


def test_the_emulator_imports_nothing_of_the_judge() -> None:
    folder = Path(next(iter(conformance.emulator.__path__)))
    imported: set[str] = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    words = {name.split(".")[1] for name in imported if name.startswith("conformance.")}
    words |= {name.split(".")[0] for name in imported} & {"strategies"}
    assert set() == words & FORBIDDEN
    assert {"emulator", "exchange", "spec", "operations"} <= words
