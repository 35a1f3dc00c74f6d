"""What a scenario created is removed while others are still sent: not before its last user has ended, by the same few
senders, and what can't be removed this way is left to the end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import evolve

from conformance.requests.case import Case
from conformance.run.early import EarlyRemoval, users_of
from conformance.scenarios.scenario import Given, Scenario, Script, Settings
from conformance.spec.spec import Spec
from conformance.target import removing
from conformance.target.cleanup import clean
from conformance.target.removing import Removing
from conformance.target.target import Target

from .conftest import Board
from .kept_objects import DELETE, GET, POST, Objects, Run, creation, done, early, get, sent, told
from .memory import PATIENCE


@pytest.fixture
def objects(board: Board) -> Objects:
    return Objects(board)


@pytest.fixture
def target(target_for: Callable[..., Target]) -> Target:
    return target_for(deployments={"model": frozenset({"assistants", "chat"})})


def test_an_object_is_gone_before_the_last_scenario_has_ended(objects: Objects, run: Run, target: Target) -> None:
    """The long scenario gets its last answer only when the object of the short one is removed and looked for."""
    one = "/assistants/assistant_1"
    short = told("short", (creation("short"),))
    long = told("long", *((get(f"x{number}", str(number), "long"),) for number in range(3)))
    objects.until[GET, "/assistants/x2"] = lambda: objects.came(DELETE, one) and objects.came(GET, one)
    journal = sent(run, target, short, long, concurrency=2)
    assert (True, {}) == (journal.empty, objects.held)
    assert objects.place(DELETE, one) < objects.place(GET, one)


@pytest.mark.parametrize("concurrency", [1, 2, 8])
def test_an_object_stays_while_somebody_who_was_given_it_needs_it(
    objects: Objects, run: Run, target: Target, concurrency: int
) -> None:
    """Its user is slow: all that the others created is gone when it reads the object for the last time."""
    made = creation("maker")
    maker = told("maker", (made,))

    def reading(spec: Spec, settings: Settings) -> Script:
        for number in range(3):
            yield (get(settings.given["mine"], str(number), "user"),)

    user = Scenario("user", ("assistants.get",), reading, given={"mine": Given("maker", made.id, "assistant")})
    others = [told(f"other.{n}", (creation(f"other.{n}", kind="thread"),)) for n in range(3)]
    assert sent(run, target, maker, user, *others, concurrency=concurrency).empty
    assert {} == objects.held
    reads = [place for place, one in enumerate(objects.told) if one == (GET, "/assistants/assistant_1")]
    assert 4 == len(reads), "three by the user, and one that looks whether it is gone"
    assert reads[2] < objects.place(DELETE, "/assistants/assistant_1") < reads[3]


def test_the_users_of_what_users_create_are_users_too() -> None:
    """They may need what lies around it. A circle in a wrong table ends."""

    def one(id: str, *makers: str) -> Scenario:
        return told(id, given={f"n{n}": Given(maker, "case", "name") for n, maker in enumerate(makers)})

    expected = {"a": "abcd", "b": "bcd", "c": "cd", "d": "d", "x": "xy", "y": "xy"}
    found = users_of([one("a"), one("b", "a"), one("c", "b"), one("d", "a", "c"), one("x", "y"), one("y", "x")])
    assert {name: frozenset(users) for name, users in expected.items()} == found


def test_no_more_requests_are_in_flight_than_without_it(
    board: Board, objects: Objects, run: Run, target: Target
) -> None:
    """Each answer takes a moment, so that all senders meet; creations, deletions and looks share the same places."""
    answer = board.answer

    def slow(*request: Any) -> tuple[int, Any]:
        time.sleep(0.01)
        return answer(*request)

    board.answer = slow
    scenarios = [told(f"s{n}", *((creation(f"s{n}", str(step)),) for step in range(3))) for n in range(6)]
    assert sent(run, target, *scenarios, concurrency=4).empty
    assert {} == objects.held
    assert 4 == board.most
    assert 3 * 18 == len(objects.told), "each object is created, deleted and looked for"


def test_what_follows_the_last_answer_is_about_the_last_scenario(objects: Objects, run: Run, target: Target) -> None:
    shorts = [told(f"short.{n}", (creation(f"short.{n}", kind="thread"),)) for n in range(5)]
    long = told("long", *((creation("long", str(n)),) for n in range(2)), (get("last", "last", "long"),))

    def removed() -> bool:
        return not any(path.startswith("/threads/") for path in objects.held) and all(
            objects.came(GET, f"/threads/thread_{number}") for number in range(1, 6)
        )

    objects.until[GET, "/assistants/last"] = removed
    assert sent(run, target, *shorts, long).empty
    after = objects.told[objects.answered[GET, "/assistants/last"] :]
    both = [(method, f"/assistants/assistant_{number}") for number in (1, 2) for method in (DELETE, GET)]
    assert sorted(both) == sorted(after)


def test_what_lies_inside_an_object_goes_with_it(objects: Objects, run: Run, target: Target) -> None:
    inner = Case(
        "threads.messages.create", POST, "/threads/{thread_id}/messages", {"thread_id": "thread_1"},
        creates={"message": "/id"},
        undo=Case(
            "threads.messages.delete", DELETE, "/threads/{thread_id}/messages/{message_id}",
            {"thread_id": "thread_1", "message_id": "{message}"},
        ),
    ).at("s", "inner")  # fmt: skip
    assert sent(run, target, told("s", (creation("s", kind="thread"),), (inner,))).empty
    assert {} == objects.held
    assert [(DELETE, "/threads/thread_1")] == [one for one in objects.told if one[0] == DELETE]


def test_what_a_scenario_deleted_itself_is_looked_for_once(objects: Objects, run: Run, target: Target) -> None:
    one = "/assistants/assistant_1"
    gone = Case("assistants.delete", DELETE, "/assistants/{assistant_id}", {"assistant_id": "assistant_1"})
    assert sent(run, target, told("s", (creation("s"),), (gone.at("s", "delete"),))).empty
    assert [(POST, "/assistants"), (DELETE, one), (GET, one)] == objects.told


def test_what_a_scenario_deleted_in_vain_is_removed(objects: Objects, run: Run, target: Target) -> None:
    """Its deletion was answered 200 and the object still exists."""
    one = "/assistants/assistant_1"
    objects.refusals[DELETE, one] = [200]
    gone = Case("assistants.delete", DELETE, "/assistants/{assistant_id}", {"assistant_id": "assistant_1"})
    assert sent(run, target, told("s", (creation("s"),), (gone.at("s", "delete"),))).empty
    assert [(DELETE, one), (GET, one), (DELETE, one), (GET, one)] == objects.told[1:]
    assert {} == objects.held


@pytest.mark.parametrize("status", [200, 204, 403, 404, 409])
def test_what_was_refused_is_left_to_the_end(objects: Objects, run: Run, target: Target, status: int) -> None:
    """It is asked for once while the run goes on. The end asks again, and only then is it gone."""
    one = "/assistants/assistant_1"
    objects.refusals[DELETE, one] = [status]
    journal = sent(run, target, told("s", (creation("s"),)))
    assert [one] == [entry.path for entry in journal.pending]
    assert 1 == objects.told.count((DELETE, one))
    assert (1, ()) == ((made := clean(target, journal)).removed, made.left)
    assert (True, {}) == (journal.empty, objects.held)


@pytest.mark.usefixtures("bounded")
def test_what_only_ends_by_itself_goes_with_all_that_it_may_use_when_everything_was_sent(
    objects: Objects, run: Run, target: Target
) -> None:
    """A job goes on using its files after the last request of its scenario. Another scenario's object goes before."""
    cancel = Case("jobs.cancel", POST, "/jobs/{job_id}/cancel", {"job_id": "{job}"})
    job = told("job", (creation("job"),), (creation("job", "job", "job", undo=cancel),))
    short = told("short", (creation("short", kind="thread"),))
    long = told("long", (get("last", "last", "long"),))
    objects.until[GET, "/assistants/last"] = lambda: objects.came(GET, "/threads/thread_1")
    journal = sent(run, target, job, short, long)
    assert () == journal.pending
    end = objects.answered[GET, "/assistants/last"]
    deleted, used = (DELETE, "/threads/thread_1"), (DELETE, "/assistants/assistant_1")
    assert objects.place(*deleted) < end <= objects.place(*used)
    assert end <= objects.place(POST, "/jobs/job_1/cancel")


def test_what_an_answer_named_is_read_before_the_end_and_not_again(
    objects: Objects, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a store that a job made is ours is known when the job may go. One that is not there may still come."""
    monkeypatch.setattr(removing, "_APPEARS", 60.0)
    cancel = Case("jobs.cancel", POST, "/jobs/{job_id}/cancel", {"job_id": "{job}"})
    objects.made["job"] = {"vector_store_ids": ["vs_9", "vs_late"], "created_at": int(time.time())}
    objects.held["/vector_stores/vs_9"] = {"id": "vs_9", "created_at": int(time.time())}
    removal = early(target, told("job"), told("short"), told("long"))
    target.send(creation("job", "job", "job", undo=cancel))
    removal.ended("short")
    done(removal)
    assert [(GET, "/vector_stores/vs_9"), (GET, "/vector_stores/vs_late")] == sorted(objects.told[1:])
    removal.ended("job")
    done(removal)
    assert 3 == len(objects.told), "whose answer names it first is chance: others may use it until the end"
    objects.held["/vector_stores/vs_late"] = {"id": "vs_late", "created_at": int(time.time())}
    removal.ended("long")
    done(removal)
    assert ["/jobs/job_1"] == list(objects.held), "nothing removes it"
    assert [GET, DELETE, GET] == [method for method, path in objects.told if path == "/vector_stores/vs_9"]
    assert [GET, GET, DELETE, GET] == [method for method, path in objects.told if path == "/vector_stores/vs_late"]


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("walks", [True, False])
def test_an_object_stays_while_a_script_walks_through_its_list(
    objects: Objects, run: Run, target: Target, walks: bool
) -> None:
    """It may be the cursor of the next page. Objects of other lists go."""
    short = told("short", (creation("short"), creation("short", "other", "thread")))
    long = evolve(
        told("long", (get("last", "last", "long"),)), operations=("assistants.list" if walks else "assistants.get",)
    )
    gone = ["/threads/thread_1"] + ["/assistants/assistant_1"] * (not walks)
    objects.until[GET, "/assistants/last"] = lambda: all(objects.came(GET, path) for path in gone)
    assert sent(run, target, short, long).empty
    assert {} == objects.held
    end = objects.answered[GET, "/assistants/last"]
    assert walks == (end <= objects.place(DELETE, "/assistants/assistant_1"))


def test_what_another_process_or_nobody_known_created_is_left(objects: Objects, run: Run, target: Target) -> None:
    """Only objects of the runner's own scenarios are touched before the end."""
    target.send(creation("elsewhere"))
    journal = sent(run, target, told("s", (creation("s", kind="thread"),)))
    assert ["/assistants/assistant_1"] == [entry.path for entry in journal.pending]
    assert {"/assistants/assistant_1"} == set(objects.held)


def test_a_mistake_in_it_touches_no_verdict_and_is_told(
    objects: Objects, run: Run, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Removing, "undone", broken)
    scenarios = [told(f"s{n}", (creation(f"s{n}"),)) for n in range(4)]
    removal = early(target, *scenarios)
    with run(scenarios, target=target, removal=removal) as runner:
        assert [1] * 4 == [len(runner.trace(one.id).observations) for one in scenarios]
    assert "RuntimeError: a bug" == removal.trouble
    assert 4 == len(objects.held)


def test_a_mistake_in_the_choice_of_what_goes_touches_no_verdict(
    objects: Objects, run: Run, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: EarlyRemoval) -> Iterator[Any]:
        raise RuntimeError("a bug")

    monkeypatch.setattr(EarlyRemoval, "_begun", broken)
    scenario = told("s", (creation("s"),))
    removal = early(target, scenario)
    with run([scenario], target=target, removal=removal) as runner:
        assert 1 == len(runner.trace("s").observations)
    assert "RuntimeError: a bug" == removal.trouble


def test_there_is_work_as_long_as_a_deletion_was_not_looked_at(objects: Objects, target: Target) -> None:
    """Between the two requests nobody sends; a sender that sees that must not end."""
    removal = early(target, told("s"))
    target.send(creation("s"))
    removal.ended("s")
    deletion = removal.job(1)
    assert deletion is not None
    deletion()
    assert (True, (DELETE, "/assistants/assistant_1")) == (removal.busy, objects.told[-1])
    done(removal)
    assert (False, (GET, "/assistants/assistant_1")) == (removal.busy, objects.told[-1])


def test_a_stopped_run_begins_no_removal(objects: Objects, run: Run, target: Target) -> None:
    """Whoever interrupts a run wants it to end: what is left is removed by the end alone, within its time."""
    short = told("short", (creation("short"),))
    long = told("long", (get("x", "x", "long"),))
    stopping = threading.Event()
    objects.until[GET, "/assistants/x"] = stopping.is_set
    runner = run([long, short], target=target, concurrency=1, removal=early(target, long, short))
    runner.start()
    with objects.changed:
        assert objects.changed.wait_for(lambda: objects.came(GET, "/assistants/x"), PATIENCE)
    runner.stop(0.0)
    stopping.set()
    assert not [one for one in objects.told if one[0] == DELETE]
