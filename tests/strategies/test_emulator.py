"""The embedded emulator accepts every accept case and refuses every reject case, for every operation."""

from __future__ import annotations

import pytest
from corpus_stage import VERSIONS, Stage, corpus

from conformance.cases import Expect


@pytest.mark.parametrize("version", VERSIONS)
def test_accept_is_accepted_and_reject_is_refused(version: str) -> None:
    wrong: list[str] = []
    made = corpus(version)
    for scenario in made.scenarios():
        for seen in Stage.of(version).play(scenario):
            good = 200 <= seen.status < 300
            if (
                seen.status >= 500
                or (seen.case.expect is Expect.ACCEPT and not good)
                or (seen.case.expect is Expect.REJECT and not 400 <= seen.status < 500)
            ):
                wrong.append(f"{seen.case.operation} {seen.case.id} {seen.case.reason}: {seen.status}")
    assert [] == wrong


@pytest.mark.parametrize("version", VERSIONS)
def test_every_case_is_sent_because_its_setup_works(version: str) -> None:
    made = corpus(version)
    for scenario in made.scenarios():
        sent = {seen.case.id for seen in Stage.of(version).play(scenario)}
        assert {case.id for case in scenario.cases} <= sent, scenario.id
