"""The pages above the reports of one run: a table with a row for each api-version, as HTML and as Markdown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from conformance.evidence.timeline import escaped, visible

from .row import SIGNS, Row, areas_of, counts_of
from .row_page import rendered

__all__ = ["MARKDOWN", "NAME", "markdown", "page"]

NAME = "index.html"
MARKDOWN = "summary.md"

#: What the tones of headlines stand for, the worst first.
_TONES = ("error", "fail", "warn", "scoped", "pass")

#: What would end a cell of a table, or a link, in Markdown.
_MARKS = re.compile(r"([|\\`*_\[\]<>])")


def _title(rows: Sequence[Row]) -> str:
    """``3 api-versions: 1 not conformant, 2 conformant in its scope``: the conclusions without what they cover."""
    known = sorted(rows, key=lambda row: _TONES.index(row.first.tone) if row.first.tone in _TONES else 0)
    counts = Counter(row.first.text.partition(" (")[0] for row in known)
    versions = f"{len(rows)} api-version" + "s" * (len(rows) != 1)
    return f"{versions}: {', '.join(f'{count} {words}' for words, count in counts.items())}"


def page(rows: Sequence[Row]) -> str:
    """HTML text. Each row links the report in the folder of its api-version."""
    return rendered(
        "overview.html.j2",
        rows,
        title=_title(rows),
        targets=[*dict.fromkeys(row.target for row in rows)],
    )


def markdown(rows: Sequence[Row], *, linked: bool = True) -> str:
    """The same table as Markdown text. Its links lead from the run folder to the Markdown of each api-version."""
    names = areas_of(rows)
    lines = [
        f"# {_title(rows)}",
        "",
        f"Target {', '.join(dict.fromkeys(f'`{row.target}`' for row in rows))}.",
        "",
        f"| {' | '.join(['api-version', 'outcome and scope', 'what comes first', 'date', *names])} |",
        "|---" * (4 + len(names)) + "|",
    ]
    for row in rows:
        cells = [
            f"[{_plain(row.version)}]({row.version}/summary.md)" if linked else _plain(row.version),
            f"{_plain(row.first.text)}; {row.passed} of {row.checks} checks passed",
            _plain(row.worst) + (f" (and {row.causes - 1} more causes)" if row.causes > 1 else ""),
            row.started,
            *(_cell(row, name) for name in names),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return visible("\n".join(lines) + "\n")


def _cell(row: Row, name: str) -> str:
    """The counts of an area."""
    if name not in row.areas:
        return ""
    found = [*counts_of(row.areas[name])]
    return ", ".join(
        f"{SIGNS[outcome] + ' ' if place == 0 else ''}{count} {outcome.value.replace('_', ' ')}"
        for place, (outcome, count) in enumerate(found)
    )


def _plain(text: str) -> str:
    """A text as it is, in a cell of a table."""
    return _MARKS.sub(r"\\\1", escaped(" ".join(text.split())))
