"""Signals that end a run. Ctrl-C (SIGINT), SIGTERM and a closed terminal (SIGHUP) do the same: each becomes a
KeyboardInterrupt, after which nothing new is sent, what was created is removed, and the reports are written.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from attrs import define, field

__all__ = ["Held", "complete", "controlled", "held", "interruptible", "tell_worker"]

#: Seconds in which further signals of :func:`interruptible` belong to the first one: who closes a terminal sends two.
_TOGETHER = 1.0

_Handler = Callable[..., Any]


def _numbers(*names: str) -> tuple[int, ...]:
    """The numbers of signals that this system has. Windows has no SIGHUP and no SIGUSR1."""
    return tuple(int(getattr(signal, name)) for name in names if hasattr(signal, name))


@contextmanager
def _handled(numbers: Iterable[int], handler: _Handler) -> Iterator[None]:
    """Handle signals; afterwards as before. Python runs handlers in the main thread, and only it may set them."""
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP raise KeyboardInterrupt in the main thread, as SIGINT does.

    Signals that somebody handles or ignores already (``nohup``, another plugin) are left alone.
    """
    defaults = [number for number in _numbers("SIGTERM", "SIGHUP") if signal.getsignal(number) is signal.SIG_DFL]
    with _handled(defaults, _Stop([file for file in (0, 1, 2) if _is_terminal(file)])):
        yield


@define(eq=False)
class _Stop:
    """The handler of :func:`interruptible`. ``terminals`` are the file numbers that were a terminal."""

    terminals: list[int]
    last: float = float("-inf")

    def __call__(self, *_given: object) -> None:
        """Raise KeyboardInterrupt."""
        for file in self.terminals:
            if not _is_terminal(file):
                # The terminal is gone. What is still printed would raise an exception.
                os.dup2(os.open(os.devnull, os.O_RDWR), file)
        now, before = time.monotonic(), self.last
        self.last = now
        if now - before >= _TOGETHER:
            raise KeyboardInterrupt


def _is_terminal(file: int) -> bool:
    try:
        return os.isatty(file)
    except OSError:
        return False


@define(eq=False)
class Held:
    """``came`` is True if a signal came while it was held back."""

    came: bool = field(default=False, init=False)

    def __call__(self, *_given: object) -> None:
        """Note a signal."""
        self.came = True


@contextmanager
def held() -> Iterator[Held]:
    """Signals that would raise KeyboardInterrupt are only noted: what is written within must become complete."""
    noted = Held()
    numbers = [number for number in _numbers("SIGINT", "SIGTERM", "SIGHUP") if callable(signal.getsignal(number))]
    with _handled(numbers, noted):
        yield noted


@contextmanager
def complete() -> Iterator[None]:
    """What is done within is not interrupted: a signal that comes meanwhile raises KeyboardInterrupt afterwards."""
    signals = Held()
    try:
        with held() as signals:
            yield
    finally:
        if signals.came:
            raise KeyboardInterrupt


@contextmanager
def controlled() -> Iterator[None]:
    """In a worker process: only :func:`tell_worker` raises KeyboardInterrupt as long as the controlling process lives.

    A terminal sends its signals to all processes of a run. The controller decides alone what they mean; a second
    signal would end the removal that the first one began.
    """
    parent = os.getppid()

    def orphaned(*_given: object) -> None:
        if os.getppid() != parent:
            raise KeyboardInterrupt

    with (
        _handled(_numbers("SIGINT", "SIGTERM", "SIGHUP") if _TELLS else (), orphaned),
        _handled(_TELLS, signal.default_int_handler),
    ):
        yield


_TELLS = _numbers("SIGUSR1")


def tell_worker(pid: int) -> None:
    """Raise KeyboardInterrupt in a worker process. Raises OSError if it has ended. Does nothing on Windows, where a
    worker gets the console's Ctrl-C itself.
    """
    for number in _TELLS:
        os.kill(pid, number)
