"""Removal while scenarios are still sent: each object when nobody needs it any more.

An object is needed by the scenario that created it and by those that are given something by it. It also stays while
a script walks through its list: it may be the cursor of the next page. When all have ended, its removal is work for the
senders of the run, which they do when no request of a scenario waits. What can't be removed this way is left to the
removal at the end (``target/cleanup.py``), which looks and asks again: what was refused or is still there, what may
appear late, creations without an answer. What only ends by itself, such as a job, goes when all scenarios have ended,
with all that it may use.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from attrs import define, field

from conformance.scenarios.scenario import Scenario
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.target.courses import Course, Courses, Piece
from conformance.target.journal import Journal
from conformance.target.ledger import Entry
from conformance.target.removing import Removing, outermost
from conformance.target.target import Target

__all__ = ["EarlyRemoval", "users_of"]

#: While scenarios need the senders, an operation has so many deletions without an answer, under way or given up.
_UNANSWERED = 2

#: After so many operations whose deletions aren't answered, nothing more is removed before the end of the run.
_HANGING = 3


@define(eq=False)
class EarlyRemoval:
    """The removal of what a runner's ``scenarios`` created, in pieces of one or two requests. Thread-safe."""

    target: Target
    journal: Journal
    scenarios: Iterable[Scenario]
    #: What went wrong in it, in words; nothing more is removed before the end then.
    trouble: str = field(default="", init=False)
    _removing: Removing = field(init=False)
    _users: dict[str, frozenset[str]] = field(init=False)
    _corpora: dict[str, str] = field(init=False)
    _walks: dict[str, frozenset[str]] = field(init=False)
    _ended: set[str] = field(factory=set, init=False)
    _tried: set[int] = field(factory=set, init=False)
    _looked: set[int] = field(factory=set, init=False)
    _courses: Courses = field(init=False)
    _changed: bool = field(default=False, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def __attrs_post_init__(self) -> None:
        given = tuple(self.scenarios)
        self._removing = Removing(self.target, self.journal, self.target.allowance.until)
        self._courses = Courses(self._removing, _UNANSWERED)
        self._users = users_of(given)
        self._corpora = {case.operation: each.id for each in given for case in each.cases}
        self._walks = {each.id: _account_lists(self.target.spec, each) for each in given if not each.is_corpus}

    def ended(self, scenario: str) -> None:
        """Note that nothing of a scenario is sent any more."""
        with self._lock:
            self._ended.add(scenario)
            self._changed = True

    def job(self, most: int) -> Piece | None:
        """The next piece of work; None if there is none now, or if ``most`` are being done."""
        with self._lock:
            if self.trouble or self._removing.over or len(self.hanging) >= _HANGING:
                self._courses.clear()
                return None
            if self._courses.under_way >= most:
                return None
            if self._changed and not self._courses.left:
                self._changed = False
                with self._told():
                    for course in self._begun():
                        self._courses.add(course)
            piece = None if self.trouble else self._courses.take()
        return None if piece is None else partial(self._done, piece)

    @property
    def busy(self) -> bool:
        """True while a piece of work is done, after which another may follow, or is left to do."""
        return self._courses.under_way > 0 or self._courses.left

    @property
    def hanging(self) -> Collection[str]:
        """The operations whose last deletion was not answered."""
        return self._removing.hanging

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Note what is raised within: a bug must not touch the verdicts, and the end of the run tells it."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - as above
            self.trouble = f"{type(error).__name__}: {error}"

    def _done(self, piece: Piece) -> None:
        with self._told():
            piece()

    def _begun(self) -> Iterator[Course]:
        """Yield the course of each object that nobody needs any more and that was not asked for yet, and that of the
        reading of what answers named. Called under the lock.
        """
        roots = outermost((*self.journal.unconfirmed, *self.journal.pending))
        walked = {path for scenario, paths in self._walks.items() if scenario not in self._ended for path in paths}
        over = self._users.keys() <= self._ended
        #: Scenarios with an object that only ends by itself: it may use all others while anything is sent.
        lasting = {self._maker(one) for one in roots if not one.can_go and not over}
        for one in roots:
            maker = self._maker(one)
            free = maker in self._users and self._users[maker] <= self._ended
            # What an answer named may belong to an object that other scenarios use: whose answer named it first is
            # chance.
            kept = one.path.rpartition("/")[0] in walked or (bool(one.named_by) and not over)
            if one.seq not in self._tried and free and maker not in lasting and not kept:
                self._tried.add(one.seq)
                yield self._removing.course(one)
            elif one.seq not in self._looked and maker in self._users and not one.shown and one.look is not None:
                self._looked.add(one.seq)
                yield self._read(one)

    def _maker(self, entry: Entry) -> str:
        """The scenario that created an object; "" if it isn't one of the runner's."""
        return entry.scenario or self._corpora.get(entry.operation, "")

    def _read(self, entry: Entry) -> Course:
        """Read what an answer named, which can be done at any time: only what is ours may be removed."""
        yield ""
        self._removing.is_ours(entry)


def _account_lists(spec: Spec, scenario: Scenario) -> frozenset[str]:
    """The paths of the account's lists through which a script may walk."""
    known = operations_of(spec)
    lists = (known[name] for name in scenario.operations if name.endswith(".list") and name in known)
    return frozenset(one.path for one in lists if "{" not in one.path)


def users_of(scenarios: Iterable[Scenario]) -> dict[str, frozenset[str]]:
    """By scenario: the scenarios that must have ended before what it created may go. Itself, those that it creates
    something for, and those that these create something for: what they created may lie in its objects or name them.
    """
    makers = {each.id: {one.scenario for one in each.given.values()} for each in scenarios}

    def users(id: str, seen: frozenset[str]) -> frozenset[str]:
        for user, its in makers.items():
            if id in its and user not in seen:
                seen = users(user, seen | {user})
        return seen

    return {id: users(id, frozenset((id,))) for id in makers}
