"""What is written down is removed, and a look at the target says whether it is gone."""

from __future__ import annotations

import errno
import io
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from conformance.errors import UsageError
from conformance.requests.case import Case, JsonBody
from conformance.settings.configuration import Config
from conformance.target import cleanup
from conformance.target.cleanup import Cleaned, clean
from conformance.target.journal import COPIES, Journal, read
from conformance.target.journal_folder import journals
from conformance.target.limits import Withheld
from conformance.target.recovery import opener, recover
from conformance.target.target import Target
from conformance.verdict import Outcome

from .conftest import Open, Serve
from .test_target import CREATE, LIST, delete
from .wire_server import WireServer, http

STORE = Case("vector_stores.create", "POST", "/vector_stores", body=JsonBody({"name": "{run}"}))
ATTACH = Case(
    "vector_stores.files.create",
    "POST",
    "/vector_stores/{vector_store_id}/files",
    {"vector_store_id": "vs_1"},
    body=JsonBody({"file_id": "file-1"}),
)


class Shelf:
    """A small correct server. ``objects`` are its objects by path; ``made`` the bodies of the answers to creations, in
    turn. ``ruled`` answers before it does, where it returns bytes.
    """

    def __init__(self, serve: Serve, *made: Any) -> None:
        self.objects: dict[str, Any] = {}
        self.made = list(made)
        self.seen: list[tuple[str, str]] = []
        self.ruled: Callable[[str, str], bytes | None] = lambda method, path: None
        self.server: WireServer = serve(self._answer)
        self.url = self.server.url

    def _answer(self, connection: socket.socket, request: bytes, number: int) -> None:
        method, target, _ = request.split(b"\r\n", 1)[0].decode().split(" ")
        path = target.partition("?")[0].removeprefix("/openai")
        self.seen.append((method, path))
        connection.sendall(self.ruled(method, path) or self._correct(method, path))

    def _correct(self, method: str, path: str) -> bytes:
        date = "Date: Mon, 01 Jan 2024 12:00:00 GMT"
        if method == "POST":
            made = self.made.pop(0)
            self.objects[f"{path}/{made['id']}"] = made
            return http(made, 200, date)
        if path not in self.objects:
            return http({"error": {"code": None}}, 404, date)
        if method == "DELETE":
            for inside in [one for one in self.objects if one == path or one.startswith(path + "/")]:
                del self.objects[inside]
            return http({"deleted": True}, 200, date)
        return http(self.objects[path], 200, date)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shelf changes at once: what it still holds it will hold later too."""
    monkeypatch.setattr(cleanup, "_PAUSES", (0.0, 0.0))


def cleaned(target: Target) -> Cleaned:
    assert target.journal is not None
    return clean(target, target.journal)


def reasons(made: Cleaned) -> dict[str, str]:
    return {left.entry.path: left.reason for left in made.left}


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


def test_an_object_that_an_answer_names_is_removed_if_it_is_not_older_than_the_run(
    serve: Serve, open_target: Open
) -> None:
    """A service makes vector stores for an assistant. An older one belongs to somebody else, and is only told."""
    shelf = Shelf(
        serve,
        {"id": "asst_1", "tool_resources": {"file_search": {"vector_store_ids": ["vs_new", "vs_old", "vs_sent"]}}},
    )
    noon = 1_704_110_400
    shelf.objects |= {f"/vector_stores/vs_{name}": {"created_at": noon} for name in ("new", "sent")}
    shelf.objects["/vector_stores/vs_old"] = {"created_at": noon - 60}
    target = open_target(shelf.url)
    target.send(evolve(CREATE, body=JsonBody({"model": "m", "metadata": {"vs": "vs_sent"}})))
    made = cleaned(target)
    assert {"/vector_stores/vs_old", "/vector_stores/vs_sent"} == set(shelf.objects)
    assert ["/vector_stores/vs_old"] == list(reasons(made))
    assert "not certain" in made.left[0].reason
    assert "vector_store_ids in the answer to assistants.create" in made.left[0].text


def test_lists_of_the_account_and_objects_of_others_name_nothing_of_ours(serve: Serve, open_target: Open) -> None:
    shelf = Shelf(serve)
    shelf.objects["/assistants"] = {"data": [{"id": "asst_9", "tool_resources": {"vector_store_ids": ["vs_9"]}}]}
    shelf.objects["/assistants/asst_9"] = {"id": "asst_9", "vector_store_ids": ["vs_9"]}
    target = open_target(shelf.url)
    target.send(LIST)
    target.send(evolve(delete("asst_9"), operation="assistants.get", method="GET"))
    assert target.journal is not None
    assert () == target.journal.pending


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
    shelf.objects["/vector_stores/vs_1"] = {"id": "vs_1", "created_at": 1_704_110_401}
    undo = Case("threads.delete", "DELETE", "/threads/{thread_id}", {"thread_id": "{thread}"})
    case = Case("threads.create_and_run", "POST", "/threads/runs", creates={"thread": "/thread_id"}, undo=undo)
    target = open_target(shelf.url)
    target.send(case)
    made = cleaned(target)
    assert (2, ()) == (made.removed, made.left)
    assert not [path for path in shelf.objects if path.startswith(("/vector_stores", "/threads/thread"))]


# -- the journal ------------------------------------------------------------------------------------------------------


def test_the_intent_is_on_disk_before_the_request_leaves(serve: Serve, open_target: Open) -> None:
    target = open_target("http://127.0.0.1:1")
    journal = target.journal
    assert journal is not None
    seen: list[str] = []

    def look(c: socket.socket, r: bytes, n: int) -> None:
        seen.append(journal.path.read_text())
        c.sendall(http({"id": "asst_1"}))

    other = Target(Config(target=evolve(target.config.target, url=serve(look).url)), target.spec, journal=journal)
    with other:
        other.send(CREATE)
    assert ["run", "intent"] == [json.loads(line)["event"] for line in seen[0].splitlines()]


def test_a_killed_run_is_recovered_by_its_journal_alone(serve: Serve, open_target: Open, tmp_path: Path) -> None:
    shelf = Shelf(serve, {"id": "asst_1"})
    target = open_target(shelf.url)
    journal = target.journal
    assert journal is not None
    target.send(CREATE)
    assert () == journals(tmp_path), "a living run holds its journal"
    killed = journal.path.read_text() + '{"event":"crea'
    journal.close()
    journal.path.write_text(killed)
    assert (journal.path,) == journals(tmp_path)

    elsewhere = evolve(target.config, target=evolve(target.config.target, url="http://127.0.0.1:1"))
    (kept,) = recover(journals(tmp_path), opener(elsewhere))
    assert (0, 1) == (kept.cleaned.removed, len(kept.cleaned.left))
    (done,) = recover(journals(tmp_path), opener(target.config))
    assert (1, ()) == (done.cleaned.removed, done.cleaned.left)
    assert {} == shelf.objects
    assert not journal.path.exists()


def test_what_can_not_be_removed_stays_in_the_journal(serve: Serve, open_target: Open) -> None:
    shelf = Shelf(serve, {"id": "asst_1"})
    target = open_target(shelf.url)
    journal = target.journal
    assert journal is not None
    target.send(CREATE)
    shelf.ruled = lambda method, path: http({}, 400)
    assert 1 == len(cleaned(target).left)
    journal.close()
    ledger = read(journal.path)
    assert (["/assistants/asst_1"], {}) == ([entry.path for entry in ledger.open.values()], ledger.unanswered)


def test_a_request_without_an_answer_keeps_its_journal(open_target: Open, serve: Serve) -> None:
    """Something may exist that nobody knows the id of. Its owner must be able to read which request it was."""
    target = open_target(serve(lambda c, r, n: c.close()).url, retries=0)
    journal = target.journal
    assert journal is not None
    target.send(CREATE)
    (one,) = cleaned(target).unanswered
    assert "assistants.create at /assistants" == one.text
    journal.close()
    assert journal.path.exists()


def test_a_damaged_line_costs_what_it_said_and_is_counted(serve: Serve, open_target: Open, tmp_path: Path) -> None:
    shelf = Shelf(serve, {"id": "asst_1"}, {"id": "asst_2"})
    target = open_target(shelf.url)
    journal = target.journal
    assert journal is not None
    target.send(CREATE)
    target.send(CREATE)
    lines = [line for line in journal.path.read_bytes().splitlines() if b'"began"' not in line]
    journal.close()
    lines[2] = b'{"event":"crea\xff\xfe'
    journal.path.write_bytes(b"\n".join([*lines, b"[7]", b'{"event":"gone"']))
    ledger = read(journal.path)
    assert (["/assistants/asst_2"], 2) == ([entry.path for entry in ledger.open.values()], ledger.damaged)
    (done,) = recover(journals(tmp_path), opener(target.config))
    assert (1, {"/assistants/asst_1"}) == (done.cleaned.removed, set(shelf.objects))
    assert journal.path.exists(), "what the damaged line said is not known"


def test_a_file_that_is_no_journal_does_not_block_the_others(serve: Serve, open_target: Open, tmp_path: Path) -> None:
    shelf = Shelf(serve, {"id": "asst_1"})
    target = open_target(shelf.url)
    assert target.journal is not None
    target.send(CREATE)
    target.journal.close()
    for name, text in (("0", "hello"), ("9", "\x00" * 100), ("5", "[]\n{}")):
        (tmp_path / f"journal-{name}.jsonl").write_text(text)
    (tmp_path / "journal-7.jsonl").mkdir()
    done = recover(journals(tmp_path), opener(target.config))
    assert (4, 1, {}) == (len(done), sum(one.cleaned.removed for one in done), shelf.objects)
    assert 3 == sum("not a journal" in one.reason for one in done)


def test_a_copy_of_the_journal_is_as_good_as_the_journal(serve: Serve, open_target: Open, tmp_path: Path) -> None:
    """Somebody who has only the run folder cleans up from another machine; on the same one, both are removed."""
    shelf = Shelf(serve, {"id": "asst_1"}, {"id": "asst_2"})
    target = open_target(shelf.url, journaled=False)
    for keep_first in (False, True):
        here, copies = tmp_path / "state", tmp_path / "run" / COPIES
        journal = Journal(here, target=shelf.url, api_version=target.spec.version, copies=copies)
        Target(target.config, target.spec, journal=journal).send(CREATE)
        journal.close()
        assert [journal.path.read_bytes()] == [path.read_bytes() for path in copies.iterdir()]
        if not keep_first:
            journal.path.unlink()
        (done,) = recover(journals(tmp_path / "run"), opener(target.config))
        assert (1, {}) == (done.cleaned.removed, shelf.objects)
        assert () == journals(tmp_path)


def test_the_journal_of_an_emulator_that_ended_is_forgotten(open_target: Open, tmp_path: Path) -> None:
    target = open_target("http://127.0.0.1:1", journaled=False)
    journal = Journal(tmp_path, target="http://127.0.0.1:1", api_version=target.spec.version, embedded=True)
    journal.intend(CREATE, {})
    journal.close()
    assert (journal.path,) == journals(tmp_path)
    (done,) = recover(journals(tmp_path), opener(target.config))
    assert (Cleaned(), ()) == (done.cleaned, journals(tmp_path))


class FullDisk(io.StringIO):
    """A file on a full disk. ``takes`` is how many lines still fit."""

    takes = 0

    def write(self, text: str) -> int:
        if not self.takes:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.takes -= 1
        return super().write(text)

    def fileno(self) -> int:
        return 1


def test_on_a_full_disk_nothing_is_created_and_nothing_that_was_created_is_forgotten(
    serve: Serve, open_target: Open
) -> None:
    """Without a written intent nothing is sent. An id that came when the disk was full is still removed."""
    server = serve(lambda c, r, n: c.sendall(http({"id": f"asst_{n}"})))
    target = open_target(server.url)
    journal = target.journal
    assert journal is not None
    journal._streams[0].close()
    disk = FullDisk()
    journal._streams[0] = disk
    with pytest.raises(Withheld, match=r"journal can't be written .*No space left") as told:
        target.send(CREATE)
    assert (Outcome.INCONCLUSIVE, []) == (told.value.outcome, server.requests)
    disk.takes = 1  # the intent fits on the disk, what follows does not
    assert target.send(CREATE).ok
    assert "No space left" in journal.trouble
    assert ["asst_1"] == [name for entry in journal.pending for name in entry.ids.values()]


def test_creating_needs_a_journal(open_target: Open) -> None:
    with pytest.raises(UsageError, match="journal"):
        open_target("http://127.0.0.1:1", journaled=False).send(CREATE)


def test_journals_of_two_processes_never_meet(tmp_path: Path) -> None:
    names = set()
    for worker in ("gw0", "gw1", "gw1"):
        with Journal(tmp_path, target="t", api_version="v", worker=worker) as journal:
            names.add(journal.path)
    assert len(names) == 3
