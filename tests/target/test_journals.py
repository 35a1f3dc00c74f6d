"""The journal: what is on disk before a request leaves, and what a later cleanup makes of it."""

from __future__ import annotations

import errno
import io
import json
import os
import socket
from pathlib import Path

import pytest
from attrs import evolve

from conformance.errors import UsageError
from conformance.run.copied import copied, finished
from conformance.settings.configuration import Config
from conformance.target.cleanup import Cleaned
from conformance.target.journal import COPIES, Journal, read
from conformance.target.journal_folder import journals
from conformance.target.limits import Withheld
from conformance.target.recovery import is_same, opener, recover
from conformance.target.target import Target
from conformance.verdict import Outcome

from .conftest import Open, Serve
from .shelf import Shelf, cleaned
from .test_target import CREATE
from .wire_server import http

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
    assert "assistants.create at /assistants: the request had no field for a mark" in one.text
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


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_never_ends_is_no_journal(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "journal-1.jsonl")
    (tmp_path / "journal-2.jsonl").symlink_to("/dev/zero")
    (tmp_path / "journal-3.jsonl").symlink_to(tmp_path / "nothing")
    (tmp_path / "journal-4.jsonl").write_text("")
    assert ("journal-4.jsonl",) == tuple(path.name for path in journals(tmp_path))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://Name.Example", "https://name.example/", True),
        ("HTTPS://name.example:443", "https://name.example", True),
        ("http://name.example:80/a/", "http://NAME.example/a", True),
        ("http://name.example/a", "http://name.example/A", False),
        ("http://name.example", "https://name.example", False),
        ("http://name.example:443", "https://name.example:443", False),
        ("http://name.example", "http://name.example:8080", False),
        ("http://127.0.0.1:1", "http://localhost:1", False),
        ("http://name.example:99999", "http://name.example", False),
        ("http://[name.example", "http://name.example", False),
    ],
)
def test_one_target_may_have_several_urls(one: str, other: str, same: bool) -> None:
    assert same == is_same(one, other) == is_same(other, one)


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


def test_a_copy_of_a_run_that_was_killed_does_not_keep_its_journal_locked(tmp_path: Path) -> None:
    """The copy may still judge a scenario when somebody cleans up."""
    journal = Journal(tmp_path, target="http://127.0.0.1:1", api_version="v", sync=False)
    ours, theirs = socket.socketpair()

    def work() -> None:
        theirs.send(b"it runs")
        theirs.recv(1)

    copy = copied(work)
    try:
        assert b"it runs" == ours.recv(10)
        assert () == journals(tmp_path)
        for stream in journal._streams:
            stream.close()  # as the system does when it kills a process
        assert [path.name for path in journal.files] == [path.name for path in journals(tmp_path)]
        assert copy.is_alive()
    finally:
        ours.send(b".")
        finished(copy, 60)
        ours.close()
        theirs.close()


def test_journals_of_two_processes_never_meet(tmp_path: Path) -> None:
    names = set()
    for worker in ("gw0", "gw1", "gw1"):
        with Journal(tmp_path, target="t", api_version="v", worker=worker) as journal:
            names.add(journal.path)
    assert len(names) == 3
