"""How a walk through a list goes on although other clients create and remove objects of the same list."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Expect

__all__ = ["LARGEST", "Place"]

#: The largest page that a list documents. The objects of others are passed in such pages.
LARGEST = 100

#: How a cursor is refused whose object was removed.
_GONE = (400, 404, 410, 422)


@define
class Place:
    """The place of a walk: after the last object that was shown and is still there.

    ``ours`` are the objects that nobody else removes, ``start`` the one after which the walk begins, None for the
    beginning of the list. ``alone`` is True if the list has no other objects.
    """

    ours: frozenset[str]
    start: str | None = None
    alone: bool = False
    _shown: list[str] = field(factory=list)

    @property
    def after(self) -> str | None:
        """The cursor of the next page; None for the beginning of the list."""
        return self._shown[-1] if self._shown else self.start

    @property
    def crowded(self) -> bool:
        """True if an object of others was shown: there may be many between ours."""
        return not self.alone and not self.ours.issuperset(self._shown)

    @property
    def expect(self) -> Expect:
        """Whether the next page must be answered: its cursor may be somebody else's object, which may be gone."""
        after = self.after
        sure = self.alone or after is None or after == self.start or after in self.ours
        return Expect.ACCEPT if sure else Expect.EITHER

    def shown(self, ids: Iterable[str]) -> None:
        """Go on behind the objects of a page."""
        self._shown += ids

    def removed(self, id: str) -> None:
        """Note that we removed one of our objects: it is no cursor any more."""
        self._shown = [one for one in self._shown if one != id]

    def lost(self, exchange: Exchange) -> bool:
        """True if a page was refused because its cursor is gone. The walk then goes back by one object.

        What follows that object has not been shown: the objects behind it, which were shown, are gone.
        """
        gone = self.expect is Expect.EITHER and exchange.status in _GONE
        if gone:
            self._shown.pop()
        return gone
