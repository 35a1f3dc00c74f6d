"""The emulator's memory: ordered collections of objects, deterministic ids, a clock that can be set.

A collection is a doubly linked list with a dictionary: adding, finding, removing, and reading a page of ``limit``
objects from any cursor take the same time for ten objects as for a hundred thousand.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from attrs import define, field, frozen

__all__ = ["Clock", "Collection", "Page", "Store", "UnknownCursor"]

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class UnknownCursor(LookupError):  # noqa: N818 - names the case as LookupError subclasses do
    """A page was requested after or before an id that is not in the collection."""


@define(eq=False)
class _Node:
    """One object of a collection with its neighbours."""

    id: str
    value: Any
    older: _Node | None = None
    newer: _Node | None = None


@frozen
class Page:
    """One page in the requested order. ``has_more`` is True if more objects follow."""

    items: tuple[Any, ...]
    has_more: bool


@define(eq=False)
class Collection:
    """Objects in the order in which they were added, oldest first."""

    _nodes: dict[str, _Node] = field(factory=dict, init=False)
    _oldest: _Node | None = field(default=None, init=False)
    _newest: _Node | None = field(default=None, init=False)

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, id: str) -> bool:
        return id in self._nodes

    def __iter__(self) -> Iterator[Any]:
        """The values, oldest first."""
        node = self._oldest
        while node is not None:
            # Read before the value is handed out: the caller may remove it meanwhile.
            following = node.newer
            yield node.value
            node = following

    def get(self, id: str) -> Any:
        """The value, or None."""
        node = self._nodes.get(id)
        return None if node is None else node.value

    def put(self, id: str, value: Any) -> Any:
        """Add a value at the newest end, or replace it in place if the id exists. Return the value."""
        node = self._nodes.get(id)
        if node is not None:
            node.value = value
            return value
        node = _Node(id, value, older=self._newest)
        if self._newest is None:
            self._oldest = node
        else:
            self._newest.newer = node
        self._newest = self._nodes[id] = node
        return value

    def remove(self, id: str) -> Any:
        """Remove a value and return it, or None if it was not there."""
        node = self._nodes.pop(id, None)
        if node is None:
            return None
        if node.older is None:
            self._oldest = node.newer
        else:
            node.older.newer = node.newer
        if node.newer is None:
            self._newest = node.older
        else:
            node.newer.older = node.older
        return node.value

    def page(
        self,
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int = 20,
        order: str = "desc",
        where: Callable[[Any], bool] | None = None,
    ) -> Page:
        """At most ``limit`` values; ``desc`` lists the newest first.

        ``after`` starts behind a cursor. ``before`` alone gives the values just before its cursor, still in the
        requested order; together with ``after`` it only ends the page. ``where`` filters, which costs one look at each
        value that is skipped. Raises :class:`UnknownCursor`.
        """
        # The page nearest to the cursor is wanted, so the walk goes backwards and is turned round at the end.
        if before is not None and after is None:
            items, more = self._walk(self._step(before, order != "desc"), order != "desc", limit, None, where)
            return Page(tuple(reversed(items)), more)
        newest_first = order == "desc"
        end = self._newest if newest_first else self._oldest
        start = end if after is None else self._step(after, newest_first)
        # Otherwise an unknown end would silently be ignored.
        if before is not None and before not in self._nodes:
            raise UnknownCursor(before)
        items, more = self._walk(start, newest_first, limit, before, where)
        return Page(tuple(items), more)

    def _step(self, cursor: str, newest_first: bool) -> _Node | None:
        """The node behind a cursor. Raises :class:`UnknownCursor`."""
        try:
            node = self._nodes[cursor]
        except KeyError:
            raise UnknownCursor(cursor) from None
        return node.older if newest_first else node.newer

    @staticmethod
    def _walk(
        node: _Node | None, newest_first: bool, limit: int, end: str | None, where: Callable[[Any], bool] | None
    ) -> tuple[list[Any], bool]:
        """Up to ``limit`` values from a node on, ending before the id ``end``, and whether more would follow."""
        items: list[Any] = []
        while node is not None and node.id != end:
            if where is None or where(node.value):
                # One more matching value exists, which is all that ``has_more`` says. With a filter it must be searched
                # for.
                if len(items) >= limit:
                    return items, True
                items.append(node.value)
            node = node.older if newest_first else node.newer
        return items, False


@define(eq=False)
class Clock:
    """Seconds since the Unix epoch, from ``source``. :meth:`advance` moves the clock forward permanently."""

    source: Callable[[], float] = time.time
    offset: float = 0.0

    @classmethod
    def fixed(cls, at: float = 1_700_000_000.0) -> Clock:
        """A clock that always gives the same time, in seconds since the Unix epoch."""
        return cls(lambda: at)

    def now(self) -> int:
        """The time in whole seconds, as in ``created_at``."""
        return int(self.source() + self.offset)

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self.offset += seconds

    def to_next_second(self) -> None:
        """Move the clock forward to the beginning of the next second."""
        # A millisecond more, because a float of this size is exact to a part of a microsecond only.
        self.offset += 1.001 - (self.source() + self.offset) % 1


@define(eq=False)
class Store:
    """All state of one emulated resource. The versions that the emulator serves share it."""

    seed: str = ""
    _collections: dict[tuple[str, str], Collection] = field(factory=dict, init=False)
    _counters: dict[str, int] = field(factory=dict, init=False)

    def collection(self, kind: str, parent: str = "") -> Collection:
        """The objects of a kind below a parent id, created on first use: ``collection("messages", thread_id)``."""
        key = (kind, parent)
        found = self._collections.get(key)
        if found is None:
            found = self._collections[key] = Collection()
        return found

    def everything(self) -> dict[tuple[str, str], Collection]:
        """All collections by (kind, parent id). Only mutants need to look behind the API."""
        return dict(self._collections)

    def drop(self, kind: str, parent: str = "") -> None:
        """Remove a whole collection, such as the children of a deleted parent."""
        self._collections.pop((kind, parent), None)

    def count(self, name: str) -> int:
        """Count up: 1, 2, 3 … for each name."""
        value = self._counters[name] = self._counters.get(name, 0) + 1
        return value

    def new_id(self, prefix: str, length: int = 24) -> str:
        """A new id: the prefix and ``length`` letters and digits. They depend only on the seed and on the number of ids
        so far.
        """
        number = self.count(prefix)
        digest = hashlib.sha256(f"{self.seed}\0{prefix}\0{number}".encode()).digest() * 2
        return prefix + "".join(_DIGITS[byte % 62] for byte in digest[:length])
