"""The greedy cover: the cheapest ways first, what is superfluous is left out, what can't be had ends it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from covering import Prices, Way, cover, ordered, shown_by

SCRIPT: Way = ("script", frozenset())


def one(case: str, *more: str) -> Way:
    return "corpus", frozenset((case, *more))


PRICES = Prices(
    scripts={"script": (10, 0)},
    cases={("corpus", name): (1, tokens) for name, tokens in (("a", 0), ("b", 0), ("c", 5000))},
    opening={"corpus": 2},
    tokens_each=1000.0,
)


def all_of(number: int) -> Callable[[frozenset[str]], bool]:
    return lambda shown: len(shown) >= number


def test_one_way_that_shows_all_is_enough() -> None:
    targets = {"x": [one("a"), one("b")], "y": [one("b"), SCRIPT], "z": [one("c"), one("b")]}
    assert {one("b"): None} == cover(targets, PRICES, all_of(3))


def test_a_way_of_several_requests_needs_all_of_them() -> None:
    targets = {"x": [one("a", "b")]}
    assert {one("a"): None, one("b"): None} == cover(targets, PRICES, all_of(1))
    assert set() == shown_by({one("a"): None}, targets)


def test_tokens_are_part_of_the_price() -> None:
    """A request of 5000 tokens weighs as much as six, with its objects as eight: less than the script of ten."""
    assert {one("c"): None} == cover({"x": [SCRIPT, one("c")]}, PRICES, all_of(1))
    assert {one("a"): None} == cover({"x": [one("c"), one("a")]}, PRICES, all_of(1))


def test_what_later_ways_made_superfluous_is_left_out() -> None:
    """``a`` shows most for its price at first; ``b`` and the script are needed, and show its targets too."""
    targets = {"p": [one("a"), one("b")], "q": [one("a"), SCRIPT], "r": [one("b")], "s": [SCRIPT]}
    assert {one("b"): None, SCRIPT: None} == cover(targets, PRICES, all_of(4))


def test_what_it_starts_with_stays() -> None:
    assert one("c") in cover({"x": [one("a")]}, PRICES, all_of(1), start=[one("c")])


def test_it_ends_where_nothing_shows_more() -> None:
    assert {one("a"): None} == cover({"x": [one("a")], "y": []}, PRICES, all_of(2))


def test_the_first_in_the_order_shows_most_for_its_price() -> None:
    targets = {"x": [one("a")], "y": [one("b")], "z": [one("b")], "s": [SCRIPT]}
    assert [one("b"), one("a"), SCRIPT] == [*ordered({SCRIPT: None, one("a"): None, one("b"): None}, targets, PRICES)]
