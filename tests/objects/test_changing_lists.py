"""Lists that change during a walk, and cursors: what others do is no violation, what the target loses is."""

from __future__ import annotations

from typing import Any

import pytest
from pages import SPEC, answered, find_check, findings, page, seen, spoken, trace, unjudged, walk
from test_walks import MADE, NONE

from conformance.evidence.trace import Observation
from conformance.judging.judge import judge
from conformance.requests.case import Expect
from conformance.verdict import Outcome

# -- a list that changes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "pages"),
    [
        ([], ("dc", "ba")),
        ([], ("dc", "b")),
        ([(None, 5)], ("dc", "ca")),
        ([(None, 5)], ("dc", "a")),
        ([(None, 6), (None, 6)], ("db", "a", "d")),
        ([], ("dc", "bx")),
        ([], ("dc", "ba", "")),
        ([(None, 5)], ("dc", "")),
        ([(None, 5)], ("dcba", "d")),
        ([], ("dc", "", "b")),
        ([], ("dc",)),
        ([], ("da",)),
    ],
)
def test_objects_that_come_and_go_move_no_others(expected: Any, pages: tuple[str, ...]) -> None:
    """Objects younger than the oldest one shown are due; with an empty page at the end, all of ours are."""
    found = findings("lists.walk.changed", trace(MADE, walk("change.page", *pages)))
    assert expected == found[: len(expected) or None]


@pytest.mark.parametrize(
    ("expected", "pages"),
    [([], ("xd", "cb", "a")), ([(None, 6)], ("xd", "ya", "z")), ([(None, 5)], ("xdcba", "x", "y"))],
)
def test_a_list_that_others_change_too_is_judged_by_our_objects(expected: Any, pages: tuple[str, ...]) -> None:
    found = findings("lists.walk.changed", trace(MADE, walk("change.page", *pages)))
    assert [place for _, place in expected] == [place for _, place in found][: len(expected)]
    assert bool(expected) == bool(found)


def test_a_list_that_others_fill_faster_than_we_walk_is_not_judged() -> None:
    assert [] == findings("lists.walk.changed", trace(MADE, walk("change.page", "uv", "wx", more=True)))
    assert [] != findings("lists.walk.changed", trace(MADE, walk("change.page", "uv", "wx", "yz")))


def test_a_walk_goes_on_after_the_object_before_a_cursor_that_others_removed() -> None:
    """The page of the removed cursor is no page of the walk; if the walk ended there, it has no end."""
    lost = seen("walk.asc", {"error": {}}, {"after": "x"}, status=400, expect=Expect.EITHER, step="lost")
    first, *others = walk("walk.asc", "bx", "cd", after="a")
    for check in ("lists.walk.complete", "lists.walk.no-repeat", "lists.has-more", "lists.walk.ends"):
        assert Outcome.PASS is judge(SPEC, find_check(check), trace(MADE, [first, lost, *others])).outcome
        assert (NONE, "others removed the cursor of the walk") == unjudged(check, trace(MADE, [first, lost]))
    assert [(None, 6)] == findings("lists.walk.complete", trace(MADE, [first, lost], walk("walk.asc", "d", after="b")))


@pytest.mark.parametrize(
    ("expected", "pages"),
    [([], ("cb", "a")), ([], ("cb", "a", "")), ([(None, 5)], ("cb", "")), ([(None, 5)], ("c", "a"))],
)
def test_the_object_that_a_changing_walk_starts_after_is_not_due(expected: Any, pages: tuple[str, ...]) -> None:
    assert expected == findings("lists.walk.changed", trace(MADE, walk("change.page", *pages, after="d")))


def test_a_cursor_that_was_not_sent_is_due() -> None:
    """The scenario knows an id, but the walk starts at the beginning of the list."""
    first = seen("change.page", page("cb", has_more=True), cursor="d")
    second = seen("change.page", page("a"), {"after": "b"})
    assert [(None, 5)] == findings("lists.walk.changed", trace(MADE, [first, second]))


def test_a_changing_list_that_shows_none_of_ours_has_lost_them_all() -> None:
    (lost,) = spoken("lists.walk.changed", trace(MADE, walk("change.page", "", "x")))
    assert "['a', 'b', 'c', 'd']" == lost.actual


def test_pages_that_failed_are_no_pages_of_a_changing_list() -> None:
    failed = [seen("change.page", page("zz"), {"n": "1"}, status=500)]
    assert [] == findings("lists.walk.changed", trace(MADE, walk("change.page", "dc"), failed))
    assert [] == findings("lists.walk.changed", trace(MADE, walk("change.page", "dc", "ba"), failed))


# -- cursors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "ids", "cursor", "status"),
    [
        (0, "d", "c", 200),
        (0, "xd", "c", 200),
        (1, "dc", "c", 200),
        (1, "b", "c", 200),
        (1, "da", "c", 200),
        (1, "", "c", 200),
        (0, "", "c", 500),
        (0, "b", "c", 500),
        (0, "", "x", 200),
        (0, "ab", "x", 200),
        (0, "d", "a", 200),
    ],
)
def test_before_an_object_stands_what_is_newer(found: int, ids: str, cursor: str, status: int) -> None:
    story = [seen("list.before", page(ids), {"before": cursor}, cursor=cursor, status=status)]
    assert found == len(findings("lists.before", trace(MADE, story)))


def test_the_older_objects_are_shown_and_no_others() -> None:
    refused = [seen("create", {"id": "d"}, status=400, step="refused")]
    story = [seen("list.before", page("bd"), {"before": "c"}, cursor="c")]
    assert ["['b']"] == [found.actual for found in spoken("lists.before", trace(refused, MADE, story))]


@pytest.mark.parametrize(
    ("notes", "value", "status"), [([], {}, 404), ([], {}, 500), ([False], page("a"), 200), ([True], page(""), 200)]
)
def test_an_unknown_cursor_is_refused_or_finds_nothing(notes: list[bool], value: Any, status: int) -> None:
    story = trace([seen("list.unknown-cursor", value, {"after": "x"}, status=status)])
    assert notes == [one.note for one in spoken("lists.unknown-cursor", story)]


# -- what is judged depends neither on the clock nor on what others create ---------------------------------------------


@pytest.mark.parametrize("stamps", [(7, 7), (7, 8), ()])
def test_an_order_is_judged_whether_or_not_the_objects_are_of_one_second(stamps: tuple[int, ...]) -> None:
    """The second in which a run begins decides which objects share one."""
    query = {"order": "asc", "limit": "2"}
    pages = [seen(role, page("ab", stamps), query, step=role) for role in ("walk.asc", "walk.again")]
    assert Outcome.PASS is judge(SPEC, find_check("lists.order.stable"), trace(MADE, pages)).outcome


@pytest.mark.parametrize("pages", [("bc", "dx", "x"), ("bx", "cd", "xy"), ("bx", "cx", "dx", "xy")])
def test_more_is_judged_wherever_the_objects_of_others_lie(pages: tuple[str, ...]) -> None:
    """How objects of others mix with ours in the list of an account depends on who creates when."""
    story = trace(MADE, walk("walk.asc", *pages, after="a", more=True))
    assert Outcome.PASS is judge(SPEC, find_check("lists.has-more"), story).outcome


def test_a_page_that_is_not_the_last_one_may_not_say_so() -> None:
    (first, *others) = walk("walk.asc", "bc", "dx", after="a")
    value = {**first.json, "has_more": False}
    wrong = Observation(first.case, answered(value))
    assert [(None, 4)] == findings("lists.has-more", trace(MADE, [wrong, *others]))
