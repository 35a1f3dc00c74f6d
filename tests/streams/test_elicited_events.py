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

#: Version → event that is not elicited → why.
UNASKED = {"v1-preview": {}, "2025-04-01-preview": {**SOUND, **CODE}, "v1": SOUND}


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


#: The version with the fewest requests; the others in ``tox -e prove``.
SAMPLED = "2025-04-01-preview"


@pytest.mark.parametrize(
    "version", [pytest.param(one, marks=() if one == SAMPLED else pytest.mark.prove) for one in UNASKED]
)
def test_every_event_of_the_responses_api_is_elicited(version: str) -> None:
    spec = load(version)
    stream = operations_of(spec)["responses.create"].stream
    assert stream is not None
    types = part("reports.event_types").types_of(event_schemas(spec, stream))
    seen = sent(version, "responses.create")
    assert sorted(UNASKED[version]) == sorted(names[0] for names in types if not seen & set(names))
