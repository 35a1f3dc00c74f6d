"""The memory of a run, as glibc keeps it: one arena for all threads, and nothing that is free."""

from __future__ import annotations

import ctypes
import sys

__all__ = ["one_arena", "trimmed"]

#: ``M_ARENA_MAX`` of ``malloc.h``.
_ARENA_MAX = -8


def one_arena() -> None:
    """Let all threads share one arena, on glibc. Call it before threads are started.

    Each thread that sends would have an arena of its own, and what one thread frees there no other one can use: a run
    of 5,000 exchanges took twice as much memory. Python's threads hardly ever allocate at the same time.
    """
    if sys.platform != "linux":
        return
    try:
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
    except (AttributeError, OSError):
        return  # another C library; it has its own ways


def trimmed() -> None:
    """Give free memory back to the system, on glibc. Call it when the requests of a run were derived.

    What that took is free then, but in pieces that larger objects don't fit in: 20 MB of v1.
    """
    if sys.platform != "linux":
        return
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError):
        return
