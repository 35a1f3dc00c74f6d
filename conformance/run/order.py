"""The order in which scenarios are begun and judged: what takes longest first, so that nothing waits alone at the end.

Requests of a scenario that depend on each other are sent one after the other, whatever may be in flight. So a run lasts
at least as long as its longest chain of requests, and only that long if each chain begins early enough.

A budget may end a run before everything is sent. Then what shows most bad targets for its price comes first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from conformance.requests.profile import Profile
from conformance.scenarios.scenario import Scenario
from conformance.spec.choices import choice_of
from conformance.spec.spec import Spec

__all__ = ["best_of", "queued"]


def best_of(spec: Spec, profile: str) -> tuple[str, ...]:
    """The ids of scenarios that show most bad targets for what they cost, the best first; empty if nobody weighed any.

    Those of a profile that sends everything are the whole scenarios of the profile standard. A version without data has
    the order of the nearest one's ``quick``.
    """
    whole = profile in Profile.WHOLE
    if whole and Profile.STANDARD in spec.profiles:
        return tuple(spec.profiles[Profile.STANDARD].get("order", ()))
    choice = choice_of(spec, Profile.QUICK if whole else profile)
    return choice.order if choice is not None else ()


def queued(scenarios: Iterable[Scenario], best: Sequence[str] = ()) -> tuple[Scenario, ...]:
    """The scenarios, the longest chains first; those that are alike keep their order. Before all others come those that
    ``best`` names by id, in its order, each behind what creates its objects.

    Scripts come before corpora: they are chains from end to end, and some wait. A script's bound of requests tells how
    long its chain may be. A corpus creates its objects one after the other and then sends all cases together; its chain
    goes on in those that it creates objects for.
    """
    given = tuple(scenarios)
    known = {each.id: each for each in given}
    users: dict[str, list[Scenario]] = defaultdict(list)
    for each in given:
        for maker in {one.scenario for one in each.given.values()}:
            users[maker].append(each)
    lengths: dict[str, int] = {}

    def length(each: Scenario) -> int:
        if each.id not in lengths:
            lengths[each.id] = 0  # nothing creates what it needs itself, but a wrong table may say so
            own = len(dict.fromkeys(case.id for case in each.setup)) + 1 if each.is_corpus else each.requests
            lengths[each.id] = own + max(map(length, users[each.id]), default=0)
        return lengths[each.id]

    rest = sorted(known.values(), key=lambda each: (each.is_corpus, -length(each)))
    first = dict.fromkeys(maker for id in best if id in known for maker in _with_makers(known[id], known))
    return (*(known[id] for id in first), *(each for each in rest if each.id not in first))


def _with_makers(scenario: Scenario, known: Mapping[str, Scenario], above: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the ids of the scenarios that create objects for one, each behind its own, and then that one's id."""
    for each in scenario.given.values():
        if each.scenario in known and each.scenario not in (*above, scenario.id):
            yield from _with_makers(known[each.scenario], known, (*above, scenario.id))
    yield scenario.id
