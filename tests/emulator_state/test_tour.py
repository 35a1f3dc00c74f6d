"""Every stateful operation of every version is reachable, and its answers fit the corrected document."""

from __future__ import annotations

import pytest
from state_talk import Talk
from state_tour import CHAPTERS, chapters

from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of

STATELESS = frozenset({"audio", "chat", "completions", "embeddings", "images"})
#: A run needs an assistant; a version may have runs and nothing that makes assistants.
RUNS = ("threads.runs.", "threads.create_and_run")
STATEFUL = [v for v in versions() if any(op in operations_of(load(v)) for op in CHAPTERS)]


@pytest.mark.parametrize("version", STATEFUL)
def test_every_stateful_operation_succeeds_and_fits_its_schema(version: str) -> None:
    talk = Talk(version)
    for chapter in chapters(talk):
        chapter(talk)
    expected = {op.id for op in operations_of(talk.spec).values() if op.resource not in STATELESS}
    if not talk.has("assistants.create"):
        expected = {id for id in expected if not id.startswith(RUNS)}
    assert expected - talk.called == set()


@pytest.mark.parametrize("version", STATEFUL)
def test_two_clean_emulators_say_the_same(version: str) -> None:
    first, second = Talk(version, judge=False), Talk(version, judge=False)
    for talk in (first, second):
        for chapter in chapters(talk):
            chapter(talk)
    assert first.said == second.said
