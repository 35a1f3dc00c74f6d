"""The formats of recordings, one in each module: ``TITLE``, ``recognises`` and ``read``. The folder is walked.

``recognises`` gets the parsed document (of JSON lines, the list of the lines), ``read`` the same as a node with its
place, and yields what was recorded.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import Any, Protocol, cast

from conformance.recordings.form import Node
from conformance.recordings.recorded import Recorded

__all__ = ["Format", "formats"]


class Format(Protocol):
    """The interface of a module of this folder."""

    @property
    def TITLE(self) -> str:  # noqa: N802 - a constant of the module
        """The name of the format in messages."""

    def recognises(self, document: Any) -> bool:
        """Return True if a document, any JSON or YAML value, has this format."""

    def read(self, document: Node) -> Iterator[Recorded]:
        """Yield the exchanges. Raises :class:`UsageError` with the place of what can't be read."""


@cache
def formats() -> tuple[Format, ...]:
    """All formats."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__))
    return tuple(cast("Format", importlib.import_module(f"{__name__}.{name}")) for name in names)
