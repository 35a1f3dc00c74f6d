"""Counterexamples walked along good traffic, offline.

Good traffic is what the emulator's pure application answers. A scripted scenario is played again on the broken answers,
because what it sends next depends on them; the requests of a corpus depend on nothing, so its answers are changed where
they stand and only those that changed are judged again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache, cached_property
from itertools import islice
from unittest.mock import patch

import offline
from attrs import field, frozen
from imported import all_versions, spec_of
from served import ORDINARY

from conformance.emulator.app import App
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging import judge as judging
from conformance.judging.check import Check, Scope
from conformance.judging.judge import judge
from conformance.run.selection import Item, checks_of, items_of, scenarios_in
from conformance.scenarios.registry import scenarios_of
from conformance.scenarios.scenario import Scenario
from conformance.settings.options import Options
from conformance.spec.loading import versions
from conformance.spec.spec import Spec
from conformance.verdict import Level, Outcome, Verdict

#: The bytes of a large answer.
LARGE = 100_000

#: How many earlier exchanges a counterexample can look back on, as in the emulator's front.
MEMORY = 200

WRONG = (Outcome.FAIL, Outcome.ERROR)


def order() -> tuple[str, ...]:
    """The api-versions: one with few requests first, then the newest, so that few are needed; drafts and imported ones
    for what only they have.
    """
    ordinary = (name for name in versions() if name == ORDINARY)  # not there where somebody works with a few versions
    return tuple(dict.fromkeys((*ordinary, *all_versions())))


#: Operations whose standard requests the ordinary tests need besides those of smoke: some checks have their only good
#: traffic there. Each in one version, because deriving them takes seconds.
NEEDED = {
    "v1-preview": ("responses.create", "chat.completions.create", "fine_tuning.alpha.graders.run"),
    "v1": ("files.create",),
}


def few_requests(spec: Spec) -> tuple[Scenario, ...]:
    """All scripts, with the corpora of smoke: those of standard take seconds to derive in the newest versions."""
    corpora = {one.id: one for one in scenarios_in(spec, Options(profile="smoke")) if one.is_corpus}
    if spec.version in NEEDED:
        # By way of the cache all operations would be derived.
        chosen = scenarios_in(spec, Options(operations=NEEDED[spec.version], no_cache=True))
        corpora |= {one.id: one for one in chosen if one.is_corpus}
    return (*corpora.values(), *scenarios_of(spec, Options().profile))


@frozen
class Broken:
    """What the checks say of one scenario whose answers were changed, by check id."""

    scenario: str
    verdicts: Mapping[str, Verdict] = field(repr=False)

    @property
    def failed(self) -> frozenset[str]:
        """The checks that fail, or crash."""
        return frozenset(name for name, verdict in self.verdicts.items() if verdict.outcome in WRONG)


class Stage:
    """Good traffic of one api-version, and its verdicts."""

    def __init__(self, version: str, scenarios: Iterable[Scenario]) -> None:
        self.spec = spec_of(version)
        self.scenarios = {scenario.id: scenario for scenario in scenarios}
        self.items = items_of(self.spec, self.scenarios.values(), checks_of(Options()))
        self.answer = offline.answering(App([self.spec]), self.spec)
        self._known: dict[str, Verdict] = {}

    @cached_property
    def traces(self) -> Mapping[str, Trace]:
        """What good traffic looks like, by scenario."""
        return {name: offline.play(self.spec, scenario, self.answer) for name, scenario in self.scenarios.items()}

    @cached_property
    def verdicts(self) -> Mapping[str, Verdict]:
        """The verdicts on good traffic, by item id."""
        return {item.id: self._verdict(item) for item in self.items}

    def _verdict(self, item: Item) -> Verdict:
        if item.id not in self._known:
            self._known[item.id] = judge(self.spec, item.check, self.traces[item.scenario])
        return self._known[item.id]

    @cached_property
    def _items(self) -> tuple[Mapping[str, Sequence[Item]], Mapping[str, Sequence[Item]]]:
        """The items by check and by scenario."""
        by_check: dict[str, list[Item]] = {}
        by_scenario: dict[str, list[Item]] = {}
        for item in self.items:
            by_check.setdefault(item.check.id, []).append(item)
            by_scenario.setdefault(item.scenario, []).append(item)
        return by_check, by_scenario

    def of(self, check: Check) -> Iterator[Verdict]:
        """The verdicts of one check on good traffic. Each is found out when it is asked for."""
        return map(self._verdict, self._items[0].get(check.id, ()))

    def judging(self, scenario: str) -> tuple[Check, ...]:
        """The checks that have something to say about good traffic of a scenario."""
        items = self._items[1].get(scenario, ())
        return tuple(item.check for item in items if self._verdict(item).outcome is not Outcome.NOT_APPLICABLE)

    def exercises(self, check: Check) -> bool:
        """True when some good traffic is judged by the check."""
        return any(verdict.outcome is not Outcome.NOT_APPLICABLE for verdict in self.of(check))

    def offered(self, check: Check) -> Iterator[tuple[Exchange, tuple[Exchange, ...]]]:
        """The good exchanges that a check is about, each with those before it."""
        for name in dict.fromkeys(item.scenario for item in self.items if item.check == check):
            seen = self.traces[name].observations
            for place, one in enumerate(seen):
                if check.covers(one.case.operation) and check.about(self.spec, one.case):
                    yield one.exchange, tuple(each.exchange for each in seen[max(0, place - MEMORY) : place])

    def broken(self, check: Check) -> Iterator[Broken]:
        """The scenarios that the check's counterexample changes, smallest first, each with its new verdicts."""
        for name in self._by_size(check):
            yield from self._broken(check, name)

    def some_broken(self, check: Check) -> Iterator[Broken]:
        """Of these, those up to the first in which the rule shows, and one of the others.

        Large answers stay as they are, unless the rule shows nowhere else, and no witnesses are looked for: both take
        most of the time.
        """
        for largest in (LARGE, None):
            for place, name in enumerate(names := self._by_size(check)):
                for one in self._broken(check, name, largest):
                    yield one
                    if shows(check, one.verdicts.get(check.id)):
                        others = sorted(names[place + 1 :], key=lambda other: drawn(f"{check.id} {other}"))
                        more = (each for other in others for each in self._broken(check, other, largest))
                        yield from islice(more, 1)
                        return

    def _by_size(self, check: Check) -> list[str]:
        """All scenarios, in the order in which they are tried.

        Where single exchanges are judged, corpora come first: what is sent there does not depend on time. Those that
        create something come after the others: one creation that breaks is no verdict, and nothing follows it. The
        corpus of a list comes last: alone on a server it shows only what its own setup created.
        """
        single = check.scope is Scope.EXCHANGE

        def size(name: str) -> tuple[int, int]:
            scenario = self.scenarios[name]
            lists = scenario.is_corpus and scenario.operations[0].endswith((".list", ".list_files"))
            creating = not all(case.changes_nothing for case in scenario.cases)
            rank = (3 if lists else int(creating) if scenario.is_corpus else 2) if single else 0
            return rank, len(self.traces[name].observations)

        return sorted(self.scenarios, key=size)

    def _broken(self, check: Check, name: str, largest: int | None = None) -> Iterator[Broken]:
        """One scenario with its new verdicts; nothing where the counterexample changes none of its answers. Those of a
        corpus with more than ``largest`` bytes stay as they are.
        """
        trace = self._changed(check, self.scenarios[name], largest)
        if trace is not None and self.judging(name):
            with nullcontext() if largest is None else unwitnessed():
                verdicts = dict(self._judged(name, *trace))
            yield Broken(name, verdicts)

    def _changed(self, check: Check, scenario: Scenario, largest: int | None) -> tuple[Trace, Trace] | None:
        """The broken trace, and the part of it that differs; None when nothing changed."""
        earlier: list[Exchange] = []
        seen: list[Observation] = []
        differing: list[Observation] = []
        for one in self.traces[scenario.id]:
            large = scenario.is_corpus and largest is not None and size_of(one.exchange) > largest
            made = None if large else check.counterexample(one.exchange, tuple(earlier[-MEMORY:]))
            earlier.append(one.exchange)
            seen.append(one if made is None else Observation(one.case, made))
            if made is not None:
                differing.append(seen[-1])
        if not differing:
            return None
        if scenario.is_corpus:
            return Trace(scenario.id, tuple(seen)), Trace(scenario.id, tuple(differing))
        trace = offline.play(self.spec, scenario, offline.broken(self.answer, check.counterexample))
        return trace, trace

    def _judged(self, scenario: str, whole: Trace, part: Trace) -> Iterator[tuple[str, Verdict]]:
        for check in self.judging(scenario):
            yield (
                check.id,
                judge(self.spec, check, part if check.scope is Scope.EXCHANGE and not check.contrast else whole),
            )


@contextmanager
def unwitnessed() -> Iterator[None]:
    """Judge without a look for witnesses, which takes longer than all the rest. They decide whether there is a pass,
    and say nothing of what fails.
    """
    with patch.object(judging, "find_witness", return_value="not looked for"):
        yield


def size_of(exchange: Exchange) -> int:
    """The bytes of an answer."""
    return sum(len(chunk.data) for chunk in exchange.response.chunks) if exchange.response is not None else 0


def drawn(name: str) -> bytes:
    """The place of a name in an order that has nothing to do with names: always the same."""
    return hashlib.sha256(name.encode()).digest()


@cache
def stage(version: str) -> Stage:
    """The stage of an api-version with its standard requests, once per process."""
    return Stage(version, scenarios_in(spec_of(version), Options()))


@cache
def small_stage(version: str) -> Stage:
    """The same with few requests, but for the first of the versions."""
    return stage(version) if version == order()[0] else Stage(version, few_requests(spec_of(version)))


def first_stage(check: Check) -> Stage | None:
    """The stage of the first api-version whose good traffic the check judges; None where there is none."""
    return next((one for one in stages() if one.exercises(check)), None)


def stages() -> Iterator[Stage]:
    """The stages that ordinary tests look at, each made when it is reached: all small ones, then the whole ones."""
    yield from map(small_stage, order())
    yield from map(stage, order())


def unproven(check: Check) -> str:
    """Why a check can't be proved: what is missing, and what to do about it. For a check that shows nowhere."""
    offered, applied = 0, 0
    for one in map(stage, order()):
        for exchange, earlier in one.offered(check):
            offered += 1
            applied += check.counterexample(exchange, earlier) is not None
    if not offered:
        return (
            f"{check.id}: it is about none of the exchanges with the emulator, in no api-version. Look at its "
            "operations, scenarios and about; where they are right, add a scenario that sends such a request."
        )
    if not applied:
        return (
            f"{check.id}: its counterexample never applied. It returned None for each of the {offered} exchanges with "
            "the emulator that the check is about. Let it change an answer that the check judges (look at its path, "
            "status and fields); where the emulator never gives such an answer, add a scenario that asks for one."
        )
    return (
        f"{check.id}: its counterexample changed {applied} of {offered} exchanges with the emulator, and the check "
        "found nothing wrong in any of them. Let the counterexample break what the check looks at."
    )


def shows(check: Check, verdict: Verdict | None) -> bool:
    """True when a verdict is what a broken rule of this level must give."""
    if verdict is None:
        return False
    if not verdict.findings:
        return False
    return (
        verdict.outcome
        in {
            Level.MUST: (Outcome.FAIL,),
            Level.SHOULD: (Outcome.WARN, Outcome.INCONCLUSIVE),  # some leave the case undecided: the account may be why
            Level.OBS: (Outcome.PASS,),
        }[check.level]
    )
