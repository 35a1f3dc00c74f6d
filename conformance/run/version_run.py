"""The state of one api-version of a run, in one process."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from conformance.evidence.trace import Trace
from conformance.run import recording
from conformance.run.baseline import baseline_of
from conformance.run.known_failures import Baseline, KnownFailures
from conformance.run.runner import Runner
from conformance.run.scope import scope_of
from conformance.run.selection import Item, checks_of, items_of, scenarios_in
from conformance.scenarios.scenario import Scenario
from conformance.settings.configuration import Config
from conformance.settings.options import Options
from conformance.spec.spec import Spec
from conformance.target.cleanup import Cleaned
from conformance.target.journal import Journal
from conformance.target.preflight import Preflight
from conformance.target.target import Target
from conformance.verdict import Verdict

__all__ = ["VersionRun"]


class VersionRun:
    """The state of one api-version of a run, in one process."""

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
        self._chosen: tuple[Item, ...] | None = None
        self.failed: list[tuple[Verdict, Trace]] = []
        self._header: dict[str, Any] = {}

    @cached_property
    def scenarios(self) -> tuple[Scenario, ...]:
        """All selected scenarios, in order."""
        return scenarios_in(self.spec, self.options)

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All selected items, in order."""
        return items_of(self.spec, self.scenarios, checks_of(self.options))

    @property
    def chosen(self) -> tuple[Item, ...]:
        """The items that pytest left of the selection, after ``-k`` and the like."""
        return self.items if self._chosen is None else self._chosen

    @chosen.setter
    def chosen(self, items: tuple[Item, ...]) -> None:
        self._chosen = items

    @cached_property
    def known(self) -> KnownFailures:
        """The failures that don't decide. Raises :class:`UsageError` where the baseline can't be read."""
        folder = self.options.baseline
        baseline = baseline_of(folder, self.spec.version) if folder is not None else Baseline()
        waivers = self.config.waivers if self.config else ()
        return KnownFailures(self.spec.version, datetime.now(UTC).date(), waivers, baseline)

    def known_header(self, started: str) -> dict[str, Any]:
        """The header, computed once: every explanation of a failure needs it."""
        self._header = self._header or self.header(started)
        return self._header

    def header(self, started: str) -> dict[str, Any]:
        """The header of the report."""
        target = self.config.target if self.config else None
        about = {
            "url": target.url if target else "",
            "auth": target.auth if target else "none",
            "embedded": self.embedded,
        }
        checks = checks_of(self.options)
        return recording.header_of(self.spec, scope_of(self), checks, about, seed=self.options.seed, started=started)
