"""Recovery: clean up by the journals of processes that ended without cleaning up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from attrs import evolve, frozen

from conformance.errors import ConformanceError
from conformance.settings.configuration import Config
from conformance.spec.loading import load
from conformance.target.cleanup import Cleaned, clean, not_cleaned
from conformance.target.journal import Journal, read
from conformance.target.journal_folder import begun, journals
from conformance.target.ledger import Ledger
from conformance.target.target import Target

__all__ = ["Found", "Recovered", "found", "is_same", "opener", "recover"]

#: The port that a URL without one means.
_PORTS = {"http": 80, "https": 443}

#: Opens the target of a journal; None if the caller has no key for it.
Open = Callable[[Journal], Target | None]


@frozen
class Found:
    """A journal of a run that has ended, and what it says; ``reason`` says why it can't be read."""

    journal: Path
    ledger: Ledger
    reason: str = ""


@frozen
class Recovered:
    """The result of the cleanup by one journal. ``reason`` says why something is left.

    ``usable`` is False if the journal can't be read or written. ``forgotten`` is True if it was deleted although what
    it names was not removed: because that is unknown, or because the target (``embedded``) has ended.
    """

    journal: Path
    cleaned: Cleaned
    reason: str = ""
    target: str = ""
    api_version: str = ""
    usable: bool = True
    embedded: bool = False
    forgotten: bool = False


def found(folders: Iterable[Path], *, before: float = float("inf")) -> tuple[Found, ...]:
    """The journals that runs left in some folders, newest first, if they began before a moment (seconds since the Unix
    epoch). Journals of runs that are still alive are left out. Nothing is changed.
    """
    return tuple(_read(path) for path in journals(*folders) if begun(path) < before)


def _read(path: Path) -> Found:
    try:
        return Found(path, read(path))
    except ConformanceError as error:
        return Found(path, Ledger(), str(error))


def recover(
    paths: Iterable[Path], open_target: Open, timeout: float = 30.0, *, forget: bool = False
) -> tuple[Recovered, ...]:
    """Remove what interrupted runs left, and only what their journals name.

    A journal of which nothing is left is deleted, and that of an embedded emulator: its objects ended with it. With
    ``forget`` a journal is also deleted if nothing in it can be removed any more: creations without an answer, and
    lines that can't be read. A journal that can't be used blocks no other.
    """
    deadline = time.monotonic() + timeout
    # Two copies of one journal are one: the first that is found stands for both.
    return tuple(_recovered(path, open_target, deadline - time.monotonic(), forget) for path in paths if path.exists())


def _recovered(path: Path, open_target: Open, timeout: float, forget: bool) -> Recovered:
    try:
        journal = Journal.reopen(path)
    except ConformanceError as error:
        return Recovered(path, Cleaned(), str(error), usable=False)
    with journal:
        known = Recovered(path, Cleaned(), target=journal.target, api_version=journal.api_version)
        if journal.embedded:
            journal.forget()
            return evolve(known, embedded=True, forgotten=True)
        if journal.empty:  # closing deletes it
            return known
        try:
            target = open_target(journal)
            reason = "" if target is not None else "another target"
        except ConformanceError as error:
            target, reason = None, str(error)
        if target is None:
            return evolve(known, cleaned=not_cleaned(journal, reason), reason=reason)
        with target:
            cleaned = clean(target, journal, timeout, reads=True)
        if journal.damaged:
            reason = f"{journal.damaged} lines of {path} can't be read"
        forgotten = forget and not cleaned.left and not journal.empty
        if forgotten:
            journal.forget()
        return evolve(known, cleaned=cleaned, reason=reason, forgotten=forgotten)


def is_same(one: str, other: str) -> bool:
    """True for two URLs of one target: scheme and host don't depend on case, and the port of the scheme may be left out
    (RFC 3986 section 6.2.3). What is no URL, as in a damaged journal, is the same only as itself.
    """
    try:
        return _normal(one) == _normal(other)
    except ValueError:
        return one == other


def _normal(url: str) -> tuple[str, str | None, int | None, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme), parts.path.rstrip("/")


def opener(config: Config, folder: Path | None = None) -> Open:
    """For :func:`recover`: a function that opens the target of a journal with the configuration's key.

    The key is sent only to the configured target, so what is at another target stays. ``folder`` holds further
    api-versions.
    """

    def open_target(journal: Journal) -> Target | None:
        if not config.target.url or not is_same(journal.target, config.target.url):
            return None
        return Target(config, load(journal.api_version, folder), journal=journal)

    return open_target
