"""What a change between two versions is, and whom it breaks.

*Breaking for callers*: a request that was right may be refused, or an answer may hold what a caller did not have to
expect. *Breaking for servers*: callers of the older version notice nothing, but a server that was right must change.
*Additive*: something more may be asked for or told. *Documentation only*: nothing on the wire changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import field, frozen

__all__ = ["REQUEST", "RESPONSE", "Change", "Class", "Local", "judge", "worst"]

REQUEST, RESPONSE = "request", "response"


class Class(StrEnum):
    """Whom a change breaks."""

    CALLERS = "breaking for callers"
    SERVERS = "breaking for servers"
    ADDITIVE = "additive"
    DOCUMENTATION = "documentation only"


@frozen
class Local:
    """A change at one place, not yet judged. ``effect`` is ``narrower``, ``wider``, ``other``, ``more`` or ``none``."""

    pointer: str
    what: str
    old: Any = field(eq=False)
    new: Any = field(eq=False)
    effect: str
    old_pointer: str = ""


@frozen
class Change:
    """A change with the operations that it touches. ``pointer`` is in the newer document, or in the older one where
    something is gone; ``old_pointer`` is given where it stood elsewhere. ``sides``: request, response or both.
    """

    kind: Class
    operations: tuple[str, ...]
    sides: tuple[str, ...]
    pointer: str
    what: str
    old: Any
    new: Any
    old_pointer: str = ""


_JUDGED: Mapping[tuple[str, str], Class] = {
    ("narrower", REQUEST): Class.CALLERS,
    ("narrower", RESPONSE): Class.SERVERS,
    ("wider", REQUEST): Class.ADDITIVE,
    ("wider", RESPONSE): Class.CALLERS,
    ("other", REQUEST): Class.CALLERS,
    ("other", RESPONSE): Class.CALLERS,
    ("more", REQUEST): Class.ADDITIVE,
    ("more", RESPONSE): Class.ADDITIVE,
    ("less", REQUEST): Class.CALLERS,
    ("less", RESPONSE): Class.CALLERS,
}

_ORDER = tuple(Class)


def judge(effect: str, side: str) -> Class:
    """The class of an effect on one side of the exchange."""
    return _JUDGED.get((effect, side), Class.DOCUMENTATION)


def worst(kinds: list[Class]) -> Class:
    """The class that matters most."""
    return min(kinds, key=_ORDER.index)
