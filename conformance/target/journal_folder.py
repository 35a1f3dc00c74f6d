"""The folders in which journals are kept: where, whether they can be written, and which journals are in them."""

from __future__ import annotations

import os
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import platformdirs

from conformance.errors import UsageError

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows has no flock: cleanup can't recognise the files of living runs there
    fcntl = None

__all__ = ["begun", "default_folder", "journals", "lock", "must_be_writable", "unwritable", "writer"]

_PATTERN = "journal-*.jsonl"


def default_folder() -> Path:
    """The folder of journals: this tool's folder of user state."""
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


#: The files that this process has locked.
_held: weakref.WeakSet[IO[Any]] = weakref.WeakSet()


def _let_go() -> None:
    """Give up the locked files in a copy of this process (``fork``): it may outlive a run that was killed, and as long
    as it had them, they would look like those of a living run.
    """
    with Path(os.devnull).open("rb") as nothing:
        for file in _held:
            with suppress(OSError, ValueError):  # closed meanwhile
                os.dup2(nothing.fileno(), file.fileno())


if hasattr(os, "register_at_fork"):  # Windows copies no processes
    os.register_at_fork(after_in_child=_let_go)


def lock(file: IO[Any]) -> bool:
    """Lock a file for this process; False if another one holds it."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    _held.add(file)
    return True


def journals(*folders: Path) -> tuple[Path, ...]:
    """The journals in some folders and below that no living run has locked, newest first. What is no file, such as a
    pipe or a link to a device, is no journal: it might never end.
    """
    found: list[Path] = []
    for folder in folders:
        for path in filter(Path.is_file, folder.rglob(_PATTERN) if folder.is_dir() else ()):
            with suppress(OSError), path.open("rb") as file:
                if lock(file):
                    found.append(path)
    return tuple(sorted(set(found), key=lambda path: path.name, reverse=True))


def begun(path: Path) -> float:
    """When the run of a journal began, in seconds since the Unix epoch: its name says it, else the file's time."""
    told = path.stem.split("-")[1:2]
    if told and told[0].isdecimal():
        return int(told[0]) / 1e9
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def writer(path: Path) -> int | None:
    """The id of the process that wrote a journal, by its name; None if that doesn't say."""
    told = path.stem.split("-")[2:3]
    return int(told[0]) if told and told[0].isdecimal() else None
