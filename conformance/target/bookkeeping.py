"""What the exchanges of a target mean for its journal: what they created, deleted, named and didn't find."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime

from conformance.evidence.created_ids import created_ids
from conformance.evidence.exchange import Exchange
from conformance.requests.case import CANCEL, ENDS, Case
from conformance.requests.wire import PLACEHOLDER
from conformance.spec.spec import Spec
from conformance.target.created import NAMED, carries, kinds_of, listing_of, look_for, made_at, marks_of, named_objects
from conformance.target.guards import path_ids
from conformance.target.journal import Journal
from conformance.target.ledger import ABSENT, Entry, bound_path
from conformance.target.limits import Withheld
from conformance.target.parts import PartLists
from conformance.target.retry import never_left
from conformance.verdict import Outcome

__all__ = ["Bookkeeping", "check_objects"]

#: Seconds by which the target's clock may seem to go back: it tells whole seconds.
_ROUNDED = 2.0

#: How the path of a POST ends after which nothing of the object is left.
_OVER = tuple(end for end in ENDS if end != CANCEL)


def check_objects(case: Case, values: Mapping[str, str], books: Bookkeeping | None) -> None:
    """Raise :class:`Withheld` for a request about an object that was not created or that may be somebody else's."""
    unbound = [value for value in path_ids(case, values) if PLACEHOLDER.fullmatch(value)]
    if unbound:
        raise Withheld(f"what {unbound[0]} stands for was not created", Outcome.NOT_TESTABLE)
    foreign = books.doubted(case, values) if books is not None else ""
    if foreign:
        raise Withheld(f"it is not certain that this run created {foreign!r}", Outcome.NOT_TESTABLE)


class Bookkeeping:
    """Writes what the exchanges of one process did into its journal. Thread-safe.

    ``lasts`` is the longest time in seconds from the first sending of a request to its end, repetitions included.
    ``live`` is True for a target that is protected.
    """

    def __init__(self, spec: Spec, journal: Journal, lasts: float, *, live: bool) -> None:
        self._spec, self._journal, self._lasts, self._live = spec, journal, lasts, live
        self._kinds, self._parts = kinds_of(spec), PartLists.of(spec)
        self._began = time.time()
        #: The ids of objects that were written down or that requests of ours named.
        self._met: set[str] = set()
        #: Path → id of the objects that answers named and that no request of ours created.
        self._named: dict[str, str] = {}
        #: The ids of parts and of named objects of which it is not certain that they are ours.
        self._doubted: set[str] = set()
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
        made = entry is not None and self._creation(entry, case, values, exchange)
        path = bound_path(case, {**values, **case.bindings})
        if exchange.ok and (case.method == "DELETE" or (case.method == "POST" and case.path.endswith(_OVER))):
            self._journal.deleted(path)
        elif case.method == "GET" and exchange.fault is None and exchange.status in ABSENT:
            self._journal.missing(path)
        ours = any(id in self._journal.owned for id in path_ids(case, values))
        # Answers about objects of others, and lists of the whole account, name objects of others.
        if (ours or case.creates) and "/deployments/" not in case.path:
            self.note_names(case, exchange)
        if ours:
            for part in self._parts.shown(case.operation, exchange):
                self._claim(part.ids, part.made)
        if case.method == "GET" and exchange.ok and path in self._named and exchange.response is not None:
            self._claim((self._named[path],), made_at(exchange.response.json))
        return made

    def _claim(self, ids: tuple[str, ...], made: float) -> None:
        """Write that what the service made belongs to the run, if it isn't older by the target's clock."""
        with self._lock:
            new = [id for id in ids if id not in self._journal.owned]
            certain = bool(self._journal.since) and made >= self._journal.since
            self._doubted.update(() if certain else new)
            self._doubted.difference_update(new if certain else ())
        if certain and new:
            self._journal.ours(new)

    def doubted(self, case: Case, values: Mapping[str, str]) -> str:
        """An id that a changing request names and that may belong to somebody else, although an answer about an object
        of ours showed it; "" if there is none.
        """
        if case.method in ("GET", "HEAD"):
            return ""
        owned = self._journal.owned
        return next((id for id in path_ids(case, values) if id in self._doubted and id not in owned), "")

    def _creation(self, entry: int, case: Case, values: Mapping[str, str], exchange: Exchange) -> bool:
        answered = exchange.fault is None and exchange.response is not None
        ids = created_ids(case, exchange)
        if ids:
            self._met.update(ids.values())
            older = self._is_older(marks_of(case, values), exchange)
            if older:
                with self._lock:
                    self._doubted.update(id for id in ids.values() if id not in self._journal.owned)
            self._journal.created(entry, ids, doubt=f"the answer to {case.operation}" if older else "")
        elif never_left(exchange) or (answered and (case.undo is None or 300 <= (exchange.status or 0) < 500)):
            self._journal.nothing(entry)
            return False
        return True

    def _is_older(self, marks: Mapping[str, str], exchange: Exchange) -> bool:
        """True if the answer to a creation shows an object that was there before, at a target of somebody else: some
        services answer with the object that holds the same content already. It is older than the run by the target's
        clock, and doesn't carry the mark of the request. Either alone proves nothing: clocks of simple servers stand
        still, and names are optional.
        """
        if not (self._live and marks and exchange.response is not None):
            return False
        shown = exchange.response.json
        return 0 < made_at(shown) < self._journal.since and not carries(shown, marks)

    def note_names(self, case: Case, exchange: Exchange, about: Entry | None = None) -> None:
        """Write down the objects that an answer names and that no request of ours named before: the service made them
        on the way. With ``about``, a look at this object was answered; what it names is noted as found with the object.
        """
        operation, scenario = (case.operation, case.scenario) if about is None else (about.operation, about.scenario)
        for one in named_objects(self._kinds, exchange):
            with self._lock:
                known = one.sent or one.id in self._met or one.id in self._journal.owned
                self._met.add(one.id)
            if not known:
                with self._lock:
                    self._named[bound_path(one.undo, {NAMED: one.id})] = one.id
                    self._doubted.add(one.id)
                by = f"{one.field} in the answer to {case.operation}"
                self._journal.named(operation, one.undo, one.look, {NAMED: one.id}, by, scenario)

    def _note_time(self, exchange: Exchange) -> None:
        """Write down the target's time at the first dated answer (RFC 9110 section 6.6.1).

        The run began some time before: others may be under way already, and an answer may take minutes.
        """
        date = exchange.response.header("date") if exchange.response and not self._journal.since else None
        if exchange.response is not None and date:
            arrived = exchange.started + exchange.response.headers_at
            with suppress(ValueError, OverflowError):
                told = parsedate_to_datetime(date).timestamp()
                self._journal.began(told - (arrived - self._began) - _ROUNDED, told - arrived)
