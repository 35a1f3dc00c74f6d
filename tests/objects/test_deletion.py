"""Checks of deletion: what others do meanwhile and what fails by itself is no violation; mistakes of the target are."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from pages import Query, asked, broken, find_check, findings, page, seen, spoken, trace, unjudged

from conformance.checks.objects.deletion import sought
from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.trace import Observation, Trace
from conformance.verdict import Outcome

WARN, UNTESTABLE = Outcome.WARN, Outcome.NOT_TESTABLE
CREATE = seen("create", {"id": "a"}, operation="assistants.create")
NOTHING = Response(404).with_json({"error": {}})


def sent(method: str, path: str, value: Any = None, status: int = 200, query: Query | None = None) -> Exchange:
    """An exchange with a JSON answer; None for an answer without a body."""
    bare = Response(status, (("content-type", "application/json"),))
    return Exchange(asked(query, method, path), bare if value is None else bare.with_json(value))


def step(role: str, number: int, value: Any, status: int | None = 200) -> Observation:
    """One of several steps with the same role; without a status no answer came."""
    made = seen(role, value, status=status or 200, operation="assistants.delete", step=f"{role}.{number}")
    return made if status is not None else evolve(made, exchange=evolve(made.exchange, response=None))


def steps(role: str, *statuses: int | None, value: Any = None) -> list[Observation]:
    return [step(role, number, value, status) for number, status in enumerate(statuses)]


DELETE = steps("delete", 200, value={"id": "a", "deleted": True})


# -- the confirmation -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "value", "status"),
    [
        ([], {"id": "a", "deleted": True}, 200),
        ([], {"deleted": True}, 200),
        ([], {"eval_id": "a", "deleted": True}, 200),
        ([], None, 204),
        ([], {"deleted": False}, 204),
        ([], {"deleted": False}, 404),
        ([], [], 200),
        (["/id"], {"id": "b", "deleted": True}, 200),
        (["/id"], {"run_id": "b", "deleted": True}, 202),
        (["/deleted"], {"id": "a"}, 200),
        (["/deleted"], {"id": "a", "deleted": "true"}, 200),
        (["/id", "/deleted"], {"id": "b", "deleted": False}, 200),
    ],
)
def test_a_confirmation_has_the_id_and_says_so_or_has_no_body(found: list[str], value: Any, status: int) -> None:
    story = trace([CREATE], steps("delete", status, value=value))
    assert found == [one.place for one in spoken("lifecycle.delete.confirms", story)]


def test_the_last_deletion_is_judged_and_only_of_an_object_that_was_created() -> None:
    first, second = step("delete", 0, {"deleted": False}), step("delete", 1, {"deleted": True})
    assert [] == findings("lifecycle.delete.confirms", trace([CREATE, first, second]))
    assert [(None, 2)] == findings("lifecycle.delete.confirms", trace([CREATE, second, first]))
    assert [] == findings("lifecycle.delete.confirms", trace([first]))
    assert [] == findings("lifecycle.delete.confirms", trace([CREATE]))


# -- the object afterwards --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "looks"),
    [
        ([], (404,)),
        ([], (410,)),
        ([], (428,)),
        ([], (430,)),
        ([], (499,)),
        ([(None, 2)], (200,)),
        ([(None, 3)], (200, 200)),
        ([(WARN, 2)], (200, 404)),
    ],
)
def test_a_deleted_object_is_gone_at_the_last_look(found: list[Any], looks: tuple[int, ...]) -> None:
    story = trace([CREATE], DELETE, steps("deleted", *looks))
    assert "" == sought(story)
    assert found == findings("lifecycle.deleted.gone", story)


@pytest.mark.parametrize(
    ("why", "looks"),
    [
        ("the object was not asked for after its deletion", ()),
        ("the look for the deleted object was answered with 429", (200, 429)),
        ("the look for the deleted object was answered with 500", (200, 500)),
        ("the look for the deleted object was answered with 503", (503,)),
        ("the look for the deleted object was answered with nothing", (200, None)),
    ],
)
def test_a_look_that_says_nothing_about_the_object_is_not_judged(why: str, looks: tuple[int | None, ...]) -> None:
    story = trace([CREATE], DELETE, steps("deleted", *looks))
    assert why == sought(story)
    outcome, reason = unjudged("lifecycle.deleted.gone", story)
    assert outcome in (UNTESTABLE, Outcome.UNAVAILABLE)
    assert reason


def test_an_object_whose_deletion_failed_may_still_be_there() -> None:
    """The last deletion counts: a first one that was answered with 500 was sent again."""
    still = steps("deleted", 200)
    assert [] == findings("lifecycle.deleted.gone", trace([CREATE], still))
    assert [] == findings("lifecycle.deleted.gone", trace([CREATE], steps("delete", 200, 500), still))
    assert [(None, 3)] == findings("lifecycle.deleted.gone", trace([CREATE], steps("delete", 500, 200), still))


def test_each_success_of_a_second_deletion_is_noted() -> None:
    story = trace([CREATE], DELETE, steps("delete-again", 404, 200, 500, 204))
    assert [(None, 3), (None, 5)] == findings("lifecycle.deleted.again", story)


@pytest.mark.parametrize(
    ("found", "pages"),
    [
        ([], ()),
        ([], (("b", 200),)),
        ([(None, 2)], (("ba", 200),)),
        ([(None, 3)], (("b", 200), ("a", 200))),
        ([(WARN, 2)], (("a", 200), ("b", 200))),
        ([], (("a", 500),)),
        ([], (("a", 200), ("a", 429))),
    ],
)
def test_a_deleted_object_is_in_no_list(found: list[Any], pages: tuple[tuple[str, int], ...]) -> None:
    """Others may be listed beside it; a list that was not answered says nothing."""
    lists = [step("list-after", number, page(ids), status) for number, (ids, status) in enumerate(pages)]
    assert found == findings("lifecycle.deleted.unlisted", trace([CREATE], DELETE, lists))


def test_a_list_says_nothing_of_an_object_that_was_not_created() -> None:
    lists = [step("list-after", 0, page("a")), step("list-after", 1, page("b"))]
    assert [] == findings("lifecycle.deleted.unlisted", trace(lists))


@pytest.mark.parametrize(
    ("found", "before", "after"),
    [
        ([], (200,), ()),
        ([], (200,), (200,)),
        ([(None, 1)], (200,), (404,)),
        ([(None, 2)], (200,), (200, 404)),
        ([], (200,), (404, 200)),
        ([], (200,), (403,)),
        ([], (200,), (405,)),
        ([], (200,), (429,)),
        ([], (200,), (500,)),
        ([], (404,), (404,)),
        ([], (), (404,)),
    ],
)
def test_another_object_stays_if_it_was_there(
    found: list[Any], before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    """One that could not be read before the deletion was removed by others, or never was."""
    story = trace(steps("get-second", *before, value={"id": "b"}), steps("get-second-after", *after, value={}))
    assert found == findings("lifecycle.deleted.others-stay", story)


def test_a_finding_says_what_was_expected_and_what_came() -> None:
    """Of several answers to the same question, the last one."""
    created, looks = [CREATE], [step("deleted", 0, {}, 202), step("deleted", 1, {}, 200)]
    others = [*steps("get-second", 200, value={"id": "b"}), *steps("get-second-after", 404, value={})]
    for expected, actual, check, story in (
        ("True", "absent", "lifecycle.delete.confirms", trace(created, steps("delete", 200, value={"id": "a"}))),
        ("404", "200", "lifecycle.deleted.gone", trace(created, DELETE, looks)),
        ("200", "404", "lifecycle.deleted.others-stay", trace(others)),
    ):
        (found,) = spoken(check, story)
        assert (expected, actual) == (found.expected, found.actual)


# -- counterexamples --------------------------------------------------------------------------------------------------

GONE = sent("DELETE", "/assistants/a", {"id": "a", "deleted": True})
AGAIN = sent("DELETE", "/assistants/a", {"error": {}}, 404)
READ = sent("GET", "/assistants/a", {"id": "a"})
LOST = sent("GET", "/assistants/a", {"error": {}}, 404)


@pytest.mark.parametrize(
    ("made", "exchange"),
    [
        ({"id": "a", "deleted": False}, GONE),
        (None, sent("DELETE", "/assistants/a", {"id": "a", "deleted": False})),
        (None, sent("DELETE", "/assistants/a", {"id": "a", "deleted": 1})),
        (None, sent("POST", "/assistants/a", {"id": "a", "deleted": True})),
        (None, sent("DELETE", "/threads/t/runs/r", {"id": "r", "deleted": True})),
    ],
)
def test_a_confirmation_that_denies(made: Any, exchange: Exchange) -> None:
    assert made == broken("lifecycle.delete.confirms", exchange)


@pytest.mark.parametrize(
    ("denied", "exchange"),
    [
        (True, GONE),
        (True, sent("DELETE", "/assistants/a", status=204)),
        (False, AGAIN),
        (False, READ),
        (False, evolve(GONE, response=None)),
    ],
)
def test_a_witness_denies_each_deletion_that_was_confirmed(denied: bool, exchange: Exchange) -> None:
    witness = find_check("lifecycle.delete.confirms").witness
    assert witness is not None
    made = witness(exchange, ())
    answer = made.response if made else None
    assert ((200, {"deleted": False}) if denied else None) == (answer and (answer.status, answer.json))


@pytest.mark.parametrize(
    ("made", "exchange", "earlier"),
    [
        ({"id": "a"}, LOST, [READ, GONE]),
        ({"id": "new"}, LOST, [READ, sent("GET", "/assistants/a", {"id": "new"}), GONE]),
        (None, LOST, [GONE]),
        (None, LOST, [LOST]),
        (None, LOST, [sent("GET", "/assistants/b", {"id": "b"})]),
        (None, LOST, [sent("POST", "/assistants/a", {"id": "a"})]),
        (None, LOST, [evolve(READ, response=None)]),
        (None, READ, [READ]),
        (None, AGAIN, [READ]),
        (None, sent("GET", "/assistants/a", {}, 410), [READ]),
        (None, evolve(LOST, response=None), [READ]),
    ],
)
def test_a_deleted_object_that_is_still_readable(made: Any, exchange: Exchange, earlier: list[Exchange]) -> None:
    assert made == broken("lifecycle.deleted.gone", exchange, *earlier)


@pytest.mark.parametrize(
    ("made", "exchange", "earlier"),
    [
        ({"id": "a", "deleted": True}, AGAIN, [READ, GONE]),
        (None, AGAIN, [READ]),
        (None, AGAIN, [AGAIN]),
        (None, AGAIN, [sent("DELETE", "/assistants/b", {"id": "b", "deleted": True})]),
        (None, AGAIN, [evolve(GONE, response=None)]),
        (None, sent("DELETE", "/assistants/a", {}, 400), [GONE]),
        (None, GONE, [GONE]),
        (None, LOST, [GONE]),
        (None, evolve(AGAIN, response=None), [GONE]),
    ],
)
def test_a_second_deletion_that_succeeds(made: Any, exchange: Exchange, earlier: list[Exchange]) -> None:
    assert made == broken("lifecycle.deleted.again", exchange, *earlier)


def listed(ids: str, query: Query | None = None, **more: Any) -> Exchange:
    return sent("GET", "/assistants", page(ids, **more), query=query)


FULL = "bcdefghijklmnopqrstu"


@pytest.mark.parametrize(
    ("ids", "exchange", "earlier"),
    [
        ("ba", listed("b"), [listed("ab"), GONE]),
        ("ba", listed("b"), [listed(""), listed("b"), listed("ab"), GONE]),
        (FULL[:19] + "a", listed(FULL[:19]), [listed("ab"), GONE]),
        (FULL + "a", listed(FULL, {"limit": "30"}), [listed("ab", {"limit": "30"}), GONE]),
        (None, listed(FULL), [listed("ab"), GONE]),
        (None, listed("b"), [listed("b"), GONE]),
        (None, listed("b"), [listed("ab")]),
        (None, listed("b"), [listed("ab"), AGAIN]),
        (None, listed("b"), [listed("ab"), evolve(GONE, response=None)]),
        (None, listed("b"), [listed("ab"), sent("DELETE", "/files/a", {})]),
        (None, listed("b"), [listed("ab"), READ]),
        (None, listed("b"), [listed("ab", {"limit": "1"}), GONE]),
        (None, sent("POST", "/assistants", page("b")), [listed("ab"), GONE]),
        (None, sent("GET", "/assistants", page("b"), 500), [listed("ab"), GONE]),
        (None, sent("GET", "/assistants", []), [listed("ab"), GONE]),
        (None, sent("GET", "/assistants", {"data": {}}), [listed("ab"), GONE]),
        (None, evolve(listed("b"), response=None), [listed("ab"), GONE]),
    ],
)
def test_a_list_that_still_has_the_deleted_object(ids: str | None, exchange: Exchange, earlier: list[Exchange]) -> None:
    made = broken("lifecycle.deleted.unlisted", exchange, *earlier)
    assert (ids and (list(ids), ids[0], "a")) == (
        made and ([item["id"] for item in made["data"]], made["first_id"], made["last_id"])
    )


def test_the_last_deletion_comes_back_into_a_list_without_ends() -> None:
    def bare(ids: str) -> Exchange:
        return sent("GET", "/assistants", {"data": [{"id": id} for id in ids]})

    earlier = [bare("abc"), GONE, sent("DELETE", "/assistants/b", {"deleted": True})]
    assert {"data": [{"id": "c"}, {"id": "b"}]} == broken("lifecycle.deleted.unlisted", bare("c"), *earlier)


@pytest.mark.parametrize(
    ("ids", "exchange", "others"),
    [
        (["a"], listed("b"), [GONE]),
        (["a"], listed("b", {"limit": "1"}), [READ, AGAIN, GONE, sent("DELETE", "/files/f", {})]),
        (["a", "c"], listed("b"), [GONE, sent("DELETE", "/assistants/c", {})]),
        (None, listed("b"), [AGAIN]),
        (None, listed("b"), [READ]),
        (None, listed(""), [GONE]),
    ],
)
def test_a_witness_lists_what_was_deleted(ids: list[str] | None, exchange: Exchange, others: list[Exchange]) -> None:
    witness = find_check("lifecycle.deleted.unlisted").witness
    assert witness is not None
    made = witness(exchange, others)
    assert ids == (made and made.response and [item["id"] for item in made.response.json["data"]])


OTHER = sent("GET", "/assistants/b", {"id": "b"})


@pytest.mark.parametrize(
    ("lost", "exchange", "earlier"),
    [
        (True, OTHER, [AGAIN]),
        (True, sent("GET", "/assistants/b"), [AGAIN]),
        (False, OTHER, [GONE]),
        (False, OTHER, [LOST]),
        (False, OTHER, [sent("DELETE", "/files/a", {}, 404)]),
        (False, OTHER, []),
        (False, listed("b"), [AGAIN]),
        (False, sent("POST", "/assistants/b", {"id": "b"}), [AGAIN]),
        (False, sent("GET", "/assistants/b", {"id": "b"}, 500), [AGAIN]),
        (False, evolve(OTHER, response=None), [AGAIN]),
    ],
)
def test_another_object_that_is_gone_too(lost: bool, exchange: Exchange, earlier: list[Exchange]) -> None:
    made = find_check("lifecycle.deleted.others-stay").counterexample(exchange, earlier)
    assert (404 if lost else None) == (made and made.status)


def test_it_is_gone_as_the_latest_object_is() -> None:
    later = sent("DELETE", "/assistants/a", {"error": "later"}, 404)
    assert {"error": "later"} == broken("lifecycle.deleted.others-stay", OTHER, AGAIN, later)


def test_a_story_without_steps_has_no_finding() -> None:
    names = ("delete.confirms", "deleted.gone", "deleted.again", "deleted.unlisted", "deleted.others-stay")
    assert [[]] * len(names) == [findings(f"lifecycle.{name}", Trace("lifecycle.x")) for name in names]
