"""A run leaves nothing at a target that somebody else owns, however it ends. The target itself is asked.

The emulator runs in a process that outlives the run. It holds 500 objects of somebody else before.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from served import command, environment, words

from conformance._parts import part
from conformance.requests.profile import Profile
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of

from .owned_emulator import Owned, creates, owned_emulator

#: Seconds until a run must have got somewhere, or ended. An exhaustive corpus alone takes minutes on a busy machine.
PATIENCE = 900.0

ENDINGS = ("complete", "SIGINT", "SIGTERM", "SIGHUP", "SIGKILL")


@frozen
class Ended:
    """How a run and what followed ended. ``excused`` are ids that the report lists with a reason, ``unanswered`` how
    many creations got no answer.
    """

    code: int
    output: str
    excused: frozenset[str] = frozenset()
    unanswered: int = 0


def footer_of(state: Path, version: str) -> Any:
    return part("reports.jsonl").read(state / "out" / version).footer


def run_words(owned: Owned, version: str, profile: str, *more: str) -> list[str]:
    given = ("--target", owned.url, "--api-version", version, "--profile", profile, "--out", "out", *more)
    return words("run", *given, "--cleanup-timeout", "120")


@contextmanager
def in_the_middle(owned: Owned, state: Path, version: str, profile: str) -> Iterator[subprocess.Popen[Any]]:
    """A run that has sent something, and created something where its api-version can."""
    before = owned.held()["requests"]
    with (
        (state / "output").open("w") as output,
        subprocess.Popen(
            run_words(owned, version, profile),
            env=environment(state),
            cwd=state,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # A test run in the background of a script inherits an ignored SIGINT; a person's terminal doesn't.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads matter here
        ) as process,
    ):
        try:
            owned.wait(
                lambda told: told["requests"] > before + 30 and bool(owned.left_in(told) or not owned.creates),
                process,
                PATIENCE,
            )
            yield process
        finally:
            process.kill()


def ended(owned: Owned, state: Path, version: str, profile: str, ending: str) -> Ended:
    """Run, end it, and clean up after a kill."""
    if ending == "complete":
        with (state / "output").open("w") as file:
            whole = run_words(owned, version, profile)
            code = subprocess.run(
                whole, env=environment(state), cwd=state, stdout=file, stderr=file, timeout=PATIENCE, check=False
            ).returncode
        output = (state / "output").read_text()
    else:
        with in_the_middle(owned, state, version, profile) as process:
            process.send_signal(getattr(signal, ending))
            code = process.wait(PATIENCE)
        output = (state / "output").read_text()
    if ending == "SIGKILL":
        # By the run folder alone, as on another machine on which it was saved.
        given = ("--yes", "--json", "--run", "out", "--target", owned.url, "--cleanup-timeout", "120")
        done = command(state, "cleanup", *given, env={"XDG_STATE_HOME": str(state / "elsewhere")})
        told = json.loads(done.out)
        stays = [line for one in told["targets"] for line in one["cannot_be_removed"]]
        assert (0, done.code) == (told["left"], 3 if told["unanswered"] else 0), done.out + done.err
        return Ended(0, done.out, _ids(stays), told["unanswered"])
    footer = footer_of(state, version)
    assert [] == footer["left_behind"]
    assert (ending != "complete") == footer["interrupted"]
    return Ended(code, output, _ids(footer["cannot_be_removed"]), len(footer["unanswered"]))


def stores_of(owned: Owned, kind: str, id: str) -> list[str]:
    """The stores that an object says that it has."""
    resources = owned.ask("GET", f"/{kind}/{id}", b"").get("tool_resources") or {}
    return list((resources.get("file_search") or {}).get("vector_store_ids") or ())


def _ids(lines: list[str]) -> frozenset[str]:
    """The ids of objects that are told by path and reason."""
    return frozenset(line.split(" ")[0].rpartition("/")[2] for line in lines)


def nothing_is_left(version: str, profile: str, ending: str, state: Path) -> None:
    """The property, for one version, profile and ending."""
    with owned_emulator(version, state, 500) as owned:
        one = ended(owned, state, version, profile, ending)
        # Whether the emulator keeps every rule is not the subject of this test.
        assert one.code in {"complete": (0, 1), "SIGKILL": (0,)}.get(ending, (130,)), one.output
        found = owned.left
        stays = _with_what_is_inside(one.excused, found) | _tuned(version, one.excused, found)
        left = {kind: rest for kind, ids in found.items() if (rest := [id for id in ids if id not in stays])}
        # One object may stand in several collections: a file and its content, for example.
        named = sorted({id for kind, ids in left.items() for id in (*ids, *filter(None, [kind.partition("/")[2]]))})
        if one.unanswered:
            # A creation that was under way when the run was cut off may have made an object that nobody can name, with
            # all that lies in it, and what the service made for it: a thread with its messages, its run and its store.
            inside = {id for kind, ids in left.items() if kind.partition("/")[2] in named for id in ids}
            inside |= {
                id
                for kind in ("assistants", "threads")
                for one in left.get(kind, ())
                for id in stores_of(owned, kind, one)
            }
            assert len(set(named) - inside) <= one.unanswered, (left, one.output)
        else:
            assert [] == named, (left, one.output)
        assert {} == owned.foreign_changes


def _with_what_is_inside(ids: frozenset[str], left: dict[str, list[str]]) -> frozenset[str]:
    """Objects that can't be removed, and all that stays with them: the checkpoints of a job and their copies."""
    inside = {id for kind, found in left.items() if kind.partition("/")[2] in ids for id in found}
    return ids if inside <= ids else _with_what_is_inside(ids | inside, left)


def _tuned(version: str, excused: frozenset[str], left: dict[str, list[str]]) -> frozenset[str]:
    """The models that jobs have tuned, in a version that can remove neither; the report names the jobs."""
    removes = any(
        one.method == "DELETE" and one.path.startswith("/models/") for one in operations_of(load(version)).values()
    )
    jobs = any(name.startswith("ftjob") for name in excused)
    return frozenset() if removes or not jobs else frozenset(left.get("tuned-models", ()))


def test_a_tuned_model_stays_only_where_nothing_removes_it_and_its_job_is_named() -> None:
    left, jobs = {"tuned-models": ["m"], "files": ["f"]}, frozenset({"ftjob-1"})
    assert {"m"} == _tuned("v1-preview", jobs, left)
    assert frozenset() == _tuned("v1", jobs, left) | _tuned("v1-preview", frozenset({"f"}), left)


def test_what_is_inside_an_object_stays_with_it_at_any_depth() -> None:
    left = {"jobs": ["j"], "checkpoints/j": ["c"], "copies/c": ["there"], "files": ["f"], "events/k": ["e"]}
    assert {"j", "c", "there"} == _with_what_is_inside(frozenset({"j"}), left)
    assert frozenset() == _with_what_is_inside(frozenset(), left)


@pytest.mark.parametrize(("version", "ending"), [("v1-preview", "complete"), ("2024-05-01-preview", "SIGKILL")])
def test_a_run_leaves_nothing_at_a_target_that_outlives_it(version: str, ending: str, tmp_path: Path) -> None:
    nothing_is_left(version, "smoke", ending, tmp_path)


@pytest.mark.prove
@pytest.mark.parametrize(
    ("version", "profile", "ending"),
    [
        (version, profile, ending)
        for version in versions()
        for profile in Profile.ALL
        for ending in ENDINGS
        # A smoke run of the others is over before anybody could interrupt it.
        if ending == "complete" or profile != Profile.SMOKE or creates(version)
    ],
)
def test_every_version_leaves_nothing_however_its_run_ends(
    version: str, profile: str, ending: str, tmp_path: Path
) -> None:
    nothing_is_left(version, profile, ending, tmp_path)


@pytest.mark.prove
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no such signal")
def test_a_worker_that_is_killed_leaves_nothing(tmp_path: Path) -> None:
    """Somebody kills it, or the memory is full. The other processes of the run remove what it created."""
    version = "2024-05-01-preview"
    some = ("--operation", "assistants.*", "--operation", "vector_stores.*", "-n", "2")
    with owned_emulator(version, tmp_path, 6) as owned, (tmp_path / "output").open("w") as output:
        run = subprocess.Popen(
            run_words(owned, version, "smoke", *some),
            env=environment(tmp_path), cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
        with run:
            try:
                owned.wait(lambda _: bool(_killed(tmp_path / "out" / version / "journals")), run, PATIENCE)
                run.wait(PATIENCE)
            finally:
                run.kill()
        footer = footer_of(tmp_path, version)
        left = [id for kind, ids in owned.left.items() if "/" not in kind for id in ids]
        assert [] == footer["left_behind"]
        # What was under way when it was killed, and can't be found without an id, is told.
        assert len(left) <= len(footer["unanswered"]), (left, footer["unanswered"])
        assert {} == owned.foreign_changes


def _killed(journals: Path) -> list[int]:
    """Kill the first process whose journal names an object, and return its id."""
    for journal in journals.glob("journal-*-gw*.jsonl"):
        if '"event":"created"' in journal.read_text("utf-8"):
            pid = int(journal.name.split("-")[2])
            os.kill(pid, signal.SIGKILL)
            return [pid]
    return []


def test_the_files_that_batches_made_are_removed(tmp_path: Path) -> None:
    """Those of a batch that was cancelled too, which come only after the cancellation."""
    version = versions_with("batches.create")[0]
    with owned_emulator(version, tmp_path, 6) as owned:
        some = ("--scenario", "batches.*", "--scenario", "lifecycle.batches")
        done = subprocess.run(
            run_words(owned, version, "standard", *some),
            env=environment(tmp_path), cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert 0 == done.returncode, done.stdout + done.stderr
        assert {"batches", "file-contents", "files"} <= set(owned.held()["objects"])
        assert [] == sorted(set(owned.left.get("files", [])) | set(owned.left.get("file-contents", [])))


def versions_with(operation: str) -> list[str]:
    return [version for version in versions(drafts=True) if operation in operations_of(load(version))]


def test_the_witness_sees_what_is_left_and_what_is_changed(tmp_path: Path) -> None:
    """Otherwise the tests above could not fail."""
    with owned_emulator("2023-11-06-beta", tmp_path, 6) as owned:
        assert ({}, {}) == (owned.left, owned.foreign_changes)
        changed = next(iter(owned.theirs["assistants"]))
        owned.ask("POST", f"/assistants/{changed}", {"metadata": {"run": "changed"}})
        new = owned.ask("POST", "/assistants", {"model": "gpt-4o"})["id"]
        assert ({"assistants": [new]}, {"assistants": [changed]}) == (owned.left, owned.foreign_changes)
