"""Objects in recordings: the rules about lifecycles judge what one file shows of an object, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from miniatures import Entry, as_har, entry

from conformance.cli import main
from conformance.recordings.files import read_file
from conformance.recordings.lives import MOST, lives
from conformance.recordings.traces import sorted_out
from conformance.spec.loading import load
from conformance.verdict import Outcome, Verdict
from reports import jsonl

THREAD = {"id": "thread_1", "object": "thread", "created_at": 1_700_000_000, "metadata": {}, "tool_resources": None}
GONE = {"id": "thread_1", "object": "thread.deleted", "deleted": True}
MISSING = {"error": {"code": None, "message": "No thread found.", "param": None, "type": "invalid_request_error"}}

MADE = entry("/threads", THREAD, body={})
READ = entry("/threads/thread_1", THREAD, method="GET")
CHANGED = entry("/threads/thread_1", {**THREAD, "metadata": {"a": "b"}}, body={"metadata": {"a": "b"}})
DELETED = entry("/threads/thread_1", GONE, method="DELETE")
REFUSED = entry("/threads/thread_1", MISSING, method="GET", status=404)


def roles(folder: Path, *entries: Entry) -> list[list[str]]:
    """The roles of each object, in order."""
    file = folder / "traffic.har"
    file.write_text(as_har(entries), "utf-8")
    found = sorted_out(read_file(file), [load("2024-05-01-preview")])
    return [[seen.case.role for seen in trace] for trace in found.lives["2024-05-01-preview"]]


def verdicts(folder: Path, *entries: Entry) -> dict[str, Verdict]:
    """The verdicts on the first object."""
    file = folder / "traffic.har"
    file.write_text(as_har(entries), "utf-8")
    main(["judge", str(file), "-o", str(folder / "out")])
    report = jsonl.read(folder / "out" / "2024-05-01-preview")
    return {one.check: one for one in report.verdicts if one.scenario == "recorded.lifecycle.threads.1"}


@pytest.mark.parametrize(
    ("expected", "entries"),
    [
        ([["create", "get", "modify", "modified", "delete", "deleted"]], [MADE, READ, CHANGED, READ, DELETED, REFUSED]),
        # Without its creation nothing is known of an object, and a creation alone is no story.
        ([], [READ, DELETED, REFUSED]),
        ([], [MADE]),
        # What another client did to the object in the meantime is not in the recording.
        ([], [MADE, REFUSED]),
        ([["create", "get"]], [MADE, READ, REFUSED]),
        ([["create", "modify", "delete"]], [MADE, CHANGED, CHANGED, READ, DELETED]),
        # After the refusal nothing more is to be learned.
        ([["create", "delete", "deleted", "deleted", "delete-again"]], [MADE, DELETED, READ, REFUSED, READ, DELETED]),
    ],
)
def test_what_happened_to_an_object_in_its_roles(
    tmp_path: Path, expected: list[list[str]], entries: list[Entry]
) -> None:
    assert expected == roles(tmp_path, *entries)


def test_a_list_counts_while_the_object_is_surely_there(tmp_path: Path) -> None:
    made = entry("/assistants", {"id": "asst_1", "object": "assistant"}, body={"model": "m"})
    page = entry("/assistants", {"object": "list", "data": []}, method="GET")
    chosen = entry("/assistants", page["body"], method="GET", query="api-version=2024-05-01-preview&after=asst_0")
    gone = entry("/assistants/asst_1", {"id": "asst_1", "deleted": True}, method="DELETE")
    steps = ["create", "list", "list", "delete", "list-after"]
    assert [steps] == roles(tmp_path, made, chosen, page, page, gone, page)
    assert [] == roles(tmp_path, made, page)


def test_of_many_objects_some_are_judged(tmp_path: Path) -> None:
    """A proxy's log may hold thousands."""
    many = [
        made
        for number in range(MOST + 5)
        for made in (
            entry("/threads", {**THREAD, "id": f"thread_{number}"}, body={}),
            entry(f"/threads/thread_{number}", {**THREAD, "id": f"thread_{number}"}, method="GET"),
        )
    ]
    assert [["create", "get"]] * MOST == roles(tmp_path, *many)


def test_what_was_attached_twice_has_two_lives(tmp_path: Path) -> None:
    item = {"id": "file-1", "object": "vector_store.file"}
    made = entry("/vector_stores/vs_1/files", item, body={"file_id": "file-1"})
    gone = entry("/vector_stores/vs_1/files/file-1", {"id": "file-1", "deleted": True}, method="DELETE")
    assert [["create", "delete"]] * 2 == roles(tmp_path, made, gone, made, gone)


def test_a_right_life_passes_and_is_counted_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = verdicts(tmp_path, MADE, READ, CHANGED, READ, DELETED, REFUSED)
    assert {"lifecycle.get.same", "lifecycle.modify.kept", "lifecycle.deleted.gone"} <= {
        name for name, one in found.items() if one.outcome is Outcome.PASS
    }
    assert set() == {one.outcome for one in found.values()} - {Outcome.PASS, Outcome.NOT_APPLICABLE}
    told = capsys.readouterr().out
    assert "(recorded traffic, 6 exchanges)" in told
    assert " 6 requests;" in told
    assert 0 == main(["verify", str(tmp_path / "out")])


@pytest.mark.parametrize(
    ("check", "entries"),
    [
        ("lifecycle.get.same", [MADE, {**READ, "body": {**THREAD, "created_at": 1_700_000_007}}]),
        ("lifecycle.modify.kept", [MADE, {**CHANGED, "body": {**CHANGED["body"], "created_at": 1_700_000_007}}]),
        ("lifecycle.deleted.gone", [MADE, READ, DELETED, READ]),
        ("lifecycle.delete.confirms", [MADE, READ, {**DELETED, "body": {**GONE, "deleted": False}}]),
        ("lifecycle.delete.confirms", [MADE, READ, {**DELETED, "body": {**GONE, "id": "thread_2"}}]),
    ],
)
def test_a_wrong_life_fails(tmp_path: Path, check: str, entries: list[Entry]) -> None:
    assert Outcome.FAIL is verdicts(tmp_path, *entries)[check].outcome


def test_texts_of_requests_are_not_compared_with_answers(tmp_path: Path) -> None:
    """Who publishes a recording replaces texts on one side only; nothing of it says anything about the service."""
    made: dict[str, Any] = {**MADE, "request_body": {"metadata": {"trimmed": "x"}}}
    found = verdicts(tmp_path, made, READ, CHANGED, READ)
    assert {Outcome.PASS, Outcome.NOT_APPLICABLE} >= {one.outcome for one in found.values()}


def test_without_exchanges_there_are_no_objects() -> None:
    assert () == tuple(lives(()))
