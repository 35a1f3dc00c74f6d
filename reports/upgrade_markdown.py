"""A move to another api-version as Markdown, for a comment of a pull request."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.evidence.timeline import visible
from conformance.migration.change import Basis
from conformance.migration.conclusion import Drift, Upgrade

from .upgrade_entries import Entry, entries
from .upgrade_words import counted, headline, many, named, observed, sections

__all__ = ["MOST_LINES", "markdown"]

#: A comment with more lines is not read.
MOST_LINES = 60

#: Recorded requests that are named.
_REFUSED = 8


def markdown(move: Upgrade, *, most: int = MOST_LINES) -> str:
    """Markdown of at most ``most`` lines: what breaks, what is not as predicted, what is new."""
    lines = [f"## {move.old} → {move.new}: {headline(move)}", ""]
    if move.used:
        lines += [f"Used: {_cell(move.used)}", ""]
    if told := observed(move):
        lines += [_cell(told), ""]
    if move.refused:
        lines += [f"### Recorded requests that {move.new} would refuse ({len(move.refused)})", ""]
        lines += [f"- {_cell(place)}: {_cell(why)}" for place, why in move.refused[:_REFUSED]]
        left = len(move.refused) - _REFUSED
        lines += [*([f"- and {left} more, in the report"] if left > 0 else []), ""]
    tail = list(_tail(move))
    parts = [
        (section.heading, counted(section.rows), [_line(one) for one in entries(section.rows)], section.aside)
        for section in sections(move)
    ]
    if move.drifts:
        drifts = [_drift(drift) for drift in move.drifts]
        # After two others at most, and before what is left out.
        place = min(2, sum(not aside for *_, aside in parts))
        parts.insert(place, ("Observed, not predicted", len(drifts), drifts, False))
    room = most - len(lines) - len(tail)
    for number, (heading, amount, rows, aside) in enumerate(parts):
        # Each part takes five lines beside its rows; what comes later keeps room for a heading. Where nothing comes,
        # a line of the tail says how many rows are left out.
        later = len(parts) - number - 1
        space = room - 5 - (5 * min(2, later) or int(len(rows) > room - 5))
        if space < 1 or aside:
            left = sum(len(rest) for _, _, rest, _ in parts[number:])
            tail.insert(0, f"{left} more rows are in the report.")
            break
        shown = rows[:space]
        lines += [f"### {heading} ({amount})", "", *_HEAD, *shown]
        room -= 5 + len(shown)
        if len(rows) > len(shown):
            tail.insert(0, f'{len(rows) - len(shown)} more rows of "{heading}" are in the report.')
        lines.append("")
    return "\n".join([*lines, *tail][:most]) + "\n"


#: The head of every table.
_HEAD = ("| operation | change | for you | seen |", "|---|---|---|---|")


def _drift(drift: Drift) -> str:
    where = f"{drift.direction} `{_cell(drift.where)}`" if drift.where else drift.direction
    return f"| `{drift.operation}` | {where} | {_cell(drift.what)} | not predicted |"


def _line(entry: Entry) -> str:
    names = named(entry.operations)
    seen = entry.conclusion.value.removeprefix("predicted, ").removeprefix("predicted and ")
    return f"| {names} | {_cell(entry.title)} | {_cell(entry.sentence)} | {seen} |"


def _tail(move: Upgrade) -> Iterable[str]:
    documents = counted(row for row in move.rows if row.change.basis is Basis.DOCUMENT)
    corrected = len({change.group for change in move.corrections})
    if documents or corrected:
        yield (
            f"Not counted: {many(documents, 'difference')} of documents that are more exact or silent, "
            f"{corrected} corrected by errata."
        )
    yield from (f"Note: {_cell(note)}" for note in move.notes[:3])


def _cell(text: str) -> str:
    """A text that can't end a cell."""
    return visible(text).replace("|", "\\|").replace("\n", " ")
