"""Which piece of the removal of several objects comes next: that of which an answer can be expected.

A deletion that hangs costs its sender a time limit. So of an operation that has not answered yet few deletions are
begun, and those of an operation that doesn't answer come behind all others.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from functools import partial

from attrs import define, field

from conformance.target.removing import Removing

__all__ = ["Course", "Courses", "Piece"]

#: The removal of one object. Before each piece it yields the operation that this deletes by; "" if it only looks.
Course = Iterator[str]

#: One request of a removal or two, sent by the thread that calls it.
Piece = Callable[[], None]


@define(eq=False)
class Courses:
    """Courses of removal whose pieces several threads do. Thread-safe.

    ``most`` is how many deletions by an operation may be without an answer, under way or given up, before no other is
    begun.
    """

    removing: Removing
    most: float = float("inf")
    _waiting: dict[str, deque[tuple[int, Course]]] = field(factory=dict, init=False)
    _under_way: Counter[str] = field(factory=Counter, init=False)
    _count: int = field(default=0, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    @property
    def under_way(self) -> int:
        """How many pieces are being done now."""
        return self._under_way.total()

    @property
    def left(self) -> bool:
        """True if there is a piece to do now."""
        with self._lock:
            return self._next() is not None

    def add(self, course: Course) -> None:
        """Add the removal of another object. Its first piece comes behind all others."""
        operation = next(course, None)
        if operation is not None:
            with self._lock:
                self._count += 1
                self._waiting.setdefault(operation, deque()).append((self._count, course))

    def clear(self) -> None:
        """Begin no other piece."""
        with self._lock:
            self._waiting.clear()

    def take(self) -> Piece | None:
        """The next piece, which must be done then; None if there is none now."""
        with self._lock:
            operation = self._next()
            if operation is None:
                return None
            _, course = self._waiting[operation].popleft()
            if not self._waiting[operation]:
                del self._waiting[operation]
            self._under_way[operation] += 1
        return partial(self._do, operation, course)

    def _next(self) -> str | None:
        """The operation of the next piece. Called under the lock."""
        found = ((self._doubt(name), waiting[0][0], name) for name, waiting in self._waiting.items())
        doubt, _, operation = min(found, default=(0, 0, None))
        return operation if doubt < self.most else None

    def _doubt(self, operation: str) -> int:
        """How many deletions by an operation are not answered; none of one that answers, here or to a scenario."""
        unanswered = self.removing.unanswered.get(operation)
        if unanswered is None and self.removing.target.answers(operation):
            return 0
        return 0 if not operation or unanswered == 0 else self._under_way[operation] + (unanswered or 0)

    def _do(self, operation: str, course: Course) -> None:
        try:
            # Behind the others: deletions come before looks, so that a look doesn't wait for its turn twice.
            self.add(course)
        finally:
            with self._lock:
                self._under_way[operation] -= 1
