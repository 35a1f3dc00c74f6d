"""Notes of a report on answers that came only after a retry."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from conformance.evidence.exchange import Exchange, Fault, FaultKind, Response
from conformance.evidence.trace import Observation, Trace
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.run import recording
from conformance.run.recorder import Recorder
from conformance.run.selection import Item
from conformance.settings.scope import RunScope
from conformance.spec.loading import load

SPEC = load("2024-05-01-preview")
REQUEST = Request("GET", "http://t.example/x")
GOOD = Exchange(REQUEST, Response(200))
SILENT = Exchange(REQUEST, None, Fault(FaultKind.READ_TIMEOUT, "silence", 60.0))
BROKEN = Exchange(REQUEST, Response(500))


def notes(tmp_path: Path, *exchanges: Exchange) -> list[str]:
    """The notes of a report on these exchanges."""
    header = recording.header_of(SPEC, RunScope(), (), {"url": "http://t", "auth": "none"}, seed=0, started="now")
    recorder = Recorder(tmp_path, "", header)
    cases = [Case("models.list", "GET", "/x", query=(("n", str(number)),)) for number in range(len(exchanges))]
    seen = tuple(Observation(case, exchange) for case, exchange in zip(cases, exchanges, strict=True))
    recorder.trace(Trace("corpus.models.list", seen))
    recorder.close()
    items: list[Item] = []
    report = recording.merge(tmp_path, SPEC, header, items)
    assert report.footer is not None
    return list(report.footer["notes"])


def test_a_target_that_answers_one_request_at_a_time_is_told_as_one_that_queues(tmp_path: Path) -> None:
    again = evolve(GOOD, attempts=(SILENT,))
    told = "the target queues: 2 requests were answered only when no other request was under way"
    assert told in notes(tmp_path, GOOD, again, again)


@pytest.mark.parametrize(
    "exchange", [GOOD, SILENT, evolve(GOOD, attempts=(BROKEN,)), evolve(SILENT, attempts=(SILENT,))]
)
def test_a_target_that_is_silent_or_broken_by_itself_is_not(tmp_path: Path, exchange: Exchange) -> None:
    assert [] == [note for note in notes(tmp_path, exchange) if "queues" in note]
