"""The page of a move to another api-version. It holds no script and loads nothing."""

from __future__ import annotations

from typing import Any

from attrs import asdict

from conformance.evidence.timeline import visible
from conformance.migration.conclusion import Conclusion, Upgrade
from conformance.migration.sentences import title

from .templating import environment
from .upgrade_entries import Entry, entries
from .upgrade_words import counted, headline, named, observed, sections

__all__ = ["render"]

_MARKS = {Conclusion.OBSERVED: "good", Conclusion.MISSED: "warn", Conclusion.OPEN: "quiet", Conclusion.DRIFT: "bad"}


def _row(entry: Entry) -> dict[str, Any]:
    """An entry as the template reads it."""
    told = {"mark": _MARKS[entry.conclusion], "named": named(entry.operations, most=None)}
    return {**asdict(entry, recurse=False), **told}


def render(move: Upgrade) -> str:
    """The page as one file that opens from disk."""
    parts = [
        {
            "heading": section.heading,
            "rows": [_row(one) for one in entries(section.rows)],
            "many": counted(section.rows),
            "folded": section.aside,
        }
        for section in sections(move)
    ]
    corrections = {change.group: change for change in move.corrections}
    return visible(
        environment()
        .get_template("upgrade.html.j2")
        .render(
            move=move,
            headline=headline(move),
            seen=observed(move),
            parts=parts,
            corrections=[f"{change.operation}: {title(change)}" for change in corrections.values()],
        )
    )
