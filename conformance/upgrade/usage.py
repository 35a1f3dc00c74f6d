"""What somebody really uses: by recorded traffic, or by a list of operations and fields; and which changes touch it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from conformance.errors import UsageError
from conformance.migration.change import EVERY, Change, Direction, Kind, Subject
from conformance.migration.descent import nodes_at
from conformance.migration.location import parsed, plain, text
from conformance.recordings.files import document_of, exchanges_in, text_of
from conformance.recordings.recorded import Recorded
from conformance.recordings.traces import sorted_out
from conformance.requests.case import Case
from conformance.upgrade.evidence import Seen
from conformance.upgrade.outcomes import Outcome, outcome_of
from conformance.upgrade.pairs import Pair
from conformance.upgrade.shapes import received
from conformance.upgrade.sides import Side, translated

__all__ = ["Usage", "usage_of"]

#: Routes that a note names.
_NAMED = 2


@define
class _Used:
    """What is used of one operation. ``request`` and ``answer`` are named fields, None where all of them count."""

    pairs: list[Pair] = field(factory=list)
    places: list[str] = field(factory=list)
    answers: dict[Direction, list[Any]] = field(factory=dict)
    listed: bool = False
    request: tuple[str, ...] | None = ()
    answer: tuple[str, ...] | None = ()


@frozen
class Usage:
    """What is used, by operation. ``told`` says so in words, ``notes`` what could not be read."""

    told: str
    operations: dict[str, _Used] = field(repr=False)
    notes: tuple[str, ...] = ()

    def touched(self, changes: Iterable[Change]) -> tuple[Change, ...]:
        """The changes that touch what is used."""
        return tuple(change for change in changes if self._touches(change))

    def refused(self) -> Iterator[tuple[str, str]]:
        """Yield (operation and place in the recording, reason) of requests that only the older document takes."""
        for used in self.operations.values():
            for pair, place in zip(used.pairs, used.places, strict=True):
                if pair.fits_old and not pair.fits_new:
                    yield f"{pair.old.operation} ({place})", _why(pair)

    def _touches(self, change: Change) -> bool:
        if change.operation == EVERY:
            return bool(self.operations)
        used = self.operations.get(change.operation)
        if used is None or (change.subject is Subject.OPERATION and change.kind is Kind.ADDED):
            return False
        if change.subject in (Subject.OPERATION, Subject.ROUTE, Subject.STATUS):
            return change.direction is not Direction.STREAM or used.listed or Direction.STREAM in used.answers
        if used.listed and _named(used, change):
            return True
        if change.direction is Direction.REQUEST:
            return any(_sends(pair, change) for pair in used.pairs)
        return _receives(used.answers.get(change.direction, ()), change)


def _named(used: _Used, change: Change) -> bool:
    """True if a change lies at a field of the list, in it or around it."""
    names = used.request if change.direction is Direction.REQUEST else used.answer
    if names is None:
        return True
    here = text(plain(change.location))

    def inside(inner: str, outer: str) -> bool:
        return inner == outer or inner.startswith((f"{outer}.", f"{outer}["))

    return any(inside(here, name) or inside(name, here) for name in names)


def _sends(pair: Pair, change: Change) -> bool:
    """True if a recorded request is touched by a change of requests."""
    match change.kind:
        case Kind.REMOVED:
            mine = change.subject is not Subject.VALUE or _has_value(pair, change)
            return pair.holds(change) and mine
        case Kind.RENAMED:
            return pair.holds(change)
        case Kind.DEFAULT:
            return pair.holds_at(change.location[:-1]) and not pair.holds(change)
        case Kind.ADDED if change.needed:
            return pair.holds_at(change.location[:-1]) and not pair.holds(change)
        case Kind.NARROWED | Kind.RULE:
            return pair.fits_old and not pair.fits_new and (change.kind is Kind.RULE or pair.differs_by(change))
    return False


def _has_value(pair: Pair, change: Change) -> bool:
    return change.old in Seen.at([pair.value], change.locations).values


def _receives(answers: Sequence[Any], change: Change) -> bool:
    """True if recorded answers are touched by a change of answers."""
    seen = Seen.at(answers, change.locations)
    if change.kind is Kind.NARROWED:
        return False
    if change.subject in (Subject.VALUE, Subject.TAG) and change.kind is Kind.ADDED:
        return bool(seen.around)
    return bool(seen.around) if change.kind is Kind.ADDED else bool(seen.values)


def _why(pair: Pair) -> str:
    """What the newer document objects to in a request."""
    read = pair.new_side.value(pair.new)
    if read is None:
        return "the operation is gone"
    # Of a union the error that went furthest into the value is most likely the one that counts.
    errors = [
        max(error.walk(), key=lambda one: one.instance_pointer.count("/"))
        for error in read[0].validator.errors(read[1])
    ]
    told = (f"{error.instance_pointer.removeprefix('/body')}: {error.message}" for error in errors[:2])
    return "; ".join(told) or "a rule between fields"


def usage_of(files: Sequence[Path], old: Side, new: Side) -> Usage:
    """What files say is used: lists (``.toml``, or a JSON object with ``use``) and recorded traffic.

    Raises :class:`UsageError` for a file that can't be read, with the place, and for files that name no operation.
    """
    found: dict[str, _Used] = {}
    notes: list[str] = []
    recorded: list[Recorded] = []
    for file in files:
        document = _toml(file) if file.suffix == ".toml" else document_of(file)
        if file.suffix == ".toml" or (isinstance(document, dict) and "use" in document):
            for entry in _uses_in(document, file):
                _add_listed(found, entry, file, old, new)
        else:
            recorded += exchanges_in(document, file)
    exchanges = _add_recorded(found, recorded, old, new, notes) if recorded else 0
    if not found:
        raise UsageError(
            f"no request of an operation of {old.spec.version} is in it",
            where=", ".join(map(str, files)),
            hint='recorded traffic as `judge` reads it, or a list: [[use]] operation = "chat.completions.create"',
        )
    names = ", ".join(sorted(found)[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")
    amount = f"{exchanges} recorded requests" if recorded else "a list"
    return Usage(f"{names} (by {amount})", found, tuple(notes))


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text_of(file))
    except RecursionError:
        raise UsageError("nested too deeply", where=str(file)) from None
    except ValueError as error:  # what is no TOML, and a whole number that is too long for Python
        raise UsageError(f"not TOML: {error}", where=str(file)) from None


def _uses_in(document: dict[str, Any], file: Path) -> list[Any]:
    """The entries of a list of uses. Raises :class:`UsageError` where there is none."""
    entries = document.get("use")
    if not isinstance(entries, list):
        raise UsageError("no list of uses", where=str(file), hint='[[use]] operation = "chat.completions.create"')
    return entries


def _add_listed(found: dict[str, _Used], entry: Any, file: Path, old: Side, new: Side) -> None:
    """Add one entry of a list. Raises :class:`UsageError` for one that names no operation, or no fields."""
    name = entry.get("operation") if isinstance(entry, dict) else None
    if not isinstance(name, str) or name not in {*old.operations, *new.operations}:
        hint = "the names: aoai-conformance list operations"
        raise UsageError(f"unknown operation {name!r} in a list of uses", where=str(file), hint=hint)
    fields: list[tuple[str, ...] | None] = []
    for part in ("request", "answer"):
        value = entry.get(part)
        if value is not None and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            raise UsageError(f"{part} of {name} must be a list of fields", where=str(file))
        for each in value or ():
            _check_field(name, part, each, file, (old, new))
        fields.append(None if value is None else tuple(value))
    unknown = set(entry) - {"operation", "request", "answer"}
    if unknown:
        raise UsageError(f"unknown keys of {name}: {', '.join(sorted(unknown))}", where=str(file))
    used = found.setdefault(name, _Used())
    used.listed = True
    # An operation may be listed several times, in one file or in several.
    used.request, used.answer = _joined(used.request, fields[0]), _joined(used.answer, fields[1])


def _check_field(operation: str, part: str, name: str, file: Path, sides: tuple[Side, Side]) -> None:
    """Raise :class:`UsageError` for a field that neither document has: a change could never touch it."""
    known = [side.roots(operation, part) for side in sides if operation in side.operations]
    location = parsed(name, whole=part == "request")
    if all(known) and not any(nodes_at(root, location) for roots in known for root in roots):
        hint = "a path such as messages[].content, or `query limit` for a parameter"
        raise UsageError(f"{operation} has no {part} field {name!r} in either version", where=str(file), hint=hint)


def _joined(known: tuple[str, ...] | None, more: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Two lists of fields as one. None stands for all fields."""
    return None if known is None or more is None else (*known, *more)


def _add_recorded(found: dict[str, _Used], recorded: Sequence[Recorded], old: Side, new: Side, notes: list[str]) -> int:
    """Add recorded exchanges: the number of them that count. They are read by the older version, whatever they name."""
    traffic = sorted_out(recorded, [old.spec], forced=True)
    count = 0
    for trace in traffic.traces.get(old.spec.version, ()):
        for seen in trace:
            case = seen.case
            used = found.setdefault(case.operation, _Used())
            used.pairs.append(_pair(case, old, new))
            used.places.append(case.step or case.operation)
            count += 1
            if outcome_of(case, seen.exchange) is Outcome.TAKEN:
                direction, values = received(seen.exchange)
                used.answers.setdefault(direction, []).extend(values)
    notes += _elsewhere(traffic.unknown, old.spec.version, new.spec.version)
    return count


def _elsewhere(unknown: Mapping[tuple[str, str], int], old: str, new: str) -> Iterator[str]:
    """Yield a note for each api-version on the wire of requests that the older version has no route for."""
    found: dict[str, dict[str, int]] = {}
    for (asked, route), count in unknown.items():
        found.setdefault(asked, {})[route] = count
    for asked, routes in found.items():
        some = ", ".join(list(routes)[:_NAMED])
        remedy = f"; ask for them alone: upgrade {asked} {new} --used FILE" if asked not in ("", old) else ""
        total = sum(routes.values())
        yield f"{total} recorded requests are of routes that {old} does not have, such as {some}{remedy}"


def _pair(case: Case, old: Side, new: Side) -> Pair:
    after = new.operations.get(case.operation)
    return Pair(old, new, case, translated(case, old.operations[case.operation], after) if after is not None else case)
