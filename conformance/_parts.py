"""Imports of ``strategies`` and ``reports``, whose place depends on the layout.

They stand beside ``conformance`` in a checkout and inside it in a wheel. This module is the only one that imports them.
It tries the place in a wheel first, then the place in a checkout. A module that needs one of them writes two imports,
so that calls are typed by the real module, which is loaded at its first use::

    if TYPE_CHECKING:
        from strategies import compose
    else:
        compose = late("strategies.compose")

``tests/test_layers.py`` treats such an import like any other, and checks that both lines name the same module.
"""

from __future__ import annotations

import importlib
from functools import cache
from types import ModuleType

__all__ = ["late", "part"]


@cache
def part(name: str) -> ModuleType:
    """A module of one of the two packages by its name in a checkout, such as ``strategies.compose``."""
    try:
        return importlib.import_module(f"conformance.{name}")
    except ModuleNotFoundError as error:
        # An ImportError inside the module itself must not be mistaken for its absence.
        if error.name is None or not f"conformance.{name}".startswith(error.name):
            raise
        return importlib.import_module(name)


def late(name: str) -> ModuleType:
    """The same module, loaded when one of its names is first used: loading the strategies takes a second."""
    return _Late(name)


class _Late(ModuleType):
    """A module that loads the real one when an attribute is read."""

    def __getattr__(self, name: str) -> object:
        found: object = getattr(part(self.__name__), name)
        return found
