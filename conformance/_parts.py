"""The seam between layouts: ``strategies`` and ``reports`` stand beside ``conformance`` in a checkout and inside it
in a wheel. This module is the only place that imports them; nested form first.
"""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = ["part"]


def part(name: str) -> ModuleType:
    """A module of one of the two packages by its checkout name, such as ``strategies.corpus``."""
    try:
        return importlib.import_module(f"conformance.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or not f"conformance.{name}".startswith(error.name):
            raise
        return importlib.import_module(name)
