"""Processes that end with the process that started them, also where that one is killed."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import NoReturn

#: ``PR_SET_PDEATHSIG`` of prctl(2): the signal that Linux sends to a process when its parent has died.
_PARENT_DEATH_SIGNAL = 1

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def end_with_parent(number: signal.Signals, parent: int) -> None:
    """Receive this signal when the parent dies. ``parent`` is its process id, taken before the fork.

    Only Linux can do that. Elsewhere nothing happens; there :func:`end_on_signals` still ends a run that is stopped.
    """
    if sys.platform != "linux":
        return
    if ctypes.CDLL(None, use_errno=True).prctl(_PARENT_DEATH_SIGNAL, int(number), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it died between the fork and the call
        os.kill(os.getpid(), number)


def end_on_signals() -> None:
    """Let the signals that end a process raise :class:`SystemExit`, so that ``finally`` clauses end its children."""
    for number in _ENDING:
        signal.signal(number, _end)


def forget_signals() -> None:
    """Let these signals end the process at once again. A fork inherits the handlers of its parent."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(number: int, _frame: object) -> NoReturn:
    """Raise :class:`SystemExit` with the exit code that shells use for a signal. A second signal changes nothing."""
    for ending in _ENDING:
        signal.signal(ending, signal.SIG_IGN)
    raise SystemExit(128 + number)
