"""Counterexamples of the checks of one page: what they change, and for which exchanges they return None."""

from __future__ import annotations

from typing import Any

import pytest
from pages import answered, broken, find_check, objects, page

from conformance.checks.objects.lists import times_of

CHECKS = ("lists.limit", "lists.default-limit", "lists.ends", "lists.order", "lists.filter")


@pytest.mark.parametrize(
    ("ids", "query"),
    [("abcc", {"limit": "1"}), (None, {"limit": "2"}), (None, {}), (None, {"limit": "1", "after": "x"})],
)
def test_a_page_with_one_object_too_many(ids: str | None, query: dict[str, str]) -> None:
    made = broken("lists.limit", answered(page("abc"), query))
    assert (list(ids) if ids else None) == (made and [item["id"] for item in made["data"]])


def test_a_page_with_a_hundred_objects_too_many() -> None:
    made, bare = (broken("lists.default-limit", answered(value)) for value in (page("ab"), {"data": objects("a")}))
    assert (102, "a", "a99", 102) == (
        len(made["data"]),
        made["first_id"],
        made["last_id"],
        len({item["id"] for item in made["data"]}),
    )
    assert (101, ["data"]) == (len(bare["data"]), list(bare))
    assert None is broken("lists.default-limit", answered(page("ab"), {"limit": "1"}))


def test_a_page_whose_ends_are_exchanged() -> None:
    made = broken("lists.ends", answered(page("ab")))
    assert ("b", "a") == (made["first_id"], made["last_id"])
    assert None is broken("lists.ends", answered(page("a")))
    assert None is broken("lists.ends", answered({"data": objects("ab")}))


@pytest.mark.parametrize(
    ("times", "value", "query"),
    [
        ([1, 2], page("ab", (2, 1)), {}),
        ([1, 2, 3], page("abc", (9, 5, 1)), {}),
        ([2, 1], page("ab", (1, 2)), {"order": "asc"}),
        (None, page("a", (1,)), {}),
        (None, page("ab"), {}),
        (None, {"data": [{"id": "a", "created_at": 1}, {"id": "b"}]}, {}),
    ],
)
def test_a_page_whose_times_go_the_other_way(times: list[int] | None, value: Any, query: dict[str, str]) -> None:
    made = broken("lists.order", answered(value, query))
    assert times == (made and times_of(made["data"]))


@pytest.mark.parametrize(
    ("other", "query", "field", "is_now"),
    [
        ("in_progress", {"filter": "completed"}, "status", "completed"),
        ("completed", {"filter": "in_progress"}, "status", "in_progress"),
        ("fine-tune", {"purpose": "assistants"}, "purpose", "assistants"),
        ("assistants", {"purpose": "fine-tune"}, "purpose", "fine-tune"),
        ("fail", {"status": "pass"}, "status", "pass"),
        ("pass", {"status": "fail"}, "status", "fail"),
        ("running", {"status": "succeeded"}, "status", "succeeded"),
        (None, {"order": "asc"}, "status", "completed"),
        (None, {"filter": "completed"}, "status", None),
        (None, {"filter": "completed"}, "purpose", "x"),
    ],
)
def test_a_page_with_an_object_that_the_filter_leaves_out(
    other: str | None, query: dict[str, str], field: str, is_now: Any
) -> None:
    made = broken("lists.filter", answered({"data": objects("ab", **{field: is_now})}, query))
    assert (other and [other, is_now]) == (made and [item[field] for item in made["data"]])


def test_only_the_first_object_is_changed_and_only_where_it_is_one() -> None:
    data = [{"id": "a", "status": "x"}, {"id": "b", "status": "y"}, 7]
    made = broken("lists.filter", answered({"data": data}, {"filter": "x"}))
    assert [{"id": "a", "status": "in_progress"}, *data[1:]] == made["data"]
    assert None is broken("lists.filter", answered({"data": [7, data[0]]}, {"filter": "x"}))
    assert None is broken("lists.filter", answered({"data": [{"id": "a"}, data[0]]}, {"filter": "x"}))


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ({"data": [], "first_id": "of_nothing"}, {"data": [], "first_id": None}),
        (None, {"data": []}),
        (None, page("a")),
    ],
)
def test_an_empty_page_whose_ends_are_those_of_no_object(expected: Any, value: Any) -> None:
    rule = find_check("lists.ends").witness
    assert rule is not None
    made = rule(answered(value), ())
    assert expected == (made and made.response and made.response.json)


@pytest.mark.parametrize("check", CHECKS)
def test_only_a_good_page_with_objects_can_show_a_defect(check: str) -> None:
    query = {"limit": "1", "filter": "completed"} if check in ("lists.limit", "lists.filter") else {}
    good = page("ab", (2, 1))
    good["data"] = [{**item, "status": "completed"} for item in good["data"]]
    assert None is not broken(check, answered(good, query))
    assert None is broken(check, answered(good, query, status=404))
    assert None is broken(check, answered(good, query, method="POST"))
    assert [None] * 4 == [broken(check, answered(value, query)) for value in ([], {"data": []}, {"data": {}}, None)]
