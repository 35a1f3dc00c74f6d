"""The embedded emulator accepts every accept case and refuses every reject case, for every operation."""

from __future__ import annotations

import pytest
from corpus_stage import PROVED, Stage, corpus

from conformance.requests.case import Expect
from conformance.scenarios.corpus_scenario import corpus_scenarios


@pytest.mark.parametrize("version", PROVED)
def test_everything_is_sent_and_accept_is_accepted_and_reject_is_refused(version: str) -> None:
    wrong: list[str] = []
    unsent: set[str] = set()
    stage = Stage.of(version)
    for scenario in corpus_scenarios(corpus(version)):
        answers = stage.play(scenario)
        unsent |= {case.id for case in scenario.cases} - {seen.case.id for seen in answers}
        for seen in answers:
            good = 200 <= seen.status < 300
            if (
                seen.status >= 500
                or (seen.case.expect is Expect.ACCEPT and not good)
                or (seen.case.expect is Expect.REJECT and not 400 <= seen.status < 500)
            ):
                wrong.append(f"{seen.case.operation} {seen.case.id} {seen.case.reason}: {seen.status}")
    assert [] == wrong
    assert set() == unsent
