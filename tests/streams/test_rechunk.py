"""The verdict on a stream depends on its bytes, not on how they arrived."""

from __future__ import annotations

import pytest
from attrs import evolve
from good_streams import good
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stream_stage import stream_checks, verdicts

from conformance._parts import part
from conformance.evidence.trace import Observation
from conformance.verdict import Verdict

rechunk = part("strategies.rechunk")
byte_by_byte = rechunk.byte_by_byte
in_one_block = rechunk.in_one_block
rechunked = rechunk.rechunked
rechunkings = rechunk.rechunkings

#: The checks about time look at the arrival of chunks: that is their subject.
CHECKS = [check for check in stream_checks() if not check.id.startswith("stream.timing")]


def bad() -> dict[str, tuple[Observation, str]]:
    """Every counterexample of every check on the first good stream that can show it."""
    found: dict[str, tuple[Observation, str]] = {}
    for check in CHECKS:
        for observation, version in good().values():
            exchange = check.counterexample(observation.exchange, [])
            if exchange is not None and exchange.response is not None:
                found[check.id] = (Observation(observation.case, exchange), version)
                break
    return found


STREAMS = {**good(), **{f"bad-{name}": one for name, one in bad().items()}}


def judged(observation: Observation, version: str) -> dict[str, Verdict]:
    return verdicts(observation, version, CHECKS)


def again(observation: Observation, chunks: object) -> Observation:
    exchange = observation.exchange
    assert exchange.response is not None
    return Observation(observation.case, evolve(exchange, response=rechunked(exchange.response, chunks)))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", STREAMS)
def test_one_byte_at_a_time_and_one_block_get_the_same_verdicts(name: str) -> None:
    observation, version = STREAMS[name]
    expected = judged(observation, version)
    body = observation.response.body
    assert expected == judged(again(observation, byte_by_byte(body)), version)
    assert expected == judged(again(observation, in_one_block(body)), version)


def cutting_matters_not(data: st.DataObject, name: str) -> None:
    observation, version = STREAMS[name]
    chunks = data.draw(rechunkings(observation.response.body))
    assert judged(observation, version) == judged(again(observation, chunks), version)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
@given(st.data(), st.sampled_from(sorted(STREAMS)))
def test_any_cut_gets_the_same_verdicts(data: st.DataObject, name: str) -> None:
    cutting_matters_not(data, name)


@pytest.mark.deep
@pytest.mark.parametrize("name", STREAMS)
def test_any_cut_gets_the_same_verdicts_deep(name: str) -> None:
    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
    @given(st.data())
    def search(data: st.DataObject) -> None:
        cutting_matters_not(data, name)

    search()


def test_good_and_bad_streams_are_many() -> None:
    assert 20 <= sum(not name.startswith("bad-") for name in STREAMS)
    assert 50 <= sum(name.startswith("bad-") for name in STREAMS)
