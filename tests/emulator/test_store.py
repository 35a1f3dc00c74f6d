"""The store agrees with a plain list, and a page looks at no more than it returns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.emulator.store import Clock, Collection, Store, UnknownCursor

ACTIONS = st.lists(st.tuples(st.sampled_from(["put", "remove"]), st.integers(0, 12)), max_size=40)


def filled(actions: list[tuple[str, int]]) -> tuple[Collection, list[str]]:
    collection, model = Collection(), []
    for action, number in actions:
        id = f"id{number}"
        if action == "put":
            collection.put(id, id)
            model += [id] if id not in model else []
        else:
            collection.remove(id)
            model = [one for one in model if one != id]
    return collection, model


@given(ACTIONS, st.integers(1, 5), st.sampled_from(["asc", "desc"]))
def test_a_walk_by_after_gives_every_object_once_in_order(
    actions: list[tuple[str, int]], limit: int, order: str
) -> None:
    collection, model = filled(actions)
    expected = model if order == "asc" else model[::-1]
    walked: list[str] = []
    after = None
    more = True
    while more:
        page = collection.page(after=after, limit=limit, order=order)
        walked += page.items
        more, after = page.has_more, page.items[-1] if page.items else None
        assert len(page.items) == limit or not more
    assert expected == walked
    assert len(expected) == len(collection)


@given(ACTIONS, st.integers(1, 5), st.sampled_from(["asc", "desc"]), st.integers(0, 12))
def test_before_gives_what_stands_just_ahead_of_the_cursor(
    actions: list[tuple[str, int]], limit: int, order: str, number: int
) -> None:
    collection, model = filled([*actions, ("put", number)])
    listed = model if order == "asc" else model[::-1]
    at = listed.index(f"id{number}")
    page = collection.page(before=f"id{number}", limit=limit, order=order)
    assert tuple(listed[max(at - limit, 0) : at]) == page.items
    assert (at > limit) == page.has_more


def test_after_and_before_give_what_lies_between() -> None:
    collection, _ = filled([("put", number) for number in range(6)])
    page = collection.page(after="id0", before="id3", order="asc")
    assert ("id1", "id2") == page.items
    assert not page.has_more


@pytest.mark.parametrize(("after", "before"), [("x", None), (None, "x"), ("id1", "x")])
def test_an_unknown_cursor_is_said_so(after: str | None, before: str | None) -> None:
    collection, _ = filled([("put", 1)])
    with pytest.raises(UnknownCursor):
        collection.page(after=after, before=before)


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("after", [None, 50_000])
def test_a_page_costs_the_same_among_a_hundred_thousand(order: str, after: int | None) -> None:
    collection = Collection()
    for number in range(100_000):
        collection.put(str(number), number)
    looked: list[Any] = []

    def looks(value: Any) -> bool:
        looked.append(value)
        return True

    page = collection.page(after=None if after is None else str(after), limit=20, order=order, where=looks)
    assert 20 == len(page.items)
    assert 21 == len(looked)


def test_replacing_keeps_the_place() -> None:
    collection, _ = filled([("put", 1), ("put", 2)])
    collection.put("id1", "new")
    assert ["new", "id2"] == list(collection)


def test_ids_depend_on_seed_and_count_only() -> None:
    first, second, other = Store(), Store(), Store(seed="other")
    made = [first.new_id("asst_") for _ in range(200)]
    assert made == [second.new_id("asst_") for _ in range(200)]
    assert 200 == len(set(made))
    assert made[0] != other.new_id("asst_")
    assert all(one.startswith("asst_") and len("asst_") + 24 == len(one) for one in made)


def test_children_of_one_parent_are_not_those_of_another() -> None:
    store = Store()
    store.collection("messages", "a").put("m", 1)
    assert 0 == len(store.collection("messages", "b"))
    store.drop("messages", "a")
    assert 0 == len(store.collection("messages", "a"))


def test_the_clock_moves_when_told() -> None:
    clock = Clock.fixed(100.0)
    clock.advance(5.5)
    assert 105 == clock.now()
