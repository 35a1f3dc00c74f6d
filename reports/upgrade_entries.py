"""Rows of a report on a move as people read them: what happens to several members of one object is one entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen

from conformance.migration import location
from conformance.migration.change import Change, Direction, Subject
from conformance.migration.conclusion import Conclusion, Row, Shown
from conformance.migration.sentences import sentence, title

__all__ = ["Entry", "entries"]

#: Members of one object, or operations of one resource, that are told as one.
_TOGETHER = (Subject.FIELD, Subject.VALUE, Subject.TAG, Subject.OPERATION)


@frozen
class Entry:
    """One entry: what happened where, what it means, and what was seen."""

    operations: tuple[str, ...]
    title: str
    sentence: str
    conclusion: Conclusion
    told: str
    why: str
    probes: tuple[Shown, ...]


def entries(rows: Iterable[Row]) -> Iterator[Entry]:
    """Yield the entries for some rows, in their order."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for number, row in enumerate(rows):
        groups.setdefault(_key(row, number), []).append(row)
    for group in groups.values():
        yield _entry(group) if len(group) > 1 else _single(group[0])


def _key(row: Row, number: int) -> tuple[object, ...]:
    change = row.change
    if change.subject not in _TOGETHER:
        return (number,)
    whole = change.subject is Subject.OPERATION and change.direction is Direction.REQUEST
    about = change.operation.split(".", maxsplit=1)[0] if whole else (row.operations, _around(change))
    needed = change.needed and change.direction is Direction.REQUEST
    return (change.direction, change.kind, change.subject, about, row.result.conclusion, change.breaks, needed)


def _around(change: Change) -> str:
    """The object, or the field, whose members or values a change is about."""
    return location.text(change.location if change.subject is Subject.VALUE else change.location[:-1])


def _single(row: Row) -> Entry:
    result = row.result
    return Entry(
        row.operations,
        title(row.change),
        sentence(row.change),
        result.conclusion,
        result.told,
        row.change.why,
        result.probes,
    )


def _entry(group: Sequence[Row]) -> Entry:
    """Several rows as one."""
    first = group[0].change
    names = dict.fromkeys(name for row in group for name in row.operations)
    if first.subject is Subject.OPERATION:
        what, told = f"{len(group)} operations of {first.operation.split('.', maxsplit=1)[0]}", ", ".join(names)
        means = f"Can be called now: {told}." if first.new is not None else f"Gone, do without or stay: {told}."
        return _made(group, tuple(names), f"{first.kind.value}: {what}", means)
    around = f" of `{_around(first)}`" if _around(first) else ""
    mine = ", ".join(f"`{_name(row.change)}`" for row in group)
    heading = f"{first.kind.value}: {len(group)} {first.direction.value} {first.subject.value}s{around}"
    values = first.subject is Subject.VALUE
    means = sentence(first, value=mine) if values else sentence(first, where=f"{mine}{around}")
    return _made(group, tuple(names), heading, means)


def _made(group: Sequence[Row], names: tuple[str, ...], heading: str, means: str) -> Entry:
    told = dict.fromkeys(row.result.told for row in group)
    several = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    probes = tuple(probe for row in group for probe in row.result.probes)
    return Entry(
        names, heading, means, group[0].result.conclusion, f"{next(iter(told))}{several}", group[0].change.why, probes
    )


def _name(change: Change) -> str:
    """The name of a member, or the value."""
    if change.subject is Subject.FIELD:
        return change.location[-1][1:]
    return str(change.old if change.new is None else change.new)
