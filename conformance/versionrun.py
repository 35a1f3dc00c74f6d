"""What belongs to one api-version of a run, in one process."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from conformance import recording
from conformance.cleanup import Cleaned
from conformance.config import Config
from conformance.journal import Journal
from conformance.options import Options
from conformance.preflight import Preflight
from conformance.run import Runner
from conformance.scenario import Scenario
from conformance.selection import Item, checks_of, items_of, scenarios_in
from conformance.spec import Spec
from conformance.target import Target
from conformance.trace import Trace
from conformance.verdict import Verdict

__all__ = ["VersionRun"]


class VersionRun:
    """One api-version of a run, in one process."""

    def __init__(self, spec: Spec, options: Options) -> None:
        self.spec, self.options = spec, options
        self.found = Preflight()
        self.config: Config | None = None
        self.embedded = False
        self.runner: Runner | None = None
        self.target: Target | None = None
        self.journal: Journal | None = None
        self.recorder: recording.Recorder | None = None
        self.cleaned = Cleaned()
        self.recorded: set[str] = set()
        self.failed: list[tuple[Verdict, Trace]] = []
        self._header: dict[str, Any] = {}

    @cached_property
    def scenarios(self) -> tuple[Scenario, ...]:
        """All scenarios of the selection, in order."""
        return scenarios_in(self.spec, self.options)

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All items of the selection, in order."""
        return items_of(self.spec, self.scenarios, checks_of(self.options))

    def known_header(self, started: str) -> dict[str, Any]:
        """The header, made once: every failure is explained with it."""
        self._header = self._header or self.header(started)
        return self._header

    def header(self, started: str) -> dict[str, Any]:
        """The header of the report."""
        target = self.config.target if self.config else None
        about = {
            "url": target.url if target else "",
            "auth": target.auth if target else "none",
            "embedded": self.embedded,
            "unsupported": dict(target.unsupported) if target else {},
        }
        return recording.header_of(self.spec, self.options, checks_of(self.options), about, started)
