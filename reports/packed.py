"""Reports that somebody packed with gzip: ``report.jsonl.gz`` in place of ``report.jsonl``.

Evidence is read by its place in the file, which a packed file doesn't have. So it is unpacked into a temporary file,
which is removed when the process ends.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from functools import cache
from pathlib import Path

from conformance.errors import UsageError

__all__ = ["LARGEST", "SUFFIX", "folders", "located", "pack", "plain"]

SUFFIX = ".gz"

#: The most bytes of an unpacked report: a small file could stand for a full disk.
LARGEST = 16 << 30

_PIECE = 1 << 20


def located(folder: Path, name: str) -> Path | None:
    """The report in a folder, packed or not; None without one."""
    return next((file for file in (folder / name, folder / (name + SUFFIX)) if file.is_file()), None)


def folders(run: Path, name: str) -> list[Path]:
    """The folders directly in a run folder that have a report, sorted; the folder itself if it has one; else none."""
    inside = sorted({file.parent for file in (*run.glob(f"*/{name}"), *run.glob(f"*/{name}{SUFFIX}"))})
    return [run] if located(run, name) is not None else inside


def plain(file: Path) -> Path:
    """The file itself, or an unpacked copy of it. Raises :class:`UsageError` for one that can't be unpacked."""
    if file.suffix != SUFFIX:
        return file
    try:
        known = file.stat()
        return _unpacked(file.resolve(), known.st_mtime_ns, known.st_size)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise UsageError("can't be unpacked: it is not a whole gzip file", where=str(file)) from None
    except OSError as error:
        raise UsageError(f"can't be read: {error.strerror}", where=str(file)) from None


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """The folder of unpacked copies. It is removed when the process ends."""
    return tempfile.TemporaryDirectory(prefix="aoai-conformance-")


@cache
def _unpacked(file: Path, _changed: int, _size: int) -> Path:
    """An unpacked copy of a file in the state that the other arguments name."""
    number, name = tempfile.mkstemp(suffix=".jsonl", dir=_folder().name)
    left = LARGEST
    with gzip.open(file, "rb") as source, open(number, "wb") as target:  # noqa: PTH123 - the file is open already
        while piece := source.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise UsageError(f"larger than {LARGEST >> 30} GiB unpacked", where=str(file))
            target.write(piece)
    return Path(name)


def pack(file: Path) -> Path:
    """Pack a file and remove the unpacked one. Returns the packed one."""
    packed = file.with_name(file.name + SUFFIX)
    # Without name and time, so that equal reports give equal files.
    with file.open("rb") as source, packed.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as target:
        shutil.copyfileobj(source, target)
    file.unlink()
    return packed
