"""A case on its way: what the journal and the budget know of it, from before it is sent until its answer is read."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case
from conformance.target.bookkeeping import Bookkeeping
from conformance.target.limits import Allowance, Withheld
from conformance.verdict import Outcome

__all__ = ["Sending"]


@define
class Sending:
    """One case that is about to be sent with some ``values``. ``keep`` is how many requests the removal of what it
    creates takes.

    Each request of a creation that the target may have carried out is a creation of its own: a server that answers 500
    may have made the object all the same. So each has an entry in the journal, a mark by which its object can be found,
    and requests kept for the removal.
    """

    case: Case
    values: Mapping[str, str]
    books: Bookkeeping | None
    allowance: Allowance
    keep: int
    _entry: int | None = field(default=None, init=False)
    _kept: int = field(default=0, init=False)

    def begin(self) -> None:
        """Write that the case is about to be sent. Raises :class:`Withheld` if it must not be."""
        self.allowance.keep(self.keep)
        self._kept = self.keep
        try:
            self._entry = self.books.intend(self.case, self.values) if self.books is not None else None
        except OSError as error:
            self._give_back()
            reason = f"the journal can't be written ({error.strerror or error}), so nothing is created"
            raise Withheld(reason, Outcome.INCONCLUSIVE) from None

    def anew(self, earlier: Exchange, mark: str) -> bool:
        """Begin again if the answer to the last request leaves open whether it created something; ``mark`` is that of
        the next one. Returns False if nothing has to be written. Raises :class:`Withheld` if there is no room for it.
        """
        if self._entry is None or earlier.status is None or earlier.status < 500:
            return False
        self.settle(earlier)
        self.values, self._entry, self._kept = {**self.values, "run": mark}, None, 0
        self.begin()
        return True

    def withheld(self) -> None:
        """Write that the case was not sent."""
        self._give_back()
        if self.books is not None:
            self.books.withheld(self._entry)

    def settle(self, exchange: Exchange) -> None:
        """Write what its answer says."""
        if self.books is not None and not self.books.settle(self._entry, self.case, self.values, exchange):
            self._give_back()

    def _give_back(self) -> None:
        """Nothing has to be removed: the requests that were kept for it are free."""
        self.allowance.give_back(self._kept)
        self._kept = 0
