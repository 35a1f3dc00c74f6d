"""Which requests of a profile suffice to show which bad target. One pass over all mutants and defects of a version.

A bad target is *shown* by a verdict of the heaviest outcome that it gets at all: it fails, or it warns where the rule
is at most a SHOULD. What suffices for that verdict is one way to show it:

* in a corpus, the one request whose answer an exchange check objects to, or the few requests that a trace check needs;
* in a script, the script: its steps depend on each other.

Each scenario meets an emulator with an empty state. So an answer that is the same as that of the good emulator isn't
judged again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TypeVar

import offline
from answers import Change, Remembering
from attrs import define, evolve, field, frozen
from defects import defects
from kills import CORPORA, SHOWN

from conformance.checks.catalogue import all_checks
from conformance.corpus.corpus import Corpus, build_corpus
from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.mutants import Mutant, mutants
from conformance.emulator.store import Clock, Store
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.blocking import Blocked, hiccups
from conformance.judging.check import Check, Scope
from conformance.judging.judge import judge, judge_exchange, outcome_of
from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.requests.request import Request
from conformance.run.selection import items_of, scenarios_in
from conformance.scenarios.corpus_scenario import corpus_scenario
from conformance.scenarios.scenario import Scenario
from conformance.settings.options import Options
from conformance.spec.spec import Spec
from conformance.verdict import Outcome

Part = TypeVar("Part")

__all__ = ["Shown", "Stage", "Target", "targets_of"]

#: What shows a bad target, the heavier first.
SHOWING = (Outcome.FAIL, Outcome.WARN)


@frozen
class Target:
    """A bad target: a mutant of the emulator, or a defect of its answers on the wire."""

    kind: str
    name: str

    @property
    def mutant(self) -> Mutant | None:
        """The mutant, or None for a defect."""
        return mutants()[self.name] if self.kind == "mutant" else None

    @property
    def change(self) -> Change | Remembering | None:
        """What a defect does to each answer, or None for a mutant."""
        return defects()[self.name][1] if self.kind == "defect" else None


@frozen
class Shown:
    """What becomes of a bad target, and the ways to show it.

    ``word`` is the heaviest outcome: ``fail``, ``warn`` or "" for one that isn't shown. A way is the id of a scenario
    with the ids of the cases that suffice; without any, the scenario is needed whole. ``met`` is False if no answer
    differs from that of the good emulator.
    """

    target: Target
    word: str
    ways: tuple[tuple[str, frozenset[str]], ...]
    met: bool = True


def targets_of(spec: Spec) -> tuple[Target, ...]:
    """The bad targets of a version: the mutants that touch it, and all defects."""
    bugs = [Target("mutant", name) for name, one in mutants().items() if one.touches(spec)]
    return (*bugs, *(Target("defect", name) for name in defects()))


@frozen(slots=False, eq=False)
class Stage:
    """The scenarios of a profile, in a version, with what the good emulator answers to them."""

    spec: Spec
    profile: str = Profile.STANDARD
    _checks: dict[str, tuple[Check, ...]] = field(factory=dict, init=False, repr=False)

    @cached_property
    def app(self) -> App:
        """The good emulator."""
        return App([self.spec], Settings(), Clock.fixed())

    @cached_property
    def scenarios(self) -> tuple[Scenario, ...]:
        """All that the profile sends."""
        return scenarios_in(self.spec, Options(profile=self.profile, no_cache=self.profile in Profile.CHOSEN))

    @cached_property
    def good(self) -> dict[str, Trace]:
        """The traces of the good emulator."""
        return {one.id: self._played(self.app, one, None) for one in self.scenarios}

    @cached_property
    def _rules(self) -> dict[str, tuple[tuple[Check, ...], tuple[Check, ...]]]:
        """The exchange checks and the trace checks of each scenario."""
        found: dict[str, tuple[tuple[Check, ...], tuple[Check, ...]]] = {}
        for one in self.scenarios:
            every = [item.check for item in items_of(self.spec, (one,), tuple(all_checks().values()))]
            exchange = tuple(check for check in every if check.scope is not Scope.TRACE)
            found[one.id] = exchange, tuple(check for check in every if check.scope is Scope.TRACE)
        return found

    def shown(self, target: Target, *, first: bool = False) -> Shown:
        """What becomes of a bad target, and each way to show it. ``first``: the first failure is enough."""
        ways: dict[Outcome, dict[tuple[str, frozenset[str]], None]] = {one: {} for one in SHOWING}
        met = False
        for scenario, trace in self.met(target):
            # A defect of the wire that fails where kills.py shows it needs no other place.
            if ways[Outcome.FAIL] and target.kind == "defect" and not _near(scenario):
                break
            met = True
            for outcome, cases in self._objections(scenario, trace):
                ways[outcome].setdefault((scenario.id, cases))
                if first and outcome is Outcome.FAIL:
                    return Shown(target, outcome.value, tuple(ways[outcome]))
        word = next((one for one in SHOWING if ways[one]), None)
        return Shown(target, word.value if word else "", tuple(ways[word]) if word else (), met)

    def proved(self, shown: Shown, most: int) -> tuple[tuple[str, frozenset[str]], ...]:
        """The ways of a bad target, at most so many, that suffice where nothing else is sent.

        In the whole corpus, an earlier request may have left something behind that a later answer shows. If that is so
        of all ways, the fewest requests are searched for that suffice together.
        """
        mutant = shown.target.mutant
        app = self.app if mutant is None else mutant.apply(self.app)

        def enough(way: tuple[str, frozenset[str]]) -> bool:
            # A script was sent by itself already.
            return not way[1] or shown.word == self._alone(app, shown.target.change, way)

        found = tuple(filter(enough, shown.ways[:most]))
        if found or not shown.ways:
            return found
        scenario, ids = shown.ways[0]
        order = [case.id for case in next(one.cases for one in self.scenarios if one.id == scenario)]
        last = max(order.index(id) for id in ids)
        few = _least(tuple(order[: last + 1]), lambda some: enough((scenario, frozenset(some))))
        way = scenario, frozenset(few)
        return (way,) if enough(way) else ()

    def _alone(self, app: App, change: Change | Remembering | None, way: tuple[str, frozenset[str]]) -> str:
        """The heaviest outcome of a bad target that gets only some cases of a corpus; "" if nothing shows it."""
        scenario, ids = way
        part = next(one for one in self.corpus.parts if f"corpus.{one.operation}" == scenario)
        few = corpus_scenario(evolve(part, cases=tuple(case for case in part.cases if case.id in ids)))
        self.good[scenario] = self._played(self.app, few, None)
        said = {outcome for outcome, _ in self._objections(few, self._played(app, few, change))}
        return next((one.value for one in SHOWING if one in said), "")

    @cached_property
    def corpus(self) -> Corpus:
        """The requests of the profile."""
        return build_corpus(self.spec, self.profile)

    def met(self, target: Target) -> Iterator[tuple[Scenario, Trace]]:
        """Yield the scenarios in which some answer of a bad target differs, with their traces."""
        mutant, change = target.mutant, target.change
        app = self.app if mutant is None else mutant.apply(self.app)
        for scenario in sorted(self.scenarios, key=lambda one: not _near(one)) if change else self.scenarios:
            good = self.good[scenario.id]
            # Without a call of a handler that is wrong, nothing differs: neither answers nor what is stored.
            wrapped = mutant is not None and mutant.loosen is None
            if mutant is not None and wrapped and not any(mutant._hits(seen.case.operation) for seen in good):
                continue
            trace = self._played(app, scenario, change)
            if trace != good:
                yield scenario, trace

    def _played(self, app: App, scenario: Scenario, change: Change | Remembering | None) -> Trace:
        """The trace of a scenario at an emulator with an empty state, whose answers go through a change."""
        # Request ids count the answers. They begin anew too, so that equal answers are equal.
        app.store, app.clock.offset, app._served = Store(), 0.0, 0
        plain = offline.answering(app, self.spec)
        # Not in a script: it waits, and what is stored again later has another time.
        if change is not None and scenario.is_corpus:
            plain = _Known(plain, self.good[scenario.id].observations).answer
        made = change.begin() if isinstance(change, Remembering) else change

        def answer(case: Case, request: Request) -> Exchange:
            exchange = plain(case, request)
            return exchange if made is None or _coded(exchange) else made(exchange) or exchange

        return offline.play(self.spec, scenario, answer, wait=app.clock.advance)

    def _objections(self, scenario: Scenario, trace: Trace) -> Iterator[tuple[Outcome, frozenset[str]]]:
        """Yield each outcome that shows a bad target, with the cases that suffice for it (none: the scenario)."""
        exchange_checks, trace_checks = self._rules[scenario.id]
        good, aside = self.good[scenario.id].observations, hiccups(trace)
        for place, seen in enumerate(trace):
            if place in aside or (place < len(good) and good[place] == seen):
                continue
            for check in self._about(exchange_checks, seen.case):
                said = _judged(self.spec, check, seen)
                if said in SHOWING:
                    # What creates an object for other requests is no request that could be chosen.
                    alone = scenario.is_corpus and not seen.case.step
                    yield said, frozenset((seen.case.id,) if alone else ())
        for check in trace_checks:
            if not any(True for _ in check.judge(self.spec, trace)):
                continue
            verdict = judge(self.spec, check, trace)
            if verdict.outcome in SHOWING:
                named = frozenset(one.case_id for one in verdict.findings)
                yield verdict.outcome, self._fewest(check, trace, named) if scenario.is_corpus else frozenset()

    def _about(self, checks: Iterable[Check], case: Case) -> tuple[Check, ...]:
        """The exchange checks that judge a case."""
        if case.id not in self._checks:
            self._checks[case.id] = tuple(
                one for one in checks if one.covers(case.operation) and one.about(self.spec, case)
            )
        return self._checks[case.id]

    def _fewest(self, check: Check, trace: Trace, named: frozenset[str]) -> frozenset[str]:
        """The few cases of a corpus with which a trace check still objects; none if all of them are needed."""
        setup = tuple(seen for seen in trace if seen.case.step)
        cases = tuple(seen for seen in trace if not seen.case.step)

        def objects(some: tuple[Observation, ...]) -> bool:
            return judge(self.spec, check, evolve(trace, observations=(*setup, *some))).outcome in SHOWING

        few = tuple(seen for seen in cases if seen.case.id in named)
        kept = _least(few if few and objects(few) else cases, objects)
        return frozenset(seen.case.id for seen in kept) if len(kept) < len(cases) else frozenset()


def _near(scenario: Scenario) -> bool:
    """True for a scenario that every defect of the wire is shown to first."""
    return any(fnmatchcase(scenario.id, glob) for glob in (*SHOWN, *(f"corpus.{name}" for name in CORPORA)))


@define
class _Known:
    """The answers of the good emulator to requests that it got before, in the same order: they are the same again.

    From the first other request on, it is asked. Then it gets all earlier requests first, for what they stored.
    """

    ask: offline.Answer
    before: tuple[Observation, ...]
    got: list[tuple[Case, Request]] = field(factory=list, init=False)
    asked: bool = field(default=False, init=False)

    def answer(self, case: Case, request: Request) -> Exchange:
        """The answer to the next request."""
        place = len(self.got)
        self.got.append((case, request))
        if not self.asked and place < len(self.before) and _same(self.before[place], case, request):
            return self.before[place].exchange
        if not self.asked:
            self.asked = True
            for earlier in self.got[:-1]:
                self.ask(*earlier)
        return self.ask(case, request)


def _same(seen: Observation, case: Case, request: Request) -> bool:
    """True if a request was sent before as it is now, but for the key."""
    earlier = seen.exchange.request
    return seen.case == case and (earlier.url, earlier.body) == (request.url, request.body)


def _coded(exchange: Exchange) -> bool:
    """True for an answer with a content coding, whose text an intermediary can't edit as it stands."""
    return exchange.response is not None and bool(exchange.response.header("content-encoding"))


def _least(some: tuple[Part, ...], enough: Callable[[tuple[Part, ...]], bool]) -> tuple[Part, ...]:
    """The parts without those that aren't needed: halves are left out first, single ones last."""
    size = len(some) // 2
    while size:
        at = 0
        while at < len(some):
            less = some[:at] + some[at + size :]
            if less and enough(less):
                some = less
            else:
                at += size
        size //= 2
    return some


def _judged(spec: Spec, check: Check, seen: Observation) -> Outcome | None:
    """The outcome of one exchange check on one exchange; None if it can't judge it."""
    said = judge_exchange(spec, check, seen)
    return None if isinstance(said, Blocked) else outcome_of(check, said)
