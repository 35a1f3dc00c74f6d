"""The journal: what a run is about to create and what it created, as appended JSON lines that survive a kill.

The intent is on disk before a request is sent, the ids are written right after its answer. Each process has its own
file, so that workers never share one. The file is locked while its run is alive, so that ``cleanup`` touches only files
of dead runs.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import platformdirs
from attrs import frozen

from conformance.errors import UsageError
from conformance.requests.case import Case
from conformance.target.guards import path_ids

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows has no flock: cleanup can't recognise the files of living runs there
    fcntl = None

__all__ = ["Entry", "Journal", "default_folder", "journals", "must_be_writable", "read"]

_PATTERN = "journal-*.jsonl"


@frozen
class Entry:
    """One created object and how to remove it. ``ids`` are by placeholder; ``bindings`` are further values of its
    path.
    """

    seq: int
    undo: Case
    ids: Mapping[str, str]
    bindings: Mapping[str, str]
    target: str
    api_version: str
    order: float


def default_folder() -> Path:
    """The folder of journals if there is no run folder: this tool's folder of user state."""
    return Path(platformdirs.user_state_path("aoai-conformance")) / "journals"


def unwritable(folder: Path, error: OSError) -> UsageError:
    """The error for a folder in which no journal can be kept. Without a journal nothing may be created."""
    return UsageError(
        f"no journal can be written here: {error.strerror or error}",
        where=str(folder),
        hint="it names what must be removed after a crash; XDG_STATE_HOME chooses another folder on Linux",
    )


def must_be_writable(folder: Path) -> None:
    """Raise :class:`UsageError` if no journal can be kept in a folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unwritable(folder, error) from None


class Journal:
    """The journal of one process. Thread-safe. ``owned`` holds every id that this run created."""

    def __init__(self, folder: Path, *, target: str, api_version: str, worker: str = "main", sync: bool = True) -> None:
        self.target, self.api_version, self._sync = target, api_version, sync
        self.path = folder / f"journal-{time.time_ns()}-{os.getpid()}-{worker}.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = self.path.open("x", encoding="utf-8")
        except OSError as error:
            raise unwritable(folder, error) from None
        #: Why something that happened could not be written down; "" if all was.
        self.trouble = ""
        _lock(self._file)
        self._mutex = threading.Lock()
        self._seq = 0
        self.owned: set[str] = set()
        self._open: dict[int, Entry] = {}
        #: Requests that may have created something and have no answer yet, with the ids in their paths.
        self._unknown: dict[int, tuple[str, ...]] = {}

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def intend(self, case: Case, bindings: Mapping[str, str]) -> int:
        """Write that ``case`` is about to be sent. Returns the number of the entry.

        Raises :class:`OSError` if it can't be written: then the case must not be sent.
        """
        with self._mutex:
            self._seq += 1
            seq = self._seq
            self._write(
                {
                    "event": "intent",
                    "seq": seq,
                    "at": time.time(),
                    "target": self.target,
                    "api_version": self.api_version,
                    "case": case.id,
                    "operation": case.operation,
                    "undo": case.undo.to_json() if case.undo else None,
                    "bindings": {**bindings, **case.bindings},
                },
                sync=self._sync,
            )
            self._unknown[seq] = path_ids(case, bindings)
            return seq

    def created(self, seq: int, case: Case, ids: Mapping[str, str], bindings: Mapping[str, str]) -> None:
        """Write the ids that the answer named."""
        with self._mutex:
            self._unknown.pop(seq, None)
            self.owned.update(ids.values())
            if case.undo is not None:
                made = {**bindings, **case.bindings}
                self._open[seq] = Entry(seq, case.undo, ids, made, self.target, self.api_version, time.time())
            self._note({"event": "created", "seq": seq, "ids": dict(ids)}, sync=self._sync)

    def nothing(self, seq: int) -> None:
        """Write that the request was refused, so that nothing was created."""
        with self._mutex:
            self._unknown.pop(seq, None)
            self._note({"event": "nothing", "seq": seq})

    def gone(self, seq: int) -> None:
        """Write that an object of an entry no longer exists, nor the objects inside it."""
        with self._mutex:
            entry = self._open.pop(seq, None)
            self._note({"event": "gone", "seq": seq})
            ids = set(entry.ids.values()) if entry is not None else set()
            inside = [key for key, parents in self._unknown.items() if ids & set(parents)]
            inside += [key for key, item in self._open.items() if ids & set(path_ids(item.undo, item.bindings))]
            for key in inside:
                self._unknown.pop(key, None)
                self._open.pop(key, None)
                self._note({"event": "gone", "seq": key})

    def deleted(self, object_id: str) -> None:
        """Note that a scenario deleted an object itself, so that nothing is left to undo."""
        with self._mutex:
            found = [seq for seq, entry in self._open.items() if object_id in entry.ids.values()]
        for seq in found:
            self.gone(seq)

    @property
    def pending(self) -> tuple[Entry, ...]:
        """The entries of objects that are still to be removed, newest first."""
        with self._mutex:
            return tuple(sorted(self._open.values(), key=lambda entry: -entry.seq))

    @property
    def unknown(self) -> int:
        """How many requests that create something got no answer: there may be objects without a known id."""
        return len(self._unknown)

    def close(self) -> None:
        """Close the file, and delete it if nothing is left to remove."""
        if not self._file.closed:
            try:
                self._file.close()
            except OSError as error:
                self.trouble = error.strerror or str(error)
            if not self._open and not self._unknown:
                self.path.unlink(missing_ok=True)

    def _note(self, record: Mapping[str, Any], *, sync: bool = False) -> None:
        """Append what has happened already: if it can't be written, this process still knows it."""
        try:
            self._write(record, sync=sync)
        except OSError as error:
            self.trouble = error.strerror or str(error)

    def _write(self, record: Mapping[str, Any], *, sync: bool = False) -> None:
        """Append one record. ``sync`` forces it to the disk, so that it survives a crash of the machine."""
        self._file.write(json.dumps(record, ensure_ascii=True, separators=(",", ":")) + "\n")
        self._file.flush()
        if sync:
            os.fsync(self._file.fileno())


def _lock(file: IO[Any]) -> bool:
    """Lock a file for this process; False if another one holds it."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def journals(*folders: Path) -> tuple[Path, ...]:
    """The journals in some folders and below that no living run has locked, newest first."""
    found: list[Path] = []
    for folder in folders:
        for path in folder.rglob(_PATTERN) if folder.is_dir() else ():
            with suppress(OSError), path.open("rb") as file:
                if _lock(file):
                    found.append(path)
    return tuple(sorted(set(found), key=lambda path: path.name, reverse=True))


def _records(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a journal."""
    for line in path.read_text("utf-8").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue  # if the run was killed, its last line may be incomplete
        if isinstance(record, dict):
            yield record


def read(path: Path) -> tuple[tuple[Entry, ...], int]:
    """The entries that an interrupted run left, newest first, and how many creating requests never got an answer.

    Raises :class:`UsageError` if the file isn't a journal.
    """
    intents: dict[int, dict[str, Any]] = {}
    left: dict[int, Entry] = {}
    unknown: set[int] = set()
    try:
        for record in _records(path):
            seq = record["seq"]
            match record["event"]:
                case "intent":
                    intents[seq] = record
                    unknown.add(seq)
                case "created":
                    unknown.discard(seq)
                    intent = intents[seq]
                    if intent["undo"] is not None:
                        undo = Case.from_json(intent["undo"])
                        left[seq] = Entry(
                            seq=seq,
                            undo=undo,
                            ids=record["ids"],
                            bindings=intent["bindings"],
                            target=intent["target"],
                            api_version=intent["api_version"],
                            order=intent["at"],
                        )
                case _:
                    unknown.discard(seq)
                    left.pop(seq, None)
    except (OSError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise UsageError(f"not a journal: {type(error).__name__} {error}", where=str(path)) from None
    return tuple(left[seq] for seq in sorted(left, reverse=True)), len(unknown)
