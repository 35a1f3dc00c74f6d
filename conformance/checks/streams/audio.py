"""Checks of audio streams: text or sound in deltas, and one event that ends them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import Draft, on_events
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.streams.machine import Machine
from conformance.streams.reading import Reading, over_stream, streamed
from conformance.verdict import Finding, Level

AUDIO = "audio"

#: ``grows`` is a delta, ``ends`` the done event. The event types are ``transcript.text.…`` and ``speech.audio.…``.
SOUND = Machine(
    name="audio",
    start="open",
    moves={("open", "grows"): "open", ("open", "ends"): "ended"},
    breaks={("ended", "grows"): ("after-end", "ended"), ("ended", "ends"): ("ends-once", "ended")},
    ends={"open": "never-ends"},
)

#: Event type → symbol of the machine.
_SYMBOLS = {
    "transcript.text.delta": "grows",
    "transcript.text.done": "ends",
    "speech.audio.delta": "grows",
    "speech.audio.done": "ends",
}


def _no_end(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: the done event is missing."""
    kept = [e for e in events if not (isinstance(e.json, dict) and _SYMBOLS.get(e.json.get("type", "")) == "ends")]
    return kept if kept and len(kept) < len(events) else None


@check(
    "audio.terminal.once",
    Level.MUST,
    clause="audio-stream-ends",
    counterexample=on_events(_no_end, AUDIO),
    about=streamed(AUDIO),
    needs=Needs.SUCCESS,
)
@over_stream
def terminal_once(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Exactly one ``done`` event ends an audio stream, and no delta follows it."""
    symbols = [
        (_SYMBOLS[value["type"]], event)
        for event, value in reading.values
        if isinstance(value.get("type"), str) and value["type"] in _SYMBOLS
    ]
    for breach in SOUND.run(symbols, ended=reading.ended):
        if breach.tag is None:
            yield seen.finding("the stream ends without its done event", place=f"byte:{reading.stream.size}")
        else:
            what = "a second done event" if breach.rule == "ends-once" else "a delta after the done event"
            yield seen.finding(what, place=breach.tag.place, actual=breach.tag.data[:80])


def _lose_delta(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: a delta is missing."""
    for index, event in enumerate(events):
        value = event.json
        if isinstance(value, dict) and value.get("type") == "transcript.text.delta" and value.get("delta"):
            return [*events[:index], *events[index + 1 :]]
    return None


@check(
    "audio.deltas.concatenate",
    Level.MUST,
    clause="audio-text-deltas",
    counterexample=on_events(_lose_delta, AUDIO),
    about=streamed(AUDIO),
    needs=Needs.SUCCESS,
)
@over_stream
def concatenate(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The deltas of a transcript, joined, are the text of its ``done`` event."""
    deltas = [value.get("delta") for _, value in reading.values if value.get("type") == "transcript.text.delta"]
    joined = "".join(delta for delta in deltas if isinstance(delta, str))
    for event, value in reading.values:
        if value.get("type") == "transcript.text.done" and value.get("text") != joined:
            yield seen.finding(
                "the text is not what its deltas say",
                place=f"{event.place}/text",
                expected=joined[:160],
                actual=str(value.get("text"))[:160],
            )
