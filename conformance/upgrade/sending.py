"""Sends the requests of a plan under both versions, by the engine of a run: its guards, limits, journal and removal.

Nothing is judged here. What was created is removed at the end, under each version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve, field, frozen

from conformance.corpus.corpus import OperationCorpus
from conformance.errors import UsageError
from conformance.evidence.exchange import Exchange
from conformance.migration.conclusion import EMBEDDED
from conformance.requests.case import Case
from conformance.requests.wire import placeholders
from conformance.run.choice import Chosen
from conformance.run.known_failures import KnownFailures
from conformance.run.opening import Identity, Opened, opened, started
from conformance.run.order import queued
from conformance.run.process import Process
from conformance.run.runner import Event, Runner
from conformance.run.scenario_settings import settings_of
from conformance.scenarios.corpus_scenario import corpus_scenario
from conformance.scenarios.scenario import Scenario
from conformance.settings import configuration
from conformance.settings.applied import configured
from conformance.settings.options import Options
from conformance.spec.spec import Spec
from conformance.target.cleanup import Cleaned, clean
from conformance.target.journal import Journal
from conformance.target.journal_folder import default_folder
from conformance.target.limits import NOTHING, Allowance
from conformance.target.target import Target
from conformance.upgrade.probing import Plan
from conformance.upgrade.sides import Side

__all__ = ["Answers", "Sent", "sent"]


@frozen
class Answers:
    """What was answered under one version: exchanges by case id, and why operations were not asked to the end."""

    exchanges: Mapping[str, Exchange] = field(factory=dict, repr=False)
    ended: Mapping[str, str] = field(factory=dict)


@frozen
class Sent:
    """What a target answered under both versions. ``notes`` are what its owner should know, such as leftovers."""

    target: str
    old: Answers
    new: Answers
    notes: tuple[str, ...] = ()

    @property
    def requests(self) -> tuple[int, int]:
        """The numbers of requests that were sent."""
        return len(self.old.exchanges), len(self.new.exchanges)


def sent(old: Side, new: Side, plan: Plan, options: Options, notify: Callable[[Event], None] | None = None) -> Sent:
    """Send a plan to the target of the options, or to embedded emulators, one for each version, if there is none.

    Raises :class:`UsageError` or :class:`Unreachable` if nothing can be asked.
    """
    config = configured(options)
    _check_apart(old.spec, new.spec, config.target)
    run = Identity.new(Path(), config.budget.wall_seconds)
    process = Process()
    allowance = process.allowance(config, NOTHING, run.until)
    notes: list[str] = []
    found = []
    for side in (old, new):
        with ExitStack() as stack:
            known = KnownFailures(side.spec.version, datetime.now(UTC).date(), ())
            chosen = Chosen(side.spec, options, config, known)
            one = opened(chosen, run, allowance, started(chosen, stack), process)
            scenarios = tuple(_scenarios(side, plan))
            answers, told = _Sending(one, side, run, process, allowance, notify).answers(scenarios)
            found.append(answers)
            notes += [f"{side.spec.version}: {note}" for note in told]
            target = EMBEDDED if one.embedded else one.config.target.url
    return Sent(target, found[0], found[1], tuple(notes))


def _check_apart(old: Spec, new: Spec, target: configuration.Target) -> None:
    """Raise :class:`UsageError` if the configuration would address both versions in one way: nothing could differ."""
    same = (
        ("api_version", target.api_version is not None),
        ("base_path", target.base_path is not None and old.base_path != new.base_path),
    )
    for key, set_ in same:
        if set_:
            raise UsageError(
                f"[target] {key} would be sent under {old.version} and {new.version} alike",
                hint="leave the key out: each version is addressed as its document says",
            )


def _harmless(case: Case) -> bool:
    """True for a request that names and makes no object.

    Only such a one is sent to a version that does not have its operation: what another one made could not be removed,
    because the version has no operation for that either.
    """
    return not case.creates and case.undo is None and _bound_by(case, _ALWAYS)


#: The placeholders that every target fills in.
_ALWAYS = frozenset({"deployment", "run"})


def _bound_by(case: Case, known: Set[str]) -> bool:
    """True if every placeholder of a request gets a value."""
    return all(name in known or name.startswith("deployment.") for name in placeholders(case))


def _scenarios(side: Side, plan: Plan) -> Iterator[Scenario]:
    """Yield one scenario for each operation, with the setup that its derived requests need."""
    for name, pairs in plan.pairs.items():
        own = side.corpora.get(name)
        setup = own.setup if own is not None else ()
        fresh = own.fresh if own is not None else ()
        # A request of the other version may name an object that the setup of this one doesn't create.
        there = {*_ALWAYS, *(made for case in (*setup, *fresh) for made in case.creates)}
        asked = (pair.under(side) for pair in pairs)
        cases = {case.id: case for case in asked if _bound_by(case, there) and (side.has(case) or _harmless(case))}
        if not cases:
            continue
        resource = own.resource if own is not None else name.split(".", maxsplit=1)[0]
        yield corpus_scenario(OperationCorpus(name, resource, tuple(cases.values()), setup, fresh))


@frozen
class _Sending:
    """One version at an open target."""

    one: Opened
    side: Side
    run: Identity
    process: Process
    allowance: Allowance
    notify: Callable[[Event], None] | None

    def answers(self, scenarios: Sequence[Scenario]) -> tuple[Answers, list[str]]:
        """Send scenarios and remove what they created: (the answers, what is left)."""
        one, version = self.one, self.side.spec.version
        options, config = one.chosen.options, one.config
        flight = self.process.in_flight(options, live=config.target.protected)
        with Journal(
            default_folder(),
            target=config.target.url,
            api_version=version,
            sync=not one.embedded,
            embedded=one.embedded,
        ) as journal:
            with Target(
                config, self.side.spec, journal=journal, run_id=self.run.id, allowance=self.allowance
            ) as target:
                if one.found.accepted:
                    target.trust_key()
                try:
                    answers = self._sent(target, scenarios, flight)
                finally:
                    # The objects of an embedded emulator end with its process.
                    cleaned = Cleaned() if one.embedded else clean(target, journal, options.cleanup_timeout, flight)
            if one.embedded:
                journal.forget()
        return answers, [f"left behind: {each.text}" for each in cleaned.left]

    def _sent(self, target: Target, scenarios: Sequence[Scenario], flight: int) -> Answers:
        exchanges: dict[str, Exchange] = {}
        ended: dict[str, str] = {}
        with Runner(
            self.side.spec,
            queued(scenarios),
            (),
            target,
            concurrency=flight,
            # Each probe counts, whatever the others are answered with.
            settings=evolve(settings_of(target), give_up_after=0),
            preflight=self.one.found,
            notify=self.notify,
            until=self.run.until,
        ) as runner:
            for scenario in scenarios:
                trace = runner.trace(scenario.id)
                exchanges |= {seen.case.id: seen.exchange for seen in trace}
                if trace.ended:
                    ended[scenario.operations[0]] = trace.ended
        return Answers(exchanges, ended)
