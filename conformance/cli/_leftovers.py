"""What interrupted runs left, target by target, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from attrs import Factory, define, field

from conformance.evidence.timeline import escaped
from conformance.target.ledger import Unanswered
from conformance.target.recovery import Found, Recovered

__all__ = ["Leftovers", "of_found", "of_recovered"]


@define
class AtTarget:
    """What was found or left at one target. Each object of ``left`` and ``stays`` is a line with path and reason."""

    target: str
    journals: list[str] = field(factory=list)
    versions: set[str] = field(factory=set)
    removed: int = 0
    left: list[str] = field(factory=list)
    stays: list[str] = field(factory=list)
    unanswered: list[Unanswered] = field(factory=list)
    operations: Counter[str] = Factory(Counter)
    reasons: set[str] = field(factory=set)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "target": self.target,
            "api_versions": sorted(self.versions),
            "journals": self.journals,
            "removed": self.removed,
            "left": self.left,
            "cannot_be_removed": self.stays,
            "unanswered": [
                {"operation": u.operation, "path": u.path, "sent": _time(u.at), "reason": u.reason}
                for u in self.unanswered
            ],
            "reasons": sorted(self.reasons),
        }


@define
class Leftovers:
    """What there is (``done`` is False) or what is left after a removal. ``unread`` are journals that can't be used,
    ``forgotten`` those that were deleted because nobody can remove what they name.
    """

    done: bool
    targets: dict[str, AtTarget] = field(factory=dict)
    unread: list[str] = field(factory=list)
    forgotten: list[str] = field(factory=list)

    def at(self, target: str) -> AtTarget:
        """The part of one target."""
        return self.targets.setdefault(target, AtTarget(target))

    @property
    def something(self) -> bool:
        """True if something is left, or may be."""
        return bool(self.unread) or any(one.left or one.unanswered or one.reasons for one in self.targets.values())

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "removed": sum(one.removed for one in self.targets.values()),
            "left": sum(len(one.left) for one in self.targets.values()),
            "unanswered": sum(len(one.unanswered) for one in self.targets.values()),
            "targets": [one.to_json() for one in self.targets.values()],
            "unreadable": self.unread,
            "forgotten": self.forgotten,
        }

    def lines(self) -> Iterator[str]:
        """Yield what a person reads."""
        if not (self.targets or self.unread or self.forgotten):
            yield "nothing to remove: no journal of an interrupted run"
        for one in self.targets.values():
            yield escaped(f"{one.target} ({', '.join(sorted(one.versions))}): {', '.join(self._counts(one))}")
            if not self.done:
                yield from (f"  {operation}: {count}" for operation, count in sorted(one.operations.items()))
            else:
                yield from (escaped(f"  left: {line}") for line in one.left)
                yield from (escaped(f"  stays: {line}") for line in one.stays)
            yield from (escaped(f"  may exist: {u.request}, sent {_time(u.at)}{u.why}") for u in one.unanswered)
            yield from (escaped(f"  {reason}") for reason in sorted(one.reasons))
        yield from (escaped(f"can't be used: {line}") for line in self.unread)
        if self.forgotten:
            yield f"{len(self.forgotten)} journals forgotten: nothing that they name can be removed any more"

    def _counts(self, one: AtTarget) -> Iterator[str]:
        objects, journals = len(one.left), len(one.journals)
        if self.done:
            yield f"{one.removed} removed, {objects} left"
        else:
            yield f"{objects} objects in {journals} journals"
        if one.unanswered:
            yield f"{len(one.unanswered)} creates that never got an answer"


def of_found(there: Iterable[Found]) -> Leftovers:
    """What journals name, before anything is removed."""
    made = Leftovers(done=False)
    for one in there:
        ledger = one.ledger
        if one.reason:
            made.unread.append(one.reason)
        if one.reason or ledger.embedded or ledger.empty:
            continue
        at = made.at(ledger.target)
        at.journals.append(str(one.journal))
        at.versions.add(ledger.api_version)
        entries = [*ledger.open.values(), *ledger.deleted.values()]
        at.left += [entry.text for entry in entries]
        at.operations.update(entry.operation for entry in entries)
        at.unanswered += ledger.unanswered.values()
        if ledger.damaged:
            at.reasons.add(f"{ledger.damaged} lines of {one.journal} can't be read")
    return made


def of_recovered(done: Iterable[Recovered]) -> Leftovers:
    """What is left after the removal."""
    made = Leftovers(done=True)
    for one in done:
        if one.forgotten:
            made.forgotten.append(str(one.journal))
        if not one.usable:
            made.unread.append(one.reason)
        if not one.usable or one.embedded or not one.target:  # an empty journal names no target
            continue
        at = made.at(one.target)
        at.journals.append(str(one.journal))
        at.versions.add(one.api_version)
        at.removed += one.cleaned.removed
        at.left += [left.text for left in one.cleaned.left]
        at.stays += [left.text for left in one.cleaned.staying]
        if not one.forgotten:
            at.unanswered += one.cleaned.unanswered
            at.reasons |= {one.reason} - {""}
    return made


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
