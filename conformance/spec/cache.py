"""Read spec folders, kept in the user's cache folder by the digest of their content.

An entry is its own SHA-256 on the first line, then JSON: one that was cut or changed is no entry. Writing is atomic
(a file beside it, then a rename); a folder that can't be written is no error, only slower.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["FORMAT", "folder", "get", "put"]

#: Raised when what is cached, or what is checked before it is cached, changes.
FORMAT = 3

#: How many entries are kept; the least recently written go first.
MOST_ENTRIES = 64


def folder() -> Path:
    """Where entries lie: ``$AOAI_CONFORMANCE_CACHE``, else the user's cache folder."""
    chosen = os.environ.get("AOAI_CONFORMANCE_CACHE")
    if chosen:
        return Path(chosen) / "specs"
    import platformdirs

    return Path(platformdirs.user_cache_dir("aoai-conformance")) / "specs"


def _file(digest: str) -> Path:
    return folder() / f"{FORMAT}-{digest}.json"


def get(digest: str) -> Any:
    """The entry of a digest, or None when there is none that is whole."""
    try:
        head, _, body = _file(digest).read_bytes().partition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != head:
            return None
        return json.loads(body)
    except (OSError, ValueError):
        return None


def put(digest: str, entry: Mapping[str, Any]) -> None:
    """Keep an entry; silently not, where the folder can't be written."""
    body = json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode()
    target = _file(digest)
    with contextlib.suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, suffix=".new")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _prune(target.parent)


def _prune(where: Path) -> None:
    entries = sorted(where.glob("*.json"), key=lambda path: path.stat().st_mtime)
    for path in entries[:-MOST_ENTRIES]:
        path.unlink(missing_ok=True)
