"""A move to another api-version on the console, in a comment and on a page."""

from __future__ import annotations

from attrs import evolve

from conformance._parts import part
from conformance.migration.change import Basis, Change, Direction, Kind, Subject
from conformance.migration.conclusion import Conclusion, Drift, Result, Upgrade

MOST_LINES = 60


def _documents() -> Result:
    """A change that only the documents have."""
    change = Change(
        "embeddings.create",
        Direction.ANSWER,
        Kind.ADDED,
        Subject.FIELD,
        ((".silent",),),
        pointer="/silent",
        basis=Basis.DOCUMENT,
        why="the older document says nothing of it",
    )
    return Result(change, Conclusion.OPEN, "nothing was sent")


def _move(what: str) -> Upgrade:
    drift = Drift("embeddings.create", "answer", "data[].extra", what, ("case-1",), breaks=True)
    return Upgrade("2024-06-01", "2024-10-21", (_documents(),), drifts=(drift,), target="http://127.0.0.1:1")


def test_what_was_seen_and_not_predicted_is_told_where_everything_else_is_left_out() -> None:
    move = _move("a number comes where a text came")
    assert "a number comes where a text came" in part("reports.upgrade_markdown").markdown(move)
    assert "a number comes where a text came" in "\n".join(part("reports.upgrade_console").console(move))
    assert "a number comes where a text came" in part("reports.upgrade_page").render(move)


def test_notes_stand_in_a_comment_that_has_no_room_for_all_rows() -> None:
    gone = Change("embeddings.create", Direction.REQUEST, Kind.REMOVED, Subject.MEDIA)
    changes = (evolve(gone, old=f"a/{number}", pointer=f"/{number}") for number in range(MOST_LINES))
    results = tuple(Result(change, Conclusion.OPEN, "nothing was sent") for change in changes)
    move = Upgrade("2024-06-01", "2024-10-21", results, notes=("left behind: one", "left behind: two"))
    lines = part("reports.upgrade_markdown").markdown(move).splitlines()
    assert len(lines) <= MOST_LINES
    assert ["Note: left behind: one", "Note: left behind: two"] == lines[-2:]


def test_what_a_target_said_steers_no_terminal_and_stays_one_line() -> None:
    plain, hostile = (list(part("reports.upgrade_console").console(_move(what))) for what in ("x", "x\x1b[2J\r\ny"))
    assert len(plain) == len(hostile)
    assert "\\x1b[2J\\r\\ny" in "\n".join(hostile)
    assert not any(char in line for line in hostile for char in "\x1b\r\n")
