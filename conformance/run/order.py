"""The order in which scenarios are begun and judged: what takes longest first, so that nothing waits alone at the end.

Requests of a scenario that depend on each other are sent one after the other, whatever may be in flight. So a run lasts
at least as long as its longest chain of requests, and only that long if each chain begins early enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from conformance.scenarios.scenario import Scenario

__all__ = ["queued"]


def queued(scenarios: Iterable[Scenario]) -> tuple[Scenario, ...]:
    """The scenarios, the longest chains first; those that are alike keep their order.

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

    return tuple(sorted(known.values(), key=lambda each: (each.is_corpus, -length(each))))
