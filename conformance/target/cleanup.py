"""Cleanup: remove the objects that a process of a run created, and look whether they are gone. Within a time limit.

What a creation without an answer made is looked for in the lists of the API (``search.py``). What can't be removed or
found stays in the journal, with a reason. An object goes with the one that it is inside of, so only the
outermost ones are deleted (``removing.py`` has the removal of one). What is left is asked for again when the others are
gone: a service may refuse to remove what is in use, or need a while. What was removed while the run still sent
(``run/early.py``) is no longer in the journal.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor

from attrs import define, evolve, field, frozen

from conformance.errors import ConformanceError
from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case
from conformance.target.courses import Course, Courses
from conformance.target.journal import Journal
from conformance.target.ledger import Entry, Unanswered
from conformance.target.removing import Answer, Removing, may_appear, outermost
from conformance.target.search import search
from conformance.target.target import Target

__all__ = ["Cleaned", "Left", "clean", "not_cleaned"]

#: Seconds before each further look at what was deleted and can still be read: a service may need a moment.
_PAUSES = (0.1, 0.4, 1.5)

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


def clean(
    target: Target,
    journal: Journal,
    timeout: float = 30.0,
    concurrency: int = 1,
    *,
    reads: bool = False,
    hanging: Collection[str] = (),
) -> Cleaned:
    """Remove what a journal names, even after the run was stopped. Raises nothing that concerns the target.

    With ``reads`` each object is read before it is removed: after a kill, answers that named others may be lost.
    ``hanging`` are operations whose deletions were not answered before. They come behind the others.
    """
    target.resume()
    # A request that is under way when the time is over is cut off: it may not hold the end of the run for longer.
    limit = threading.Timer(timeout, target.abort)
    limit.daemon = True
    limit.start()
    try:
        removing = Removing(target, journal, time.monotonic() + timeout, reads, unanswered=dict.fromkeys(hanging, 1))
        return _Cleaning(removing, max(1, concurrency)).run()
    finally:
        limit.cancel()


def not_cleaned(journal: Journal, reason: str = "not removed") -> Cleaned:
    """The result if nothing was sent: everything is left for one reason."""
    left = tuple(Left(entry, reason) for entry in (*journal.pending, *journal.unconfirmed))
    staying = tuple(Left(entry, why) for entry, why in journal.staying)
    return Cleaned(left=left, staying=staying, unanswered=journal.unanswered)


@define(eq=False)
class _Cleaning:
    """One cleanup: what was found out so far."""

    removing: Removing
    concurrency: int
    done: set[int] = field(factory=set)
    unfound: dict[int, str] = field(factory=dict)

    @property
    def journal(self) -> Journal:
        """The journal by which it is removed."""
        return self.removing.journal

    def run(self) -> Cleaned:
        """Look, remove, and look again."""
        self._search()
        asked = self._pass()
        while asked and self.journal.pending:
            before = self.removing.removed
            asked = self._pass() and self.removing.removed != before
        left = tuple(Left(entry, self.removing.reasons.get(entry.seq, "")) for entry in self.journal.pending)
        staying = tuple(Left(entry, reason) for entry, reason in self.journal.staying)
        unanswered = (evolve(one, reason=self.unfound.get(one.seq, "")) for one in self.journal.unanswered)
        return Cleaned(self.removing.removed, left, staying, tuple(unanswered))

    def _pass(self) -> bool:
        """Look for what scenarios deleted, and ask once for the removal of everything that is left. True if anything
        was asked for.
        """
        self.done.clear()
        before = self.removing.asked
        # What is inside an object that could not be removed comes in the next round.
        while roots := outermost([*self._not_done(self.journal.unconfirmed), *self._not_done(self.journal.pending)]):
            self.done.update(entry.seq for entry in roots)
            self._round(roots)
        return self.removing.asked > before

    def _not_done(self, entries: Iterable[Entry]) -> list[Entry]:
        return [entry for entry in entries if entry.seq not in self.done]

    def _search(self) -> None:
        """Write down what creations without an answer made, as far as that can be found."""
        wanted = {one.seq: one for one in self.journal.unanswered}
        searched = search(tuple(wanted.values()), self.journal.ahead, self._page, self.journal.owned.__contains__)
        self.unfound.update(searched.reasons)
        for seq, id in searched.found.items():
            self.journal.created(seq, dict.fromkeys(wanted[seq].names, id))

    def _page(self, listing: Case) -> Exchange | None:
        """One page of a list; None if it could not be read."""
        if self.removing.over:
            return None
        try:
            exchange = self.removing.target.page(listing)
        except ConformanceError:
            return None
        self.removing.heard(exchange)
        return exchange

    def _round(self, entries: Iterable[Entry]) -> None:
        """Remove some objects of which none is inside another one, and look whether they are gone."""
        asked: list[tuple[Entry, Answer]] = []
        self._all(self._removed(entry, asked) for entry in entries)
        for pause in _PAUSES:
            asked = self._after(pause, asked)
        while asked := [(entry, answer) for entry, answer in asked if answer.absent and may_appear(entry)]:
            asked = self._after(_EACH, asked)

    def _removed(self, entry: Entry, more: list[tuple[Entry, Answer]]) -> Course:
        """Remove one object. If another look may say something else, add it to ``more``."""
        answer = yield from self.removing.course(entry)
        if answer is not None:
            more.append((entry, answer))

    def _after(self, pause: float, asked: list[tuple[Entry, Answer]]) -> list[tuple[Entry, Answer]]:
        """Look after a pause at what was asked for. Returns that of which another look may say something else."""
        if not asked or time.monotonic() + pause >= self.removing.deadline:
            return []
        time.sleep(pause)
        more: list[tuple[Entry, Answer]] = []
        self._all(self._looked(entry, answer, more) for entry, answer in asked)
        return more

    def _looked(self, entry: Entry, answer: Answer, more: list[tuple[Entry, Answer]]) -> Course:
        yield ""
        if not self.removing.settled(entry, answer, self.removing.present(entry)):
            more.append((entry, answer))

    def _all(self, given: Iterable[Course]) -> None:
        """Do the pieces of several courses, some at a time."""
        courses = Courses(self.removing)
        for course in given:
            courses.add(course)

        def work(_: int) -> None:
            # Whoever finds nothing ends: a piece that follows another is done by who did that one.
            while (piece := courses.take()) is not None:
                piece()

        pool = ThreadPoolExecutor(self.concurrency, "cleanup")
        try:
            tuple(pool.map(work, range(self.concurrency)))
        except BaseException:  # a second Ctrl-C: nothing more is removed, the journal keeps the rest
            pool.shutdown(wait=False, cancel_futures=True)
            self.removing.target.abort()
            raise
        pool.shutdown()
