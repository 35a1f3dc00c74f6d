"""The requests of a standard run make the emulator send every type of event that a document names, but for those that
no request can ask for.
"""

from __future__ import annotations

import offline
import pytest

from conformance._parts import part
from conformance.emulator.app import App
from conformance.emulator.store import Clock
from conformance.evidence.event_stream import stream_of
from conformance.run.selection import corpus_of
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.streams.event_schemas import event_schemas

SOUND = {
    "response.audio.delta": "no request of the version asks for sound",
    "response.audio.done": "no request of the version asks for sound",
    "response.audio.transcript.delta": "no request of the version asks for sound",
    "response.audio.transcript.done": "no request of the version asks for sound",
}
CODE = {
    f"response.code_interpreter_call{state}": "no tool of the version runs code"
    for state in (".code.delta", ".code.done", ".in_progress", ".interpreting", ".completed")
}

#: A run can only be cancelled by its id, which comes with the stream; expiry takes ten minutes.
RUNS = {
    "error": "an error of the service, which no request asks for",
    **{f"thread.run.{state}": "the run would have to be cancelled meanwhile" for state in ("cancelled", "cancelling")},
    "thread.run.expired": "too slow to wait for",
    "thread.run.step.cancelled": "the run would have to be cancelled meanwhile",
    "thread.run.step.expired": "too slow to wait for",
}

RESPONSES, RUN = "responses.create", "threads.create_and_run"

#: (version, operation) → event that is not elicited → why. A version may have runs and no way to make an assistant for
#: them; v1 shows no run.
UNASKED: dict[tuple[str, str], dict[str, str]] = {
    ("v1-preview", RESPONSES): {},
    ("2025-04-01-preview", RESPONSES): {**SOUND, **CODE},
    ("v1", RESPONSES): SOUND,
    ("2024-05-01-preview", RUN): RUNS,
    ("2025-04-01-preview", RUN): RUNS,
}

#: What is tried with every change; the others in ``tox -e prove``.
SAMPLED = ("2024-05-01-preview", RUN)


def sent(version: str, operation: str) -> set[str | None]:
    """The names of all events that the emulator answers the standard corpus of an operation with."""
    spec = load(version)
    app = App([spec], clock=Clock.fixed())
    found: set[str | None] = set()
    for scenario in corpus_of(spec, Options(operations=(operation,), no_cache=True)):
        for seen in offline.play(spec, scenario, offline.answering(app, spec), wait=app.clock.advance):
            if seen.exchange.ok and seen.response.media_type == "text/event-stream":
                found |= {event.name for event in stream_of(seen.response).events}
    return found


@pytest.mark.parametrize(
    ("version", "operation"), [pytest.param(*one, marks=() if one == SAMPLED else pytest.mark.prove) for one in UNASKED]
)
def test_every_event_that_can_be_asked_for_is_elicited(version: str, operation: str) -> None:
    spec = load(version)
    stream = operations_of(spec)[operation].stream
    assert stream is not None
    types = part("reports.event_types").types_of(event_schemas(spec, stream))
    seen = sent(version, operation)
    assert sorted(UNASKED[version, operation]) == sorted(names[0] for names in types if not seen & set(names))
