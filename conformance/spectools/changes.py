"""What a change between two versions is, and whom it breaks.

*Breaking for callers*: a valid request may now be refused, or an answer may contain what a caller did not have to
expect. *Breaking for servers*: callers of the older version notice nothing, but a correct server must change.
*Additive*: a request may ask for more, or an answer may tell more. *Documentation only*: nothing on the wire changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import field, frozen

__all__ = ["REQUEST", "RESPONSE", "Change", "Class", "LocalChange", "judge", "worst"]

REQUEST, RESPONSE = "request", "response"


class Class(StrEnum):
    """Whom a change breaks."""

    CALLERS = "breaking for callers"
    SERVERS = "breaking for servers"
    ADDITIVE = "additive"
    DOCUMENTATION = "documentation only"


@frozen
class LocalChange:
    """A change in one place, not yet judged.

    ``effect`` says what happened to the set of allowed values: ``narrower``, ``wider``, ``other``, ``more`` (something
    was added), ``less`` (something was removed) or ``none``.
    """

    pointer: str
    what: str
    old: Any = field(eq=False)
    new: Any = field(eq=False)
    effect: str
    old_pointer: str = ""


@frozen
class Change:
    """A change with the operations that it concerns.

    ``pointer`` leads into the newer document, or into the older one if something was removed; ``old_pointer`` is set if
    the place moved. ``sides``: request, response or both.
    """

    kind: Class
    operations: tuple[str, ...]
    sides: tuple[str, ...]
    pointer: str
    what: str
    old: Any
    new: Any
    old_pointer: str = ""


#: (effect, side) → whom it breaks. A narrower request refuses what was valid; a wider answer surprises its callers.
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
