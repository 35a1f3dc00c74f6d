"""``python tests/matrix --requests VERSION …``: which requests the small profiles send, as ``profiles.toml``.

What a profile shows is not only computed: each profile is sent to every bad target. A way that didn't suffice is struck
off, and the computation is repeated, until nothing is missing of what it promises.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from attribution import Shown, Stage, Target, targets_of
from attrs import evolve, field, frozen
from covering import Chosen, Prices, Way, cover, ordered, shown_by, suffices

from conformance.corpus.corpus import Corpus, build_corpus
from conformance.emulator.behaviour import DEFAULT_DEPLOYMENTS
from conformance.requests.case import Expect
from conformance.requests.case_names import named_cases
from conformance.requests.profile import Profile
from conformance.requests.selectors import shape_of
from conformance.run.plan import plan
from conformance.scenarios.corpus_scenario import corpus_scenarios
from conformance.scenarios.scenario import Scenario
from conformance.spec.loading import load
from conformance.spec.spec import Spec
from conformance.target.preflight import probes

__all__ = ["SHARES", "Sizes", "choose", "curve", "recorded", "sizes"]

#: The least share of what standard shows, and the most requests and tokens: a number, or a share of those of standard.
SMOKE_SHARE, SMOKE_REQUESTS = 0.90, 150
QUICK_SHARE, QUICK_PART = 0.97, 0.25
SHARES = {Profile.SMOKE: SMOKE_SHARE, Profile.QUICK: QUICK_SHARE}

#: How the names begin of what every profile asks for, beside those of bad targets.
FLOOR = "floor: "

#: How many ways of a bad target are tried by themselves, if it isn't shown as it should be.
TRIED = 40

#: How often a profile is sent and computed again. What is missing then is told.
ROUNDS = 3

CAPABILITIES = frozenset().union(*(one.abilities for one in DEFAULT_DEPLOYMENTS))


@frozen
class Sizes:
    """What a profile sends to the emulator: requests with the preflight, without removal, and tokens as planned."""

    requests: int
    tokens: int


def sizes(spec: Spec, scenarios: Iterable[Scenario], steps: Mapping[str, int]) -> Sizes:
    """The sizes of some scenarios. ``steps`` are the requests that each script sent; the declared ones are a bound."""
    every = tuple(scenarios)
    sent = sum(one.requests if one.is_corpus else steps[one.id] for one in every)
    bill = plan(spec, every, capabilities=CAPABILITIES)
    return Sizes(sent + len(probes(spec, CAPABILITIES)), bill.total.tokens)


# -- what shows which target ------------------------------------------------------------------------------------------

_stages: dict[str, Stage] = {}


def _begin(spec: Spec, profile: str) -> None:
    """Make the stage of a process of the pool."""
    _stages["here"] = Stage(spec, profile)


def _shown(target: Target) -> Shown:
    # Of a profile that is chosen already, the outcome is wanted alone.
    stage = _stages["here"]
    return stage.shown(target, first=stage.profile != Profile.STANDARD)


def recorded(spec: Spec, profile: str, jobs: int, file: Path | None = None) -> dict[str, Shown]:
    """What becomes of each bad target at a profile, by name. ``file`` keeps it, and is read instead of trying again."""
    found = {one.target.name: one for one in _read(file)}
    left = [one for one in targets_of(spec) if one.name not in found]
    with Pool(jobs, _begin, (spec, profile)) as pool:
        for shown in pool.imap_unordered(_shown, left):
            found[shown.target.name] = shown
            if file is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("a", encoding="utf-8") as out:
                    out.write(_line(shown))
    return {one.name: found[one.name] for one in targets_of(spec)}


def _line(shown: Shown) -> str:
    row = {
        "kind": shown.target.kind,
        "name": shown.target.name,
        "word": shown.word,
        "met": shown.met,
        "ways": [[scenario, sorted(cases)] for scenario, cases in shown.ways],
    }
    return json.dumps(row) + "\n"


def _read(file: Path | None) -> Iterator[Shown]:
    if file is None or not file.exists():
        return
    for line in file.read_text("utf-8").splitlines():
        row = json.loads(line)
        ways = tuple((scenario, frozenset(cases)) for scenario, cases in row["ways"])
        yield Shown(Target(row["kind"], row["name"]), row["word"], ways, row["met"])


# -- what to send -----------------------------------------------------------------------------------------------------


@frozen(slots=False)
class _Problem:
    """One version: what standard sends, what it shows, and what each part of it costs."""

    stage: Stage
    standard: Mapping[str, Shown]
    prices: Prices
    whole: Sizes
    steps: Mapping[str, int]
    better: dict[str, list[Way]] = field(factory=dict)

    @cached_property
    def plain(self) -> Corpus:
        """The plainest requests of all operations."""
        return build_corpus(_with(self.stage.spec, Profile.QUICK, {}), Profile.QUICK, cached=False)

    def ways(self, shown: Shown) -> Sequence[Way]:
        """The ways to show a bad target, as far as they are known to suffice or not known not to."""
        return self.better.get(shown.target.name, shown.ways)

    @property
    def targets(self) -> dict[str, list[Way]]:
        """The ways of each target that standard shows, without those that didn't suffice, and those of the floor."""
        bad = {name: list(self.ways(one)) for name, one in self.standard.items() if one.word}
        return bad | self.floor

    @cached_property
    def floor(self) -> dict[str, list[Way]]:
        """What every profile asks for, whatever it shows: each protocol of streams, and who may ask in which version.

        A server whose streams are broken, or that asks nobody for a key, must not be green for want of a request.
        """
        found: dict[str, list[Way]] = {}
        for one in self.stage.scenarios:
            for case in one.cases:
                way = one.id, frozenset((case.id,))
                shape = shape_of(self.stage.spec, case)
                if shape is not None and case.expect is Expect.ACCEPT:
                    found.setdefault(f"{FLOOR}{shape.protocol}", []).append(way)
                if case.role.startswith(("probe.auth.", "probe.api-version.")):
                    found.setdefault(f"{FLOOR}{case.role}", []).append(way)
        return found


def _problem(spec: Spec, standard: Mapping[str, Shown]) -> _Problem:
    stage = Stage(spec)
    steps = {one.id: len(stage.good[one.id].observations) for one in stage.scenarios}
    whole = sizes(spec, stage.scenarios, steps)
    scripts, cases, opening = {}, {}, {}
    for one in stage.scenarios:
        scripts[one.id] = (steps[one.id], one.tokens)
        if one.is_corpus:
            fresh = {seen.case.step for seen in stage.good[one.id] if seen.case.step.count(".") > 1}
            each = {case.id: sum(step.endswith(case.id) for step in fresh) for case in one.cases}
            cases |= {(one.id, case.id): (1 + each[case.id], case.cost.tokens) for case in one.cases}
            opening[one.id] = len({seen.case.step for seen in stage.good[one.id] if seen.case.step} - fresh)
    prices = Prices(scripts, cases, opening, max(whole.tokens / whole.requests, 1.0))
    return _Problem(stage, standard, prices, whole, steps)


def _table(problem: _Problem, kept: Iterable[Way]) -> dict[str, Any]:
    """Order and names of what is chosen, as the data says it."""
    order: dict[str, None] = {}
    requests: dict[str, list[str]] = {}
    corpora = {one.id: one for one in problem.stage.scenarios if one.is_corpus}
    names: dict[str, dict[str, str]] = {}
    for scenario, cases in kept:
        order[scenario] = None
        if scenario in corpora:
            one = corpora[scenario]
            if scenario not in names:
                names[scenario] = {case.id: name for name, case in named_cases(one.cases).items()}
            mine = requests.setdefault(one.operations[0], [])
            wanted = sorted(cases) or [case.id for case in one.cases]
            mine += [names[scenario][case] for case in wanted if names[scenario][case] not in mine]
    return {"order": list(order), "requests": requests}


def _with(spec: Spec, profile: str, table: Mapping[str, Any]) -> Spec:
    """The version with what a profile sends. Its numbers aren't known yet."""
    numbers = {"shown": 0, "known": 0, "requests_sent": 0, "tokens": 0}
    return evolve(spec, profiles={**spec.profiles, profile: {**numbers, **table}})


def _corrected(problem: _Problem, chosen: Chosen, met: Mapping[str, Shown], jobs: int) -> bool:
    """Correct the ways of bad targets that should be shown and aren't. False if there is nothing to correct.

    Each of their ways is tried by itself. What suffices so, and yet isn't seen, is disturbed by other requests.
    """
    promised = shown_by(chosen, problem.targets) - set(problem.floor)
    lost = [one for name, one in problem.standard.items() if name in promised and met[name].word != one.word]
    with Pool(jobs, _begin, (problem.stage.spec, Profile.STANDARD)) as pool:
        proved = pool.map(_proved, [evolve(one, ways=tuple(problem.ways(one))) for one in lost], chunksize=1)
    for one, ways in zip(lost, proved, strict=True):
        problem.better[one.target.name] = [way for way in ways if not suffices(way, chosen)]
    return bool(lost)


def _proved(shown: Shown) -> tuple[Way, ...]:
    return _stages["here"].proved(shown, TRIED)


@frozen
class Result:
    """A profile as data, with the names of the bad targets that it doesn't show although standard does.

    Those of standard are all that it doesn't show.
    """

    table: Mapping[str, Any]
    lost: tuple[str, ...]


@frozen
class Aim:
    """What a profile has to show, as a share of what standard shows, and what it may take at most."""

    profile: str
    share: float
    most: Sizes


def _solved(problem: _Problem, aim: Aim, start: Chosen, jobs: int) -> tuple[Chosen, Result]:
    """A profile that reaches its aim, if the bounds allow it, proved by sending it to every bad target."""
    spec, chosen, result = problem.stage.spec, start, Result({}, ())
    wanted = aim.share * sum(1 for one in problem.standard.values() if one.word)
    floor = frozenset(problem.floor)

    def enough(shown: frozenset[str]) -> bool:
        return floor <= shown and len(shown - floor) >= wanted

    for _ in range(ROUNDS):
        chosen = cover(problem.targets, problem.prices, enough, start)
        table, size = _bounded(problem, aim, chosen, len(start))
        chosen = dict(table.pop("chosen"))
        met = recorded(_with(spec, aim.profile, table), aim.profile, jobs)
        good = {name for name, one in met.items() if one.word and one.word == problem.standard[name].word}
        lost = sorted(name for name, one in problem.standard.items() if one.word and name not in good)
        result = Result({**_numbers(len(good), problem.standard, size), **table}, tuple(lost))
        if len(good) >= wanted or not _corrected(problem, chosen, met, jobs):
            break
    return chosen, result


def _bounded(problem: _Problem, aim: Aim, chosen: Chosen, least: int) -> tuple[dict[str, Any], Sizes]:
    """What is chosen as data, without the least worthy parts that exceed its bounds, and its sizes. The prices only
    estimate them.
    """

    def size_of(kept: Sequence[Way]) -> Sizes:
        return sizes(problem.stage.spec, _sent(problem, aim.profile, kept), problem.steps)

    def fits(size: Sizes) -> bool:
        return size.requests <= aim.most.requests and size.tokens <= aim.most.tokens

    kept, over = [*ordered(chosen, problem.targets, problem.prices)], list[Way]()
    while len(kept) > least and not fits(size_of(kept)):
        over.append(kept.pop())
    # A long script may have no room where a few requests behind it have.
    for part in reversed(over):
        if fits(size_of([*kept, part])):
            kept.append(part)
    return {**_table(problem, kept), "chosen": dict.fromkeys(kept)}, size_of(kept)


def _sent(problem: _Problem, profile: str, kept: Iterable[Way]) -> tuple[Scenario, ...]:
    """The scenarios of a profile of which this is chosen, made from those of standard: deriving them takes long."""
    wanted: dict[str, set[str]] = {}
    for scenario, cases in kept:
        wanted.setdefault(scenario, set()).update(cases)
    parts = {}
    for operation, part in problem.stage.corpus.operations.items():
        ids = wanted.get(f"corpus.{operation}")
        if ids is not None:
            parts[operation] = evolve(part, cases=tuple(one for one in part.cases if not ids or one.id in ids))
        elif profile == Profile.QUICK:
            parts[operation] = problem.plain.operations[operation]
    corpora = corpus_scenarios(Corpus(problem.stage.spec, profile, 0, parts))
    return (*corpora, *(one for one in problem.stage.scenarios if one.id in wanted and not one.is_corpus))


def curve(problem: _Problem) -> Iterator[tuple[int, int]]:
    """Yield how many requests show each tenth of what standard shows, in percent, by the arithmetic."""
    floor, names = frozenset(problem.floor), problem.targets
    aim = sum(1 for one in problem.standard.values() if one.word)
    kept: list[Way] = []
    share = 50
    for part in ordered(cover(names, problem.prices, lambda _: False), names, problem.prices):
        kept.append(part)
        while share <= 100 and 100 * len(shown_by(dict.fromkeys(kept), names) - floor) >= share * aim:
            size = sizes(problem.stage.spec, _sent(problem, Profile.SMOKE, kept), problem.steps)
            yield share, size.requests
            share += 10


def _numbers(shown: int, known: Mapping[str, Shown], size: Sizes) -> dict[str, int]:
    """The numbers of a profile, as the data says them."""
    met = sum(1 for one in known.values() if one.met)
    return {"shown": shown, "known": met, "requests_sent": size.requests, "tokens": size.tokens}


def choose(version: str, jobs: int, kept: Path | None) -> tuple[dict[str, Result], dict[str, dict[int, int]]]:
    """The small profiles of a version, the numbers and the order of the profile standard, and the curves: requests by
    percent, of a choice of requests and of a run of standard that ends early.

    ``smoke`` is as small as its share allows. ``quick`` shows as much as its bounds allow.
    """
    spec = evolve(load(version), profiles={})
    # What is kept of other requests than today's would name cases that aren't sent.
    digest = build_corpus(spec, Profile.STANDARD).digest[:12]
    standard = recorded(spec, Profile.STANDARD, jobs, kept and kept / f"shown-{version}-{digest}.jsonl")
    problem = _problem(spec, standard)
    shown = sum(1 for one in standard.values() if one.word)
    whole = problem.whole
    most = Sizes(int(whole.requests * QUICK_PART), int(whole.tokens * QUICK_PART))
    small = Sizes(min(SMOKE_REQUESTS, most.requests), most.tokens)
    smoke, first = _solved(problem, Aim(Profile.SMOKE, SMOKE_SHARE, small), {}, jobs)
    _, second = _solved(problem, Aim(Profile.QUICK, 1.0, most), smoke, jobs)
    unseen = sorted(name for name, one in standard.items() if one.met and not one.word)
    order = _by_worth(problem)
    everything = Result({**_numbers(shown, standard, whole), "order": order}, tuple(unseen))
    found = {Profile.SMOKE: first, Profile.QUICK: second, Profile.STANDARD: everything}
    return found, {"chosen": dict(curve(problem)), "standard, ended early": dict(_ended_early(problem, order))}


def _as_whole(problem: _Problem) -> dict[str, list[Way]]:
    """The ways of each target, each scenario taken whole."""
    return {
        name: [(scenario, frozenset()) for scenario in dict.fromkeys(way[0] for way in ways)]
        for name, ways in problem.targets.items()
    }


def _ended_early(problem: _Problem, order: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield how many requests a run of standard in this order has sent when it has shown each tenth, in percent."""
    names = {name: ways for name, ways in _as_whole(problem).items() if name not in problem.floor and ways}
    sent, share = 0, 50
    taken: Chosen = {}
    for scenario in order:
        sent += problem.steps[scenario]
        taken[scenario, frozenset()] = None
        while share <= 100 and 100 * len(shown_by(taken, names)) >= share * len(names):
            yield share, sent
            share += 10


def _by_worth(problem: _Problem) -> list[str]:
    """The scenarios that show something, each taken whole, in the order in which they show most for their price."""
    whole = _as_whole(problem)
    prices = {
        one.id: (problem.steps[one.id], sum(case.cost.tokens for case in one.cases) if one.is_corpus else one.tokens)
        for one in problem.stage.scenarios
    }
    known = dict.fromkeys(way for ways in whole.values() for way in ways)
    return [scenario for scenario, _ in ordered(known, whole, evolve(problem.prices, scripts=prices))]
