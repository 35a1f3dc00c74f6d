"""A check of the spoken parts of a Responses stream."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from conformance.evidence.event_stream import Event
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import Draft, on_events
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.streams.reading import Reading, over_stream, streamed
from conformance.streams.responses import kind_of
from conformance.verdict import Finding, Level

RESPONSES = "responses"

#: Name of a delta without its ending → the field of the part that its deltas add up to. Documents spell one of the
#: names in two ways.
_FIELDS = {
    "response.audio": "data",
    "response.audio_transcript": "transcript",
    "response.audio.transcript": "transcript",
}


def _lost_word(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: a piece of the transcript is missing."""
    names = [event.name or "" for event in events]
    lost = next((place for place, name in enumerate(names) if name.endswith("transcript.delta")), None)
    return None if lost is None else [*events[:lost], *events[lost + 1 :]]


@check(
    "responses.audio.joined",
    Level.SHOULD,
    clause="responses-stream-audio-joined",
    counterexample=on_events(_lost_word, RESPONSES),
    about=streamed(RESPONSES),
    needs=Needs.SUCCESS,
    features=("responses.audio",),
)
@over_stream
def audio_joined(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The deltas of sound and transcript, joined, are those of the finished part, and none comes after its ``done``.

    These events name no item, so they are compared only where the stream has a single spoken part.
    """
    pieces: dict[str, list[str]] = {"data": [], "transcript": []}
    ended: set[str] = set()
    late: list[Finding] = []
    # The place of a spoken part → how it is finished, or None while it is only announced.
    parts: dict[str, tuple[Event, dict[str, Any]] | None] = {}
    for event, value in reading.values:
        kind = kind_of(event, value)
        name, _, state = kind.rpartition(".")
        field = _FIELDS.get(name)
        if field is not None and state == "delta":
            if field in ended:
                late.append(seen.finding(f"a delta comes after the end of the {field}", place=event.place, actual=kind))
            pieces[field].append(str(value.get("delta")))
        elif field is not None and state == "done":
            ended.add(field)
        elif name == "response.content_part" and _spoken(value.get("part")):
            place = f"{value.get('output_index')}/{value.get('content_index')}"
            parts[place] = (event, value["part"]) if state == "done" else parts.get(place)
    if len(parts) > 1:
        return
    yield from late[:1]
    (finished,) = parts.values() or (None,)
    if late or finished is None:
        return
    event, part = finished
    for field, joined, whole in (
        ("data", _bytes(pieces["data"]), _bytes([part.get("data")])),
        ("transcript", "".join(pieces["transcript"]), part.get("transcript")),
    ):
        if joined is None or joined != whole:
            yield seen.finding(
                f"the {field} of the part is not what its deltas say", place=f"{event.place}/part/{field}",
                expected=_short(joined), actual=_short(whole),
            )  # fmt: skip


def _spoken(part: Any) -> bool:
    """Return True for a part that is sound."""
    return isinstance(part, dict) and part.get("type") == "output_audio"


def _bytes(pieces: Sequence[Any]) -> bytes | None:
    """The sound in pieces of base64, each of its own or one text that was cut; None if it is neither."""
    if not all(isinstance(piece, str) for piece in pieces):
        return None
    for texts in (pieces, ["".join(pieces)]):
        # Letters beyond ASCII raise ValueError, whose subclass is the error of base64.
        with suppress(ValueError):
            return b"".join(base64.b64decode(text, validate=True) for text in texts)
    return None


def _short(value: Any) -> str:
    """A value as it is shown."""
    if value is None:
        return "neither text nor base64"
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)[:160]
