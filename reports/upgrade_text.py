"""A move to another api-version for people: the lines of the console, and Markdown for a comment of a pull request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from conformance.evidence.timeline import visible
from conformance.migration.change import EVERY, Basis, Kind
from conformance.migration.conclusion import Conclusion, Drift, Row, Upgrade
from conformance.migration.sentences import sentence

from .upgrade_entries import Entry, entries

__all__ = ["MOST_LINES", "console", "headline", "json_text", "markdown", "observed", "sections"]

#: A comment with more lines is not read.
MOST_LINES = 60

#: Operations that a line names.
_NAMED = 2

#: Recorded requests that the console names.
_REFUSED = 20


def headline(move: Upgrade) -> str:
    """What a move means, in one sentence."""
    rows = [row for row in move.rows if row.change.basis is Basis.SERVICE]
    breaks = sum(row.change.breaks for row in rows)
    if not rows and not move.drifts and not move.refused:
        return "nothing that you use changes" if move.used else "nothing changes"
    told = [f"{_many(breaks, 'change')} may break callers" if breaks else "no change breaks callers"]
    told.append(f"{len(rows) - breaks} more {'need' if len(rows) - breaks != 1 else 'needs'} nothing")
    if move.refused:
        told.append(f"{_many(len(move.refused), 'recorded request')} would be refused")
    return ", ".join(told)


def observed(move: Upgrade) -> str:
    """How much of it was seen, in one sentence; "" if nothing was sent."""
    if not move.target:
        return ""
    rows = [row for row in move.rows if row.change.basis is Basis.SERVICE]
    counts = [
        f"{sum(row.result.conclusion is each for row in rows)} {each.value}"
        for each in (Conclusion.OBSERVED, Conclusion.MISSED, Conclusion.OPEN)
    ]
    drift = f"{len(move.drifts)} {Conclusion.DRIFT.value}"
    return f"{', '.join(counts)}; {drift} ({move.sent[0]} and {move.sent[1]} requests to {move.target})"


def sections(move: Upgrade) -> Iterator[tuple[str, tuple[Row, ...]]]:
    """Yield (heading, rows) in the order in which people need them. Rows that only documents show come last."""
    service = [row for row in move.rows if row.change.basis is Basis.SERVICE]
    documents = [row for row in move.rows if row.change.basis is Basis.DOCUMENT]
    quiet = [row for row in service if not row.change.breaks]
    parts = (
        ("May break callers", [row for row in service if row.change.breaks]),
        ("Said by the document alone, and seen at the target", [row for row in documents if _narrows(row)]),
        ("Not as predicted", [row for row in quiet if _is(row, Conclusion.MISSED)]),
        ("New or wider", [row for row in quiet if _is(row, Conclusion.OBSERVED)]),
        ("Not probed", [row for row in quiet if _is(row, Conclusion.OPEN)]),
        ("Documents differ, the service probably not", [row for row in documents if not _narrows(row)]),
    )
    yield from ((heading, tuple(rows)) for heading, rows in parts if rows)


def _is(row: Row, conclusion: Conclusion) -> bool:
    return row.result.conclusion is conclusion


def _narrows(row: Row) -> bool:
    """True for a request that a target refuses under the newer version, whatever was said of its document."""
    narrower = row.change.kind in (Kind.NARROWED, Kind.REMOVED, Kind.RULE) and row.change.direction == "request"
    return narrower and _is(row, Conclusion.OBSERVED)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _operations(names: Sequence[str]) -> str:
    """The operations of a row, the first two by name."""
    if names == (EVERY,):
        return "all operations"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def console(move: Upgrade) -> Iterator[str]:
    """Yield the lines of the console: all that concern the service."""
    yield f"{move.old} → {move.new}: {headline(move)}"
    if move.used:
        yield f"used: {move.used}"
    if told := observed(move):
        yield told
    for place, why in move.refused[:_REFUSED]:
        yield f"  refused by {move.new}: {place}: {why}"
    if len(move.refused) > _REFUSED:
        yield f"  and {len(move.refused) - _REFUSED} more; they are in the report"
    for heading, rows in sections(move):
        documents = rows[0].change.basis is Basis.DOCUMENT and not _narrows(rows[0])
        yield ""
        if documents:
            yield f"{heading}: {len(rows)}; they are in the report"
            continue
        yield f"{heading} ({len(rows)})"
        for one in entries(rows):
            yield f"  {_operations(one.operations)}: {one.title}"
            yield f"      {one.sentence}"
            yield f"      {one.conclusion.value}: {one.told}"
    if move.drifts:
        yield f"\nObserved, not predicted ({len(move.drifts)})"
        for drift in move.drifts:
            where = f" `{drift.where}`" if drift.where else ""
            yield f"  {drift.operation}: {drift.direction}{where}: {drift.what} (case {', '.join(drift.cases)})"
    if move.corrections:
        many = len({change.group for change in move.corrections})
        yield f"\n{_many(many, 'difference')} of the published documents: corrected by errata, no change of the service"
    yield from (f"note: {note}" for note in move.notes)


def markdown(move: Upgrade, *, most: int = MOST_LINES) -> str:
    """Markdown of at most ``most`` lines: what breaks, what is not as predicted, what is new."""
    lines = [f"## {move.old} → {move.new}: {headline(move)}", ""]
    if move.used:
        lines += [f"Used: {_cell(move.used)}", ""]
    if told := observed(move):
        lines += [_cell(told), ""]
    lines += [f"- refused by {move.new}: {_cell(place)}: {_cell(why)}" for place, why in move.refused[:5]]
    tail = list(_tail(move))
    parts = [(heading, len(rows), [_line(one) for one in entries(rows)]) for heading, rows in sections(move)]
    if move.drifts:
        drifts = [_drift(drift) for drift in move.drifts]
        parts.insert(min(len(parts), 2), ("Observed, not predicted", len(drifts), drifts))
    room = most - len(lines) - len(tail)
    for number, (heading, many, rows) in enumerate(parts):
        # Each part takes five lines beside its rows; what comes later keeps room for a heading.
        space = room - 5 - 5 * min(2, len(parts) - number - 1)
        if space < 1 or heading.startswith("Documents"):
            left = sum(len(rest) for _, _, rest in parts[number:])
            tail.insert(0, f"{left} more rows are in the report.")
            break
        shown = rows[:space]
        lines += [f"### {heading} ({many})", "", *_HEAD, *shown]
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
    names = ", ".join(f"`{name}`" for name in entry.operations[:_NAMED]) if entry.operations != (EVERY,) else "all"
    more = f" and {len(entry.operations) - _NAMED} more" if len(entry.operations) > _NAMED else ""
    seen = entry.conclusion.value.removeprefix("predicted, ").removeprefix("predicted and ")
    return f"| {names}{more} | {_cell(entry.title)} | {_cell(entry.sentence)} | {seen} |"


def _tail(move: Upgrade) -> Iterable[str]:
    documents = len({row.change.group for row in move.rows if row.change.basis is Basis.DOCUMENT})
    corrected = len({change.group for change in move.corrections})
    if documents or corrected:
        yield (
            f"Not counted: {_many(documents, 'difference')} of documents that are more exact or silent, "
            f"{corrected} corrected by errata."
        )
    yield from (f"Note: {_cell(note)}" for note in move.notes[:3])


def _cell(text: str) -> str:
    """A text that can't end a cell."""
    return visible(text).replace("|", "\\|").replace("\n", " ")


def json_text(move: Upgrade) -> str:
    """The move as JSON: every change for each operation, with its probes."""
    value = {
        "old": move.old,
        "new": move.new,
        "headline": headline(move),
        "target": move.target,
        "requests": list(move.sent),
        "answered": list(move.answered),
        "used": move.used,
        "refused": [{"request": place, "reason": why} for place, why in move.refused],
        "changes": [
            {
                "operation": result.change.operation,
                "direction": result.change.direction.value,
                "location": result.change.where,
                "places": len(result.change.locations),
                "kind": result.change.kind.value,
                "subject": result.change.subject.value,
                "keyword": result.change.keyword,
                "old": result.change.old,
                "new": result.change.new,
                "pointer": result.change.pointer,
                "class": result.change.basis.value,
                "why": result.change.why,
                "rules": list(result.change.rules),
                "breaks": result.change.breaks,
                "means": sentence(result.change),
                "conclusion": result.conclusion.value,
                "told": result.told,
                "probes": [
                    {"case": each.case, "request": each.what, "old": each.old, "new": each.new}
                    for each in result.probes
                ],
            }
            for result in move.results
        ],
        "drift": [
            {
                "operation": drift.operation,
                "direction": drift.direction,
                "location": drift.where,
                "what": drift.what,
                "breaks": drift.breaks,
                "cases": list(drift.cases),
                "conclusion": Conclusion.DRIFT.value,
            }
            for drift in move.drifts
        ],
        "corrections": [
            {
                "operation": change.operation,
                "direction": change.direction.value,
                "location": change.where,
                "kind": change.kind.value,
                "subject": change.subject.value,
            }
            for change in move.corrections
        ],
        "notes": list(move.notes),
    }
    return json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n"
