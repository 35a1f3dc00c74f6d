"""What is left after an api-version has ended: the fourth stage of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import asdict, frozen

from conformance.target.cleanup import Cleaned

__all__ = ["Ended"]


@frozen
class Ended:
    """What the end of an api-version left, in one process or in all, and what went wrong on the way out.

    Each object stands in a line of its own with its path and the reason: ``left`` could not be removed, ``staying`` no
    operation can remove. ``unanswered`` are requests that create something and named no id. ``unwritten`` says why the
    evidence is not complete (a full disk, no token), or is "".
    """

    left: tuple[str, ...] = ()
    staying: tuple[str, ...] = ()
    unanswered: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    unwritten: str = ""

    @classmethod
    def of(cls, cleaned: Cleaned, troubles: Iterable[str] = (), unwritten: str = "") -> Ended:
        """The end of one process."""
        return cls(
            tuple(one.text for one in cleaned.left),
            tuple(one.text for one in cleaned.staying),
            tuple(one.text for one in cleaned.unanswered),
            tuple(troubles),
            unwritten,
        )

    def __add__(self, other: Ended) -> Ended:
        return Ended(
            self.left + other.left,
            self.staying + other.staying,
            self.unanswered + other.unanswered,
            self.troubles + other.troubles,
            self.unwritten or other.unwritten,
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON object from which :meth:`from_json` builds an equal value."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Ended:
        """The inverse of :meth:`to_json`."""
        lines = {name: tuple(plain[name]) for name in ("left", "staying", "unanswered", "troubles")}
        return cls(**lines, unwritten=plain["unwritten"])
