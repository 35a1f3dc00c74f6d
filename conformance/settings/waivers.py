"""Waivers: known failures with an owner and an expiry date."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase

from attrs import frozen

__all__ = ["Waiver"]


@frozen
class Waiver:
    """A known failure: who owns it, why it is tolerated and until when. Names are globs; ``*`` matches everything."""

    check: str
    owner: str
    reason: str
    expires: date
    operation: str = "*"
    scenario: str = "*"
    link: str = ""

    def covers(self, check: str, scenario: str, operations: Iterable[str], today: date) -> bool:
        """True if the waiver applies to this check on this scenario today."""
        return (
            today <= self.expires
            and fnmatchcase(check, self.check)
            and fnmatchcase(scenario, self.scenario)
            and any(fnmatchcase(name, self.operation) for name in operations)
        )
