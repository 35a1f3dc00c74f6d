"""What is left after an api-version has ended: the fourth stage of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import asdict, frozen

__all__ = ["Ended"]


@frozen
class Ended:
    """What the end of an api-version left, in one process or in all: objects that could not be removed (each in a line:
    operation and ids), how many creates gave no id, and what went wrong while it ended. ``unwritten`` says why the
    evidence is not complete (a full disk, no token), or is "".
    """

    left: tuple[str, ...] = ()
    unknown: int = 0
    troubles: tuple[str, ...] = ()
    unwritten: str = ""

    def __add__(self, other: Ended) -> Ended:
        return Ended(
            self.left + other.left,
            self.unknown + other.unknown,
            self.troubles + other.troubles,
            self.unwritten or other.unwritten,
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON object from which :meth:`from_json` builds an equal value."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Ended:
        """The inverse of :meth:`to_json`."""
        return cls(tuple(plain["left"]), plain["unknown"], tuple(plain["troubles"]), plain["unwritten"])
