"""The removal of one object: how it is asked for, how the target is looked at, and what the answers say.

Whether an object is gone, a look at the target says: a deletion that was answered 404 may have named a wrong route, and
one that was answered 200 may have done nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Generator, Iterable
from typing import Any

from attrs import define, field, frozen

from conformance.errors import ConformanceError
from conformance.evidence.exchange import Exchange
from conformance.target.created import made_at
from conformance.target.journal import Journal
from conformance.target.ledger import ABSENT, Entry
from conformance.target.silence import endless
from conformance.target.target import Target

__all__ = ["Answer", "Removing", "may_appear", "outermost"]

#: After so many looks in a row that nobody answered, the target is asked nothing more: each costs a time limit.
_SILENT = 3

#: Seconds after its creation in which an object that the target doesn't know may still appear: services of several
#: machines tell each other what is new.
_APPEARS = 5.0

#: Seconds that a deletion must be given at least, and the look after it too.
_LEAST = 0.05

_TOO_LATE = "there was no time left to remove it"


@frozen
class Answer:
    """How the request to remove an object was answered, in words and in fact."""

    text: str
    accepted: bool
    absent: bool = False


@define(eq=False)
class Removing:
    """What was found out while objects were removed. Several threads may use it, each for an object of its own.

    ``deadline`` is a moment of the monotonic clock. ``reasons`` tells why an object is left, by number of its entry.
    ``removed`` objects are gone, and ``asked`` requests to remove one were sent.

    A target that answers looks may have an operation whose deletions hang. That says nothing of the others.
    """

    target: Target
    journal: Journal
    deadline: float = float("inf")
    #: True if answers may be lost: each object is read first, because it names what the service made for it.
    reads: bool = False
    reasons: dict[int, str] = field(factory=dict)
    removed: int = field(default=0, init=False)
    asked: int = field(default=0, init=False)
    #: By operation by which something was deleted: how many of its last deletions in a row were not answered.
    unanswered: dict[str, int] = field(factory=dict)
    _unheard: int = field(default=0, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    @property
    def silent(self) -> bool:
        """True if the target doesn't answer any more."""
        return self._unheard >= _SILENT

    @property
    def hanging(self) -> Collection[str]:
        """The operations whose last deletion was not answered."""
        with self._lock:
            return frozenset(name for name, count in self.unanswered.items() if count)

    @property
    def over(self) -> bool:
        """True if nothing more is sent: the time is over, or nobody answers."""
        return self.silent or time.monotonic() >= self.deadline

    def heard(self, exchange: Exchange) -> None:
        """Note an answer, or that there was none."""
        self._unheard = 0 if exchange.response is not None else self._unheard + 1

    def course(self, entry: Entry) -> Generator[str, None, Answer | None]:
        """Remove one object and look whether it is gone. Before each request yields the operation that deletes, or "".

        Returns the answer to the deletion if another look may say something else, and None if nothing is left to do.
        """
        if self.journal.is_unconfirmed(entry.seq):
            yield ""
            self.confirm(entry)
            if not self.journal.is_pending(entry.seq):
                return None
        yield entry.undo.operation if entry.undo is not None else ""
        answer = self.undone(entry)
        if answer is None:
            return None
        yield ""
        return None if self.settled(entry, answer, self.present(entry)) else answer

    def confirm(self, entry: Entry) -> None:
        """Look whether what a scenario deleted is gone."""
        # If no operation reads it, the answer to its deletion is all that there is.
        if self.present(entry) is False or entry.look is None:
            self.journal.gone(entry.seq)
        else:
            self.journal.back(entry.seq)

    def undone(self, entry: Entry) -> Answer | None:
        """Ask for the removal of one object. Returns how that was answered; None if it may not be asked for."""
        if entry.undo is None:
            return Answer("no operation removes it", accepted=False)
        read = entry.shown or (entry.look is None and not entry.named_by)
        if read and self.reads and entry.look is not None:
            self._look(entry)
        ours = True if read else self.is_ours(entry)
        if ours is None and not may_appear(entry):
            self._gone(entry)
            return None
        if ours is False:
            return None
        # If it hangs, there is time left for a look, and for others.
        seconds = (self.deadline - time.monotonic()) / 2
        if seconds < _LEAST:
            self.reasons.setdefault(entry.seq, _TOO_LATE)
            return None
        exchange = self._send(lambda one: self.target.undo(one, seconds), entry)
        if exchange is None:
            return None
        # Only looks say that the target doesn't answer at all: deletions alone may hang.
        if exchange.response is not None:
            self.heard(exchange)
        unheard = exchange.response is None or endless(exchange.fault)
        with self._lock:
            self.asked += 1
            self.unanswered[entry.undo.operation] = self.unanswered.get(entry.undo.operation, 0) + 1 if unheard else 0
        told = f"{entry.undo.method} {entry.path} was answered {exchange.status or 'not at all'}"
        self.reasons[entry.seq] = told
        return Answer(told, accepted=exchange.ok, absent=exchange.status in ABSENT)

    def is_ours(self, entry: Entry) -> bool | None:
        """True if an object may be removed that no request of ours created directly: it is not older than this run, by
        the target's own clock. What it names itself is written down, and that it need not be read again. None if it
        doesn't exist: then there is nothing that a deletion could harm.
        """
        exchange = self._look(entry)
        if exchange is None:
            return False
        if exchange.status in ABSENT:
            return None
        made, since = made_at(exchange.response.json if exchange.response else None), self.journal.since
        # What is not named by an answer was only not read before.
        if not entry.named_by or (exchange.ok and since and made >= since):
            if exchange.ok:
                self.journal.read(entry.seq)
            return True
        self.reasons[entry.seq] = f"it is not certain that this run created it (the time of its creation is {made!r})"
        return False

    def present(self, entry: Entry) -> bool | str | None:
        """False if an object doesn't exist, its status or True if it does, None if nobody can tell."""
        if entry.look is None:
            return None
        exchange = self._look(entry)
        if exchange is None or exchange.fault is not None:
            return None
        if exchange.status in ABSENT:
            return False
        if not exchange.ok:
            self.reasons[entry.seq] = f"a look at {entry.path} was answered {exchange.status}"
            return None
        status = _field(exchange, "status")
        return status if isinstance(status, str) and status else True

    def settled(self, entry: Entry, answer: Answer, there: bool | str | None) -> bool:
        """Note what a look said. False if another look may say something else."""
        if there is False:
            if answer.absent and may_appear(entry):
                self.reasons[entry.seq] = f"{answer.text}, but it is so new that it may still appear"
                return False
            self._gone(entry)
            return True
        if there is None and entry.look is not None:
            if self.reasons.get(entry.seq, answer.text) == answer.text:
                self.reasons[entry.seq] = f"{answer.text}, and nobody could look"
            return True
        if entry.undo is None or not entry.can_go:
            told = f", its status is {there}" if isinstance(there, str) else ""
            self.journal.stays(entry.seq, f"the API has no operation that removes it{told}")
            return True
        if there is None:  # no operation reads it: the answer to its removal is all that there is
            # A call also ends by itself, if nobody speaks.
            if answer.accepted or (answer.absent and entry.undo.method != "DELETE"):
                self._gone(entry)
            return True
        self.reasons[entry.seq] = f"{answer.text}, and it still exists"
        # What was refused is asked for again when the others are gone, and so is what appeared after it was asked for.
        return not answer.accepted

    def _gone(self, entry: Entry) -> None:
        with self._lock:
            self.removed += 1
        self.journal.gone(entry.seq)

    def _look(self, entry: Entry) -> Exchange | None:
        """The answer to a look; None if it could not be sent."""
        exchange = self._send(self.target.look, entry)
        if exchange is not None:
            self.heard(exchange)
        return exchange

    def _send(self, send: Callable[[Entry], Exchange], entry: Entry) -> Exchange | None:
        """The answer to a request about an object; None if it could not be sent."""
        if time.monotonic() >= self.deadline:
            self.reasons.setdefault(entry.seq, _TOO_LATE)
            return None
        if self.silent:
            self.reasons[entry.seq] = "the target doesn't answer"
            return None
        try:
            return send(entry)
        except ConformanceError as error:
            self.reasons[entry.seq] = str(error)
            return None


def outermost(entries: Iterable[Entry]) -> list[Entry]:
    """The objects that are not inside another one of them."""
    given = tuple(entries)
    paths = {entry.path for entry in given}
    found = []
    for entry in given:
        pieces = entry.path.split("/")
        if not any("/".join(pieces[:length]) in paths for length in range(2, len(pieces))):
            found.append(entry)
    return found


def may_appear(entry: Entry) -> bool:
    """True for an object that was created so short a time ago that the target may not know it yet."""
    return 0 <= time.time() - entry.order < _APPEARS


def _field(exchange: Exchange, name: str) -> Any:
    """A field of the object in an answer; None if there is none."""
    value = exchange.response.json if exchange.response else None
    return value.get(name) if isinstance(value, dict) else None
