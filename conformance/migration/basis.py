"""On what a change rests: the service, a more exact document, or a correction. Judged by silence, errata, witnesses.

A second witness is the document of another version. If one that is older than both says already what the newer of the
two says, the service did not begin with it; if one that is newer than both says again what the older of the two says,
the service did not end it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from typing import Any

from attrs import define, evolve, field

from conformance.migration.change import EVERY, Basis, Change, Direction, Kind, Subject
from conformance.migration.comparison import compared, published
from conformance.migration.location import plain
from conformance.spec.openapi import LOWER
from conformance.spec.spec import Clause, Erratum, Spec, Widest

__all__ = ["changes_between"]

#: Subjects of which a document may say nothing without meaning that there is no limit.
_SILENT = (Subject.SIZE, Subject.PATTERN, Subject.VALUES, Subject.DEFAULT, Subject.REQUIRED)

#: Subjects that hold everything below them: what a version has not, it has not in part either.
_WHOLES = (Subject.OPERATION, Subject.FIELD, Subject.TAG, Subject.FORM)

#: Where an erratum rests on answers of the service, it holds whatever the version.
_SEEN = ("recorded", "observed")


def changes_between(
    old: Spec, new: Spec, witnesses: Sequence[Spec] = (), operations: Collection[str] | None = None
) -> tuple[Change, ...]:
    """Every change from one version to another with its basis, each once for each operation.

    ``witnesses`` are other versions. ``operations`` limits it to some operationIds. Differences that only the
    published documents have, and which errata hold to be none of the service, come last, as corrections.
    """
    raw = compared(old, new, operations)
    before = compared(published(old), published(new), operations)
    known = {change.key for change in before}
    court = _Court(old, new, tuple(w for w in witnesses if w.version not in (old.version, new.version)), known)
    found = [court.judged(change) for change in raw]
    held = {change.key for change in raw}
    corrected = [
        evolve(change, basis=Basis.CORRECTION, why="the documents differ here, and by an erratum the service does not")
        for change in before
        if change.key not in held and change.operation != EVERY and change.kind is not Kind.RULE
    ]
    return (*_with_rules(found, old, new), *corrected)


@define
class _Court:
    """Judges the changes between two versions."""

    old: Spec
    new: Spec
    witnesses: tuple[Spec, ...]
    published: Set[tuple[str, ...]]
    _said: dict[tuple[str, str, str], tuple[Change, ...]] = field(factory=dict, init=False)

    def judged(self, change: Change) -> Change:
        """The change with its basis and the reason."""
        basis, why = self._basis(change)
        return evolve(change, basis=basis, why=why)

    def _basis(self, change: Change) -> tuple[Basis, str]:
        erratum = self._erratum(change)
        if erratum is not None and erratum.provenance in _SEEN and not self._shared(erratum):
            return Basis.CORRECTION, f"erratum {erratum.id}: seen at the service, whatever the version"
        answered = change.subject is Subject.RULE and change.direction is not Direction.REQUEST
        if (answered or change.subject in _SILENT) and (change.old is None or change.new is None):
            silent = self.old if change.old is None else self.new
            return Basis.DOCUMENT, f"the document of {silent.version} says nothing of it"
        if change.subject is Subject.WHOLE:
            return Basis.DOCUMENT, "a document that says number where only whole numbers make sense is less exact"
        if change.subject is Subject.SIZE:
            wider = next((one for one in (*self.new.widest, *self.old.widest) if _widest(one, change)), None)
            if wider is not None:
                return Basis.DOCUMENT, f"another source states {wider.value}; up to it a service may accept or refuse"
        if change.direction is not Direction.REQUEST and change.kind is Kind.NARROWED:
            return Basis.DOCUMENT, f"the document of {self.new.version} promises more"
        if change.subject not in (Subject.OPERATION, Subject.ROUTE, Subject.STATUS, Subject.MEDIA):
            witness = next(self._witnessed(change), "")
            if witness:
                return Basis.DOCUMENT, witness
        return Basis.SERVICE, f"erratum {erratum.id}" if erratum is not None else ""

    def _erratum(self, change: Change) -> Erratum | None:
        """The erratum without which the documents would not differ here, or None."""
        if change.key in self.published or not change.pointer.startswith("/"):
            return None
        for erratum in (*self.new.errata, *self.old.errata):
            if any(_near(pointer, change.pointer) for pointer in erratum.pointers):
                return erratum
        return None

    def _shared(self, erratum: Erratum) -> bool:
        """True if both versions have an erratum of this name."""
        return all(any(one.id == erratum.id for one in spec.errata) for spec in (self.old, self.new))

    def _witnessed(self, change: Change) -> Iterator[str]:
        """Yield what other documents say against a change of the service."""
        for witness in self.witnesses:
            if not _has(witness, change.operation):
                continue
            name = witness.version
            before, after = _age(witness) <= _age(self.old), _age(witness) > _age(self.new)
            # What a preview had may be new in a version that is generally available.
            counts = change.kind is not Kind.ADDED or witness.status == "ga" or self.old.status != "ga"
            if before and counts and not self._differs(witness, self.new, change):
                yield f"the document of {name} says so already"
            if after and change.kind is not Kind.ADDED and not self._differs(self.old, witness, change):
                yield f"the document of {name} says again what that of {self.old.version} says"

    def _differs(self, left: Spec, right: Spec, change: Change) -> bool:
        """True if two documents differ at the place of a change, or one of them has not even what is around it."""
        for other in self._compared(left, right, change.operation):
            if other.key == change.key:
                return True
            if other.direction == change.direction and other.subject in _WHOLES:
                size = len(other.location)
                if size < len(change.location) and change.location[:size] == other.location:
                    return True
                if other.subject is Subject.OPERATION:
                    return True
        return False

    def _compared(self, left: Spec, right: Spec, operation: str) -> tuple[Change, ...]:
        key = (left.version, right.version, operation)
        if key not in self._said:
            self._said[key] = compared(left, right, (operation,))
        return self._said[key]


def _widest(one: Widest, change: Change) -> bool:
    """True if a source states a bound at least as wide as both of a change."""
    if change.operation not in one.operations or one.keyword != change.keyword or change.direction != Direction.REQUEST:
        return False
    if one.pointer != "".join(f"/{step[1:] if step[0] == '.' else '*'}" for step in plain(change.location)[1:]):
        return False
    bounds = [bound for bound in (change.old, change.new) if bound is not None]
    return all(bound >= one.value if change.keyword in LOWER else bound <= one.value for bound in bounds)


def _has(spec: Spec, operation: str) -> bool:
    return any(
        isinstance(node, dict) and node.get("operationId") == operation
        for item in spec.document["paths"].values()
        for node in item.values()
    )


def _age(spec: Spec) -> str:
    """A text that sorts versions by their date. One without a date is newer than all that have one."""
    label = spec.version[:10]
    return label if label[:4].isdigit() else "~"


def _near(pointer: str, place: str) -> bool:
    """True if one of two JSON Pointers leads into what the other one names."""
    left, right = f"{pointer.removesuffix('/-')}/", f"{place}/"
    return left.startswith(right) or right.startswith(left)


# -- rules of prose ---------------------------------------------------------------------------------------------------


def _with_rules(found: Iterable[Change], old: Spec, new: Spec) -> Iterator[Change]:
    """Yield the changes. A rule that speaks of a new or gone field is a part of that field's change."""
    changes = list(found)
    for rule in [change for change in changes if change.kind is Kind.RULE]:
        clause = (new if rule.new is not None else old).clause_by_id[rule.keyword]
        names = set(_names(clause))
        owner = next(
            (
                place
                for place, one in enumerate(changes)
                if one.operation == rule.operation
                and one.direction is Direction.REQUEST
                and one.subject in (Subject.FIELD, Subject.TAG, Subject.FORM)
                and (one.kind is Kind.REMOVED) == (rule.new is None)
                and (names & {_last(one), str(one.new or one.old)} or _about(clause, one))
            ),
            None,
        )
        if owner is not None:
            changes[owner] = evolve(changes[owner], rules=(*changes[owner].rules, clause.id))
            changes.remove(rule)
    yield from changes


def _about(clause: Clause, change: Change) -> bool:
    """True for a rule of answers whose name has that of a field of requests in it: it says what the field leads to."""
    return clause.rule is None and f"-{_last(change).replace('_', '-')}-" in f"-{clause.id}-"


def _last(change: Change) -> str:
    """The name of the member at which a change stands."""
    return next((step[1:] for step in reversed(change.location) if step[0] == "."), "")


def _names(clause: Clause) -> Iterator[str]:
    """Yield the names of members, and the values, that a rule speaks of."""
    rule = clause.rule
    if rule is None:
        return
    yield from _words(rule.schema)
    yield from _words(rule.breaks)
    yield from (part for part in (*rule.pointer.split("/"), *rule.fault.split("/")) if part)
    if isinstance(rule.breaks, dict):
        yield from rule.breaks


def _words(node: Any) -> Iterator[str]:
    """Yield the names of members and the constants in a schema, and the members of a merge patch."""
    if isinstance(node, dict):
        for key, value in node.items():
            if (key, type(value)) in (("properties", dict), ("required", list)):
                yield from value
            elif key == "const" and isinstance(value, str):
                yield value
            yield from _words(value)
    elif isinstance(node, list):
        for item in node:
            yield from _words(item)
