"""The digests of spec folders, by the bytes of their files. No document is read for that, and no library is loaded."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from pathlib import Path

from conformance.spec.shipped import specs_dir

__all__ = ["SHARED", "folder_digest", "shared_digest", "shipped_digests"]

#: The files that every version rests on.
SHARED = ("clauses.toml", "operations.toml")


def shared_digest() -> str:
    """A digest of the files that every version rests on."""
    total = hashlib.sha256()
    for name in SHARED:
        total.update(name.encode() + b"\0" + (specs_dir() / name).read_bytes() + b"\0")
    return total.hexdigest()


def folder_digest(path: Path, before: str) -> str:
    """SHA-256 over the files of a folder and everything on which it builds, of which ``before`` is the digest."""
    total = hashlib.sha256(before.encode())
    for file in sorted(path.iterdir()):
        # Notes and other files in a folder don't change what is read from it.
        if file.suffix in (".yaml", ".toml"):
            total.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return total.hexdigest()


def shipped_digests() -> Iterator[tuple[str, str]]:
    """Yield each version of the suite that is no draft, with its digest, in their order.

    Raises :class:`ValueError` for a ``version.toml`` that is no TOML.
    """
    home = specs_dir()
    tables = {path.parent.name: tomllib.loads(path.read_text("utf-8")) for path in home.glob("*/version.toml")}
    found: dict[str, str] = {}

    def digest(name: str) -> str:
        if name not in found:
            base = tables[name].get("extends")
            found[name] = folder_digest(home / name, digest(base) if base else shared_digest())
        return found[name]

    for name in sorted(tables):
        if tables[name].get("draft") is not True:
            yield name, digest(name)
