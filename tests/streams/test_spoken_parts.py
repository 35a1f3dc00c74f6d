"""The sound of a Responses stream: its pieces are compared with the part only where they can belong to no other."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from good_streams import ASK_RESPONSE, RESPONSES, played
from stream_stage import V1, seen, verdicts

from conformance.checks.catalogue import all_checks
from conformance.verdict import Outcome

JOINED = "responses.audio.joined"


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def spoken(*pieces: str, place: int = 0, sound: Any = None, finished: bool = True) -> list[dict[str, Any]]:
    """The events of one part whose transcript comes in pieces; ``sound`` is the data of its only piece of sound."""
    at = {"item_id": f"msg_{place}", "output_index": place, "content_index": 0}
    whole = {"type": "output_audio", "data": base64_of("sound"), "transcript": "".join(pieces)}
    done = [{"type": "response.audio.done"}, {"type": "response.audio.transcript.done"},
            {"type": "response.content_part.done", **at, "part": whole}]  # fmt: skip
    return [
        {"type": "response.content_part.added", **at, "part": {**whole, "data": "", "transcript": ""}},
        {"type": "response.audio.delta", "delta": whole["data"] if sound is None else sound},
        *({"type": "response.audio.transcript.delta", "delta": piece} for piece in pieces),
        *(done if finished else ()),
    ]


LATE = {"type": "response.audio.transcript.delta", "delta": "?"}


@pytest.mark.parametrize(
    ("outcome", "events"),
    [
        (Outcome.PASS, spoken("Hel", "lo")),
        (Outcome.WARN, [*spoken("Hel", "lo"), LATE]),
        (Outcome.WARN, spoken("Hello", sound=base64_of("noise"))),
        (Outcome.WARN, spoken("Hello", sound="é")),
        (Outcome.WARN, spoken("Hello", sound=7)),
        (Outcome.NOT_APPLICABLE, [*spoken("Hello"), *spoken("you", place=1)]),
        (Outcome.NOT_APPLICABLE, [*spoken("Hello"), *spoken("you", place=1, finished=False)]),
    ],
    ids=["right", "late", "other-sound", "no-ascii", "no-text", "two-parts", "second-part-cut"],
)
def test_pieces_are_those_of_the_only_spoken_part(outcome: Outcome, events: list[dict[str, Any]]) -> None:
    answer = seen(RESPONSES, ASK_RESPONSE, played(*events), V1)
    verdict = verdicts(answer, V1, [all_checks()[JOINED]])[JOINED]
    assert outcome is verdict.outcome, verdict
