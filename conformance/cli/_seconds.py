"""A number of seconds on the command line."""

from __future__ import annotations

from argparse import ArgumentTypeError

__all__ = ["seconds"]


def seconds(text: str) -> float:
    """A finite number of at least 0. Raises :class:`argparse.ArgumentTypeError` for any other text: nothing waits for
    ever.
    """
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):  # not a number at all ("nan") fails both comparisons
        raise ArgumentTypeError(f"{text!r} is not a finite number of seconds of at least 0")
    return number
