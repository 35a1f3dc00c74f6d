"""What comes with a package besides its sources: read api-versions and corpora, so that a first run is as fast as a
second one.

``python ci/derive.py`` writes the folder before a package is built. An entry's name holds a digest of the code and of
all data that it was made from. So an entry that other code made is never found, wherever it lies. Versions of libraries
are no part of it: an entry is what the tested versions (``constraints.txt``) gave. For that reason a checkout doesn't
read what a build left in it: its libraries may be others since then, and its tests would judge requests of old ones.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from pathlib import Path
from typing import Any

from conformance.spec.cache import READING, code_of

__all__ = ["NAME", "derived_folder", "folder_name", "packed", "shipped", "shipped_folder"]

_PACKAGE = Path(__file__).resolve().parents[1]

#: The name of the folder: inside the package, and beside it where a build writes it.
NAME = "derived"


def derived_folder() -> Path:
    """Where the entries lie in a wheel. In a checkout it doesn't exist."""
    return _PACKAGE / NAME


def packed(content: bytes) -> bytes:
    """The content of an entry's file: xz, which has a checksum. Equal contents give equal bytes."""
    return lzma.compress(content, preset=9)


def shipped(name: str) -> bytes | None:
    """The content of an entry; None if there is none or its file is damaged."""
    try:
        return lzma.decompress((derived_folder() / name).read_bytes())
    except (OSError, lzma.LZMAError):
        return None


def folder_name(digest: str) -> str:
    """The name of the entry for a read folder of ``specs/``, by the digest of the folder's content."""
    return f"specs/{hashlib.sha256(f'{code_of(READING)} {digest}'.encode()).hexdigest()}.json.xz"


def shipped_folder(digest: str) -> Any:
    """What reading a folder gave, as :func:`conformance.spec.cache.get` returns it; None if it isn't there."""
    content = shipped(folder_name(digest))
    return None if content is None else json.loads(content)
