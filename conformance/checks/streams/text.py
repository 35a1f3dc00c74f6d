"""Checks of the text in streams: no delta is cut inside a character, and the joined text is encoded once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.checks.http.text import undamaged_request
from conformance.evidence.text_damage import damage, strings, told_once
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import each_json
from conformance.spec.spec import Spec
from conformance.streams.chunks import by_choice, pieces
from conformance.streams.reading import DATA_ONLY, Reading, over_stream, streamed
from conformance.verdict import Finding, Level


def _twice(value: dict[str, Any], _index: int) -> dict[str, Any] | None:
    """Counterexample: a member that clients may ignore holds UTF-8 that was read as Latin-1."""
    return {**value, "x_note": "é你好".encode().decode("latin-1")}


@check(
    "stream.text",
    Level.MUST,
    clause="stream-text-undamaged",
    counterexample=each_json(_twice),
    about=streamed(also=undamaged_request),
    needs=Needs.SUCCESS,
    provenance="standard",
)
@over_stream
def text_undamaged(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Each string of each event can be written as UTF-8 by itself, and the text was not encoded twice.

    A client that passes each delta on fails at half of a surrogate pair (RFC 3629 section 3). Text that turns into a
    shorter one when its bytes in Latin-1 are read as UTF-8 was encoded twice (RFC 8259 section 8.1): every language but
    English is unreadable. Chat deltas are also joined, because a sequence may be spread over them. The tokens of log
    probabilities are not judged: one may be a part of a character.
    """
    cut = any(piece.finish == "length" for piece in pieces(reading))
    found = [
        (event.place + place, harm)
        for event, value in reading.values
        for place, text in strings(value)
        if "/logprobs" not in place and (harm := damage(text)) is not None and (harm.certain or not cut)
    ]
    for place, harm, message in told_once(found):
        yield seen.finding(
            message,
            place=place,
            expected="text that is valid and encoded once, in UTF-8",
            actual=harm.shown,
            level=None if harm.certain else Level.SHOULD,
        )
    if found or reading.shape.protocol not in DATA_ONLY:
        return
    for index, joined in by_choice(reading).items():
        harm = damage("".join(piece.text for piece in joined))
        if harm is not None and (harm.certain or not cut):
            yield seen.finding(
                harm.message,
                place=joined[0].place,
                expected=f"the text of choice {index}, encoded once",
                actual=harm.shown,
                level=None if harm.certain else Level.SHOULD,
            )
