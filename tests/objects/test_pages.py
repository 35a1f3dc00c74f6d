"""Checks of one page: each reports a value just outside its limit, and neither one at the limit nor what is no page."""

from __future__ import annotations

from typing import Any

import pytest
from pages import SPEC, find_check, objects, outcome, page, seen

from conformance.checks.objects.lists import documented_default, documented_order, ids_of, items_of, times_of
from conformance.requests.case import Case
from conformance.spec.loading import load
from conformance.verdict import Outcome

PASS, FAIL, NONE = Outcome.PASS, Outcome.FAIL, Outcome.NOT_APPLICABLE
CHECKS = ("lists.limit", "lists.default-limit", "lists.ends", "lists.order", "lists.filter")

#: Answers that are no page: no check of pages may say anything about them, and none may fall over them.
NO_PAGES: list[Any] = [[], "x", 7, {}, {"data": None}, {"data": {}}, {"data": "ab"}, {"data": ["x", 7, None]}]


@pytest.mark.parametrize("value", NO_PAGES)
def test_what_is_no_page_has_no_objects(value: Any) -> None:
    assert ([], []) == (items_of(seen("r", value)), ids_of(seen("r", value)))


@pytest.mark.parametrize("value", NO_PAGES)
@pytest.mark.parametrize("check", CHECKS)
def test_what_is_no_page_breaks_no_rule_of_pages(check: str, value: Any) -> None:
    assert outcome(check, seen("r", value, {"limit": "1", "status": "a"})) in (PASS, NONE)


def test_objects_have_ids_and_times() -> None:
    one = seen("r", {"data": [{"id": "a", "created_at": 3}, 7, {"id": 5, "created_at": "x"}, {}]})
    assert (["a", "5", "None"], [3]) == (ids_of(one), times_of(items_of(one)))
    assert [3] == times_of([{"created_at": 3}, 7, {"created_at": None}])


@pytest.mark.parametrize(
    ("expected", "limit", "count"),
    [
        (PASS, "1", 0),
        (PASS, "1", 1),
        (FAIL, "1", 2),
        (PASS, "3", 3),
        (FAIL, "3", 4),
        (PASS, "100", 100),
        (FAIL, "100", 101),
        (NONE, "0", 2),
        (NONE, "101", 102),
        (NONE, "-1", 2),
        (NONE, "", 2),
        (NONE, "x", 2),
        (NONE, "²", 3),
        (NONE, "٣", 4),
    ],
)
def test_a_page_has_at_most_limit_objects(expected: Outcome, limit: str, count: int) -> None:
    """A limit outside the documented 1 to 100, or that is no number of ASCII digits, promises nothing."""
    assert expected is outcome("lists.limit", seen("r", {"data": objects("a" * count)}, {"limit": limit}))


def test_without_a_limit_nothing_was_limited() -> None:
    assert NONE is outcome("lists.limit", seen("r", page("abc")))


@pytest.mark.parametrize(
    ("expected", "count", "query", "operation"),
    [
        (PASS, 20, {}, "assistants.list"),
        (FAIL, 21, {}, "assistants.list"),
        (NONE, 21, {"limit": "100"}, "assistants.list"),
        (NONE, 21, {}, "models.list"),
        (NONE, 21, {}, "unknown.list"),
    ],
)
def test_without_a_limit_the_documented_default_holds(
    expected: Outcome, count: int, query: dict[str, str], operation: str
) -> None:
    one = seen("r", {"data": objects("a" * count)}, query, operation=operation)
    assert expected is outcome("lists.default-limit", one)


def test_defaults_come_from_the_document() -> None:
    assert [20, None, None] == [
        documented_default(SPEC, Case(name, "GET", "/x")) for name in ("assistants.list", "models.list", "unknown.list")
    ]
    assert ["desc", "asc", None, None, None] == [
        documented_order(SPEC, "assistants.list", None),
        documented_order(SPEC, "assistants.list", "asc"),
        documented_order(SPEC, "assistants.list", "sideways"),
        documented_order(SPEC, "models.list", "asc"),
        documented_order(SPEC, "unknown.list", "asc"),
    ]


@pytest.mark.parametrize(
    ("expected", "ids", "first", "last"),
    [
        (PASS, "abc", "a", "c"),
        (PASS, "a", "a", "a"),
        (FAIL, "abc", "b", "c"),
        (FAIL, "abc", "a", "b"),
        (FAIL, "abc", None, "c"),
        (FAIL, "abc", "a", ""),
        (PASS, "", None, None),
        (PASS, "", "", ""),
        (FAIL, "", "a", None),
        (FAIL, "", None, "a"),
    ],
)
def test_the_ends_are_those_of_the_page(expected: Outcome, ids: str, first: Any, last: Any) -> None:
    assert expected is outcome("lists.ends", seen("r", {**page(ids), "first_id": first, "last_id": last}))


@pytest.mark.parametrize(
    ("wrong", "operation"), [(0, "fine_tuning.checkpoints.permissions.list"), (2, "evals.list"), (2, "containers.list")]
)
def test_ends_are_null_only_where_the_published_document_says_so(wrong: int, operation: str) -> None:
    """An erratum that allows null is about empty pages."""
    one = seen("r", {**page("ab"), "first_id": None, "last_id": None}, operation=operation)
    assert wrong == len(list(find_check("lists.ends").judge(load("v1"), one)))


@pytest.mark.parametrize("ids", ["", "ab"])
def test_ends_that_are_not_told_are_not_wrong(ids: str) -> None:
    assert PASS is outcome("lists.ends", seen("r", {"data": objects(ids)}))


@pytest.mark.parametrize(
    ("expected", "times", "query"),
    [
        (PASS, (3, 2, 1), {}),
        (PASS, (3, 3, 1), {}),
        (FAIL, (1, 2), {}),
        (FAIL, (3, 1, 2), {}),
        (PASS, (1, 2), {"order": "asc"}),
        (PASS, (2, 2), {"order": "asc"}),
        (FAIL, (2, 1), {"order": "asc"}),
        (FAIL, (1, 2), {"order": "desc"}),
        (NONE, (1, 2), {"order": "sideways"}),
        (NONE, (1, 2), {"before": "x"}),
        (NONE, (1, 2), {"order_by": "x"}),
    ],
)
def test_objects_are_sorted_by_time(expected: Outcome, times: tuple[int, ...], query: dict[str, str]) -> None:
    ids = "abc"[: len(times)]
    assert expected is outcome("lists.order", seen("r", page(ids, times), query))


def test_the_wanted_order_is_told() -> None:
    down, up = seen("r", page("ab", (1, 2))), seen("r", page("ab", (2, 1)), {"order": "asc"})
    told = [found.expected for one in (down, up) for found in find_check("lists.order").judge(SPEC, one)]
    assert ["newest first", "oldest first"] == told


def test_an_order_that_is_documented_nowhere_is_not_judged() -> None:
    assert NONE is outcome("lists.order", seen("r", page("ab", (1, 2)), operation="models.list"))


@pytest.mark.parametrize(
    ("expected", "name", "wanted", "field", "values"),
    [
        (PASS, "filter", "completed", "status", ("completed", "completed")),
        (FAIL, "filter", "completed", "status", ("completed", "failed")),
        (PASS, "statuses", "a,b", "status", ("b", "a")),
        (FAIL, "statuses", "a,b", "status", ("a,b",)),
        (PASS, "run_id", "{run}", "run_id", ("run_1",)),
        (FAIL, "run_id", "{run}", "run_id", ("{run}",)),
        (PASS, "status", "a", "status", (None,)),
        (PASS, "purpose", "p", "other", ("q",)),
        (NONE, "order", "asc", "order", ("desc",)),
    ],
)
def test_a_filter_leaves_out_what_does_not_match(
    expected: Outcome, name: str, wanted: str, field: str, values: tuple[Any, ...]
) -> None:
    value = {"data": [{"id": "a", field: one} for one in values]}
    assert expected is outcome("lists.filter", seen("r", value, {name: wanted}, bindings={"run": "run_1"}))


def test_each_filter_is_told_once() -> None:
    value = {"data": [{"status": "x", "purpose": "x"}] * 3}
    one = seen("r", value, {"status": "a", "limit": "3", "purpose": "b"})
    assert 2 == len(list(find_check("lists.filter").judge(SPEC, one)))
