"""Stream defects that were seen in the wild, played as our own bytes: each is caught, and the right stream is not.

The ids are those of the catalogue that the suite was designed with. A defect that one stream can't show is listed with
the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from bad_events import EVENTS
from bad_streams import CHUNKS, UNSEEN, Played
from stream_stage import failed, noted, spec_of
from wild_answers import NEWEST

from conformance.checks.catalogue import find_check
from conformance.evidence.trace import Trace
from conformance.judging.judge import judge
from conformance.spec.operations import operations_of
from conformance.verdict import Outcome

AREAS = (
    "sse-framing",
    "stream-chunks",
    "stream-usage",
    "tool-calls",
    "finish-reason",
    "responses-stream",
    "assistants-stream",
    "azure-stream-chunks",
)

BAD = CHUNKS + EVENTS

_CATALOGUE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "divergences.json"


def caught_by(played: Played) -> set[str]:
    """The checks that object to the bad stream: those that fail, and those that only show."""
    if isinstance(played.bad, Trace):
        spec = spec_of(played.version)
        return {name for name in played.by if judge(spec, find_check(name), played.bad).outcome is Outcome.FAIL}
    return failed(played.bad, played.version) | noted(played.bad, played.version)


@pytest.mark.parametrize("played", BAD, ids=lambda played: played.name)
def test_a_defect_from_the_wild_is_caught(played: Played) -> None:
    assert set(played.by) <= caught_by(played)


def in_newest() -> Iterator[Played]:
    """The defects in the newest version of each surface that has their operation."""
    for version in NEWEST:
        known = operations_of(spec_of(version))
        for played in BAD:
            seen = played.bad if isinstance(played.bad, Trace) else (played.bad,)
            if all(one.case.operation in known for one in seen):
                yield evolve(played, version=version)


@pytest.mark.prove
@pytest.mark.parametrize("played", [*in_newest()], ids=lambda played: f"{played.version}-{played.name}")
def test_a_defect_is_caught_in_the_newest_versions_and_the_right_stream_is_quiet(played: Played) -> None:
    test_a_defect_from_the_wild_is_caught(played)
    test_the_right_stream_raises_nothing(played)


@pytest.mark.parametrize("played", BAD, ids=lambda played: played.name)
def test_the_right_stream_raises_nothing(played: Played) -> None:
    if isinstance(played.right, Trace):
        spec = spec_of(played.version)
        assert set() == {n for n in played.by if judge(spec, find_check(n), played.right).outcome is Outcome.FAIL}
    else:
        assert set() == failed(played.right, played.version)


@pytest.mark.parametrize("played", [p for p in BAD if not p.shown_only], ids=lambda played: played.name)
def test_what_is_not_legal_is_scored(played: Played) -> None:
    if not isinstance(played.bad, Trace):
        assert set() < failed(played.bad, played.version)


def test_every_defect_of_the_stream_areas_is_played_or_listed_with_its_reason() -> None:
    if not _CATALOGUE.is_file():
        pytest.skip("the catalogue does not come with the checkout")
    catalogue = json.loads(_CATALOGUE.read_text("utf-8"))
    wanted = {d["id"] for d in catalogue if d["area"] in AREAS and d["kind"] == "server-divergence"}
    played = {p.id for p in BAD}
    counts = f"{len(wanted)} stream defects: {len(played & wanted)} played and caught, {len(UNSEEN)} listed"
    print("\n" + counts)  # noqa: T201 - pytest -s shows the count
    assert wanted == (played | set(UNSEEN)) & wanted
    assert set() == played & set(UNSEEN)


def test_every_listed_defect_has_a_reason() -> None:
    assert all(len(reason) > 40 for reason in UNSEEN.values())
