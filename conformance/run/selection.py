"""What a run consists of: the scenarios that the options select, and the items made of them.

An item is a scenario and a check. If a corpus has no case that a check could judge, or a script can send none, there is
no item.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from attrs import frozen

from conformance.checks.catalogue import all_checks
from conformance.corpus.corpus import Corpus, build_corpus
from conformance.errors import ConfigError, UsageError
from conformance.judging.check import Check, Scope
from conformance.requests.profile import Profile
from conformance.scenarios.corpus_scenario import corpus_scenarios
from conformance.scenarios.registry import scenarios_of
from conformance.scenarios.scenario import Scenario
from conformance.scenarios.shards import Shard
from conformance.settings.configuration import Config
from conformance.settings.options import Options
from conformance.settings.waivers import Waiver
from conformance.spec.choices import choice_of
from conformance.spec.loading import default_versions, load, versions
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.target.preflight import SERVED_CHECK

__all__ = [
    "Item",
    "checks_of",
    "claimable",
    "corpus_of",
    "default_versions",
    "fits_elsewhere",
    "items_of",
    "must_name_something",
    "nothing_chosen",
    "scenarios_in",
]


@frozen
class Item:
    """One scenario that is judged by one check."""

    version: str
    scenario: str
    check: Check

    @property
    def id(self) -> str:
        """``version:scenario:check``, the same in every process."""
        return f"{self.version}:{self.scenario}:{self.check.id}"


def _fits(name: str, globs: Iterable[str]) -> bool:
    """True if a name matches one of the globs, or if there are none."""
    chosen = tuple(globs)
    return not chosen or any(fnmatchcase(name, glob) for glob in chosen)


def _nearest(glob: str, names: Iterable[str]) -> str:
    """A hint with the names that are most similar to a glob."""
    near = difflib.get_close_matches(glob, [*names], n=2)
    return f"nearest: {', '.join(near)}" if near else ""


def checks_of(options: Options) -> tuple[Check, ...]:
    """The checks that the options select. Raises :class:`UsageError` for a glob that matches none."""
    for glob in options.checks:
        if not any(fnmatchcase(name, glob) for name in all_checks()):
            raise UsageError(f"--check {glob} fits no check", hint=_nearest(glob, all_checks()) or "see: list checks")
    return tuple(check for check in all_checks().values() if _fits(check.id, options.checks))


def nothing_chosen(spec: Spec, options: Options) -> str:
    """Why the options leave nothing of a version to judge; "" if something is left.

    Raises :class:`UsageError` for a glob that matches nothing in any version, which must be a typing error.
    """
    # Without a selection everything is left; deriving the corpus to find that out would take seconds.
    if not (options.operations or options.scenarios or options.families or options.shard or options.checks):
        return ""
    for flag, globs, names_of in (
        ("operation", options.operations, operations_of),
        ("scenario", options.scenarios, _scenario_ids),
    ):
        for glob in globs:
            _must_fit(flag, glob, names_of, spec, options.specs)
    if any(True for _ in _items(spec, scenarios_in(spec, options), checks_of(options))):  # one is enough
        return ""
    given = " ".join(f"{flag} {'|'.join(v) if isinstance(v, list) else v}" for flag, v in options.selection.items())
    return f"nothing is left to judge in {spec.version}, profile {options.profile}, with {given}"


def must_name_something(spec: Spec, config: Config, folder: Path | None) -> None:
    """Raise :class:`ConfigError` for a claim or waiver that matches nothing in any version, which must be a typing
    error.
    """
    for waiver in config.waivers:
        known = [*all_checks(), SERVED_CHECK]
        if not any(fnmatchcase(name, waiver.check) for name in known):
            hint = _nearest(waiver.check, known) or "see: list checks"
            raise ConfigError(f"waiver of {waiver.check} fits no check", where=config.source, hint=hint)
        if not any(waiver.meant_for(name) for name in versions(folder)):
            hint = "see: list versions"
            raise ConfigError(f"{waiver.name} fits no api-version", where=config.source, hint=hint)
    for glob in config.target.unsupported:
        own = claimable(spec)
        if any(fnmatchcase(name, glob) for name in own):
            continue
        if not any(fnmatchcase(name, glob) for other in versions(folder) for name in claimable(load(other, folder))):
            hint = _nearest(glob, own) or "an operation, a resource or a feature; see: list operations"
            raise ConfigError(f"target.unsupported: {glob} fits nothing", where=config.source, hint=hint)


def fits_elsewhere(waiver: Waiver, spec: Spec, folder: Path | None) -> bool:
    """True if a waiver matches something in another api-version than this one."""
    for name in versions(folder):
        if name == spec.version:
            continue
        other = load(name, folder)
        scenarios: list[tuple[str, tuple[str, ...]]] = [(f"corpus.{known}", (known,)) for known in operations_of(other)]
        scenarios += [(one.id, one.operations) for profile in Profile.ALL for one in scenarios_of(other, profile)]
        for check in all_checks().values():
            if any(
                waiver.covers(name, check.id, scenario, operations) and check.concerns(scenario, operations)
                for scenario, operations in scenarios
            ):
                return True
    return False


def claimable(spec: Spec) -> list[str]:
    """The names that ``[target.unsupported]`` may list: operations, resources and features."""
    known = operations_of(spec)
    # Some checks have features that no version lists, such as ``auth``.
    features = {name for check in all_checks().values() for name in check.features}
    return [*known, *{each.resource for each in known.values()}, *sorted({*spec.features, *features})]


def _scenario_ids(spec: Spec) -> list[str]:
    """The ids of all scenarios of a version, in any profile."""
    scripted = (item.id for profile in Profile.ALL for item in scenarios_of(spec, profile))
    return [*(f"corpus.{name}" for name in operations_of(spec)), *scripted]


def _must_fit(what: str, glob: str, names_of: Callable[[Spec], Iterable[str]], spec: Spec, folder: Path | None) -> None:
    """Raise :class:`UsageError` if a glob matches no name in this or another version."""
    own = [*names_of(spec)]
    if any(fnmatchcase(name, glob) for name in own):
        return
    # A name of another version is no typing error: it may be meant for a run over several versions.
    others = (load(name, folder) for name in versions(folder) if name != spec.version)
    if not any(fnmatchcase(name, glob) for other in others for name in names_of(other)):
        raise UsageError(f"--{what} {glob} fits no {what}", hint=_nearest(glob, own) or f"see: list {what}s")


def corpus_of(spec: Spec, options: Options) -> tuple[Scenario, ...]:
    """The corpora of the selected operations, one scenario for each, without empty ones; those of all shards."""
    return corpus_scenarios(_corpus(spec, options), frozenset(options.families))


def _corpus(spec: Spec, options: Options) -> Corpus:
    """All requests to the selected operations."""
    return build_corpus(
        spec,
        options.profile,
        options.seed,
        operations=[name for name in operations_of(spec) if _fits(name, options.operations)],
        expensive=frozenset(options.expensive),
        cached=not options.no_cache,
    )


def scenarios_in(spec: Spec, options: Options) -> tuple[Scenario, ...]:
    """The selected scenarios of this shard: the corpora in the order of the document, then the scripts by id."""
    corpus, families, shard = _corpus(spec, options), frozenset(options.families), Shard.parse(options.shard)
    scripts = tuple(_scripts(spec, options))
    wanted = _wanted(spec, options)
    every = (*corpus_scenarios(corpus, families, wanted), *scripts)
    if shard.n > 1:
        mine = {one.id for one in shard.of(every)}
        # A corpus can't use what that of another shard creates, so those of this one share among themselves.
        kept = (script for script in scripts if script.id in mine)
        every = (*corpus_scenarios(corpus, families, mine.__contains__), *kept)
    return every


def _wanted(spec: Spec, options: Options) -> Callable[[str], bool]:
    """Whether a corpus is sent, by its id. The smallest profile leaves out the operations that its data doesn't name,
    unless they are selected, or the data is that of another version, for which nobody weighed them.
    """
    choice = choice_of(spec, options.profile)
    asked = bool(options.operations or options.scenarios or options.families)
    weighed = options.profile == Profile.SMOKE and choice is not None and choice.version == spec.version
    named = frozenset(choice.order) if choice is not None and weighed and not asked else None
    return lambda name: _fits(name, options.scenarios) and (named is None or name in named)


def _scripts(spec: Spec, options: Options) -> Iterator[Scenario]:
    """Yield the selected scenarios that are no corpora; those of all shards."""
    if options.families and "scenario" not in options.families:
        return
    for item in scenarios_of(spec, options.profile):
        chosen = not options.operations or any(_fits(name, options.operations) for name in item.operations)
        if chosen and _fits(item.id, options.scenarios):
            yield item


def items_of(spec: Spec, scenarios: Iterable[Scenario], checks: Iterable[Check]) -> tuple[Item, ...]:
    """The items of a version, scenario by scenario."""
    return tuple(_items(spec, scenarios, tuple(checks)))


def _items(spec: Spec, scenarios: Iterable[Scenario], checks: tuple[Check, ...]) -> Iterator[Item]:
    """Yield the items of some scenarios."""
    for scenario in scenarios:
        for check in checks:
            if check.concerns(scenario.id, scenario.operations) and _may_judge(spec, scenario, check):
                yield Item(spec.version, scenario.id, check)


def _may_judge(spec: Spec, scenario: Scenario, check: Check) -> bool:
    """False if a corpus has no case, and a script can send none, that the check could judge."""
    if check.scope is Scope.TRACE:
        return True
    if not scenario.is_corpus:
        return check.may_judge(spec, (*scenario.operations, *scenario.uses))
    return any(check.covers(case.operation) and check.about(spec, case) for case in scenario.cases)
