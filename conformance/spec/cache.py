"""What is kept between processes in the user's cache folder, and what its keys rest on.

A key holds a digest of all code that takes part in making what is kept, so that changed code never reads an entry that
older code wrote. All entries together have a limit; those that were used longest ago go first.

This module also keeps the read spec folders: an entry is its own SHA-256 on the first line, then JSON; one that was cut
or changed is no entry. Writing is atomic (a file beside it, then a rename); a folder that can't be written is no error,
only slower.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from attrs import frozen

from conformance.errors import UsageError

__all__ = ["READING", "Makers", "cache_folder", "code_of", "digest_of", "get", "prune", "put", "used"]

#: The environment variable with the size in MB up to which the cache folder may grow, and that size without it.
SIZE_VARIABLE = "AOAI_CONFORMANCE_CACHE_MB"
DEFAULT_SIZE = 500

#: The names of entries, and of unfinished ones that a killed process left. Other files of the folder aren't ours.
_OURS = re.compile(r".*-[0-9a-f]{16}\.jsonl|tmp.*\.part|specs/(?:[0-9a-f]{64}\.json|tmp.*\.new)")


_PACKAGE = Path(__file__).resolve().parents[1]


@frozen
class Makers:
    """What takes part in making a cached thing: code and data of the suite, and libraries by distribution name.

    ``parts`` are glob patterns below the package ``conformance``; one that fits nothing there is a pattern below the
    folder that the package lies in, because in a checkout some packages stand beside it.
    """

    parts: tuple[str, ...]
    libraries: tuple[str, ...]

    def files(self, package: Path) -> tuple[tuple[str, Path], ...]:
        """(name, path) of every file that takes part, each once, sorted by name. The names are alike in each layout."""
        found: dict[str, Path] = {}
        for part in self.parts:
            home = package if any(package.glob(part)) else package.parent
            found |= {path.relative_to(home).as_posix(): path for path in home.glob(part)}
        return tuple(sorted(found.items()))


#: What a read spec folder depends on, beside its own content.
READING = Makers(
    parts=("__init__.py", "errors.py", "pointer.py", "redaction.py", "spec/**/*.py", "specs/*.schema.json"),
    libraries=("attrs", "jsonpatch", "jsonpointer", "jsonschema", "python-jsonpath", "pyyaml"),
)


@cache
def digest_of(makers: Makers, package: Path = _PACKAGE) -> str:
    """SHA-256 over the files and the versions of the libraries that take part, and the version of Python."""
    from importlib.metadata import version

    total = hashlib.sha256(f"Python {sys.version_info.major}.{sys.version_info.minor}\n".encode())
    for name in makers.libraries:
        total.update(f"{name} {version(name)}\n".encode())
    total.update(code_of(makers, package).encode())
    return total.hexdigest()


@cache
def code_of(makers: Makers, package: Path = _PACKAGE) -> str:
    """SHA-256 over the files that take part, in every layout the same."""
    total = hashlib.sha256()
    for name, path in makers.files(package):
        content = path.read_bytes()
        # The length keeps two files from giving the same digest when text moves from one to the other.
        total.update(f"{name} {len(content)}\n".encode() + content)
    return total.hexdigest()


def cache_folder() -> Path:
    """Where everything is kept: ``$AOAI_CONFORMANCE_CACHE``, else the user's cache folder."""
    chosen = os.environ.get("AOAI_CONFORMANCE_CACHE")
    if chosen:
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("aoai-conformance"))


def _file(digest: str) -> Path:
    """The file of an entry."""
    key = hashlib.sha256(f"{digest_of(READING)} {digest}".encode()).hexdigest()
    return cache_folder() / "specs" / f"{key}.json"


def get(digest: str) -> Any:
    """The entry for the content digest of a folder, or None if there is no intact one."""
    try:
        head, _, body = _file(digest).read_bytes().partition(b"\n")
        # A process that was killed, or a full disk, may have left half an entry.
        if hashlib.sha256(body).hexdigest().encode() != head:
            return None
        used(_file(digest))
        return json.loads(body)
    except (OSError, ValueError):
        return None


def put(digest: str, entry: Mapping[str, Any]) -> None:
    """Store an entry. If the folder can't be written, nothing is stored and no error is raised."""
    body = json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode()
    target = _file(digest)
    with contextlib.suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        # In the same folder, because a rename is atomic only within one file system.
        handle, name = tempfile.mkstemp(dir=target.parent, suffix=".new")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            Path(name).replace(target)
        # Also for Ctrl-C: otherwise unfinished files would pile up in the cache folder.
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        prune()


def used(entry: Path) -> None:
    """Note that an entry was used now: others go before it."""
    with contextlib.suppress(OSError):
        os.utime(entry)


def prune() -> None:
    """Remove the entries that were used longest ago until all together are within the limit.

    Raises :class:`UsageError` if the environment names no size.
    """
    room = _most()
    home = cache_folder()
    found = []
    for path in (*home.glob("*"), *home.glob("specs/*")):
        if _OURS.fullmatch(path.relative_to(home).as_posix()):
            with contextlib.suppress(OSError):  # another process may have removed it
                about = path.stat()
                found.append((about.st_mtime, about.st_size, path))
    for _, size, path in sorted(found, reverse=True):
        room -= size
        if room < 0:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _most() -> int:
    """The limit in bytes."""
    given = os.environ.get(SIZE_VARIABLE, "") or str(DEFAULT_SIZE)
    if not re.fullmatch("[0-9]{1,9}", given):
        raise UsageError(f"{given!r} is no size", where=SIZE_VARIABLE, hint="a number of megabytes; 0 keeps nothing")
    return int(given) * 1_000_000
