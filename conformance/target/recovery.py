"""Recovery: clean up by the journals of processes that ended without cleaning up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from attrs import frozen

from conformance.errors import ConformanceError
from conformance.settings.configuration import Config
from conformance.spec.loading import load
from conformance.target.cleanup import Cleaned, clean, not_cleaned
from conformance.target.journal import Journal, journals
from conformance.target.target import Target

__all__ = ["Recovered", "opener", "recover"]

#: Opens the target of a journal; None if the caller has no key for it.
Open = Callable[[Journal], Target | None]


@frozen
class Recovered:
    """The result of the cleanup by one journal. ``reason`` says why something is left."""

    journal: Path
    cleaned: Cleaned
    reason: str = ""


def recover(folders: Iterable[Path], open_target: Open, timeout: float = 30.0) -> tuple[Recovered, ...]:
    """Remove what interrupted runs left, and only what their journals name.

    A journal of which nothing is left is deleted. Journals of runs that are still alive are not touched.
    """
    deadline = time.monotonic() + timeout
    return tuple(_recovered(path, open_target, deadline - time.monotonic()) for path in journals(*folders))


def _recovered(path: Path, open_target: Open, timeout: float) -> Recovered:
    try:
        journal = Journal.reopen(path)
    except ConformanceError as error:
        return Recovered(path, Cleaned(), str(error))
    with journal:
        if journal.embedded:
            # The objects of an embedded emulator ended with its process.
            journal.forget()
            return Recovered(path, Cleaned(), "the embedded emulator of that run has ended")
        target = open_target(journal)
        if target is None:
            return Recovered(path, not_cleaned(journal, "another target"), f"another target: {journal.target}")
        with target:
            cleaned = clean(target, journal, timeout)
        return Recovered(path, cleaned, f"not removed at {journal.target}" if cleaned.left else "")


def opener(config: Config, folder: Path | None = None) -> Open:
    """For :func:`recover`: a function that opens the target of a journal with the configuration's key.

    The key is sent only to the configured target, so what is at another target stays. ``folder`` holds further
    api-versions.
    """

    def open_target(journal: Journal) -> Target | None:
        if not config.target.url or journal.target.rstrip("/") != config.target.url:
            return None
        return Target(config, load(journal.api_version, folder), journal=journal)

    return open_target
