"""Reads files that a user names: a device, a pipe or a giant file must neither hang a run nor fill the memory."""

from __future__ import annotations

import os
import select
import stat
import time
from pathlib import Path

__all__ = ["TooLong", "read_text"]

#: Seconds to wait for what a pipe brings, such as the output of a command in ``<(…)``.
PATIENCE = 5.0

#: Seconds to wait for somebody who opens a pipe for writing, and between two looks.
_OPENED, _EACH = 1.0, 0.02


class TooLong(OSError):  # noqa: N818 - what the file is
    """A file is longer than it may be."""


def read_text(path: Path, most: int) -> str:
    """The text of a file of at most ``most`` bytes.

    Raises :class:`OSError` if it can't be read, or is a pipe into which nobody writes in time;
    :class:`TooLong`, which is one, if it is longer; :class:`UnicodeDecodeError` if it isn't UTF-8.
    """
    if "\0" in str(path):
        raise OSError(0, "a path holds no NUL")
    # Opened like this, a pipe without a writer doesn't block; where the flag is missing there are no such files.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        return _read(handle, most).decode("utf-8")
    finally:
        os.close(handle)


def _read(handle: int, most: int) -> bytes:
    """All bytes of an open file."""
    pieces: list[bytes] = []
    size, deadline = 0, time.monotonic() + PATIENCE
    pipe = stat.S_ISFIFO(os.fstat(handle).st_mode)
    while True:
        try:
            piece = os.read(handle, 65_536)
        except BlockingIOError:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(0, f"nobody wrote into this pipe for {PATIENCE:g} s") from None
            select.select([handle], [], [], left)
            continue
        if not piece:
            if pieces or not pipe:
                return b"".join(pieces)
            # A pipe that nobody has opened for writing yet looks as if it had ended.
            if time.monotonic() >= deadline - PATIENCE + _OPENED:
                raise TimeoutError(0, "nobody wrote into this pipe")
            time.sleep(_EACH)
            continue
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise TooLong(0, f"it is longer than {most} bytes")
