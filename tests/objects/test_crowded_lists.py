"""Lists that others fill: the object is looked for on later pages, and what is wrong there is found all the same."""

from __future__ import annotations

from typing import Any

import pytest
from pages import find_check, findings, page, seen, trace, unjudged

from conformance.evidence.trace import Observation, Trace
from conformance.judging.judge import judge
from conformance.spec.loading import load
from conformance.verdict import Outcome

#: Created at 5 seconds; what others create afterwards has later times.
CREATE = seen("create", {"id": "a", "created_at": 5}, operation="assistants.create")
GET = seen("get", {"id": "a", "created_at": 5}, operation="assistants.get")


def listed(role: str, ids: str, *, more: bool, step: str = "") -> Observation:
    """A page of the list; ``a`` is our object, the others are newer ones."""
    times = [5 if id == "a" else 9 for id in ids]
    query = {"limit": "100"} if role != "list" else None
    return seen(role, page(ids, times, has_more=more), query, step=step or role)


def story(*steps: Observation) -> Trace:
    return trace([CREATE, GET], steps)


CROWDED = listed("list", "xyz", more=True)


@pytest.mark.parametrize(
    ("expected", "steps"),
    [
        ([], [listed("list", "xa", more=False)]),
        ([], [CROWDED, listed("list.more", "wxyza", more=True)]),
        ([], [CROWDED, listed("list.more", "wxyz", more=True), listed("list.more", "ua", more=False, step="2")]),
        ([(None, 3)], [CROWDED, listed("list.more", "wxyz", more=False)]),
        ([(None, 2)], [listed("list", "xyz", more=False)]),
    ],
)
def test_an_object_is_on_the_first_page_or_behind_newer_ones(expected: Any, steps: list[Observation]) -> None:
    assert expected == findings("lifecycle.list.holds", story(*steps))


@pytest.mark.parametrize("check", ["lifecycle.list.holds", "lifecycle.list.same"])
def test_a_later_page_is_evidence_as_the_first_one_is(check: str) -> None:
    alone, crowded = story(listed("list", "a", more=False)), story(CROWDED, listed("list.more", "wa", more=False))
    found = [judge(load("2024-05-01-preview"), find_check(check), one).outcome for one in (alone, crowded)]
    assert [Outcome.PASS, Outcome.PASS] == found


def test_a_list_that_stays_full_of_newer_objects_says_nothing() -> None:
    steps = story(CROWDED, listed("list.more", "wxyz", more=True))
    reason = "others crowd out our object: the page is full of newer ones"
    assert (Outcome.NOT_APPLICABLE, reason) == unjudged("lifecycle.list.holds", steps)


def test_an_object_on_a_later_page_is_the_one_that_is_read() -> None:
    wrong = seen("list.more", page("a", [6]), {"limit": "100"}, step="list.more")
    assert [(None, 3)] == findings("lifecycle.list.same", story(CROWDED, wrong))


@pytest.mark.parametrize(("expected", "ids"), [([], "xyz"), ([(None, 4)], "xya")])
def test_a_deleted_object_is_on_no_later_page(expected: Any, ids: str) -> None:
    gone = seen("delete", {"id": "a", "deleted": True}, operation="assistants.delete")
    after = listed("list-after", "xyz", more=True)
    assert expected == findings("lifecycle.deleted.unlisted", story(gone, after, listed("list-later", ids, more=True)))
