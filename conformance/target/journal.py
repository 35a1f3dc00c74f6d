"""The journal: what a run is about to create and what it created, as appended JSON lines that survive a kill.

The intent is on disk before a request is sent, the ids are written right after its answer. Each process has its own
file, so that workers never share one. The file is locked while its run is alive, so that ``cleanup`` touches only files
of dead runs. A copy stands in the run folder: whoever has saved that folder can clean up from another machine.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from conformance.errors import UsageError
from conformance.requests.case import Case
from conformance.target.created import SHOWN
from conformance.target.journal_folder import lock, unwritable
from conformance.target.ledger import Entry, Ledger, Unanswered, bound_path

__all__ = ["COPIES", "Entry", "Journal", "Unanswered", "read"]

#: The folder of the copies in a run folder.
COPIES = "journals"


class Journal:
    """The journal of one process. Thread-safe.

    ``copies`` is a folder for a second file with the same lines. ``embedded`` is True for a target that ends with its
    run. Raises :class:`UsageError` if a file can't be made.
    """

    def __init__(
        self,
        folder: Path,
        *,
        target: str,
        api_version: str,
        worker: str = "main",
        sync: bool = True,
        copies: Path | None = None,
        embedded: bool = False,
    ) -> None:
        name = f"journal-{time.time_ns()}-{os.getpid()}-{worker}.jsonl"
        folders = [folder, *([copies] if copies is not None else [])]
        self._begin([one / name for one in folders], "x", sync=sync)
        about = {"target": target, "api_version": api_version, "embedded": embedded, "pid": os.getpid()}
        self._note({"event": "run", **about, "files": [str(path) for path in self.files]})

    def _begin(self, files: Iterable[Path], mode: str, *, sync: bool) -> None:
        self.files = tuple(files)
        self.path = self.files[0]
        self._sync = sync
        self._streams: list[IO[str]] = []
        #: Why something that happened could not be written down; "" if all was.
        self.trouble = ""
        self._mutex = threading.Lock()
        self._ledger = Ledger()
        for path in self.files:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._streams.append(path.open(mode, encoding="utf-8"))
            except OSError as error:
                raise unwritable(path.parent, error) from None
        self._locked = all([lock(stream) for stream in self._streams])  # noqa: C419 - each must be locked

    @classmethod
    def reopen(cls, path: Path) -> Journal:
        """The journal of an interrupted run, to go on with. Its other copies that are on this machine are continued
        too.

        Raises :class:`UsageError` if the file isn't a journal or can't be written, or if a living run has it.
        """
        ledger, records = _known(path)
        told = [Path(name) for one in records if one["event"] == "run" for name in _texts(one.get("files"))]
        try:
            twins = [twin for twin in told if twin.name == path.name and twin.is_file() and not twin.samefile(path)]
            journal = cls.__new__(cls)
            journal._begin([path, *twins], "a", sync=True)
        except OSError as error:
            raise UsageError(f"can't be used: {error.strerror}", where=str(path)) from None
        journal._ledger = ledger
        if not journal._locked:
            raise UsageError("a living run writes it", where=str(path))
        for stream in journal._streams:
            stream.write("\n")  # if the run was killed, the last line may lack its line break
        return journal

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- what is written --------------------------------------------------------------------------------------------

    def intend(
        self,
        case: Case,
        bindings: Mapping[str, str],
        look: Case | None = None,
        *,
        listing: Case | None = None,
        marks: Mapping[str, str] | None = None,
        lasts: float = 0.0,
    ) -> int:
        """Write that ``case`` is about to be sent; ``look`` reads what it creates. Returns the number of the entry.

        The rest is for the search for what it creates, if no answer comes: see :class:`Unanswered`. Raises
        :class:`OSError` if it can't be written: then the case must not be sent.
        """
        values = {**bindings, **case.bindings}
        return self._new(
            {
                "event": "intent",
                "at": time.time(),
                "case": case.id,
                "scenario": case.scenario,
                "operation": case.operation,
                "path": bound_path(case, values),
                "undo": case.undo.to_json() if case.undo else None,
                "look": look.to_json() if look else None,
                "bindings": values,
                "shown": all(pointer in SHOWN for pointer in case.creates.values()),
                "names": list(case.creates),
                "listing": listing.to_json() if listing else None,
                "marks": dict(marks or {}),
                "lasts": lasts,
            },
            must=True,
        )

    def named(  # noqa: PLR0917 - the object, and who named it
        self, operation: str, undo: Case, look: Case | None, ids: Mapping[str, str], by: str, scenario: str = ""
    ) -> None:
        """Write that an answer named an object that no request of ours created directly. ``operation`` and ``scenario``
        are those of the request that was answered.
        """
        self._new(
            {
                "event": "named",
                "at": time.time(),
                "scenario": scenario,
                "operation": operation,
                "undo": undo.to_json(),
                "look": look.to_json() if look else None,
                "bindings": {},
                "ids": dict(ids),
                "by": by,
            },
            must=False,
        )

    def ours(self, ids: Iterable[str]) -> None:
        """Write that these ids belong to the run, although no request of ours created their objects directly."""
        self._note({"event": "ours", "ids": list(ids)})

    def began(self, moment: float, ahead: float) -> None:
        """Write when the run began by the clock of the target, in seconds since the Unix epoch, and by how many seconds
        that clock is ahead of ours.
        """
        self._note({"event": "began", "at": moment, "ahead": ahead})

    def _new(self, record: Mapping[str, Any], *, must: bool) -> int:
        with self._mutex:
            seq = self._ledger.last + 1
            about = {"target": self._ledger.target, "api_version": self._ledger.api_version}
            self._put({**record, "seq": seq, **about}, sync=self._sync, must=must)
            return seq

    def created(self, seq: int, ids: Mapping[str, str], *, doubt: str = "") -> None:
        """Write the ids that the answer named. ``doubt`` is not "" if the object may be older than the run: it says
        which answer named it.
        """
        record = {"event": "created", "seq": seq, "ids": dict(ids)}
        self._note({**record, "doubt": doubt} if doubt else record, sync=self._sync)

    def nothing(self, seq: int) -> None:
        """Write that the request was refused, so that nothing was created."""
        self._note({"event": "nothing", "seq": seq})

    def gone(self, seq: int) -> None:
        """Write that an object no longer exists, nor the objects inside it."""
        self._note({"event": "gone", "seq": seq})

    def read(self, seq: int) -> None:
        """Write that a look has shown that an object belongs to the run."""
        self._note({"event": "read", "seq": seq})

    def stays(self, seq: int, reason: str) -> None:
        """Write that no operation can remove an object."""
        self._note({"event": "stays", "seq": seq, "reason": reason})

    def back(self, seq: int) -> None:
        """Write that an object still exists although its deletion was accepted."""
        self._note({"event": "back", "seq": seq})

    def deleted(self, path: str) -> None:
        """Write that a scenario deleted an object itself. Whether it is gone, only a look can tell."""
        with self._mutex:
            for seq in [entry.seq for entry in self._ledger.at(path)]:
                self._put({"event": "deleted", "seq": seq})

    def missing(self, path: str) -> None:
        """Write that the target doesn't find an object that a scenario deleted."""
        with self._mutex:
            for seq in [entry.seq for entry in self._ledger.at(path) if entry.seq in self._ledger.deleted]:
                self._put({"event": "gone", "seq": seq})

    # -- what is known ----------------------------------------------------------------------------------------------

    @property
    def target(self) -> str:
        """The URL of the target."""
        return self._ledger.target

    @property
    def api_version(self) -> str:
        """The api-version of the requests."""
        return self._ledger.api_version

    @property
    def embedded(self) -> bool:
        """True for a target that ended with its run."""
        return self._ledger.embedded

    @property
    def since(self) -> float:
        """When the run began by the clock of the target; 0 if it told no time."""
        return self._ledger.since

    @property
    def ahead(self) -> float | None:
        """By how many seconds the clock of the target is ahead of ours; None if it told no time."""
        return self._ledger.ahead

    @property
    def damaged(self) -> int:
        """The number of lines that could not be read."""
        return self._ledger.damaged

    @property
    def owned(self) -> set[str]:
        """The ids of all objects that requests of ours created, and of what the service made on the way. It grows."""
        return self._ledger.owned

    @property
    def pending(self) -> tuple[Entry, ...]:
        """The objects that are still to be removed, newest first."""
        return self._newest("open")

    @property
    def unconfirmed(self) -> tuple[Entry, ...]:
        """The objects that scenarios deleted and that nobody has looked for since, newest first."""
        return self._newest("deleted")

    def is_pending(self, seq: int) -> bool:
        """True if the object of an entry is still to be removed."""
        with self._mutex:
            return seq in self._ledger.open

    def is_unconfirmed(self, seq: int) -> bool:
        """True if a scenario deleted the object of an entry and nobody has looked for it since."""
        with self._mutex:
            return seq in self._ledger.deleted

    def _newest(self, which: str) -> tuple[Entry, ...]:
        with self._mutex:
            return tuple(sorted(getattr(self._ledger, which).values(), key=lambda entry: -entry.seq))

    @property
    def staying(self) -> tuple[tuple[Entry, str], ...]:
        """The objects that no operation can remove, each with the reason."""
        with self._mutex:
            return tuple(self._ledger.staying.values())

    @property
    def unanswered(self) -> tuple[Unanswered, ...]:
        """The requests that may have created something and named no id."""
        with self._mutex:
            return tuple(self._ledger.unanswered.values())

    @property
    def empty(self) -> bool:
        """True if nothing is left to remove, to look at or to tell."""
        with self._mutex:
            return self._ledger.empty

    @property
    def unknown(self) -> int:
        """How many requests that create something named no id."""
        return len(self.unanswered)

    def knows(self, path: str) -> bool:
        """True for an object that is already written down, whatever became of it."""
        with self._mutex:
            return any(True for _ in self._ledger.at(path))

    def close(self) -> None:
        """Close the files, and delete them if nothing is left to remove or to tell."""
        with self._mutex:
            for stream in self._streams:
                try:
                    stream.close()
                except OSError as error:
                    self.trouble = error.strerror or str(error)
            if self._ledger.empty:
                self.forget()

    def forget(self) -> None:
        """Delete the files."""
        for path in self.files:
            path.unlink(missing_ok=True)
            if path.parent.name == COPIES and path is not self.path:
                with suppress(OSError):  # other journals are still in it
                    path.parent.rmdir()

    def _note(self, record: Mapping[str, Any], *, sync: bool = False) -> None:
        with self._mutex:
            self._put(record, sync=sync)

    def _put(self, record: Mapping[str, Any], *, sync: bool = False, must: bool = False) -> None:
        """Append one record. ``sync`` forces it to the disk, so that it survives a crash of the machine.

        What can't be written is noted in ``trouble``; this process knows it all the same, since it has happened
        already. With ``must``, OSError is raised instead, and nothing is known of the record.
        """
        line = json.dumps(record, ensure_ascii=True, separators=(",", ":")) + "\n"
        try:
            for stream in self._streams:
                stream.write(line)
                stream.flush()
            if sync:
                os.fsync(self._streams[0].fileno())
        except OSError as error:
            if must:
                raise
            self.trouble = error.strerror or str(error)
        self._ledger.apply(json.loads(line))


def _texts(value: Any) -> list[str]:
    """The texts of a list; empty for anything else."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _known(path: Path) -> tuple[Ledger, tuple[dict[str, Any], ...]]:
    """What a journal says, and its records. A damaged line costs what it said, not the rest.

    Raises :class:`UsageError` if no line is that of a journal.
    """
    ledger, records = Ledger(), []
    try:
        lines = [line for line in path.read_text("utf-8", "replace").splitlines() if line]
    except OSError as error:
        raise UsageError(f"can't be read: {error.strerror}", where=str(path)) from None
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            ledger.apply(record)
            records.append(record)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # If the run was killed, its last line may be incomplete.
            ledger.damaged += number < len(lines)
    if lines and not records:
        raise UsageError("not a journal", where=str(path), hint="delete it if it isn't needed")
    return ledger, tuple(records)


def read(path: Path) -> Ledger:
    """What an interrupted run left, by its journal. Raises :class:`UsageError` if the file isn't a journal."""
    return _known(path)[0]
