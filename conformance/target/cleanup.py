"""Cleanup: remove the objects that a process of a run created, and look whether they are gone. Within a time limit.

What a creation without an answer made is looked for in the lists of the API (``search.py``). What can't be removed or
found stays in the journal, with a reason. An object goes with the one that it is inside of, so only the
outermost ones are deleted. Whether one is gone, a look at the target says: a deletion that was answered 404 may have
named a wrong route, and one that was answered 200 may have done nothing. What is left is asked for again when the
others are gone: a service may refuse to remove what is in use, or need a while.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from attrs import define, evolve, field, frozen

from conformance.errors import ConformanceError
from conformance.evidence.exchange import Exchange
from conformance.requests.case import CANCEL, Case
from conformance.target.created import made_at
from conformance.target.journal import Journal
from conformance.target.ledger import Entry, Unanswered
from conformance.target.search import search
from conformance.target.target import Target

__all__ = ["Cleaned", "Left", "clean", "not_cleaned"]

_T = TypeVar("_T")

#: Statuses of an object that doesn't exist (any more).
_ABSENT = (404, 410)

#: After so many requests in a row that nobody answered, the rest is not sent: each costs a time limit.
_SILENT = 3

#: Seconds before each further look at what was deleted and can still be read: a service may need a moment.
_PAUSES = (0.1, 0.4, 1.5)

#: Seconds after its creation in which an object that the target doesn't know may still appear: services of several
#: machines tell each other what is new.
_APPEARS = 5.0

#: Seconds between two looks at an object that may appear.
_EACH = 0.5


@frozen
class Left:
    """An object that is left, and why."""

    entry: Entry
    reason: str

    @property
    def text(self) -> str:
        """The object and the reason in one line."""
        return f"{self.entry.text}: {self.reason}"


@frozen
class Cleaned:
    """The result of a cleanup. ``removed`` counts the objects that are gone, as far as they had to be removed.

    ``left`` could not be removed, or nobody could look. ``staying`` are objects that no operation can remove.
    ``unanswered`` are requests that create something and named no id.
    """

    removed: int = 0
    left: tuple[Left, ...] = ()
    staying: tuple[Left, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()

    @property
    def unknown(self) -> int:
        """The number of requests that may have created something and named no id."""
        return len(self.unanswered)


def clean(target: Target, journal: Journal, timeout: float = 30.0, concurrency: int = 1) -> Cleaned:
    """Remove what a journal names, even after the run was stopped. Raises nothing that concerns the target."""
    target.resume()
    # A request that is under way when the time is over is cut off: it may not hold the end of the run for longer.
    limit = threading.Timer(timeout, target.abort)
    limit.daemon = True
    limit.start()
    try:
        return _Cleaning(target, journal, time.monotonic() + timeout, max(1, concurrency)).run()
    finally:
        limit.cancel()


def not_cleaned(journal: Journal, reason: str = "not removed") -> Cleaned:
    """The result if nothing was sent: everything is left for one reason."""
    left = tuple(Left(entry, reason) for entry in (*journal.pending, *journal.unconfirmed))
    staying = tuple(Left(entry, why) for entry, why in journal.staying)
    return Cleaned(left=left, staying=staying, unanswered=journal.unanswered)


@frozen
class _Answer:
    """How the request to remove an object was answered, in words and in fact."""

    text: str
    accepted: bool
    absent: bool = False


@define(eq=False)
class _Cleaning:
    """One cleanup: what was found out so far. ``deadline`` is a moment of the monotonic clock, ``asked`` is True if the
    last pass asked for a removal.
    """

    target: Target
    journal: Journal
    deadline: float
    concurrency: int
    reasons: dict[int, str] = field(factory=dict)
    done: set[int] = field(factory=set)
    unfound: dict[int, str] = field(factory=dict)
    removed: int = 0
    silent: int = 0
    asked: bool = False

    def run(self) -> Cleaned:
        """Look, remove, and look again."""
        self._search()
        self._pass()
        while self.asked and self.journal.pending:
            before = self.removed
            self._pass()
            if self.removed == before:
                break
        left = tuple(Left(entry, self.reasons.get(entry.seq, "")) for entry in self.journal.pending)
        staying = tuple(Left(entry, reason) for entry, reason in self.journal.staying)
        unanswered = (evolve(one, reason=self.unfound.get(one.seq, "")) for one in self.journal.unanswered)
        return Cleaned(self.removed, left, staying, tuple(unanswered))

    def _pass(self) -> None:
        """Look for what scenarios deleted, and ask once for the removal of everything that is left."""
        self.done.clear()
        self.asked = False
        # What is inside an object that could not be removed comes in the next round.
        while roots := _outermost([*self.journal.unconfirmed, *self._not_done()]):
            deleted = {entry.seq for entry in self.journal.unconfirmed}
            left = [entry for entry in roots if entry.seq not in deleted]
            self.done.update(entry.seq for entry in left)
            self._round([entry for entry in roots if entry.seq in deleted], left)

    def _not_done(self) -> list[Entry]:
        return [entry for entry in self.journal.pending if entry.seq not in self.done]

    def _confirm(self, entry: Entry) -> None:
        """Look whether what a scenario deleted is gone."""
        # If no operation reads it, the answer to its deletion is all that there is.
        if self._present(entry) is False or entry.look is None:
            self.journal.gone(entry.seq)
        else:
            self.journal.back(entry.seq)

    def _search(self) -> None:
        """Write down what creations without an answer made, as far as that can be found."""
        wanted = {one.seq: one for one in self.journal.unanswered}
        searched = search(tuple(wanted.values()), self.journal.ahead, self._page, self.journal.owned.__contains__)
        self.unfound.update(searched.reasons)
        for seq, id in searched.found.items():
            self.journal.created(seq, dict.fromkeys(wanted[seq].names, id))

    def _page(self, listing: Case) -> Exchange | None:
        """One page of a list; None if it could not be read."""
        if time.monotonic() >= self.deadline or self.silent >= _SILENT:
            return None
        try:
            exchange = self.target.page(listing)
        except ConformanceError:
            return None
        self.silent = 0 if exchange.response is not None else self.silent + 1
        return exchange

    def _round(self, deleted: Sequence[Entry], left: Sequence[Entry]) -> None:
        """Confirm what scenarios deleted and remove what is left of some objects of which none is inside another one.

        Both at the same time: one doesn't depend on the other, and each round costs as long as the slowest answer.
        """
        looked = {entry.seq for entry in deleted}
        both = (*deleted, *left)
        answers = self._all(lambda one: self._confirm(one) if one.seq in looked else self._undone(one), both)
        asked = [(entry, answer) for entry in left if (answer := answers[entry.seq]) is not None]
        self.asked = self.asked or bool(asked)
        for pause in (0.0, *_PAUSES):
            asked = self._after(pause, asked)
        while asked := [(entry, answer) for entry, answer in asked if answer.absent and _may_appear(entry)]:
            asked = self._after(_EACH, asked)

    def _after(self, pause: float, asked: list[tuple[Entry, _Answer]]) -> list[tuple[Entry, _Answer]]:
        """Look after a pause at what was asked for. Returns that of which another look may say something else."""
        if not asked or time.monotonic() + pause >= self.deadline:
            return []
        time.sleep(pause)
        looks = self._all(self._present, [entry for entry, _ in asked])
        return [(entry, answer) for entry, answer in asked if not self._settled(entry, answer, looks[entry.seq])]

    def _undone(self, entry: Entry) -> _Answer | None:
        """Ask for the removal of one object. Returns how that was answered; None if it may not be asked for."""
        if entry.undo is None:
            return _Answer("no operation removes it", accepted=False)
        read = entry.shown or (entry.look is None and not entry.named_by)
        if not read and not self._is_ours(entry):
            return None
        exchange = self._send(self.target.undo, entry)
        if exchange is None:
            return None
        told = f"{entry.undo.method} {entry.path} was answered {exchange.status or 'not at all'}"
        self.reasons[entry.seq] = told
        return _Answer(told, accepted=exchange.ok, absent=exchange.status in _ABSENT)

    def _is_ours(self, entry: Entry) -> bool:
        """True if an object may be removed that no request of ours created directly: it is not older than this run, by
        the target's own clock. What it names itself is written down.
        """
        exchange = self._send(self.target.look, entry)
        if exchange is None:
            return False
        if exchange.status in _ABSENT:
            return True  # there is nothing that a deletion could harm
        if not entry.named_by:
            return True  # it was only not read before
        made, since = made_at(exchange.response.json if exchange.response else None), self.journal.since
        if exchange.ok and since and made >= since:
            return True
        self.reasons[entry.seq] = f"it is not certain that this run created it (the time of its creation is {made!r})"
        return False

    def _present(self, entry: Entry) -> bool | str | None:
        """False if an object doesn't exist, its status or True if it does, None if nobody can tell."""
        if entry.look is None:
            return None
        exchange = self._send(self.target.look, entry)
        if exchange is None or exchange.fault is not None:
            return None
        if exchange.status in _ABSENT:
            return False
        if not exchange.ok:
            self.reasons[entry.seq] = f"a look at {entry.path} was answered {exchange.status}"
            return None
        status = _field(exchange, "status")
        return status if isinstance(status, str) and status else True

    def _settled(self, entry: Entry, answer: _Answer, there: bool | str | None) -> bool:
        """Note what a look said. False if another look may say something else."""
        if there is False:
            if answer.absent and _may_appear(entry):
                self.reasons[entry.seq] = f"{answer.text}, but it is so new that it may still appear"
                return False
            self._gone(entry)
            return True
        if there is None and entry.look is not None:
            self.reasons.setdefault(entry.seq, f"{answer.text}, and nobody could look")
            return True
        if entry.undo is None or entry.undo.path.endswith(CANCEL):
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
        self.removed += 1
        self.journal.gone(entry.seq)

    def _send(self, send: Callable[[Entry], Exchange], entry: Entry) -> Exchange | None:
        """The answer to a request about an object; None if it could not be sent."""
        if time.monotonic() >= self.deadline:
            self.reasons[entry.seq] = "there was no time left to remove it"
            return None
        if self.silent >= _SILENT:
            self.reasons[entry.seq] = "the target doesn't answer"
            return None
        try:
            exchange = send(entry)
        except ConformanceError as error:
            self.reasons[entry.seq] = str(error)
            return None
        self.silent = 0 if exchange.response is not None else self.silent + 1
        return exchange

    def _all(self, ask: Callable[[Entry], _T], entries: Sequence[Entry]) -> dict[int, _T]:
        """Ask about several objects, in their order, some at a time. Returns the answers by number of the entry."""
        pool = ThreadPoolExecutor(self.concurrency, "cleanup")
        try:
            answers = tuple(pool.map(ask, entries))
        except BaseException:  # a second Ctrl-C: nothing more is removed, the journal keeps the rest
            pool.shutdown(wait=False, cancel_futures=True)
            self.target.abort()
            raise
        pool.shutdown()
        return {entry.seq: answer for entry, answer in zip(entries, answers, strict=True)}


def _outermost(entries: Sequence[Entry]) -> list[Entry]:
    """The objects that are not inside another one of them."""
    paths = {entry.path for entry in entries}
    found = []
    for entry in entries:
        pieces = entry.path.split("/")
        if not any("/".join(pieces[:length]) in paths for length in range(2, len(pieces))):
            found.append(entry)
    return found


def _may_appear(entry: Entry) -> bool:
    """True for an object that was created so short a time ago that the target may not know it yet."""
    return 0 <= time.time() - entry.order < _APPEARS


def _field(exchange: Exchange, name: str) -> Any:
    """A field of the object in an answer; None if there is none."""
    value = exchange.response.json if exchange.response else None
    return value.get(name) if isinstance(value, dict) else None
