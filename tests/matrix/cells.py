"""What became of each variant in each api-version, and the file that keeps it beside the table."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from softer_rules import softer
from test_matrix import OBJECTED

__all__ = ["KINDS", "Cell", "merged", "read", "soft", "write", "wrong"]

KINDS = ("mutant", "defect", "variation")


class Cell(NamedTuple):
    """One variant in one version. ``outcome`` is "" where no answer can have it. ``check`` is the first that objects.

    ``redone`` is True if only some names were tried when this was found out.
    """

    kind: str
    name: str
    version: str
    outcome: str
    check: str = ""
    redone: bool = False


def soft(cell: Cell) -> bool:
    """Return True if the rule that a mutant or defect breaks is at most a SHOULD."""
    return cell.kind != "variation" and softer(cell.name, cell.version) is not None


def wrong(cell: Cell) -> bool:
    """Return True for a bad target that isn't called what it deserves, or a good one that is called bad."""
    if cell.kind == "variation":
        return cell.outcome not in ("", "pass", "note") and cell.name not in OBJECTED
    entry = softer(cell.name, cell.version)
    return bool(cell.outcome) and cell.outcome != ("fail" if entry is None else entry.outcome)


def merged(
    kept: Iterable[Cell], found: Iterable[Cell], known: Iterable[tuple[str, str]], tried: Collection[str] = ()
) -> list[Cell]:
    """All cells in the order of ``known`` (kind and name), those that were found now in place of those that were kept.

    What isn't known any more falls away. ``tried`` are the versions in which was looked, empty for all: the kept cells
    of others stay.
    """
    by_name: dict[tuple[str, str], list[Cell]] = {}
    fresh: dict[tuple[str, str], list[Cell]] = {}
    for cells, into in ((kept, by_name), (found, fresh)):
        for cell in cells:
            into.setdefault((cell.kind, cell.name), []).append(cell)
    for key, cells in fresh.items():
        others = [cell for cell in by_name.get(key, ()) if tried and cell.version not in tried]
        by_name[key] = [*others, *cells]
    return [cell for key in known for cell in by_name.get(key, ())]


def read(file: Path) -> list[Cell]:
    """The cells that a file keeps; none if there is no such file."""
    return list(_read(file.read_text(encoding="utf-8"))) if file.exists() else []


def _read(text: str) -> Iterator[Cell]:
    for line in text.splitlines():
        row = json.loads(line)
        for version, (outcome, check) in row["versions"].items():
            yield Cell(row["kind"], row["name"], version, outcome, check, row["redone"])


def write(file: Path, cells: Iterable[Cell]) -> None:
    """Write JSON lines: one for each name, with outcome and first check by version."""
    lines = []
    for (kind, name), group in groupby(cells, key=lambda cell: (cell.kind, cell.name)):
        mine = list(group)
        versions = {cell.version: [cell.outcome, cell.check] for cell in mine}
        redone = any(cell.redone for cell in mine)
        lines.append(json.dumps({"kind": kind, "name": name, "redone": redone, "versions": versions}))
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
