"""The smallest sets of requests that show most bad targets: a weighted set cover, greedily. Pure.

What may be chosen is a way (``attribution.py``): a script, or requests of a corpus. What it costs depends on what is
chosen already: the first request of a corpus pays for the objects that it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from attrs import frozen

__all__ = ["Chosen", "Prices", "Way", "cover", "ordered", "shown_by", "suffices"]

#: The id of a scenario, and the ids of its cases that suffice; none for all of it.
Way = tuple[str, frozenset[str]]


@frozen
class Prices:
    """What ways cost, each as one number of requests and of tokens.

    ``scripts`` is for scenarios that are taken whole, ``cases`` for single requests, ``opening`` for the objects of a
    corpus. ``tokens_each`` tokens weigh as much as one request.
    """

    scripts: Mapping[str, tuple[int, int]]
    cases: Mapping[tuple[str, str], tuple[int, int]]
    opening: Mapping[str, int]
    tokens_each: float

    def of(self, way: Way, chosen: Chosen) -> tuple[int, int]:
        """Requests and tokens that a way adds to what is chosen."""
        scenario, cases = way
        if way in chosen:
            return 0, 0
        if not cases:
            return self.scripts[scenario]
        new = [self.cases[scenario, case] for case in cases if (scenario, frozenset((case,))) not in chosen]
        opening = 0 if any(known == scenario for known, _ in chosen) else self.opening.get(scenario, 0)
        return opening + sum(one for one, _ in new), sum(tokens for _, tokens in new)

    def weight(self, way: Way, chosen: Chosen) -> float:
        """The same as one number."""
        requests, tokens = self.of(way, chosen)
        return requests + tokens / self.tokens_each


#: Ways with no or one case, in the order in which they were taken.
Chosen = dict[Way, None]


def _parts(way: Way) -> Iterable[Way]:
    """Yield a way as ways with no or one case each."""
    scenario, cases = way
    if not cases:
        yield way
    for case in sorted(cases):
        yield scenario, frozenset((case,))


def suffices(way: Way, chosen: Chosen) -> bool:
    """True if all of a way is chosen."""
    return all(part in chosen for part in _parts(way))


def shown_by(chosen: Chosen, targets: Mapping[str, Iterable[Way]]) -> frozenset[str]:
    """The bad targets that what is chosen shows, by the arithmetic."""
    return frozenset(name for name, ways in targets.items() if any(suffices(way, chosen) for way in ways))


def cover(
    targets: Mapping[str, Iterable[Way]],
    prices: Prices,
    enough: Callable[[frozenset[str]], bool],
    start: Iterable[Way] = (),
) -> Chosen:
    """Take the way that shows most new targets for its price, until those that are shown are ``enough``.

    The result has more than ``start`` only by what is needed: what later ways made superfluous is left out again.
    """
    fixed = dict.fromkeys(part for way in start for part in _parts(way))
    chosen: Chosen = dict(fixed)
    by_way: dict[Way, set[str]] = {}
    for name, ways in targets.items():
        for way in ways:
            by_way.setdefault(way, set()).add(name)
    shown = shown_by(chosen, targets)
    while not enough(shown):
        best: tuple[float, Way] | None = None
        for way, names in by_way.items():
            gain = len(names - shown)
            if gain:
                value = gain / max(prices.weight(way, chosen), 0.001)
                if best is None or value > best[0]:
                    best = value, way
        if best is None:
            break
        chosen.update(dict.fromkeys(_parts(best[1])))
        shown = shown_by(chosen, targets)
    return _pruned(chosen, fixed, targets, prices, len(shown))


def _pruned(chosen: Chosen, fixed: Chosen, targets: Mapping[str, Iterable[Way]], prices: Prices, wanted: int) -> Chosen:
    """What is chosen without what isn't needed any more, the dearest first."""
    kept = dict(chosen)
    for part in sorted(kept, key=lambda part: -prices.weight(part, {})):
        less = {one: None for one in kept if one != part}
        if part not in fixed and len(shown_by(less, targets)) >= wanted:
            kept = less
    return kept


def ordered(chosen: Chosen, targets: Mapping[str, Iterable[Way]], prices: Prices) -> Chosen:
    """What is chosen, in the order in which it shows most new targets for its price."""
    left, taken = dict(chosen), Chosen()
    open_ = {name: [way for way in ways if suffices(way, chosen)] for name, ways in targets.items()}
    open_ = {name: ways for name, ways in open_.items() if ways}
    while left:
        gains = {part: len(shown_by({**taken, part: None}, open_)) if open_ else 0 for part in left}
        best = max(left, key=lambda part: _value(gains[part], prices.weight(part, taken)))
        del left[best]
        taken[best] = None
        for name in shown_by(taken, open_):
            del open_[name]
    return taken


def _value(gain: int, weight: float) -> tuple[float, float]:
    """What a part is worth; of parts that show nothing new, the cheapest first."""
    return gain / max(weight, 0.001), -weight
