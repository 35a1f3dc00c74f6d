"""Cleanup: remove the objects that a run created, newest first, within a time limit. What is left stays in the
journal.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from attrs import frozen

from conformance.errors import ConformanceError
from conformance.settings.configuration import Config
from conformance.spec.loading import load
from conformance.target.journal import Entry, Journal, journals, read
from conformance.target.target import Target

__all__ = ["Cleaned", "Recovered", "clean", "opener", "recover"]


@frozen
class Cleaned:
    """The result of a cleanup.

    ``removed`` counts the removed objects, ``left`` are the entries of those that are left, ``unknown`` counts requests
    that create something and never got an answer.
    """

    removed: int = 0
    left: tuple[Entry, ...] = ()
    unknown: int = 0


@frozen
class Recovered:
    """The result of the cleanup of one journal of an interrupted run. ``reason`` says why entries are left."""

    journal: Path
    cleaned: Cleaned
    reason: str = ""


def _remove(
    target: Target, entries: Iterable[Entry], timeout: float, gone: Callable[[int], None], concurrency: int = 1
) -> Cleaned:
    """Remove what entries name, in their order, up to ``concurrency`` at a time. An object that went with its parent
    counts as removed.
    """
    deadline = time.monotonic() + timeout

    def undone(entry: Entry) -> bool:
        """Remove one object; True if it doesn't exist any more."""
        # Each object is tried only within the limit; the others stay in the journal for ``cleanup``.
        if time.monotonic() >= deadline:
            return False
        try:
            exchange = target.undo(entry)
        except ConformanceError:
            return False  # the entry stays in the journal
        # What can only be cancelled (a job) refuses once it is over: then nothing is left to do.
        over = (404, 410) if entry.undo.method == "DELETE" else (400, 404, 409, 410)
        if not (exchange.ok or (exchange.fault is None and exchange.status in over)):
            return False
        gone(entry.seq)
        return True

    known = tuple(entries)
    pool = ThreadPoolExecutor(max(1, concurrency), "cleanup")
    try:
        done = tuple(pool.map(undone, known))
    except BaseException:  # a second Ctrl-C: nothing more is removed, the journal keeps the rest
        pool.shutdown(wait=False, cancel_futures=True)
        target.abort()
        raise
    pool.shutdown()
    return Cleaned(sum(done), tuple(entry for entry, removed in zip(known, done, strict=True) if not removed))


def clean(target: Target, journal: Journal, timeout: float = 30.0, concurrency: int = 1) -> Cleaned:
    """Remove what this process created, even after the run was stopped. Never raises."""
    # A stopped run sends nothing, but what it created must still be removed.
    target.resume()
    made = _remove(target, journal.pending, timeout, journal.gone, concurrency)
    return Cleaned(made.removed, journal.pending, journal.unknown)


def recover(
    folders: Iterable[Path], open_target: Callable[[Entry], Target | None], timeout: float = 30.0
) -> tuple[Recovered, ...]:
    """Remove what interrupted runs left, and only what their journals name.

    ``open_target`` returns the target of an entry, or None if the caller has no key for it; such entries stay. A
    journal without entries is deleted. Journals of runs that are still alive are not touched.
    """
    deadline = time.monotonic() + timeout
    made = []
    for path in journals(*folders):
        try:
            entries, unknown = read(path)
        except ConformanceError as error:
            made.append(Recovered(path, Cleaned(), str(error)))
            continue
        removed, left, reason = 0, [], ""
        for entry in entries:
            target = open_target(entry)
            if target is None:
                left.append(entry)
                reason = f"another target: {entry.target}"
                continue
            with target:
                done = _remove(target, (entry,), deadline - time.monotonic(), partial(_append, path))
            removed += done.removed
            left.extend(done.left)
            if done.left:
                reason = f"not removed at {entry.target}"
        if not left:
            # Another ``cleanup`` may have deleted it in the meantime.
            path.unlink(missing_ok=True)
        made.append(Recovered(path, Cleaned(removed, tuple(left), unknown), reason))
    return tuple(made)


def opener(config: Config, folder: Path | None = None) -> Callable[[Entry], Target | None]:
    """For :func:`recover`: a function that opens the target of an entry with the configuration's key.

    The key is sent only to the configured target, so an entry of another target stays. ``folder`` holds further
    api-versions.
    """

    def open_target(entry: Entry) -> Target | None:
        if not config.target.url or entry.target.rstrip("/") != config.target.url:
            return None
        return Target(config, load(entry.api_version, folder))

    return open_target


def _append(path: Path, seq: int) -> None:
    """Note in a journal of an interrupted run that an object is removed."""
    with path.open("a", encoding="utf-8") as file:
        # If the run was killed, the last line may lack its line break.
        file.write("\n" + json.dumps({"event": "gone", "seq": seq}) + "\n")
