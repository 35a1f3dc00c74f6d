"""Checks of pagination: changes by other clients during it are no violation, mistakes of the target are."""

from __future__ import annotations

from typing import Any

import pytest
from pages import created, findings, page, seen, spoken, trace, unjudged, walk

from conformance.requests.case import Expect
from conformance.scenarios.lists import MOST_PAGES
from conformance.verdict import Outcome

WALKS = ("lists.has-more", "lists.walk.no-repeat", "lists.walk.complete", "lists.walk.ends", "lists.walk.order")
UNTESTABLE, NONE = Outcome.NOT_TESTABLE, Outcome.NOT_APPLICABLE

MADE = created("abcd")
GOOD = [*MADE, *walk("walk.asc", "ab", "cd"), *walk("walk.desc", "dc", "ba"), *walk("walk.default", "dc", "ba")]


@pytest.mark.parametrize("check", [*WALKS, "lists.order.stable", "lists.walk.changed", "lists.before"])
def test_a_good_walk_gets_no_finding(check: str) -> None:
    assert [] == findings(check, trace(GOOD, walk("walk.again", "ab")))


@pytest.mark.parametrize("check", [*WALKS, "lists.order.opposite", "lists.order.stable"])
def test_without_a_walk_nothing_is_judged_and_the_reason_is_told(check: str) -> None:
    why = "no walk came to its end: the list was not answered, or has none of our objects"
    assert (UNTESTABLE, why) == unjudged(check, trace(MADE))
    assert (UNTESTABLE, why) == unjudged(check, trace())
    cut = trace(MADE, ended="interrupted", outcome=Outcome.INCONCLUSIVE)
    assert (Outcome.INCONCLUSIVE, "interrupted") == unjudged(check, cut)


@pytest.mark.parametrize(
    ("expected", "statuses", "expect"),
    [
        (NONE, (400,), Expect.EITHER),
        (NONE, (404, 499), Expect.EITHER),
        (UNTESTABLE, (399,), Expect.EITHER),
        (UNTESTABLE, (500,), Expect.EITHER),
        (UNTESTABLE, (404, 500), Expect.EITHER),
        (UNTESTABLE, (404,), Expect.ACCEPT),
    ],
)
def test_a_walk_whose_cursor_others_removed_is_not_judged(
    expected: Outcome, statuses: tuple[int, ...], expect: Expect
) -> None:
    """A page after an object that is gone may be refused; a target that fails is no excuse."""
    lost = [seen("walk.asc", {}, {"after": str(n)}, status=s, expect=expect) for n, s in enumerate(statuses)]
    for check in WALKS:
        assert expected == unjudged(check, trace(MADE, lost))[0]


def test_the_pages_before_the_cursor_that_others_removed_are_no_refusals() -> None:
    found = seen("walk.asc", page("a", has_more=True), expect=Expect.EITHER)
    refused = seen("walk.asc", {}, {"after": "a"}, status=404, expect=Expect.EITHER)
    said = unjudged("lists.walk.complete", trace(MADE, [found, refused]))
    assert (NONE, "others removed the cursor of the walk") == said


def test_one_lost_walk_leaves_the_others_to_be_judged() -> None:
    lost = [*walk("walk.asc", "ab"), seen("walk.asc", {}, {"after": "b"}, status=404, expect=Expect.EITHER)]
    assert [] == findings("lists.walk.complete", trace(MADE, lost, walk("walk.desc", "dcba")))
    assert [(None, 6)] == findings("lists.walk.complete", trace(MADE, lost, walk("walk.desc", "dcb")))


def test_an_answer_that_is_no_object_is_no_page_of_a_walk() -> None:
    odd = [seen("walk.asc", [1], {"after": "x"})]
    assert UNTESTABLE == unjudged("lists.walk.complete", trace(MADE, odd))[0]
    assert [] == findings("lists.walk.complete", trace(MADE, odd, walk("walk.asc", "abcd")))


# -- has_more ---------------------------------------------------------------------------------------------------------


def test_true_promises_a_page_with_objects() -> None:
    assert [(None, 4)] == findings("lists.has-more", trace(MADE, walk("walk.asc", "abcd", "")))
    assert [] == findings("lists.has-more", trace(MADE, walk("walk.asc", "abcd")))


@pytest.mark.parametrize(("expected", "last"), [([(None, 4)], "bcd"), ([], "bcdx")])
def test_in_the_list_of_an_account_what_follows_others_may_remove(expected: Any, last: str) -> None:
    """Behind our own last object nothing of theirs can stand in our order; behind theirs it can, and may go."""
    assert expected == findings("lists.has-more", trace(MADE, walk("walk.asc", last, "", after="a")))


def test_the_promise_and_what_came_of_it_are_shown() -> None:
    (found,) = spoken("lists.has-more", trace(MADE, walk("walk.asc", "abcd", "")))
    assert ("False", "True") == (found.expected, found.actual)
    (found,) = spoken("lists.has-more", trace(MADE, walk("walk.asc", "ab", "c")))
    assert ("True", "['d']") == (found.expected, found.actual)
    (found,) = spoken("lists.walk.ends", trace(MADE, walk("walk.asc", "abcd", "", more=True)))
    assert ("False", "True") == (found.expected, found.actual)
    (found,) = spoken("lists.order.opposite", trace(MADE, walk("walk.asc", "ab"), walk("walk.desc", "ac")))
    assert "a" == found.actual


def test_false_promises_that_all_was_shown() -> None:
    assert [(None, 4)] == findings("lists.has-more", trace(MADE, walk("walk.asc", "abc")))
    assert [(None, 5)] == findings("lists.has-more", trace(MADE, walk("walk.asc", "ab", "c")))
    assert [] == findings("lists.has-more", trace(MADE, walk("walk.asc", "abc", more=True)))
    assert [] == findings("lists.has-more", trace(MADE, walk("walk.asc", "bcd", after="a")))
    assert [(None, 4)] == findings("lists.has-more", trace(MADE, walk("walk.asc", "cd", after="a")))


def test_the_objects_of_a_parent_are_those_of_its_list() -> None:
    whole, failed = seen("list.all", page("abc")), seen("list.all", page("xyz"), status=500, step="again")
    assert [(None, 2)] == findings("lists.has-more", trace([whole, failed], walk("walk.asc", "ab")))
    assert [] == findings("lists.has-more", trace([whole, failed], walk("walk.asc", "abc")))
    assert [] == findings("lists.has-more", trace([whole], created("a"), walk("walk.asc", "a")))


def test_what_was_not_created_is_not_missed() -> None:
    refused = [seen("create", {"id": "x"}, status=400, step="x"), seen("create", ["y"], step="y")]
    assert [] == findings("lists.walk.complete", trace(MADE, refused, walk("walk.asc", "abcd")))
    assert [(None, 6)] == findings("lists.has-more", trace(MADE, refused, walk("walk.asc", "bcd", "", after="a")))
    assert [] == findings("lists.walk.changed", trace(MADE, refused, walk("change.page", "dc", "ba", "")))


# -- no repeat, complete, ends ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "pages", "after"),
    [
        ([], ("ab", "cd"), ""),
        ([(None, 5)], ("ab", "bc"), ""),
        ([(None, 6)], ("ab", "cd", "ae"), ""),
        ([], ("bc", "de"), "a"),
        ([(None, 4)], ("ab", "cd"), "a"),
        ([(None, 5)], ("bc", "da"), "a"),
    ],
)
def test_no_object_is_shown_twice(expected: Any, pages: tuple[str, ...], after: str) -> None:
    """Neither on two pages nor where the walk started after it."""
    assert expected == findings("lists.walk.no-repeat", trace(MADE, walk("walk.asc", *pages, after=after)))


def test_two_walks_may_show_the_same_objects() -> None:
    assert [] == findings("lists.walk.no-repeat", trace(walk("walk.asc", "ab"), walk("walk.desc", "ba")))


def test_a_cursor_that_was_not_asked_for_starts_nothing() -> None:
    assert [] == findings("lists.walk.no-repeat", trace([seen("walk.asc", page("ab"), {}, cursor="a")]))


@pytest.mark.parametrize(
    ("expected", "pages", "after"),
    [
        ([], ("abcd",), ""),
        ([], ("axbycd",), ""),
        ([(None, 5)], ("ab", "d"), ""),
        ([], ("bcd",), "a"),
        ([(None, 4)], ("bd",), "a"),
    ],
)
def test_no_object_is_left_out(expected: Any, pages: tuple[str, ...], after: str) -> None:
    assert expected == findings("lists.walk.complete", trace(MADE, walk("walk.asc", *pages, after=after)))


@pytest.mark.parametrize(("found", "further", "more"), [(0, 0, True), (1, 0, False), (1, -1, True), (1, 1, True)])
def test_a_walk_that_we_ended_ourselves_may_leave_objects_out(found: int, further: int, more: bool) -> None:
    story = walk("walk.asc", *("x" for _ in range(MOST_PAGES + further)), more=more)
    assert found == len(findings("lists.walk.complete", trace(MADE, story)))


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ([(None, 4)], page("", has_more=True)),
        ([], page("", has_more=False)),
        ([], page("", has_more="true")),
        ([], page("a", has_more=True)),
        ([], {"data": []}),
    ],
)
def test_an_empty_page_has_nothing_after_it(expected: Any, value: Any) -> None:
    assert expected == findings("lists.walk.ends", trace(MADE, [seen("walk.asc", value)]))


# -- order ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "order", "pages"),
    [
        ([], "asc", ((1, 2), (2, 3))),
        ([(None, 1)], "asc", ((1, 3), (2, 4))),
        ([], "desc", ((4, 3), (3, 1))),
        ([(None, 1)], "desc", ((4, 2), (3, 1))),
        ([(None, 1)], None, ((4, 2), (3, 1))),
        ([], None, ((4, 3), (2, 1))),
        ([(None, 2)], "asc", ((1, 3), (), (2, 4))),
        ([(None, 1)], "asc", ((1, 5), (2, 3), (4, 6))),
        ([], "sideways", ((1, 3), (2, 4))),
    ],
)
def test_a_walk_goes_through_time_in_one_direction(expected: Any, order: str | None, pages: Any) -> None:
    """Between two pages as on one; the same second is no step back, and a page without times is passed over."""
    query = {"order": order} if order else {}
    story = [seen("walk.asc", page("ab"[: len(at)], at), {**query, "n": str(n)}) for n, at in enumerate(pages)]
    assert expected == findings("lists.walk.order", trace(story))


def test_times_of_different_walks_are_not_compared() -> None:
    up = [seen("walk.asc", page("ab", (1, 9)), {"order": "asc"})]
    down = [seen("walk.desc", page("ba", (9, 1)), {"order": "desc"})]
    assert [] == findings("lists.walk.order", trace(down, up))


@pytest.mark.parametrize(
    ("expected", "asc", "desc"),
    [([], "ab", "ba"), ([(None, 5)], "ab", "ab"), ([], "", ""), ([], "ab", ""), ([], "", "ab")],
)
def test_without_times_the_two_orders_begin_with_different_objects(expected: Any, asc: str, desc: str) -> None:
    assert expected == findings("lists.order.opposite", trace(MADE, walk("walk.asc", asc), walk("walk.desc", desc)))


def test_opposite_orders_need_two_walks_two_objects_and_no_times() -> None:
    timed = [seen(role, page("ab", (1, 2))) for role in ("walk.asc", "walk.desc")]
    timed[1] = seen("walk.desc", page("ab", (1, 2)), {"order": "desc"})
    same = [*walk("walk.asc", "a"), *walk("walk.desc", "a")]
    assert NONE == unjudged("lists.order.opposite", trace(MADE, timed))[0]
    assert NONE == unjudged("lists.order.opposite", trace(created("a"), same))[0]
    assert [(None, 3)] == findings("lists.order.opposite", trace(created("ab"), same))
    assert [] == findings("lists.order.opposite", trace(MADE, walk("walk.asc", "ab")))


def test_a_first_page_that_failed_shows_no_order() -> None:
    asc, desc = seen("walk.asc", page("ab"), status=500), walk("walk.desc", "ab")
    assert [] == findings("lists.order.opposite", trace(MADE, [asc], desc))


def test_only_the_first_pages_of_the_two_walks_show_the_order() -> None:
    story = [*walk("walk.asc", "ab", "dc"), *walk("walk.desc", "dc", "ab"), *walk("walk.default", "ab")]
    assert [] == findings("lists.order.opposite", trace(MADE, story))


@pytest.mark.parametrize(
    ("expected", "first", "again"),
    [
        ([], "abcd", "abcd"),
        ([(None, 5)], "abcd", "abdc"),
        ([], "abcd", "abd"),
        ([], "abd", "abcd"),
        ([], "abcd", "xbcy"),
        ([(None, 5)], "abcd", "dxa"),
        ([], "abcd", ""),
    ],
)
def test_the_same_page_has_the_same_order_whatever_others_removed_meanwhile(
    expected: Any, first: str, again: str
) -> None:
    story = [*walk("walk.asc", first), *walk("walk.again", again)]
    assert expected == findings("lists.order.stable", trace(MADE, story))


def test_a_page_that_failed_has_no_order() -> None:
    good, bad = walk("walk.asc", "ab"), seen("walk.again", page("ba"), status=500)
    assert [] == findings("lists.order.stable", trace(good, [bad]))
    failed = [seen("walk.asc", page("ab"), status=500)]
    assert UNTESTABLE == unjudged("lists.order.stable", trace(failed, walk("walk.again", "ba")))[0]
    assert [] == findings("lists.order.stable", trace(failed, walk("walk.again", "ba"), walk("walk.desc", "ab")))
