"""Planted alterations are found by their rule; what an intermediary may do is told by no MUST and no SHOULD."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from conformance.emulator.fault_script import PACE
from conformance.passage.judge import Conclusion
from conformance.passage.passage import Kind
from conformance.verdict import Level

from .editing import more
from .forwarder import Alteration
from .planted import LEGAL, PLANTED, Planted
from .stage import Stage, verdict


def _placed(alteration: Alteration, stage: Stage) -> Alteration:
    """The alteration; one that tells where the upstream is must know it."""
    if alteration.name != "tells where the upstream is":
        return alteration
    return evolve(alteration, answer=more("x-upstream", stage.above.authority))


def _sampled(rows: tuple[Any, ...], every: int) -> list[Any]:
    """Each n-th row, and the others for ``prove``."""
    return [pytest.param(row, marks=[] if index % every == 0 else pytest.mark.prove) for index, row in enumerate(rows)]


@pytest.mark.parametrize("planted", _sampled(PLANTED, 8), ids=lambda one: one.alteration.name)
def test_a_planted_alteration_is_told_by_its_rule(planted: Planted, running: Stage) -> None:
    passed = running.through(_placed(planted.alteration, running), planted.names, planted.script)
    result = verdict(passed)
    assert planted.rule in {row.rule for row in result.rows}, [(row.rule, row.kind, row.field) for row in result.rows]
    assert result.conclusion is Conclusion.NOT


def test_of_a_gateway_that_buffers_streams_late_events_and_their_price_are_told_alone(running: Stage) -> None:
    """It reads the whole stream before it sends a byte, so it also goes on when its client has left."""
    result = verdict(running.through(Alteration("buffers streams", whole=True), script=((PACE, True),)))
    told = {(row.rule, row.kind) for row in result.rows if row.level is not Level.OBS}
    assert {("via.stream.pace", Kind.LATE), ("via.stream.cancelled", Kind.DROPPED)} == told
    assert result.conclusion is Conclusion.NOT


@pytest.mark.parametrize("alteration", _sampled(LEGAL, 6), ids=lambda one: one.name)
def test_what_an_intermediary_may_do_is_at_most_a_note(alteration: Alteration, running: Stage) -> None:
    result = verdict(running.through(alteration))
    assert [(row.rule, row.field, row.example) for row in result.rows if row.level is not Level.OBS] == []
    assert result.conclusion is Conclusion.TRANSPARENT


def test_there_are_thirty_alterations_of_each_side_and_thirty_legal_ones() -> None:
    sides = [one.rule.split(".")[1] for one in PLANTED]
    assert sum(side in ("request", "refused", "repaired", "isolation") for side in sides) >= 30
    assert sum(side in ("answer", "stream") for side in sides) >= 30
    assert len(LEGAL) >= 30
    assert len({one.alteration.name for one in PLANTED}) == len(PLANTED)
