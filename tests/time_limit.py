"""A test that hangs fails."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """The test fails if its main thread still waits after so many seconds, and again if it then waits to close."""

    def fail(_number: int, _frame: object) -> NoReturn:
        pytest.fail(f"still waiting after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)
