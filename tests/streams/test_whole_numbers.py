"""JSON Schema Validation 2020-12, section 6.1.1: ``0.0`` is an integer, and a stream may write its integers so."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from attrs import evolve
from good_streams import good
from stream_stage import verdicts

from conformance.evidence.trace import Observation

GOOD = good()
LINE = re.compile(rb"^data: (\{.*\})$", re.MULTILINE)


def rewritten(observation: Observation, number: Any) -> Observation:
    """The same stream with each integer of its events as ``number`` makes it."""

    def line(found: re.Match[bytes]) -> bytes:
        return b"data: " + json.dumps(json.loads(found[1], parse_int=number)).encode()

    response = observation.response.with_body(LINE.sub(line, observation.response.body))
    return evolve(observation, exchange=evolve(observation.exchange, response=response))


@pytest.mark.parametrize("name", GOOD)
def test_a_good_stream_stays_good_when_its_integers_have_a_fraction_of_zero(name: str) -> None:
    observation, version = GOOD[name]
    outcomes = {check: verdict.outcome for check, verdict in verdicts(rewritten(observation, float), version).items()}
    assert {} == {check: one for check, one in outcomes.items() if one not in ("pass", "not_applicable")}


@pytest.mark.parametrize("wrong", [lambda text: float(text) + 0.5, lambda text: text, lambda text: True])
def test_sequence_numbers_are_integers(wrong: Any) -> None:
    observation, version = GOOD["response"]
    assert "fail" == verdicts(rewritten(observation, wrong), version)["responses.sequence-number"].outcome
