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
    api_version: str = "*"
    link: str = ""

    @property
    def name(self) -> str:
        """The waiver in messages: the globs as they were written, and the owner."""
        globs = (("operation", self.operation), ("scenario", self.scenario), ("api_version", self.api_version))
        narrower = "".join(f", {what} {glob}" for what, glob in globs if glob != "*")
        return f"the waiver of {self.check}{narrower} (owner {self.owner})"

    def meant_for(self, version: str) -> bool:
        """True if the waiver holds in this api-version."""
        return fnmatchcase(version, self.api_version)

    def covers(self, version: str, check: str, scenario: str, operations: Iterable[str]) -> bool:
        """True if the waiver matches this check on this scenario, whatever the day."""
        return (
            self.meant_for(version)
            and fnmatchcase(check, self.check)
            and fnmatchcase(scenario, self.scenario)
            and any(fnmatchcase(name, self.operation) for name in operations)
        )
