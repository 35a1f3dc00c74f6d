"""Failures that are known: somebody answers for each, until a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase

from attrs import frozen

__all__ = ["Waiver"]


@frozen
class Waiver:
    """A known failure that somebody answers for, until a day. Names are globs; empty matches everything."""

    check: str
    owner: str
    reason: str
    expires: date
    operation: str = "*"
    scenario: str = "*"
    link: str = ""

    def covers(self, check: str, scenario: str, operations: Iterable[str], today: date) -> bool:
        """True while the waiver holds for this check on this scenario."""
        return (
            today <= self.expires
            and fnmatchcase(check, self.check)
            and fnmatchcase(scenario, self.scenario)
            and any(fnmatchcase(name, self.operation) for name in operations)
        )
