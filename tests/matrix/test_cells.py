"""The kept outcomes of the kill matrix: some names are tried again, all others stay as they were."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from cells import Cell, merged, read, write, wrong
from table import page, share

MUTANT = Cell("mutant", "life.ids-change", "v1", "fail", "lifecycle.get.same")
DEFECT = [Cell("defect", "json.trailing", version, "fail", "http.json") for version in ("2024-06-01", "v1")]
MISSED = Cell("variation", "field.date", "v1", "warn", "http.allow")
KNOWN = [("mutant", "life.ids-change"), ("defect", "json.trailing"), ("variation", "field.date")]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "kept.jsonl"
    assert [] == read(file)
    write(file, [MUTANT, *DEFECT, MISSED._replace(redone=True)])
    assert [MUTANT, *DEFECT, MISSED._replace(redone=True)] == read(file)


def test_names_that_are_tried_again_replace_their_cells_in_all_versions() -> None:
    again = DEFECT[1]._replace(outcome="pass", redone=True)
    assert [MUTANT, again, MISSED] == merged([MISSED, MUTANT, *DEFECT], [again], KNOWN)
    assert [MUTANT] == merged([MUTANT, *DEFECT], [], KNOWN[:1])


def test_a_version_that_is_tried_again_leaves_the_others_as_they_are() -> None:
    again = DEFECT[1]._replace(outcome="pass", redone=True)
    assert [MUTANT, DEFECT[0], again, MISSED] == merged([MISSED, MUTANT, *DEFECT], [again], KNOWN, ["v1"])


def test_the_page_says_what_was_tried_again() -> None:
    whole, later = page([MUTANT, *DEFECT]), page([MUTANT, *(cell._replace(redone=True) for cell in DEFECT)])
    assert "Tried again" not in whole
    assert "Tried again by name (`--only`) after the last whole run: `json.trailing`." in later


@pytest.mark.parametrize(
    ("expected", "cell"),
    [
        (False, MUTANT),
        (True, MUTANT._replace(outcome="warn")),
        (True, MUTANT._replace(outcome="pass")),
        (False, MUTANT._replace(name="run.outputs-lost", outcome="warn")),
        (True, MUTANT._replace(name="run.outputs-lost", outcome="pass")),
        (True, MISSED),
        (False, MISSED._replace(outcome="note")),
        (False, MISSED._replace(outcome="")),
        (False, MISSED._replace(name="stream.no-blank")),
    ],
)
def test_what_is_not_as_wanted_is_marked(expected: bool, cell: Cell) -> None:
    assert expected is wrong(cell)
    assert expected is ("**!**" in page([cell]).split("\n## ", 1)[1])
    assert (0.0 if expected else 1.0) == share([cell])
