"""A move to another api-version as the lines of the console."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.evidence.timeline import escaped
from conformance.migration.conclusion import Upgrade

from .upgrade_entries import entries
from .upgrade_words import counted, headline, many, named, observed, sections

__all__ = ["console"]

#: Recorded requests that the console names.
_REFUSED = 20


def console(move: Upgrade) -> Iterator[str]:
    """Yield the lines of the console: all that concern the service. What the target said steers no terminal."""
    yield from map(escaped, _lines(move))


def _lines(move: Upgrade) -> Iterator[str]:
    yield f"{move.old} → {move.new}: {headline(move)}"
    if move.used:
        yield f"used: {move.used}"
    if told := observed(move):
        yield told
    for place, why in move.refused[:_REFUSED]:
        yield f"  refused by {move.new}: {place}: {why}"
    if len(move.refused) > _REFUSED:
        yield f"  and {len(move.refused) - _REFUSED} more; they are in the report"
    if move.drifts:
        yield ""
        yield f"Observed, not predicted ({len(move.drifts)})"
        for drift in move.drifts:
            where = f" `{drift.where}`" if drift.where else ""
            yield f"  {drift.operation}: {drift.direction}{where}: {drift.what} (case {', '.join(drift.cases)})"
    for section in sections(move):
        yield ""
        if section.aside:
            yield f"{section.heading}: {counted(section.rows)}; they are in the report"
            continue
        yield f"{section.heading} ({counted(section.rows)})"
        for one in entries(section.rows):
            yield f"  {named(one.operations)}: {one.title}"
            yield f"      {one.sentence}"
            if move.target:
                yield f"      {one.conclusion.value}: {one.told}"
    if move.corrections:
        corrected = len({change.group for change in move.corrections})
        yield ""
        yield f"{many(corrected, 'difference')} of the published documents: none of the service, by errata"
    yield from (f"note: {note}" for note in move.notes)
