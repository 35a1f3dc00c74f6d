"""What is written down is removed, and a look at the target says whether it is gone."""

from __future__ import annotations

import pytest
from attrs import evolve

from conformance.requests.case import Case, JsonBody
from conformance.target import cleanup, removing

from .conftest import Open, Serve
from .shelf import NOON, STORE, Shelf, cleaned, reasons
from .test_target import CREATE, delete
from .wire_server import http

pytestmark = pytest.mark.usefixtures("no_pauses")

ATTACH = Case(
    "vector_stores.files.create",
    "POST",
    "/vector_stores/{vector_store_id}/files",
    {"vector_store_id": "vs_1"},
    body=JsonBody({"file_id": "file-1"}),
)


def test_what_was_created_is_removed_newest_first_and_looked_for(serve: Serve, open_target: Open) -> None:
    shelf = Shelf(serve, *({"id": f"asst_{n}"} for n in (1, 2, 3)))
    target = open_target(shelf.url)
    journal = target.journal
    assert journal is not None
    for _ in range(3):
        target.send(CREATE)
    made = cleaned(target)
    assert ((3, ()), {}) == ((made.removed, made.left), shelf.objects)
    newest = [f"/assistants/asst_{n}" for n in (3, 2, 1)]
    assert [("DELETE", path) for path in newest] + [("GET", path) for path in newest] == shelf.seen[3:]
    journal.close()
    assert not journal.path.exists()


def test_an_undo_names_the_created_object_and_not_the_one_of_the_set_up(serve: Serve, open_target: Open) -> None:
    """Both have the same placeholder: the request continues a response and creates another one."""
    shelf = Shelf(serve, {"id": "asst_new"})
    undo = evolve(delete("{assistant_id}"), bindings={"assistant_id": "asst_set_up"})
    target = open_target(shelf.url)
    target.send(evolve(CREATE, creates={"assistant_id": "/id"}, undo=undo, bindings={"assistant_id": "asst_set_up"}))
    assert 1 == cleaned(target).removed
    assert ("DELETE", "/assistants/asst_new") in shelf.seen
    assert "/assistants/asst_set_up" not in {path for _, path in shelf.seen}


@pytest.mark.parametrize(
    ("delete_status", "look_status", "left"),
    [
        (404, 200, "DELETE /assistants/asst_1 was answered 404, and it still exists"),
        (200, 200, "DELETE /assistants/asst_1 was answered 200, and it still exists"),
        (200, 403, "a look at /assistants/asst_1 was answered 403"),
        (404, 404, None),
        (403, 404, None),
    ],
)
def test_a_look_decides_whether_something_is_left(
    serve: Serve, open_target: Open, delete_status: int, look_status: int, left: str | None
) -> None:
    shelf = Shelf(serve, {"id": "asst_1"})
    target = open_target(shelf.url)
    target.send(CREATE)
    statuses = {"DELETE": delete_status, "GET": look_status}
    shelf.ruled = lambda method, path: http({}, statuses[method])
    made = cleaned(target)
    assert ({"/assistants/asst_1": left} if left else {}) == reasons(made)
    assert (0 if left else 1) == made.removed


def test_detaching_a_file_deletes_neither_the_store_nor_the_file(serve: Serve, open_target: Open) -> None:
    shelf = Shelf(serve, {"id": "vs_1"}, {"id": "file-1"}, {"id": "file-1"})
    target = open_target(shelf.url)
    target.send(STORE)
    undo = Case("files.delete", "DELETE", "/files/{file_id}", {"file_id": "{file}"})
    target.send(Case("files.upload", "POST", "/files", creates={"file": "/id"}, undo=undo))
    target.send(ATTACH)
    inside = "/vector_stores/{vector_store_id}/files/{file_id}"
    ids = {"vector_store_id": "vs_1", "file_id": "file-1"}
    assert target.send(Case("vector_stores.files.delete", "DELETE", inside, ids)).ok
    assert {"/vector_stores/vs_1", "/files/file-1"} == set(shelf.objects)
    assert ((), {}) == (cleaned(target).left, shelf.objects)


@pytest.mark.parametrize("refused", [False, True])
def test_what_a_scenario_deleted_inside_an_object_is_looked_for_only_if_that_one_stays(
    serve: Serve, open_target: Open, refused: bool
) -> None:
    """It goes with the object. If that can't be removed, a deletion that did nothing is found out."""
    shelf = Shelf(serve, {"id": "vs_1"}, {"id": "file-1"})
    target = open_target(shelf.url, retries=0)
    target.send(STORE)
    target.send(ATTACH)
    inside = "/vector_stores/{vector_store_id}/files/{file_id}"
    ids = {"vector_store_id": "vs_1", "file_id": "file-1"}
    shelf.ruled = lambda method, path: http({"deleted": True})
    target.send(Case("vector_stores.files.delete", "DELETE", inside, ids))
    shelf.ruled = lambda method, path: (
        http({}, 409) if refused and (method, path) == ("DELETE", "/vector_stores/vs_1") else None
    )
    before = len(shelf.seen)
    made = cleaned(target)
    attached = {method for method, path in shelf.seen[before:] if path == "/vector_stores/vs_1/files/file-1"}
    assert ({"GET", "DELETE"} if refused else set()) == attached
    assert (["/vector_stores/vs_1"] if refused else []) == [*shelf.objects] == [one.entry.path for one in made.left]


def test_a_refused_create_and_an_own_delete_leave_nothing_to_remove(serve: Serve, open_target: Open) -> None:
    shelf = Shelf(serve, {"id": "asst_1"})
    target = open_target(shelf.url)
    journal = target.journal
    assert journal is not None
    shelf.ruled = lambda method, path: http({}, 400)
    target.send(CREATE)
    shelf.ruled = lambda method, path: None
    target.send(CREATE)
    target.send(delete("asst_1"))
    assert ((), 0) == (journal.pending, journal.unknown)
    assert ["/assistants/asst_1"] == [entry.path for entry in journal.unconfirmed], "nobody has looked yet"
    target.send(evolve(delete("asst_1"), operation="assistants.get", method="GET"))
    assert () == journal.unconfirmed


def test_a_deletion_that_was_accepted_and_did_nothing_is_found_out(serve: Serve, open_target: Open) -> None:
    shelf = Shelf(serve, {"id": "asst_1"})
    target = open_target(shelf.url)
    target.send(CREATE)
    shelf.ruled = lambda method, path: http({"deleted": True}) if method == "DELETE" else None
    target.send(delete("asst_1"))
    assert ["/assistants/asst_1"] == list(reasons(cleaned(target)))


def test_what_no_operation_removes_is_told_with_its_status(serve: Serve, open_target: Open) -> None:
    shelf = Shelf(serve, {"id": "job_1", "status": "running"}, {"id": "job_1", "status": "cancelled"})
    job = "/fine_tuning/jobs/{fine_tuning_job_id}"
    undo = Case("fine_tuning.jobs.cancel", "POST", f"{job}/cancel", {"fine_tuning_job_id": "{job}"})
    target = open_target(shelf.url)
    target.send(Case("fine_tuning.jobs.create", "POST", "/fine_tuning/jobs", creates={"job": "/id"}, undo=undo))
    made = cleaned(target)
    assert (0, ()) == (made.removed, made.left)
    ((path, reason),) = [(one.entry.path, one.reason) for one in made.staying]
    assert "/fine_tuning/jobs/job_1" == path
    assert "no operation" in reason


def test_what_is_inside_another_object_goes_with_it(serve: Serve, open_target: Open) -> None:
    shelf = Shelf(serve, {"id": "vs_1"}, {"id": ""}, {"id": "file-1"})
    target = open_target(shelf.url)
    journal = target.journal
    assert journal is not None
    target.send(STORE)
    target.send(ATTACH)
    target.send(ATTACH)
    assert 1 == journal.unknown, "it was accepted without an id"
    made = cleaned(target)
    assert (1, (), 0) == (made.removed, made.left, made.unknown)
    assert [("DELETE", "/vector_stores/vs_1")] == [one for one in shelf.seen if one[0] == "DELETE"]


def test_what_is_inside_an_object_that_stays_is_removed_by_itself(serve: Serve, open_target: Open) -> None:
    shelf = Shelf(serve, {"id": "vs_1"}, {"id": "file-1"})
    target = open_target(shelf.url)
    target.send(STORE)
    target.send(ATTACH)
    keeps = ("DELETE", "/vector_stores/vs_1")
    shelf.ruled = lambda method, path: http({}, 409) if (method, path) == keeps else None
    assert ["/vector_stores/vs_1"] == list(reasons(cleaned(target)))
    assert {"/vector_stores/vs_1"} == set(shelf.objects)


def test_what_a_stream_created_is_removed_too_even_when_it_was_cut_off(serve: Serve, open_target: Open) -> None:
    events = b'event: thread.run.created\ndata: {"id": "run_1", "thread_id": "thread_1"}\n\ndata: {"id"'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    cut = head + b"%x\r\n%s\r\n" % (len(events), events)
    shelf = Shelf(serve)
    shelf.objects["/threads/thread_1"] = {"id": "thread_1"}
    shelf.ruled = lambda method, path: cut if method == "POST" else None
    undo = Case("threads.delete", "DELETE", "/threads/{thread_id}", {"thread_id": "{thread}"})
    case = Case("threads.create_and_run", "POST", "/threads/runs", creates={"thread": "/thread_id"}, undo=undo)
    target = open_target(shelf.url)
    assert target.send(case).fault is not None
    assert (1, {}) == (cleaned(target).removed, shelf.objects)


def test_a_thread_that_came_with_its_run_is_read_before_it_is_deleted(serve: Serve, open_target: Open) -> None:
    """The answer showed the run. What the service made for the thread stands in the thread alone."""
    shelf = Shelf(serve, {"id": "run_1", "thread_id": "thread_1"})
    shelf.objects["/threads/thread_1"] = {"id": "thread_1", "tool_resources": {"vector_store_ids": ["vs_1"]}}
    shelf.objects["/vector_stores/vs_1"] = {"id": "vs_1", "created_at": NOON + 1}
    undo = Case("threads.delete", "DELETE", "/threads/{thread_id}", {"thread_id": "{thread}"})
    case = Case("threads.create_and_run", "POST", "/threads/runs", creates={"thread": "/thread_id"}, undo=undo)
    target = open_target(shelf.url)
    target.send(case)
    made = cleaned(target)
    assert (2, ()) == (made.removed, made.left)
    assert not [path for path in shelf.objects if path.startswith(("/vector_stores", "/threads/thread"))]


def test_what_appears_late_is_deleted_when_it_is_there(
    serve: Serve, open_target: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service of several machines that doesn't know a new object yet answers 404 to its deletion and to a look."""
    monkeypatch.setattr(removing, "_APPEARS", 60.0)
    monkeypatch.setattr(cleanup, "_EACH", 0.0)
    shelf = Shelf(serve, {"id": "asst_1"})
    shelf.ruled = lambda method, path: http({}, 404) if method != "POST" and len(shelf.seen) < 10 else None
    target = open_target(shelf.url)
    target.send(CREATE)
    made = cleaned(target)
    assert (1, (), {}) == (made.removed, made.left, shelf.objects)


def test_what_never_appears_is_gone_in_the_end(
    serve: Serve, open_target: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removing, "_APPEARS", 0.3)
    monkeypatch.setattr(cleanup, "_EACH", 0.05)
    shelf = Shelf(serve, {"id": "asst_1"})
    target = open_target(shelf.url)
    target.send(CREATE)
    shelf.ruled = lambda method, path: http({}, 404)
    made = cleaned(target)
    assert (1, ()) == (made.removed, made.left)


@pytest.mark.parametrize("refusal", [200, 202, 204, 409, 423, 500])
def test_what_is_not_removed_at_once_is_asked_for_again(serve: Serve, open_target: Open, refusal: int) -> None:
    """The store may not go as long as a file is in it, and the assistant goes with the second deletion."""
    shelf = Shelf(serve, {"id": "asst_1"}, {"id": "vs_1"}, {"id": "file-1"})

    def ruled(method: str, path: str) -> bytes | None:
        first = shelf.seen.count((method, path)) == 1
        inside = any(one.startswith(path + "/") for one in shelf.objects)
        refused = method == "DELETE" and (inside or (path == "/assistants/asst_1" and first))
        return http(b"" if refusal == 204 else {}, refusal) if refused else None

    shelf.ruled = ruled
    target = open_target(shelf.url, retries=0)
    for case in (CREATE, STORE, ATTACH):
        target.send(case)
    made = cleaned(target)
    assert (3, (), {}) == (made.removed, made.left, shelf.objects)


def test_what_no_operation_removes_goes_with_the_object_that_it_is_inside_of(serve: Serve, open_target: Open) -> None:
    shelf = Shelf(serve, {"id": "vs_1"}, {"id": "batch_1"})
    batches = "/vector_stores/{vector_store_id}/file_batches"
    batch = Case("vector_stores.file_batches.create", "POST", batches, {"vector_store_id": "vs_1"})
    inside = {"vector_store_id": "vs_1", "batch_id": "{created}"}
    undo = Case("vector_stores.file_batches.cancel", "POST", f"{batches}/{{batch_id}}/cancel", inside)
    target = open_target(shelf.url, retries=0)
    target.send(STORE)
    target.send(evolve(batch, creates={"created": "/id"}, undo=undo))

    def ruled(method: str, path: str) -> bytes | None:
        first = shelf.seen.count((method, path)) == 1
        return http({}, 409) if method == "DELETE" and first else http({}) if method == "POST" else None

    shelf.ruled = ruled
    made = cleaned(target)
    assert ((), (), {}) == (made.left, made.staying, shelf.objects)


def test_an_id_with_a_slash_is_not_inside_another_object(serve: Serve, open_target: Open) -> None:
    shelf = Shelf(serve, {"id": "a"}, {"id": "a/b"}, {"id": "a%2Fb"})
    target = open_target(shelf.url)
    for _ in range(3):
        target.send(CREATE)
    made = cleaned(target)
    assert (3, (), {}) == (made.removed, made.left, shelf.objects)
