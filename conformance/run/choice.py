"""What a run judges: api-versions, the configuration, and the scenarios and items that the options leave.

It is the first stage of a run: nothing has been sent, and only the configuration of the target is known.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property

from attrs import frozen

from conformance.errors import UsageError
from conformance.run.baseline import baseline_of
from conformance.run.known_failures import Baseline, KnownFailures
from conformance.run.order import best_of, queued
from conformance.run.selection import (
    Item,
    checks_of,
    default_versions,
    items_of,
    must_name_something,
    nothing_chosen,
    scenarios_in,
)
from conformance.scenarios.scenario import Scenario
from conformance.settings.applied import configured
from conformance.settings.configuration import Config
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.spec.spec import Spec

__all__ = ["Chosen", "choose", "chosen_by"]


@frozen
class Chosen:
    """One api-version of a run, with the options and the configuration. ``known`` are failures that don't decide."""

    spec: Spec
    options: Options
    config: Config
    known: KnownFailures

    @property
    def version(self) -> str:
        """The api-version."""
        return self.spec.version

    @cached_property
    def scenarios(self) -> tuple[Scenario, ...]:
        """All selected scenarios, in order."""
        return scenarios_in(self.spec, self.options)

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All selected items, in order."""
        return items_of(self.spec, self.scenarios, checks_of(self.options))

    @cached_property
    def sent(self) -> tuple[Scenario, ...]:
        """The same in the order in which they are begun."""
        best = best_of(self.spec, self.options.profile) if self.config.budget.capped else ()
        return queued(self.scenarios, best)

    @cached_property
    def queue(self) -> tuple[Item, ...]:
        """The items in the order in which their scenarios are sent: each is judged soon after its evidence came."""
        places = {scenario.id: place for place, scenario in enumerate(self.sent)}
        return tuple(sorted(self.items, key=lambda item: places[item.scenario]))


def chosen_by(options: Options) -> tuple[Chosen, ...]:
    """The api-versions that the options name, or else the default ones. Whether they leave anything to judge is not
    checked.

    Raises :class:`UsageError` for an unknown api-version, and for a configuration or a baseline that can't be read.
    """
    specs = [load(name, options.specs) for name in options.api_versions or default_versions(options.specs)]
    config = configured(options)
    return tuple(Chosen(spec, options, config, _known(spec, options, config)) for spec in specs)


def _known(spec: Spec, options: Options, config: Config) -> KnownFailures:
    folder = options.baseline
    baseline = baseline_of(folder, spec.version) if folder is not None else Baseline()
    return KnownFailures(spec.version, datetime.now(UTC).date(), config.waivers, baseline)


def choose(options: Options, *, workers: int = 0) -> tuple[Chosen, ...]:
    """The api-versions that the options name, or else the default ones, after a check of everything that was named.

    Raises :class:`UsageError` for a name that fits nothing, for a choice that leaves nothing to judge, and for more
    ``workers`` than exchanges that may be in flight.
    """
    checks_of(options)
    if options.baseline is not None and options.out is not None and options.baseline.resolve() == options.out.resolve():
        raise UsageError("--out and --baseline are one folder", hint="the new run would replace the baseline")
    choice = chosen_by(options)
    reasons = [nothing_chosen(one.spec, options) for one in choice]
    if all(reasons):
        raise UsageError(reasons[0])
    for one in choice:
        must_name_something(one.spec, one.config, options.specs)
    if 0 < options.concurrency < workers:
        raise UsageError(
            f"-n {workers} is more than the {options.concurrency} exchanges that may be in flight",
            hint=f"--concurrency {workers}, or fewer processes",
        )
    return choice
