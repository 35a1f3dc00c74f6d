"""Repetitions: what becomes of a verdict if its scenario was sent several times. Pure; ``verify`` uses it too.

The evidence of a repetition is a trace of its own, named ``repeat.<n>.<scenario>``. The first time has the number 1 and
the plain name, so the first repetition is ``repeat.2.…``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from attrs import evolve

from conformance.evidence.outline import Outline
from conformance.evidence.trace import Trace
from conformance.verdict import Outcome, Verdict, fold

__all__ = ["as_first", "as_repetition", "folded", "name_of", "repetitions_in", "scenario_of"]

_NAME = re.compile(r"repeat\.([0-9]+)\.(.+)")

#: The outcomes of a repetition that replace a lighter one of an earlier time.
_HEAVY = (Outcome.ERROR, Outcome.FAIL, Outcome.WARN)

#: Outcomes that say nothing about the target.
_SILENT = (Outcome.UNAVAILABLE, Outcome.INCONCLUSIVE)


def name_of(scenario: str, number: int) -> str:
    """The name of the trace of a scenario that was sent for the ``number``-th time."""
    return scenario if number == 1 else f"repeat.{number}.{scenario}"


def as_repetition(trace: Trace, number: int) -> Trace:
    """The trace of a scenario under the name that it has if it was sent for the ``number``-th time."""
    return trace if number == 1 else evolve(trace, scenario=name_of(trace.scenario, number))


def scenario_of(name: str) -> str:
    """The scenario that a trace shows, by the name of the trace."""
    found = _NAME.fullmatch(name)
    return found[2] if found else name


def as_first(trace: Trace) -> Trace:
    """The trace under the plain name of its scenario, as the judge wants it."""
    name = scenario_of(trace.scenario)
    return trace if name == trace.scenario else evolve(trace, scenario=name)


def repetitions_in(names: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """The repetitions among the names of some traces, by scenario, in the order of their numbers."""
    found: dict[str, list[int]] = {}
    for name in names:
        parts = _NAME.fullmatch(name)
        if parts is not None:
            found.setdefault(parts[2], []).append(int(parts[1]))
    return {scenario: tuple(name_of(scenario, number) for number in sorted(found[scenario])) for scenario in found}


def folded(first: Verdict, again: Sequence[tuple[Outline, Verdict]]) -> Verdict:
    """The verdict of all times. Verdicts are those without waivers; each of ``again`` has the outline of the trace that
    it rests on.

    The heaviest error, failure or warning of all times decides: what a target does wrong only now and then is wrong.
    Otherwise the first verdict stands.
    """
    if not again:
        return first
    worst, shown = first, ""
    for trace, verdict in again:
        heavier = fold((worst.outcome, verdict.outcome)) is not worst.outcome
        if heavier and verdict.outcome in _HEAVY:
            worst, shown = verdict, trace.scenario
    outcomes = [first.outcome, *(verdict.outcome for _, verdict in again)]
    telling = [] if first.outcome in _SILENT else [first.outcome]
    telling += [verdict.outcome for trace, verdict in again if _tells(first, trace, verdict)]
    stable = len(set(telling)) == 1 if len(telling) > 1 else None
    return evolve(
        worst,
        repeats={outcome.value: count for outcome, count in Counter(outcomes).items()},
        stable=stable,
        repetition=shown,
    )


def _tells(first: Verdict, trace: Outline, verdict: Verdict) -> bool:
    """False if a repetition says nothing about the target's stability.

    That is so if the network, the account or the budget ended it. It is also so if a case of a corpus was not sent a
    second time, such as a probe with a wrong key, and nothing else was left to judge.
    """
    if verdict.outcome in _SILENT:
        return False
    if not verdict.outcome.undecided or not first.scenario.startswith("corpus."):
        return True
    return set(first.cases) <= set(trace.cases)
