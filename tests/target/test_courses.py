"""Of several removals, what answers comes before what doesn't: a deletion that hangs keeps only its own sender."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from conformance.requests.case import Case
from conformance.target.cleanup import clean
from conformance.target.courses import Course, Courses
from conformance.target.removing import Removing
from conformance.target.target import Target

from .conftest import Open, Serve
from .shelf import STORE, Shelf, reasons
from .test_target import CREATE
from .wire_server import http


@pytest.fixture
def removing(serve: Serve, open_target: Open) -> Removing:
    target = open_target(Shelf(serve).url)
    assert target.journal is not None
    return Removing(target, target.journal)


def course(done: list[str], name: str, *operations: str) -> Course:
    for operation in operations:
        yield operation
        done.append(f"{operation or 'look'} {name}")


def filled(removing: Removing, done: list[str], *names: str) -> Courses:
    """Removals of objects whose names begin with their operation."""
    courses = Courses(removing)
    for name in names:
        courses.add(course(done, name, name[0], ""))
    return courses


def test_deletions_come_in_their_order_and_looks_after_them(removing: Removing) -> None:
    done: list[str] = []
    courses = filled(removing, done, "a1", "b1", "a2")
    while (piece := courses.take()) is not None:
        piece()
    assert ["a a1", "b b1", "a a2", "look a1", "look b1", "look a2"] == done
    assert (0, False) == (courses.under_way, courses.left)


def test_what_answered_a_scenario_is_not_held_back(serve: Serve, open_target: Open) -> None:
    """Of other operations two deletions are begun until one of them is answered."""
    target = open_target(Shelf(serve, {"id": "vs_1"}).url)
    assert target.journal is not None
    target.send(STORE)
    target.send(
        Case("vector_stores.delete", "DELETE", "/vector_stores/{store}", path_params={"store": "vs_1"}),
    )
    courses = Courses(Removing(target, target.journal), 2)
    for operation in ("vector_stores.delete", "files.delete"):
        for number in range(4):
            courses.add(course([], f"{number}", operation, ""))
    begun = []
    while (piece := courses.take()) is not None:
        begun.append(piece)
    assert 4 + 2 == len(begun) == courses.under_way


@pytest.mark.parametrize(
    ("answers", "order"),
    [
        (True, ["a a2", "a a3", "b b1", "b b2", "look a2", "look a3", "look b1", "look b2"]),
        (False, ["b b1", "b b2", "look b1", "look b2", "a a2", "look a2", "a a3", "look a3"]),
    ],
)
def test_what_has_not_answered_yet_comes_behind_what_may(removing: Removing, answers: bool, order: list[str]) -> None:
    """The first deletion is under way. If its operation has answered before, its next one comes in its turn."""
    done: list[str] = []
    if answers:
        removing.unanswered["a"] = 0
    courses = filled(removing, done, "a1", "a2", "a3", "b1", "b2")
    assert courses.take() is not None
    while (piece := courses.take()) is not None:
        piece()
    assert order == done


def test_what_hung_before_comes_last(removing: Removing) -> None:
    done: list[str] = []
    removing.unanswered["a"] = 1
    courses = filled(removing, done, "a1", "b1", "b2")
    while (piece := courses.take()) is not None:
        piece()
    assert ["b b1", "b b2", "look b1", "look b2", "a a1", "look a1"] == done


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set when the test is over: what hangs until then ends."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("concurrency", [1, 2, 8])
@pytest.mark.parametrize("known", [True, False])
def test_what_hangs_at_the_end_keeps_nothing_else_from_being_removed(
    serve: Serve, open_target: Open, over: threading.Event, concurrency: int, known: bool
) -> None:
    """Assistants are the newest, so they are asked for first. No deletion of one is answered before it is cut off."""
    shelf = Shelf(serve, *({"id": f"vs_{n}"} for n in range(9)), *({"id": f"asst_{n}"} for n in range(9)))
    target = open_target(shelf.url)
    for case in (STORE, CREATE):
        for _ in range(9):
            target.send(case)

    def ruled(method: str, path: str) -> bytes | None:
        return http() if method == "DELETE" and "/assistants/" in path and over.wait() else None

    shelf.ruled = ruled
    assert target.journal is not None
    hanging = {"assistants.delete"} if known else set()
    made = clean(target, target.journal, 2.0, concurrency, hanging=hanging)
    left = {f"/assistants/asst_{n}" for n in range(9)}
    assert (9, left, left) == (made.removed, {*reasons(made)}, {*shelf.objects})
    late = {path for path, reason in reasons(made).items() if reason == "there was no time left to remove it"}
    told = {path: f"DELETE {path} was answered not at all, and it still exists" for path in left - late}
    assert told
    assert told == {path: reason for path, reason in reasons(made).items() if path not in late}


def test_a_deletion_that_did_its_work_and_hangs_leaves_nothing(
    serve: Serve, open_target: Open, over: threading.Event
) -> None:
    """Half of the time is left for a look, which finds nothing."""
    shelf = Shelf(serve, {"id": "asst_1"})
    target: Target = open_target(shelf.url)
    target.send(CREATE)

    def ruled(method: str, path: str) -> bytes | None:
        if method == "DELETE":
            del shelf.objects[path]
            over.wait()
        return None

    shelf.ruled = ruled
    assert target.journal is not None
    made = clean(target, target.journal, 2.0)
    assert (1, ()) == (made.removed, made.left)
