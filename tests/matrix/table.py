"""The cells of the kill matrix as a page: percentages, then every variant with its outcome in each api-version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cells import KINDS, Cell, soft, wrong
from imported import IMPORTED

from conformance.spec.loading import versions

__all__ = ["groups", "page", "share"]

HEAD = "# Kill matrix\n\nMade by `python tests/matrix --write benchmarks/kill-matrix.md`."
KEY = (
    "F: fail, w: warn, n: note, –: pass, blank: not tried, or no answer of the version can have it. A mutant is tried\n"
    "from the newest api-version on, until it fails in one; in an imported one (films, made of\n"
    "`tests/other_providers/films.yaml`) each that changes an answer there."
)
WANTED = """
Wanted: a defect against a MUST fails, one against a softer rule has the outcome of its entry in
`tests/matrix/softer_rules.py`, a variation passes or is an entry of `OBJECTED` in `tests/matrix/test_matrix.py`.
What is not as wanted is marked **!**."""


def groups(cells: list[Cell]) -> Iterator[tuple[str, list[Cell]]]:
    """Yield the name and the cells of each group that is counted."""
    tried = [cell for cell in cells if cell.outcome]
    for kind in ("mutant", "defect"):
        yield f"{kind}, MUST", [cell for cell in tried if cell.kind == kind and not soft(cell)]
        yield f"{kind}, at most SHOULD", [cell for cell in tried if cell.kind == kind and soft(cell)]
    yield "variation", [cell for cell in tried if cell.kind == "variation"]


def share(cells: list[Cell]) -> float:
    """The share of cells that are as wanted; 1 for none."""
    return 1 - sum(map(wrong, cells)) / len(cells) if cells else 1.0


def page(cells: list[Cell]) -> str:
    """The whole page in Markdown."""
    lines = [HEAD, *_redone(cells), "", *_summary(cells)]
    for kind in KINDS:
        lines += _rows([cell for cell in cells if cell.kind == kind], kind)
    return "\n".join([*lines, "", KEY, ""])


def _redone(cells: list[Cell]) -> Iterator[str]:
    names = dict.fromkeys(f"`{cell.name}`" for cell in cells if cell.redone)
    if names:
        yield f"\nTried again by name (`--only`) after the last whole run: {', '.join(names)}."


def _summary(cells: list[Cell]) -> Iterator[str]:
    """Yield the lines of the percentages."""
    yield "| kind | variants | in a version | fail | warn | note | not_testable | pass | as wanted |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, mine in groups(cells):
        counts = Counter(cell.outcome for cell in mine)
        outcomes = (counts[word] for word in ("fail", "warn", "note", "not_testable", "pass"))
        numbers = (len({cell.name for cell in mine}), len(mine), *outcomes)
        yield f"| {name} | {' | '.join(map(str, numbers))} | {share(mine):.1%} |"
    yield WANTED


def _rows(cells: list[Cell], kind: str) -> Iterator[str]:
    """Yield the lines about the variants of one kind: every one with its outcome in each version, in short."""
    short = {"fail": "F", "warn": "w", "note": "n", "pass": "–", "": " "}
    yield f"\n## {kind}s\n"
    columns = (*versions(), *IMPORTED)
    yield f"| name | {' | '.join(columns)} | first check |"
    yield f"|---|{'---|' * len(columns)}---|"
    for name in dict.fromkeys(cell.name for cell in cells):
        mine = {cell.version: cell for cell in cells if cell.name == name}
        first = next((cell.check for cell in mine.values() if cell.check), "")
        marks = [short.get(mine[v].outcome, mine[v].outcome) if v in mine else " " for v in columns]
        mark = " **!**" if any(map(wrong, mine.values())) else ""
        yield f"| {name}{mark} | {' | '.join(marks)} | {first} |"
