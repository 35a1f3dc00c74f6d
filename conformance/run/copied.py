"""A copy of this process that does a piece of work beside it.

The threads of a Python process share one processor. A copy (``fork``) has all that was loaded and derived, and costs
some milliseconds; a fresh process would need half a second of a processor to get there.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import current_process, get_context
from multiprocessing.process import BaseProcess
from typing import Any

__all__ = ["copied", "finished", "possible"]

#: The signals that end a run; Windows has no SIGHUP. A copy must not take them for its own before it has said what they
#: mean to it.
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def possible() -> bool:
    """True where a process can be copied, and a second processor would run the copy."""
    # A process that ``multiprocessing`` made as a daemon (a worker of its pools) may have none itself.
    return sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1 and not current_process().daemon


def copied(work: Callable[..., None], *given: Any) -> BaseProcess:
    """Start a copy of this process that does the work and ends. Its exit code is 0 if the work was done.

    The work must need no lock that another thread may hold now, and must not write to a stream that is open here.
    Raises :class:`OSError` if the system allows no more processes.
    """
    process = get_context("fork").Process(target=_alone, args=(work, *given), daemon=True)
    with warnings.catch_warnings(), _held():
        # Python warns of threads, whose locks stay locked in the copy: see above.
        warnings.simplefilter("ignore", DeprecationWarning)
        process.start()
    return process


def finished(process: BaseProcess, seconds: float) -> bool:
    """Wait for a copy; True if it did its work. It is ended if it isn't over after so many seconds, or if the wait is
    interrupted.
    """
    try:
        process.join(seconds)
    finally:
        if process.is_alive():
            process.kill()
            process.join()
    return process.exitcode == 0


def _alone(work: Callable[..., None], *given: Any) -> None:
    """Do the work, untouched by the keys that end a run: they reach every process of a terminal, and what they mean is
    decided where the run is.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    try:
        work(*given)
    except Exception:  # noqa: BLE001 - who started it does the work itself then, and hears of the reason there
        raise SystemExit(1) from None


@contextmanager
def _held() -> Iterator[None]:
    """Hold back the signals that end a run."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
