"""What the exchanges of a target mean for its journal: what they created, deleted, named and didn't find."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime

from conformance.evidence.created_ids import created_ids
from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case
from conformance.spec.spec import Spec
from conformance.target.created import NAMED, kinds_of, listing_of, look_for, marks_of, named_objects
from conformance.target.guards import path_ids
from conformance.target.journal import Journal
from conformance.target.ledger import bound_path
from conformance.target.retry import never_left

__all__ = ["Bookkeeping"]

#: Seconds by which the target's clock may seem to go back: it tells whole seconds, and an answer is dated when it ends.
_ROUNDED = 2.0

#: Statuses of an object that doesn't exist (any more).
_ABSENT = (404, 410)


class Bookkeeping:
    """Writes what the exchanges of one process did into its journal. Thread-safe.

    ``lasts`` is the longest time in seconds from the first sending of a request to its end, repetitions included.
    """

    def __init__(self, spec: Spec, journal: Journal, lasts: float) -> None:
        self._spec, self._journal, self._lasts = spec, journal, lasts
        self._kinds = kinds_of(spec)
        #: The ids of objects that were written down or that requests of ours named.
        self._met: set[str] = set()
        self._lock = threading.Lock()

    def intend(self, case: Case, values: Mapping[str, str]) -> int | None:
        """Write that a case is about to be sent, if it may create something. Returns the number of the entry.

        Raises :class:`OSError` if it can't be written: then the case must not be sent.
        """
        if not case.creates and case.undo is None:
            return None
        kept = {name: value for name, value in values.items() if not name.startswith("deployment.")}
        return self._journal.intend(
            case,
            kept,
            look_for(self._spec, case),
            listing=listing_of(self._spec, case),
            marks=marks_of(case, values),
            lasts=self._lasts,
        )

    def withheld(self, entry: int | None) -> None:
        """Write that the case was not sent."""
        if entry is not None:
            self._journal.nothing(entry)

    def settle(self, entry: int | None, case: Case, values: Mapping[str, str], exchange: Exchange) -> bool:
        """Write what an exchange did. Returns False if it certainly created nothing."""
        self._note_time(exchange)
        made = entry is not None and self._creation(entry, case, exchange)
        path = bound_path(case, {**values, **case.bindings})
        if case.method == "DELETE" and exchange.ok:
            self._journal.deleted(path)
        elif case.method == "GET" and exchange.fault is None and exchange.status in _ABSENT:
            self._journal.missing(path)
        ours = any(id in self._journal.owned for id in path_ids(case, values))
        # Answers about objects of others, and lists of the whole account, name objects of others.
        if (ours or case.creates) and "/deployments/" not in case.path:
            self.note_names(case, exchange)
        return made

    def _creation(self, entry: int, case: Case, exchange: Exchange) -> bool:
        answered = exchange.fault is None and exchange.response is not None
        ids = created_ids(case, exchange)
        if ids:
            self._met.update(ids.values())
            self._journal.created(entry, ids)
        elif never_left(exchange) or (answered and (case.undo is None or 300 <= (exchange.status or 0) < 500)):
            self._journal.nothing(entry)
            return False
        return True

    def note_names(self, case: Case, exchange: Exchange) -> None:
        """Write down the objects that an answer names and that no request of ours named before: the service made them
        on the way.
        """
        for one in named_objects(self._kinds, exchange):
            with self._lock:
                known = one.sent or one.id in self._met or one.id in self._journal.owned
                self._met.add(one.id)
            if not known:
                by = f"{one.field} in the answer to {case.operation}"
                self._journal.named(case.operation, one.undo, one.look, {NAMED: one.id}, by)

    def _note_time(self, exchange: Exchange) -> None:
        """Write down the target's time at the first answer (RFC 9110 section 6.6.1)."""
        date = exchange.response.header("date") if exchange.response and not self._journal.since else None
        if date:
            with suppress(ValueError, OverflowError):
                told = parsedate_to_datetime(date).timestamp()
                self._journal.began(told - _ROUNDED, told - time.time())
