"""``manifest.json``: the digests of all files in a folder of reports, so that an edited file is noticed and named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from conformance.errors import UsageError

from .packed import SUFFIX, plain

__all__ = ["NAME", "problems", "write"]

NAME = "manifest.json"


def _digest(file: Path) -> str:
    """The SHA-256 of a file; of a packed report that of its content."""
    try:
        content = plain(file)
    except UsageError:
        content = file  # what can't be unpacked was changed
    with content.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _files(folder: Path) -> dict[str, str]:
    """SHA-256 by name: the files in the folder, and the manifests of the folders in it."""
    inside = [file for file in folder.iterdir() if file.is_file() and file.name != NAME]
    # The manifests below stand for all files that they list.
    below = [file for file in folder.glob(f"*/{NAME}") if file.is_file()]
    # Somebody may pack a report, which changes nothing in it.
    return {
        file.relative_to(folder).as_posix().removesuffix(SUFFIX): _digest(file) for file in sorted((*inside, *below))
    }


def _text(files: dict[str, str]) -> str:
    """The manifest as text."""
    return json.dumps({"files": files}, indent=1, sort_keys=True) + "\n"


def write(folder: Path) -> None:
    """Write the manifest of a folder. It must be the last file that is written there."""
    (folder / NAME).write_text(_text(_files(folder)), "utf-8")


def problems(folder: Path) -> Iterator[str]:
    """Yield the differences between a folder and its manifest, each with the file's name."""
    file = folder / NAME
    try:
        text = file.read_bytes().decode("utf-8")
        listed = dict(json.loads(text)["files"])
    except OSError:
        yield f"{file}: is missing; nothing shows whether the files beside it are as they were written"
        return
    except (ValueError, KeyError, TypeError):
        yield f"{file}: is not a manifest; it was changed"
        return
    found = _files(folder)
    for name in sorted({*listed, *found}):
        if name not in found:
            yield f"{folder / name}: is missing"
        elif name not in listed:
            yield f"{folder / name}: was added after the report was written"
        elif listed[name] != found[name]:
            yield f"{folder / name}: was changed after the report was written, or its digest in {NAME} was"
    # The same digests in another form: somebody rewrote the file.
    if listed == found and text != _text(found):
        yield f"{file}: was changed after it was written"
