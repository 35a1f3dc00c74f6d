"""What every form of a report on a move has in common: the headline, what was seen, and the sections in their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen

from conformance.migration.change import EVERY, Basis, Direction, Kind
from conformance.migration.conclusion import EMBEDDED, Conclusion, Row, Upgrade

__all__ = ["Section", "counted", "headline", "many", "named", "observed", "sections"]

#: Operations that a line names.
_NAMED = 2


def headline(move: Upgrade) -> str:
    """What a move means, in one sentence."""
    rows = [row for row in move.rows if row.change.basis is Basis.SERVICE]
    breaks = counted(row for row in rows if row.change.breaks)
    rest = counted(rows) - breaks
    if not rows and not move.drifts and not move.refused:
        return "nothing that you use changes" if move.used else "nothing changes"
    told = [f"{many(breaks, 'change')} may break callers" if breaks else "no change breaks callers"]
    told.append(f"{rest} more {'need' if rest != 1 else 'needs'} nothing")
    if move.refused:
        told.append(f"{many(len(move.refused), 'recorded request')} would be refused")
    return ", ".join(told)


def counted(rows: Iterable[Row]) -> int:
    """The number of changes of the documents in some rows. One that was seen here and not there has several rows."""
    return len({row.change.group for row in rows})


def observed(move: Upgrade) -> str:
    """How much of it was seen, and where, in one sentence; "" if nothing was sent."""
    if not move.target:
        return ""
    rows = [row for row in move.rows if row.change.basis is Basis.SERVICE]
    counts = [
        f"{counted(row for row in rows if _is(row, each))} {each.value}"
        for each in (Conclusion.OBSERVED, Conclusion.MISSED, Conclusion.OPEN)
    ]
    drift = f"{len(move.drifts)} {Conclusion.DRIFT.value}"
    sent = f"{move.sent[0]} requests under {move.old} and {move.sent[1]} under {move.new}"
    own = " (it follows these documents; name your service with --target)" if move.target == EMBEDDED else ""
    return f"At {move.target}{own}: {', '.join(counts)}; {drift} ({sent})"


@frozen
class Section:
    """Rows under one heading. ``aside`` is True for those that only documents show: a short form leaves them out."""

    heading: str
    rows: tuple[Row, ...]
    aside: bool = False


def sections(move: Upgrade) -> Iterator[Section]:
    """Yield the sections that have rows, in the order in which people need them: the one to leave out comes last."""
    service = [row for row in move.rows if row.change.basis is Basis.SERVICE]
    documents = [row for row in move.rows if row.change.basis is Basis.DOCUMENT]
    quiet = [row for row in service if not row.change.breaks]
    breaks = [row for row in service if row.change.breaks]
    parts = (
        ("Breaks: change what you send", [row for row in breaks if row.change.direction is Direction.REQUEST]),
        (
            "Breaks: check how you read answers",
            [row for row in breaks if row.change.direction is not Direction.REQUEST],
        ),
        (
            "May break too: only the documents differ, but the target does it",
            [row for row in documents if _narrows(row)],
        ),
        ("Nothing to do, but not as predicted", [row for row in quiet if _is(row, Conclusion.MISSED)]),
        ("Nothing to do: new or wider", [row for row in quiet if _is(row, Conclusion.OBSERVED)]),
        ("Nothing to do, not probed", [row for row in quiet if _is(row, Conclusion.OPEN)]),
    )
    yield from (Section(heading, tuple(rows)) for heading, rows in parts if rows)
    rest = tuple(row for row in documents if not _narrows(row))
    if rest:
        yield Section("Documents differ, the service probably not", rest, aside=True)


def _is(row: Row, conclusion: Conclusion) -> bool:
    return row.result.conclusion is conclusion


def _narrows(row: Row) -> bool:
    """True if a target refuses a request under the newer version, or breaks a rule that the older version states,
    whatever was said of the documents.
    """
    change = row.change
    if not _is(row, Conclusion.OBSERVED):
        return False
    if change.direction is not Direction.REQUEST:
        return change.kind is Kind.RULE and change.new is None
    return change.kind in (Kind.NARROWED, Kind.REMOVED) or (change.kind is Kind.RULE and change.new is not None)


def many(count: int, noun: str) -> str:
    """A number with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def named(names: Sequence[str], most: int | None = _NAMED) -> str:
    """The operations of a row, the first ones by name. ``most`` is None for all of them."""
    if tuple(names) == (EVERY,):
        return "all operations"
    shown = names[:most]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return f"{', '.join(shown)}{more}"
