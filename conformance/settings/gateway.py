"""Declared changes: what a gateway alters on purpose, with the reason, so that reports tell it as a note."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from fnmatch import fnmatchcase

import attrs
from attrs import frozen

__all__ = ["Declared", "Gateway", "Nature"]


class Nature(StrEnum):
    """What an alteration is.

    ``defect``: something is lost, wrong or made up. ``policy``: a choice of the gateway that its users must know.
    ``legal``: an intermediary may do that, and nobody has to know.
    """

    DEFECT = "defect"
    POLICY = "policy"
    LEGAL = "legal"


@frozen
class Declared:
    """One declared change. ``field`` is a pattern of ``request:`` or ``answer:`` and a place as reports write it:
    ``request:/stream_options``, ``answer:header:x-ms-region``; ``*`` matches everything. ``nature`` is what its owner
    calls it.
    """

    field: str
    reason: str
    nature: Nature = attrs.field(default=Nature.POLICY, converter=Nature)

    def covers(self, side: str, place: str) -> bool:
        """True if the declaration speaks of a place. What lies below a declared field is declared with it."""
        full = f"{side}:{place}"
        return fnmatchcase(full, self.field) or fnmatchcase(full, f"{self.field}/*")


@frozen
class Gateway:
    """``[gateway]``: what a gateway adds, removes and rewrites on purpose."""

    adds: tuple[Declared, ...] = ()
    removes: tuple[Declared, ...] = ()
    rewrites: tuple[Declared, ...] = ()

    def __iter__(self) -> Iterator[tuple[str, Declared]]:
        """Yield each declaration with the key under which it stands."""
        yield from (("adds", one) for one in self.adds)
        yield from (("removes", one) for one in self.removes)
        yield from (("rewrites", one) for one in self.rewrites)
