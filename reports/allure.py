"""Allure: the headline of a run, and the coverage of a verdict. The results themselves are written by Allure's pytest
plugin.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from conformance.verdict import Verdict

from .headline import Headline

__all__ = ["ENVIRONMENT", "add_headlines", "description"]

#: The file in a folder of results whose lines Allure shows on its first page.
ENVIRONMENT = "environment.properties"


def add_headlines(folder: Path, headlines: Mapping[str, Headline]) -> None:
    """Write the headlines of the given api-versions to the first page, and keep those of others."""
    file = folder / ENVIRONMENT
    written = file.read_text("utf-8").splitlines() if file.is_file() else []
    ours = {
        f"{version}.{name}": " ".join(value.split())
        for version, first in headlines.items()
        for name, value in first.named()
    }
    kept = [line for line in written if line.partition("=")[0].strip() not in ours]
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([*kept, *(f"{name}={value}" for name, value in ours.items())]) + "\n", "utf-8")


def description(verdict: Verdict) -> str:
    """The outcome and coverage of a verdict, which Allure shows above the steps of an item."""
    lines = [f"outcome: {verdict.outcome.value}"]
    if verdict.waived is not None:
        lines[0] += f" (without the waiver: {verdict.waived.outcome.value}), {verdict.waived.text}"
    lines.append(f"coverage: {verdict.coverage or f'judged {verdict.judged}'}")
    if verdict.stability:
        lines.append(f"repeated: {verdict.stability}")
    if verdict.witness:
        lines.append(f"witness: case {verdict.witness}")
    return "\n\n".join(lines)
