"""``cleanup`` shows what interrupted runs left, asks, removes it, and tells by its exit code what is left."""

from __future__ import annotations

import builtins
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

import pytest
from attrs import define

from conformance.cli import main
from conformance.target.journal import COPIES, Journal
from conformance.target.journal_folder import default_folder
from conformance.target.target import Target

from .conftest import KEY, Open, Serve
from .shelf import NOON, STORE, Shelf
from .test_target import CREATE
from .wire_server import http


@define
class Killed:
    """A run that was killed: its target, its journals, and the copies of them in its run folder."""

    shelf: Shelf
    target: Target
    state: Path
    run: Path

    def journal(self, **more: Any) -> Journal:
        """A journal like that of a run."""
        url, version = self.target.config.target.url, self.target.spec.version
        copies = self.run / version / COPIES
        return Journal(self.state, target=url, api_version=version, copies=copies, **more)

    def leave(self, *cases: Any, **more: Any) -> Path:
        """Send cases and die. Returns the journal."""
        with self.journal(**more) as journal, Target(self.target.config, self.target.spec, journal=journal) as target:
            for case in cases:
                target.send(case)
        return journal.path

    @property
    def journals(self) -> list[Path]:
        return sorted([*self.state.glob("*"), *self.run.rglob("journal-*")])

    def cleanup(self, *words: str) -> int:
        return main(["cleanup", "--target", self.shelf.url, "--allow-plain-http", *words])


@pytest.fixture
def killed(serve: Serve, open_target: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Killed:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conformance.toml").write_text("[target]\nretries = 0\n")
    shelf = Shelf(serve, *({"id": f"made_{number}"} for number in range(9)))
    return Killed(shelf, open_target(shelf.url, journaled=False), default_folder(), tmp_path / "run")


def sent(killed: Killed) -> int:
    return len(killed.shelf.seen)


def test_without_a_terminal_it_shows_and_says_what_to_type(killed: Killed, capsys: pytest.CaptureFixture[str]) -> None:
    killed.leave(CREATE, CREATE, STORE)
    before, files = sent(killed), killed.journals
    assert 3 == killed.cleanup()
    out = capsys.readouterr().out
    assert (before, files, 3) == (sent(killed), killed.journals, len(killed.shelf.objects))
    assert f"{killed.shelf.url} (2024-05-01-preview): 3 objects in 1 journals" in out
    assert ["  assistants.create: 2", "  vector_stores.create: 1"] == out.splitlines()[1:3]
    assert f"to remove: aoai-conformance cleanup --target {killed.shelf.url} --yes" in out


def test_with_yes_everything_is_removed_and_nothing_remains(killed: Killed, capsys: pytest.CaptureFixture[str]) -> None:
    killed.leave(CREATE)
    killed.leave(STORE)
    assert 0 == killed.cleanup("--yes", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (2, 0, 0, 2) == (told["removed"], told["left"], told["unanswered"], len(told["targets"][0]["journals"]))
    assert ({}, []) == (killed.shelf.objects, killed.journals)
    assert 0 == killed.cleanup()
    assert "nothing to remove" in capsys.readouterr().out


def test_what_an_object_got_by_a_request_whose_answer_was_lost_goes_with_it(killed: Killed) -> None:
    """The run died before it read the answer. The object still names the store that the service made for it."""
    killed.leave(CREATE)
    (path,) = killed.shelf.objects
    killed.shelf.objects[path]["tool_resources"] = {"file_search": {"vector_store_ids": ["vs_9", "vs_theirs"]}}
    killed.shelf.objects["/vector_stores/vs_9"] = {"id": "vs_9", "created_at": NOON}
    killed.shelf.objects["/vector_stores/vs_theirs"] = {"id": "vs_theirs", "created_at": NOON - 3600}
    assert 3 == killed.cleanup("--yes")
    assert ["/vector_stores/vs_theirs"] == list(killed.shelf.objects)


@pytest.mark.parametrize(("said", "code", "left"), [("y", 0, 0), ("", 3, 1), ("n", 3, 1)])
def test_in_a_terminal_it_asks(
    killed: Killed, monkeypatch: pytest.MonkeyPatch, said: str, code: int, left: int
) -> None:
    killed.leave(CREATE)
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    asked: list[str] = []
    monkeypatch.setattr(builtins, "input", lambda question: asked.append(question) or said)
    assert code == killed.cleanup()
    assert (left, 1) == (len(killed.shelf.objects), len(asked))


def test_dry_run_sends_and_deletes_nothing(killed: Killed, capsys: pytest.CaptureFixture[str]) -> None:
    killed.leave(CREATE)
    killed.leave(CREATE, embedded=True)
    before, files = sent(killed), killed.journals
    assert 3 == killed.cleanup("--dry-run", "--yes", "--json")
    assert (1, 0) == (json.loads(out := capsys.readouterr().out)["left"], json.loads(out)["removed"])
    assert (before, files) == (sent(killed), killed.journals)


def test_a_saved_run_folder_is_enough(killed: Killed, tmp_path: Path) -> None:
    """On another machine there is no folder of state, and the paths that the journal names don't exist."""
    killed.leave(CREATE)
    saved = tmp_path / "saved"
    shutil.move(killed.run, saved)
    shutil.rmtree(killed.state)
    assert 0 == killed.cleanup("--yes", "--run", str(saved))
    assert ({}, []) == (killed.shelf.objects, list(saved.rglob("journal-*")))


def test_a_run_folder_stands_for_its_own_journals_alone(killed: Killed, tmp_path: Path) -> None:
    killed.leave(CREATE)
    other = tmp_path / "other"
    other.mkdir()
    assert 0 == killed.cleanup("--yes", "--run", str(other))
    assert 1 == len(killed.shelf.objects)
    assert 0 == killed.cleanup("--yes", "--run", str(killed.run))
    assert ({}, []) == (killed.shelf.objects, killed.journals), "the journal that is copied there is deleted too"


def test_only_older_runs_are_cleaned_up(killed: Killed) -> None:
    killed.leave(CREATE)
    old = killed.leave(STORE)
    long_ago = time.time_ns() - 3 * 3600 * 10**9
    for path in killed.journals:
        if path.name == old.name:
            path.rename(path.with_name(f"journal-{long_ago}-1-main.jsonl"))
    assert 0 == killed.cleanup("--yes", "--older-than", "4h")
    assert 2 == len(killed.shelf.objects)
    assert 0 == killed.cleanup("--yes", "--older-than", "2h")
    assert [f"/assistants/{CREATED}"] == list(killed.shelf.objects)


#: The id of the first object that a shelf makes.
CREATED = "made_0"


@pytest.mark.parametrize("words", [("--older-than", "soon"), ("--older-than", "7"), ("--run", "nowhere")])
def test_a_wrong_option_is_told_before_anything_is_sent(killed: Killed, words: tuple[str, str]) -> None:
    killed.leave(CREATE)
    before = sent(killed)
    assert 2 == killed.cleanup("--yes", *words)
    assert before == sent(killed)


def test_a_file_that_is_no_journal_blocks_no_other_and_is_told(
    killed: Killed, capsys: pytest.CaptureFixture[str]
) -> None:
    killed.leave(CREATE)
    for number in (0, 2**62):
        (killed.state / f"journal-{number}-1-main.jsonl").write_text("\x00" * 50)
    assert 3 == killed.cleanup("--yes")
    assert {} == killed.shelf.objects
    assert 2 == capsys.readouterr().out.count("not a journal")


def test_a_creation_without_an_answer_is_told_until_it_is_forgotten(
    killed: Killed, capsys: pytest.CaptureFixture[str]
) -> None:
    killed.shelf.ruled = lambda method, path: http({}, 200) if path == "/vector_stores" else None
    killed.leave(CREATE, STORE)
    for _ in range(2):
        assert 3 == killed.cleanup("--yes")
        assert "may exist: vector_stores.create at /vector_stores, sent 20" in capsys.readouterr().out
        assert killed.journals
    assert {} == killed.shelf.objects
    assert 0 == killed.cleanup("--yes", "--forget")
    assert [] == killed.journals


def test_forget_keeps_what_can_still_be_removed(killed: Killed) -> None:
    killed.leave(CREATE)
    killed.shelf.ruled = lambda method, path: http({}, 409)
    assert 3 == killed.cleanup("--yes", "--forget")
    assert killed.journals


def test_journals_of_emulators_that_ended_are_forgotten_without_a_question(killed: Killed) -> None:
    killed.leave(CREATE, embedded=True)
    before = sent(killed)
    assert 0 == killed.cleanup()
    assert (before, []) == (sent(killed), killed.journals)


def test_what_is_at_another_target_stays_and_gets_no_key(
    killed: Killed, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    killed.leave(CREATE)
    before, files = sent(killed), killed.journals
    elsewhere = Shelf(serve)
    assert 3 == main(["cleanup", "--yes", "--target", elsewhere.url])
    assert (before, files, []) == (sent(killed), killed.journals, elsewhere.seen)
    assert "another target" in capsys.readouterr().out


def test_a_target_that_does_not_answer_is_not_asked_for_each_object(killed: Killed) -> None:
    """Each would cost a time limit. The server takes every connection and closes it without a word."""
    killed.leave(*[CREATE] * 8)
    before = sent(killed)
    killed.shelf.ruled = lambda method, path: _closed()
    assert 3 == killed.cleanup("--yes")
    assert {path for _, path in killed.shelf.seen[before:]} < set(killed.shelf.objects)
    assert killed.journals


def _closed() -> NoReturn:
    """Ends the connection from within the server."""
    raise OSError
