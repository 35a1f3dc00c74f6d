"""The seam between layouts: ``strategies`` and ``reports`` stand beside ``conformance`` in a checkout and inside it
in a wheel. This module is the only place that imports them; nested form first.

A module that needs one of theirs writes both halves of the seam, so that calls through it are typed by the real thing
and loaded at their first use::

    if TYPE_CHECKING:
        from strategies import compose
    else:
        compose = late("strategies.compose")

``tests/test_layers.py`` sees such an import like any other, and that both halves name the same module.
"""

from __future__ import annotations

import importlib
from functools import cache
from types import ModuleType

__all__ = ["late", "part"]


@cache
def part(name: str) -> ModuleType:
    """A module of one of the two packages by its checkout name, such as ``strategies.compose``."""
    try:
        return importlib.import_module(f"conformance.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or not f"conformance.{name}".startswith(error.name):
            raise
        return importlib.import_module(name)


def late(name: str) -> ModuleType:
    """The same module, loaded when something of it is first asked for: loading the strategies takes a second."""
    return _Late(name)


class _Late(ModuleType):
    def __getattr__(self, name: str) -> object:
        found: object = getattr(part(self.__name__), name)
        return found
