"""Counterexamples of the checks of pagination: what they change, and for which exchanges they return None."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from pages import answered, asked, broken, find_check, objects, page

from conformance.checks.objects.list_walks import nothing_after
from conformance.evidence.exchange import Exchange, Fault, FaultKind, Response
from conformance.judging.check import Counterexample

AFTER = {"after": "b"}
#: Check → a query with which its counterexample applies to a good page, and what was answered before.
APPLIES: dict[str, tuple[dict[str, str], list[Exchange]]] = {
    "lists.has-more": ({}, []),
    "lists.walk.no-repeat": (AFTER, [answered(page("ab"))]),
    "lists.walk.complete": (AFTER, []),
    "lists.walk.ends": (AFTER, []),
    "lists.walk.order": ({**AFTER, "order": "asc"}, []),
    "lists.order.opposite": ({"order": "desc"}, [answered(page("ab"), {"order": "asc"})]),
    "lists.order.stable": ({"order": "asc"}, [answered(page("cd"), {"order": "asc"})]),
    "lists.walk.changed": ({**AFTER, "order": "desc", "limit": "1"}, []),
    "lists.before": ({"before": "x"}, []),
}


def ids(value: Any) -> str | None:
    """The ids of a page as one text, its ends behind a blank."""
    if value is None:
        return None
    ends = "".join(str(value[name]) for name in ("first_id", "last_id") if name in value)
    return "".join(str(item["id"]) for item in value["data"]) + f" {ends}".rstrip()


def good(check: str) -> dict[str, Any]:
    return page("cd", (7, 7)) if check == "lists.walk.order" else page("cd")


@pytest.mark.parametrize("check", APPLIES)
def test_only_a_good_page_can_show_a_defect(check: str) -> None:
    query, earlier = APPLIES[check]
    whole = answered(good(check), query)
    rule = find_check(check).counterexample
    assert None is not rule(whole, earlier)
    assert None is rule(evolve(whole, response=None), earlier)
    assert None is rule(evolve(whole, fault=Fault(FaultKind.CLOSED, "", 0.0)), earlier)
    assert None is rule(answered(good(check), query, status=404), earlier)
    assert [None] * 3 == [rule(answered(value, query), earlier) for value in ([1], "x", None)]


@pytest.mark.parametrize("check", APPLIES)
def test_without_its_query_a_page_shows_nothing(check: str) -> None:
    query, earlier = APPLIES[check]
    for name in query:
        left = {key: value for key, value in query.items() if key != name}
        assert None is broken(check, answered(good(check), left), *earlier)


@pytest.mark.parametrize("check", [name for name, (query, _) in APPLIES.items() if query.get("order")])
def test_in_another_order_a_page_shows_nothing(check: str) -> None:
    query, earlier = APPLIES[check]
    other = {"asc": "desc", "desc": "asc"}[query["order"]]
    assert None is broken(check, answered(good(check), {**query, "order": other}), *earlier)


@pytest.mark.parametrize("check", APPLIES)
def test_ends_that_a_page_does_not_tell_are_not_added(check: str) -> None:
    query, earlier = APPLIES[check]
    value = {name: part for name, part in good(check).items() if not name.endswith("_id")}
    bare = [
        answered(
            {"data": past.response.json["data"]}, dict(part.split("=") for part in past.request.url.split("&")[1:])
        )
        for past in earlier
        if past.response
    ]
    made = broken(check, answered(value, query), *bare)
    assert [] == [name for name in made if name.endswith("_id")]


@pytest.mark.parametrize(
    ("expected", "value"),
    [(True, {"has_more": False}), (True, {"has_more": None}), (None, {"has_more": True}), (None, {"data": []})],
)
def test_a_last_page_that_says_that_more_follows(expected: Any, value: Any) -> None:
    made = broken("lists.has-more", answered(value))
    assert expected == (made and made["has_more"])


@pytest.mark.parametrize(("expected", "query"), [(True, AFTER), (None, {})])
def test_every_page_says_that_more_follows(expected: Any, query: dict[str, str]) -> None:
    made = broken("lists.walk.ends", answered({**page("cd"), "has_more": True}, query))
    assert expected == (made and made["has_more"])
    assert None is broken("lists.walk.ends", answered({"data": []}, query))


@pytest.mark.parametrize(
    ("expected", "value", "query"),
    [
        (True, page("c"), AFTER),
        (None, page("c"), {}),
        (None, page(""), AFTER),
        (None, [], AFTER),
    ],
)
def test_an_empty_page_after_another_says_that_more_follows(expected: Any, value: Any, query: dict[str, str]) -> None:
    made = nothing_after(answered(value, query), ())
    assert (expected and [True, []]) == (
        made and made.response and [made.response.json[n] for n in ("has_more", "data")]
    )


@pytest.mark.parametrize(
    ("expected", "query", "earlier"),
    [
        ("bc bc", AFTER, [answered(page("ab"))]),
        (None, AFTER, [answered(page("ax"))]),
        (None, AFTER, [answered({"data": ["b", {}]})]),
        (None, AFTER, [answered(page("ab"), status=404)]),
        (None, AFTER, []),
        (None, {**AFTER, "before": "x"}, [answered(page("ab"))]),
    ],
)
def test_a_page_that_begins_with_its_cursor(expected: Any, query: dict[str, str], earlier: list[Exchange]) -> None:
    assert expected == ids(broken("lists.walk.no-repeat", answered(page("cd"), query), *earlier))


def test_the_latest_page_with_the_cursor_is_the_one_to_repeat() -> None:
    old, new = answered({"data": objects("b", n=1)}), answered({"data": objects("b", n=2)})
    made = broken("lists.walk.no-repeat", answered(page("cd"), AFTER), old, new, answered({"data": []}))
    assert 2 == made["data"][0]["n"]


def test_a_page_of_three_that_begins_with_its_cursor_keeps_its_length() -> None:
    assert "bcd bd" == ids(broken("lists.walk.no-repeat", answered(page("cde"), AFTER), answered(page("ab"))))


def test_a_witness_leaves_out_all_objects() -> None:
    """The first one may be somebody else's, and its absence says nothing."""
    witness = find_check("lists.walk.complete").witness
    assert witness is not None
    made = witness(answered(page("abc")), ())
    assert made is not None
    assert made.response is not None
    assert [] == made.response.json["data"]
    assert None is witness(answered(page("")), ())


@pytest.mark.parametrize(("expected", "shown"), [("de de", "cde"), ("d dd", "cd"), (None, "c")])
def test_a_page_without_its_first_object(expected: Any, shown: str) -> None:
    assert expected == ids(broken("lists.walk.complete", answered(page(shown), AFTER)))


def test_objects_of_a_later_page_that_are_a_day_older() -> None:
    query = {**AFTER, "order": "asc"}
    made = broken("lists.walk.order", answered(page("cd", (90_000, 90_001)), query))
    assert [3_600, 3_601] == [item["created_at"] for item in made["data"]]
    assert None is broken("lists.walk.order", answered({"data": [{"created_at": 1}, {}]}, query))
    assert None is broken("lists.walk.order", answered({"data": [{"created_at": 1}, 7]}, query))


ASC, DESC = {"order": "asc"}, {"order": "desc"}


@pytest.mark.parametrize(
    ("expected", "value", "query", "earlier"),
    [
        ("ab ab", page("cd"), DESC, [answered(page("ab"), ASC)]),
        ("ab ab", page("cd"), DESC, [answered(page("xy"), DESC), answered(page("ab"), {**ASC, "after": "z"})]),
        (None, page("cd"), {**DESC, "after": "z"}, [answered(page("ab"), ASC)]),
        (None, page("cd"), DESC, [answered(page("ab"), {"order": "asc", "limit": "1"})]),
        (None, page("cd"), DESC, [answered(page("ab"), ASC, status=500)]),
        (None, page("cd", (1, 2)), DESC, [answered(page("ab"), ASC)]),
        (None, {"data": [7, {"created_at": 1}]}, DESC, [answered(page("ab"), ASC)]),
        ("ab ab", {"data": [7]}, DESC, [answered(page("ab"), ASC)]),
    ],
)
def test_desc_that_is_answered_like_asc(
    expected: Any, value: Any, query: dict[str, str], earlier: list[Exchange]
) -> None:
    assert expected == ids(broken("lists.order.opposite", answered(value, query), *earlier))


@pytest.mark.parametrize(
    ("expected", "value", "earlier"),
    [
        ("dc dc", page("cd"), [answered(page("ab"), ASC)]),
        ("dc dc", page("cd", (7, 7)), [answered(page("ab"), DESC), answered(page("ab"), ASC)]),
        (None, page("cd", (7, 8)), [answered(page("ab"), ASC)]),
        (None, page("c"), [answered(page("ab"), ASC)]),
        (None, page("cd"), [answered(page("ab"), DESC)]),
        (None, page("cd"), []),
    ],
)
def test_a_page_that_comes_in_another_order_the_second_time(expected: Any, value: Any, earlier: list[Exchange]) -> None:
    assert expected == ids(broken("lists.order.stable", answered(value, ASC), *earlier))


def test_a_page_of_three_in_the_opposite_order_has_the_right_ends() -> None:
    value = page("abc")
    assert "cba ca" == ids(broken("lists.order.stable", answered(value, ASC), answered(value, ASC)))


def test_a_later_page_that_came_empty_proves_what_changes_lose() -> None:
    rule, query = find_check("lists.walk.changed").witness, {**AFTER, "order": "desc", "limit": "7"}
    assert rule is not None
    made = rule(answered(page("cd"), query), [])
    assert made is not None
    assert made.response is not None
    assert [] == made.response.json["data"]
    for other in ({**query, "order": "asc"}, {"order": "desc"}, AFTER, {}):
        assert None is rule(answered(page("cd"), other), [])
    assert None is rule(answered([1], query), [])
    assert None is rule(answered([1], {}), [])


def test_a_page_by_number_that_was_shifted_beyond_its_end() -> None:
    query = {**AFTER, "order": "desc", "limit": "1"}
    assert " NoneNone" == ids(broken("lists.walk.changed", answered(page("c"), query)))
    assert "" == ids(broken("lists.walk.changed", answered({"data": objects("c")}, query)))
    assert None is broken("lists.walk.changed", answered(page("c"), {**query, "limit": "2"}))


def test_a_page_with_the_object_that_it_ends_before() -> None:
    value = page("cde")
    value["data"][0]["n"] = 1
    made = broken("lists.before", answered(value, {"before": "x"}))
    assert ("xde xe", 1) == (ids(made), made["data"][0]["n"])


# -- cursors that don't exist -----------------------------------------------------------------------------------------

UNKNOWN: Counterexample = find_check("lists.unknown-cursor").counterexample
FIRST = answered(page("ab"))


@pytest.mark.parametrize(
    ("shown", "status", "query", "earlier"),
    [
        (True, 400, AFTER, [FIRST]),
        (True, 400, AFTER, [FIRST, answered(page("cd"), {"limit": "1"}), answered(page("cd"), {"before": "x"})]),
        (True, 400, AFTER, [FIRST, answered(page("cd"), {"after": "x"}), answered({"data": []})]),
        (False, 400, AFTER, [evolve(FIRST, request=asked(path="/files"))]),
        (False, 400, AFTER, [answered(page("ab"), status=500)]),
        (False, 400, AFTER, []),
        (False, 404, AFTER, [FIRST]),
        (False, 200, AFTER, [FIRST]),
        (False, 400, {}, [FIRST]),
        (False, 400, {**AFTER, "limit": "2"}, [FIRST]),
    ],
)
def test_an_unknown_cursor_that_is_answered_with_the_first_page(
    shown: bool, status: int, query: dict[str, str], earlier: list[Exchange]
) -> None:
    made = UNKNOWN(answered({}, query, status=status), earlier)
    assert (FIRST.response if shown else None) == (made and made.response)


def test_an_unknown_cursor_that_got_no_answer_shows_nothing() -> None:
    assert None is UNKNOWN(Exchange(asked(AFTER)), [FIRST])
    assert None is not UNKNOWN(Exchange(asked(AFTER), Response(400)), [FIRST])
