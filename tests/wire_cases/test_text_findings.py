"""How damaged text is told: once for all its places, and as a note where it was only read."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from wild_answers import V1, spec_of
from wire_stage import answer, exchanged

from conformance.checks.catalogue import all_checks
from conformance.evidence.text_damage import damage, strings, told_once
from conformance.evidence.trace import Observation, Trace
from conformance.judging.judge import judge
from conformance.requests.case import Case, Multipart, Part
from conformance.scenarios.files import BINARY
from conformance.verdict import Outcome

#: An api-version with assistants.
PREVIEW = "2024-05-01-preview"

#: "é你好" whose UTF-8 was read as Latin-1.
DAMAGED = "é你好".encode().decode("latin-1")


def told(value: Any) -> list[tuple[str, str]]:
    """(place, message) of what is told of the texts in a value."""
    found = [(place, harm) for place, text in strings(value) if (harm := damage(text)) is not None]
    return [(place, message) for place, _, message in told_once(found)]


def test_one_damage_in_three_places_is_told_once() -> None:
    ((place, message),) = told({"part": {"text": DAMAGED}, "item": DAMAGED, "output": [DAMAGED]})
    assert place in ("/part/text", "/item", "/output/0")
    assert "in 3 places" in message


def test_two_kinds_of_damage_are_told_both_and_the_certain_one_first() -> None:
    messages = [message for _, message in told({"a": "cut \ufffd", "b": DAMAGED})]
    assert 2 == len(messages)
    assert "Latin-1" in messages[0]
    assert "U+FFFD" in messages[1]


def test_whole_texts_are_not_told() -> None:
    assert [] == told({"a": "é你好 😀", "b": ["São", ""]})


def _text_of_file(method: str) -> Observation:
    """A file whose name is damaged, as the answer to an upload or to a read."""
    file = {"id": "file-1", "object": "file", "bytes": 1, "created_at": 1, "filename": DAMAGED, "purpose": "assistants",
            "status": "processed", "status_details": None}  # fmt: skip
    seen = exchanged("files.get", None, answer({"body": file}), V1)
    return Observation(evolve(seen.case, method=method), seen.exchange)


@pytest.mark.parametrize(("method", "outcome"), [("POST", Outcome.FAIL), ("GET", Outcome.PASS)])
def test_what_is_only_read_is_a_note(method: str, outcome: Outcome) -> None:
    verdict = judge(spec_of(V1), all_checks()["http.text"], Trace("corpus.files", (_text_of_file(method),)))
    assert outcome is verdict.outcome
    assert [outcome is Outcome.PASS] == [finding.note for finding in verdict.findings]


@pytest.mark.parametrize(
    ("sent", "outcome"),
    [({"name": "São"}, Outcome.FAIL), ({"instructions": "é"}, Outcome.PASS), ({}, Outcome.PASS)],
    ids=["set now", "set before", "nothing set"],
)
def test_what_a_modification_left_alone_is_a_note(sent: dict[str, str], outcome: Outcome) -> None:
    """An earlier request set the name, and its text may have been like that."""
    assistant = {"id": "asst_1", "object": "assistant", "created_at": 1, "name": DAMAGED, "description": None,
                 "model": "m", "instructions": None, "tools": [], "metadata": {}}  # fmt: skip
    seen = exchanged("assistants.modify", sent, answer({"body": assistant}), PREVIEW)
    verdict = judge(spec_of(PREVIEW), all_checks()["http.text"], Trace("corpus.assistants.modify", (seen,)))
    assert outcome is verdict.outcome
    assert [outcome is Outcome.PASS] == [finding.note for finding in verdict.findings]


@pytest.mark.parametrize(
    ("sent", "judged"),
    [(b"en", True), ("São".encode(), True), (DAMAGED.encode(), False), (b"\xc2\x95", False), (b"\xe9", False)],
    ids=["ascii", "text", "encoded twice", "control character", "Latin-1"],
)
def test_what_a_form_holds_the_answer_may_repeat(sent: bytes, judged: bool) -> None:
    """A transcription tells the language that its form names. The bytes of a file are no text."""
    parts = (Part("file", b"\xff\xfe", "tone.wav", "audio/wav"), Part("language", sent))
    case = Case("audio.transcriptions.create", "POST", "/x", body=Multipart(parts))
    assert judged is all_checks()["http.text"].about(spec_of(PREVIEW), case)


def test_a_text_that_no_request_can_set_is_the_targets() -> None:
    made = {"id": "asst_1", "object": "assistant", "x_note": DAMAGED}
    seen = exchanged("assistants.modify", {}, answer({"body": made}), PREVIEW)
    verdict = judge(spec_of(PREVIEW), all_checks()["http.text"], Trace("corpus.assistants.modify", (seen,)))
    assert Outcome.FAIL is verdict.outcome


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (BINARY.data, Outcome.PASS),
        (BINARY.data.decode("utf-8", "replace").encode(), Outcome.FAIL),
        (BINARY.data.decode("latin-1").encode(), Outcome.FAIL),
        (b"something else", Outcome.PASS),
    ],
    ids=["as-sent", "as-utf-8", "as-latin-1", "other-bytes"],
)
def test_only_what_is_taken_for_text_breaks_a_binary_file(data: bytes, outcome: Outcome) -> None:
    media = [["Content-Type", "application/octet-stream"]]
    seen = exchanged("files.content", None, answer({"headers": media, "body_hex": data.hex()}), V1)
    seen = Observation(evolve(seen.case, role="binary.content"), seen.exchange)
    verdict = judge(spec_of(V1), all_checks()["files.content.binary"], Trace("files.content", (seen,)))
    assert outcome is verdict.outcome
    assert (data != BINARY.data) is bool(verdict.findings)
