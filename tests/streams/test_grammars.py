"""The grammars know every event that a document names, and name the rule that each wrong transition breaks."""

from __future__ import annotations

import pytest

from conformance.spec.loading import load, versions
from conformance.spec.operations import StreamShape, operations_of
from conformance.spec.spec import Spec
from conformance.streams.assistants import KINDS, MACHINES, PAUSED, TERMINAL, ordered_states, split_name
from conformance.streams.chunks import CHOICE
from conformance.streams.event_schemas import event_schemas
from conformance.streams.machine import Machine
from conformance.streams.responses import GROWING_TEXTS, RESPONSE

#: Deltas of Responses that belong to no item, or whose delta the documents leave open.
FREE = {
    "response.audio.delta",
    "response.audio_transcript.delta",
    "response.audio.transcript.delta",
    "response.reasoning.delta",
    "response.reasoning_summary.delta",
}


def streaming(protocol: str) -> list[tuple[str, Spec, StreamShape]]:
    return [
        (version, load(version), operation.stream)
        for version in versions()
        for operation in operations_of(load(version)).values()
        if operation.stream is not None and operation.stream.protocol == protocol
    ]


@pytest.mark.parametrize(
    ("version", "spec", "shape"), streaming("assistants"), ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_documented_event_of_an_assistant_is_a_state_of_a_machine(
    version: str, spec: Spec, shape: StreamShape
) -> None:
    documented = set(event_schemas(spec, shape)) - {None, "error", "done"}
    assert set() == {name for name in documented if split_name(name) is None}
    assert 20 < len(documented)


@pytest.mark.parametrize(
    ("version", "spec", "shape"), streaming("responses"), ids=lambda v: v if isinstance(v, str) else ""
)
def test_every_documented_delta_of_a_response_is_joined(version: str, spec: Spec, shape: StreamShape) -> None:
    deltas = {name for name in event_schemas(spec, shape) if name and name.endswith("delta")}
    assert set() == deltas - FREE - {growth.prefix + growth.delta for growth in GROWING_TEXTS}


@pytest.mark.parametrize("protocol", ["chat-chunks", "completion-chunks", "assistants", "responses", "audio"])
def test_every_stream_has_a_schema_for_its_events(protocol: str) -> None:
    assert all(event_schemas(spec, shape) for _, spec, shape in streaming(protocol))


def test_every_stream_of_every_version_has_a_grammar() -> None:
    known = {"chat-chunks", "completion-chunks", "assistants", "responses", "audio"}
    found = {op.stream.protocol for v in versions() for op in operations_of(load(v)).values() if op.stream is not None}
    assert set() == found - known


def rules(machine: Machine, *symbols: str, ended: bool = True) -> list[str]:
    return [breach.rule for breach in machine.run([(symbol, symbol) for symbol in symbols], ended=ended)]


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        (("says", "says", "ends"), []),
        (("idle", "ends", "idle"), []),
        (("says",), ["finish-reason-missing"]),
        (("says", "ends", "ends"), ["finish-reason-once"]),
        (("says", "ends", "says", "idle"), ["nothing-after-finish"]),
        ((), ["finish-reason-missing"]),
    ],
)
def test_a_choice(symbols: tuple[str, ...], expected: list[str]) -> None:
    assert expected == rules(CHOICE, *symbols)


def test_a_cut_sequence_is_not_blamed_for_its_end() -> None:
    assert [] == rules(CHOICE, "says", ended=False)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (("created", "queued", "in_progress", "completed"), []),
        (("created", "in_progress", PAUSED), []),
        (("queued", "in_progress"), ["first"]),
        (("created", "created", "queued"), ["once"]),
        (("created", "in_progress", "queued", "completed"), ["backwards"]),
        (("created", "completed", "failed"), ["after-end"]),
        (("created", "in_progress", "cancelling", "cancelled"), []),
    ],
)
def test_a_run(states: tuple[str, ...], expected: list[str]) -> None:
    assert expected == rules(MACHINES["thread.run"][0], *states)


def test_a_resumed_run_may_start_in_any_state() -> None:
    assert [] == rules(MACHINES["thread.run"][1], "queued", "in_progress", "completed")


def test_deltas_repeat() -> None:
    machine = ordered_states("x", (("created",), ("delta",), ("completed",)), many="delta")
    assert [] == rules(machine, "created", "delta", "delta", "completed")
    assert ["after-end"] == rules(machine, "created", "completed", "delta")


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        (("opens", "waits", "works", "ends"), []),
        (("opens", "ends"), []),
        (("works", "ends"), ["created-first"]),
        (("opens", "opens", "ends"), ["created-once"]),
        (("opens", "ends", "ends"), ["ends-once"]),
        (("opens", "ends", "works"), ["nothing-after-end"]),
        (("opens", "works"), ["never-ends"]),
    ],
)
def test_a_response(symbols: tuple[str, ...], expected: list[str]) -> None:
    assert expected == rules(RESPONSE, *symbols)


def test_every_end_of_a_run_is_a_state_of_its_machine() -> None:
    states = set(MACHINES["thread.run"][0].moves.values())
    assert TERMINAL | {PAUSED} <= states


def test_a_longer_kind_wins_over_its_prefix() -> None:
    assert ("thread.run.step", "created") == split_name("thread.run.step.created")
    assert None is split_name("thread.run.dreaming")
    assert set(KINDS) == set(MACHINES)
