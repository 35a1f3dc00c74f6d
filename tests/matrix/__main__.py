"""``python tests/matrix [--write FILE]``: what becomes of each mutant, in the newest api-version that shows it, and of
each defect and variation, in every api-version.

The percentages count mutants and defects in the versions that can have them. Those whose rule is at most a SHOULD
stand in ``softer_rules.py``, each with its reason; they are counted apart. Exit code 1 if less than 98 % of the others
fail, if less than 98 % of the softer ones have their listed outcome, if one of either is called conformant, or if a
variation is not.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[0]), str(HERE.parents[1])]

from benign_variations import PROFILES, VARIATIONS  # noqa: E402 - the path comes first
from defects import defects  # noqa: E402 - as above
from kills import changed_by, mutated  # noqa: E402 - as above
from softer_rules import softer  # noqa: E402 - as above
from test_matrix import OBJECTED  # noqa: E402 - as above

from conformance.emulator.mutants import mutants  # noqa: E402 - as above
from conformance.spec.loading import load, versions  # noqa: E402 - as above
from conformance.verdict import Outcome  # noqa: E402 - as above

_KEY = "F: fail, w: warn, n: note, –: pass, blank: not tried, or no answer of the version can have it."
#: The least share of bad targets that have the outcome that their rule deserves.
WANTED = 0.98
HEAD = "# Kill matrix\n\nMade by `python tests/matrix --write benchmarks/kill-matrix.md`.\n"


class Cell(NamedTuple):
    """One variant in one version. ``outcome`` is "" where no answer can have it."""

    kind: str
    name: str
    version: str
    outcome: str
    checks: tuple[str, ...]


def _cell(job: tuple[str, str, str]) -> Cell:
    kind, name, version = job
    if kind == "mutant":
        return _mutant(name)
    if kind == "defect":
        result = changed_by(version, defects()[name][1], first=True)
    else:
        result = changed_by(version, VARIATIONS[name][1], profile=PROFILES.get(name, "smoke"))
    return Cell(kind, name, version, result.word if result.changed else "", result.checks)


def _mutant(name: str) -> Cell:
    """The newest version in which a bug of stored state fails; where none does, one in which it is noticed."""
    best = Cell("mutant", name, versions()[-1], "pass", ())
    # Drafts come last: they count for what no other version has.
    for version in dict.fromkeys((*reversed(versions()), *versions(drafts=True))):
        if mutants()[name].touches(load(version)):
            result = mutated(version, mutants()[name])
            if result.outcome is Outcome.FAIL or (result.verdicts and best.outcome == "pass"):
                best = Cell("mutant", name, version, result.word, result.checks)
            if result.outcome is Outcome.FAIL:
                break
    return best


def _jobs(pattern: str) -> Iterator[tuple[str, str, str]]:
    named: Mapping[str, Mapping[str, object]] = {"mutant": mutants(), "defect": defects(), "variation": VARIATIONS}
    for kind, known in named.items():
        for name in known:
            if pattern in name:
                yield from ((kind, name, version) for version in (versions()[-1:] if kind == "mutant" else versions()))


def _soft(cell: Cell) -> bool:
    """Return True if the rule that a mutant or defect breaks is at most a SHOULD."""
    return cell.kind != "variation" and softer(cell.name, cell.version) is not None


def _as_wanted(cell: Cell) -> bool:
    """Return True if a mutant or defect has the outcome that its rule deserves."""
    entry = softer(cell.name, cell.version)
    return cell.outcome == ("fail" if entry is None else entry.outcome)


def _groups(cells: list[Cell]) -> Iterator[tuple[str, list[Cell]]]:
    """Yield the name and the cells of each group that is counted."""
    tried = [cell for cell in cells if cell.outcome]
    for kind in ("mutant", "defect"):
        yield f"{kind}, MUST", [cell for cell in tried if cell.kind == kind and not _soft(cell)]
        yield f"{kind}, at most SHOULD", [cell for cell in tried if cell.kind == kind and _soft(cell)]
    yield "variation", [cell for cell in tried if cell.kind == "variation"]


def _share(cells: list[Cell]) -> float:
    """The share of bad targets with the outcome that their rule deserves; 1 for none."""
    return sum(map(_as_wanted, cells)) / len(cells) if cells else 1.0


def _summary(cells: list[Cell]) -> Iterator[str]:
    """Yield the lines of the percentages."""
    yield "| kind | variants | in a version | fail | warn | note | not_testable | pass | as wanted |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, mine in _groups(cells):
        counts = Counter(cell.outcome for cell in mine)
        outcomes = (counts[word] for word in ("fail", "warn", "note", "not_testable", "pass"))
        numbers = (len({cell.name for cell in mine}), len(mine), *outcomes)
        share = 1 - sum(map(_wrong, mine)) / max(1, len(mine)) if name == "variation" else _share(mine)
        yield f"| {name} | {' | '.join(map(str, numbers))} | {share:.1%} |"
    yield ""
    yield "Wanted: a defect against a MUST fails, one against a softer rule has the outcome of its entry in"
    yield "`tests/matrix/softer_rules.py`, a variation passes or is an entry of its own."


def _rows(cells: list[Cell], kind: str, loud: Callable[[Cell], bool]) -> Iterator[str]:
    """Yield the lines about the variants of one kind: every one with its outcome in each version, in short."""
    short = {"fail": "F", "warn": "w", "note": "n", "pass": "–", "": " "}
    yield f"\n## {kind}s\n"
    yield f"| name | {' | '.join(versions())} | first check |"
    yield f"|---|{'---|' * len(versions())}---|"
    names = dict.fromkeys(cell.name for cell in cells if cell.kind == kind)
    for name in names:
        mine = {cell.version: cell for cell in cells if cell.kind == kind and cell.name == name}
        first = next((cell.checks[0] for cell in mine.values() if cell.checks), "")
        marks = [short.get(mine[v].outcome, mine[v].outcome) if v in mine else " " for v in versions()]
        mark = " **!**" if any(loud(cell) for cell in mine.values()) else ""
        yield f"| {name}{mark} | {' | '.join(marks)} | {first} |"


def _wrong(cell: Cell) -> bool:
    """Return True for a bad target that isn't called what it deserves, or a good one that is called bad."""
    if cell.kind == "variation":
        return cell.outcome not in ("", "pass", "note") and cell.name not in OBJECTED
    return bool(cell.outcome) and not _as_wanted(cell)


def main() -> int:
    parser = argparse.ArgumentParser(prog="matrix", description="Which bad targets fail, and which good ones pass?")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table to this file too")
    parser.add_argument("--only", default="", metavar="TEXT", help="only variants whose name contains this text")
    parser.add_argument("--jobs", type=int, default=2, help="processes (default 2)")
    chosen = parser.parse_args()
    with Pool(chosen.jobs) as pool:
        cells = pool.map(_cell, list(_jobs(chosen.only)), chunksize=8)
    lines = [HEAD, *_summary(cells)]
    for kind in ("mutant", "defect", "variation"):
        lines += _rows(cells, kind, _wrong)
    text = (
        "\n".join(lines) + "\n\nF: fail, w: warn, –: pass, blank: not tried, or no answer of the version can have it.\n"
    )
    print(text)
    if chosen.write is not None:
        chosen.write.write_text(f"{text}\n", encoding="utf-8")
    bad = [cell for cell in cells if cell.kind != "variation"]
    enough = all(_share(mine) >= WANTED for name, mine in _groups(cells) if name != "variation")
    passed = any(cell.outcome == "pass" for cell in bad) or any(_wrong(c) for c in cells if c.kind == "variation")
    return int(passed or not enough)


if __name__ == "__main__":
    raise SystemExit(main())
