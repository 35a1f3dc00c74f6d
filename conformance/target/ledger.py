"""What one process of a run created at a target, as the records of its journal tell. No I/O.

The journal writes a record and applies it here. Reading the journal of a dead process applies the same records, so both
know the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, evolve, field, frozen

from conformance.requests.case import CANCEL, ENDS, Case
from conformance.requests.wire import bind_text

__all__ = ["ABSENT", "Entry", "Ledger", "Unanswered", "bound_path", "is_inside", "object_path"]


#: Statuses of an object that doesn't exist (any more).
ABSENT = (404, 410)


@frozen
class Entry:
    """One object at the target: ``path`` with real ids, how it is removed and how it is read, each None if no operation
    does that.

    ``operation`` created it, with ``ids`` by placeholder. ``named_by`` is not "" for an object that no request of ours
    created directly: it says which answer named it. ``shown`` is False if the answer to the creation was another
    object, so that nobody has read this one yet. ``order`` is the time at which it was created, by our clock.
    ``scenario`` sent the request; "" if the request belongs to the corpus of its operation.
    """

    seq: int
    operation: str
    path: str
    undo: Case | None
    look: Case | None
    ids: Mapping[str, str]
    target: str
    api_version: str
    order: float
    named_by: str = ""
    shown: bool = True
    scenario: str = ""

    @property
    def can_go(self) -> bool:
        """True if an operation removes the object. A cancellation only stops it."""
        return self.undo is not None and not self.undo.path.endswith(CANCEL)

    @property
    def text(self) -> str:
        """The object in one line: the operation that created it, and its path."""
        return f"{self.path} (from {self.named_by or self.operation})"


@frozen
class Unanswered:
    """A request that may have created something and named no id: it got no answer, or one without an id.

    ``path`` is that of the collection, ``names`` are the placeholders of the id, ``at`` is the time of sending by our
    clock and ``lasts`` the seconds after which the request was certainly over. ``listing`` reads the collection, None
    if nothing does. ``marks`` are the fields with a value that no other request has. ``reason`` says why its object was
    not found; "" if nobody looked for it.
    """

    seq: int
    operation: str
    path: str
    at: float
    lasts: float = 0.0
    listing: Case | None = None
    marks: Mapping[str, str] = field(factory=dict)
    names: tuple[str, ...] = ()
    reason: str = ""

    @classmethod
    def of(cls, seq: int, record: Mapping[str, Any]) -> Unanswered:
        """The request of an intent. Raises KeyError, TypeError or ValueError for a damaged record."""
        listing = record.get("listing")
        return cls(
            seq,
            record["operation"],
            record.get("path", ""),
            record["at"],
            float(record.get("lasts", 0.0)),
            Case.from_json(listing) if listing else None,
            dict(record.get("marks", {})),
            tuple(record.get("names", ())),
        )

    @property
    def why(self) -> str:
        """The reason, as the end of a line about the request."""
        return f": {self.reason}" if self.reason else ""

    @property
    def request(self) -> str:
        """Operation and path."""
        return f"{self.operation} at {self.path}"

    @property
    def text(self) -> str:
        """The request in one line, and why its object was not found."""
        return f"{self.request}{self.why}"


def object_path(path: str) -> str:
    """The path of an object, from that of a request which removes or stops it."""
    end = next((end for end in ENDS if path.endswith(end)), "")
    return path.removesuffix(end)


def bound_path(case: Case, values: Mapping[str, str]) -> str:
    """The path of a case with real ids, escaped, without the last segment of a request that only stops the object."""
    path = object_path(case.path)
    for name, raw in case.path_params.items():
        id = bind_text(raw, {**values, **case.bindings})
        path = path.replace("{" + name + "}", _segment(id))
    return path


def _segment(id: str) -> str:
    """An id in a path, ``/`` and ``%`` escaped: else the object with the id ``a/b`` would seem to be inside that with
    the id ``a``.
    """
    return id.replace("%", "%25").replace("/", "%2F")


def is_inside(path: str, parent: str) -> bool:
    """True for the path of an object below another one: it ends with its parent."""
    return path.startswith(parent + "/")


@define
class Ledger:
    """The objects of one process. ``owned`` holds the id of each that a request of ours created, and of those that the
    service made on the way and that are certainly not older than the run.

    ``open`` are objects that exist as far as we know, ``deleted`` those that a scenario deleted and nobody looked for
    since, ``staying`` those that no operation removes, with the reason, ``unanswered`` the requests without an id.
    ``since`` is when the run began, in seconds of the target's clock, 0 if it told no time; ``ahead`` the seconds by
    which that clock is ahead of ours, None if unknown. ``damaged`` counts lines of the journal that could not be read.
    """

    target: str = ""
    api_version: str = ""
    embedded: bool = False
    owned: set[str] = field(factory=set)
    open: dict[int, Entry] = field(factory=dict)
    deleted: dict[int, Entry] = field(factory=dict)
    staying: dict[int, tuple[Entry, str]] = field(factory=dict)
    unanswered: dict[int, Unanswered] = field(factory=dict)
    since: float = 0.0
    ahead: float | None = None
    last: int = 0
    damaged: int = 0
    _intents: dict[int, Mapping[str, Any]] = field(factory=dict)

    def apply(self, record: Mapping[str, Any]) -> None:  # noqa: C901 - one case for each event
        """Take note of one record. An unknown event changes nothing. Raises KeyError, TypeError or ValueError for a
        record without the fields of its event.
        """
        seq = record.get("seq", 0)
        self.last = max(self.last, seq)
        match record["event"]:
            case "run":
                self.target, self.api_version = record["target"], record["api_version"]
                self.embedded = record.get("embedded", False)
            case "began":
                self.since = self.since or record["at"]
                self.ahead = record.get("ahead") if self.ahead is None else self.ahead
            case "intent":
                self.target, self.api_version = record["target"], record["api_version"]
                self.unanswered[seq] = Unanswered.of(seq, record)
                self._intents[seq] = record
            case "created":
                self._created(seq, record["ids"], record.get("doubt", ""))
            case "named":
                entry = _entry(seq, record, record["ids"])
                self.open[seq] = evolve(entry, named_by=record["by"], shown=False)
            case "ours":
                self.owned.update(record["ids"])
            case "deleted" if seq in self.open:
                self.deleted[seq] = self.open.pop(seq)
            case "back" if seq in self.deleted:
                self.open[seq] = self.deleted.pop(seq)
            case "read" if seq in self.open:
                self.open[seq] = evolve(self.open[seq], shown=True)
            case "stays" if seq in self.open:
                self.staying[seq] = (self.open.pop(seq), record["reason"])
            case "nothing":
                self.unanswered.pop(seq, None)
                self._intents.pop(seq, None)
            case "gone":
                self._gone(seq)

    def _created(self, seq: int, ids: Mapping[str, str], doubt: str) -> None:
        """Note the object of a creation. ``doubt`` says which answer named it if it may be somebody else's."""
        self.unanswered.pop(seq, None)
        entry = _entry(seq, self._intents.pop(seq), ids)
        if not doubt:
            self.owned.update(ids.values())
        self.open[seq] = evolve(entry, named_by=doubt, shown=False) if doubt else entry

    def _gone(self, seq: int) -> None:
        """Forget an object that no longer exists, and all that was inside it."""
        entry = self.open.pop(seq, None) or self.deleted.pop(seq, None)
        if entry is None:
            return
        for known in (self.open, self.deleted):
            for key in [key for key, one in known.items() if is_inside(one.path, entry.path)]:
                del known[key]
        for key in [key for key, (one, _) in self.staying.items() if is_inside(one.path, entry.path)]:
            del self.staying[key]
        for key in [key for key, one in self.unanswered.items() if is_inside(one.path, entry.path)]:
            del self.unanswered[key]

    def at(self, path: str) -> Iterator[Entry]:
        """Yield the objects with a path, also those that a scenario deleted."""
        yield from [entry for known in (self.open, self.deleted) for entry in known.values() if entry.path == path]

    @property
    def empty(self) -> bool:
        """True if nothing is left to remove, to look at or to tell."""
        return not (self.open or self.deleted or self.unanswered or self.damaged)


def _entry(seq: int, intent: Mapping[str, Any], ids: Mapping[str, str]) -> Entry:
    """The object that a request created."""
    values = {**intent["bindings"], **ids}
    # The ids of the answer come last: a request that was set up with another object of the same kind has a value for
    # the same placeholder.
    undo, look = (
        None if plain is None else Case.from_json(plain).bind(**values)
        for plain in (intent["undo"], intent.get("look"))
    )
    named = undo or look
    path = (
        bound_path(named, {}) if named is not None else f"{intent.get('path', '')}/{_segment(next(iter(ids.values())))}"
    )
    return Entry(
        seq=seq,
        operation=intent["operation"],
        path=path,
        undo=undo,
        look=look,
        ids=dict(ids),
        target=intent["target"],
        api_version=intent["api_version"],
        order=intent["at"],
        scenario=intent.get("scenario", ""),
        shown=intent.get("shown", True),
    )
