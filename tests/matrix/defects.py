"""All defects of answers on the wire. Each module beside this one whose name ends in ``_defects`` puts its own here."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

from answers import Change, Named, Remembering

_KNOWN: Named = {}


def defect(name: str, about: str) -> Callable[[Change], Change]:
    """A decorator that makes a change a defect; ``about`` says what is wrong with the answers."""

    def mark(change: Change) -> Change:
        put(name, about, change)
        return change

    return mark


def put(name: str, about: str, change: Change | Remembering) -> None:
    """Make a change a defect. Raises :class:`ValueError` if another one has the name."""
    if name in _KNOWN:
        raise ValueError(f"two defects are called {name}")
    _KNOWN[name] = about, change


@cache
def defects() -> Named:
    """What is wrong and the change that makes it so, by the name of the defect."""
    for file in sorted(Path(__file__).parent.glob("*_defects.py")):
        importlib.import_module(file.stem)
    return _KNOWN
