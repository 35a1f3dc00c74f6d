"""Every stream check accepts correct streams and reports its own counterexample; no other check fails that isn't
entailed.
"""

from __future__ import annotations

import pytest
from good_streams import good
from stream_stage import failed, noted, stream_checks, verdicts

from conformance.evidence.exchange import FaultKind
from conformance.evidence.trace import Observation
from conformance.judging.check import Check

GOOD = good()
CHECKS = stream_checks()


@pytest.mark.parametrize("name", GOOD)
def test_a_good_stream_passes_every_check(name: str) -> None:
    observation, version = GOOD[name]
    outcomes = {name: verdict.outcome for name, verdict in verdicts(observation, version).items()}
    assert {} == {name: one for name, one in outcomes.items() if one not in ("pass", "not_applicable")}


def broken(check: Check) -> list[tuple[str, Observation, str]]:
    found = []
    for name, (observation, version) in GOOD.items():
        exchange = check.counterexample(observation.exchange, [])
        if exchange is not None:
            found.append((name, Observation(observation.case, exchange), version))
    return found


#: Checks whose counterexample changes something else than a good stream, shown in tests/streams/test_whole.py; and
#: those of streams that the emulator alone makes here, shown in tests/proofs.
ELSEWHERE = {
    "stream.only-when-asked",
    "stream.error.before-stream",
    "assistants.thread.first",
    "responses.annotations.numbered",
    "responses.audio.joined",
    "responses.partial-images",
    "responses.tool.progress",
}

#: Scored OBS, or undecided by nature: their findings are shown, and the outcome is no failure.
SHOWN_ONLY = {check.id for check in CHECKS if check.level == "OBS"} | {"stream.no-error"}


@pytest.mark.parametrize("check", [c for c in CHECKS if c.id not in ELSEWHERE], ids=lambda check: check.id)
def test_a_counterexample_fails_its_check_and_only_what_follows(check: Check) -> None:
    shown = 0
    for name, observation, version in broken(check):
        found = failed(observation, version)
        own = check.id in (noted(observation, version) if check.id in SHOWN_ONLY else found)
        shown += own
        assert found <= {check.id, *check.entails}, name
    assert shown > 0


def test_a_counterexample_keeps_what_came_before_the_defect() -> None:
    observation, _ = GOOD["chat"]
    by_id = {check.id: check for check in CHECKS}
    cut = by_id["sse.ends"].counterexample(observation.exchange, [])
    assert cut is not None
    assert cut.fault is not None
    assert cut.fault.kind is FaultKind.CLOSED
    assert observation.response.body.startswith(cut.response.body if cut.response else b"?")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_every_check_says_what_it_demands(check: Check) -> None:
    assert check.doc.splitlines()[0].endswith((".", ":"))
    assert check.clause


def test_no_check_that_rests_on_reports_alone_is_a_must() -> None:
    assert [] == [check.id for check in CHECKS if check.level == "MUST" and check.provenance == "observed"]
