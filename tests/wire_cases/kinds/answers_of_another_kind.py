"""A 200 that is not the answer: only an error as a stream, another format, another media type."""

from __future__ import annotations

from typing import Any

from wild_answers import LATER, V1, form
from wire_stage import Example, Played, WireCase, answer, exchanged, lines, played

from .content_coding import FIRST, LAST
from .text import deltas

SAY = [{"role": "user", "content": "Say hello."}]
WAV = ("a.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav")


def only_error(example: Example) -> Played:
    """Five streams, all answered in the same way, and a plain answer that is good."""
    streams = [
        exchanged("chat.completions.create", {"messages": SAY, "stream": True, "seed": n}, answer(example))
        for n in range(5)
    ]
    return played(*streams, scenario="corpus.chat.completions.create")


def once(example: Example) -> Played:
    """Five streams, the first of them as the example says."""
    streams = [
        exchanged("chat.completions.create", {"messages": SAY, "stream": True, "seed": n},
                  answer(example if n == 0 else {"body": deltas("Hello", id_=f"c{n}")}))
        for n in range(5)
    ]  # fmt: skip
    return played(*streams, scenario="corpus.chat.completions.create")


def transcript(example: Example) -> Played:
    """A transcription."""
    asked = form(file=WAV, **example["request_form"])
    return played(
        exchanged(
            "audio.transcriptions.create",
            asked,
            answer({"headers": [["Content-Type", "application/json"]], **example}),
            LATER,
        ),
        version=LATER,
    )


def speech(example: Example) -> Played:
    """Speech as a stream of events."""
    asked = {"input": "a", "voice": "alloy", "stream_format": "sse"}
    return played(exchanged("audio.speech.create", asked, answer(example), V1), version=V1)


EVENTS = [["Content-Type", "text/event-stream"]]
BUSY: dict[str, Any] = {"error": {"message": "try later", "code": "rate_limit_exceeded"}}
CASES = (
    WireCase(
        "stream-that-is-only-an-error",
        "fail",
        only_error,
        {"status": 200, "headers": EVENTS, "body": lines(BUSY)},
        told={"stream.error.only": "error"},
        near=[{"status": 200, "headers": EVENTS, "body": lines(FIRST, LAST)}],
    ),
    WireCase("one-stream-is-only-an-error", "quiet", once, {"status": 200, "headers": EVENTS, "body": lines(BUSY)}),
    WireCase(
        "verbose-json-ignored",
        "fail",
        transcript,
        {
            "request_form": {"response_format": "verbose_json", "timestamp_granularities[]": "segment"},
            "body": {"text": "hello"},
        },
        told={"audio.verbose.form": "verbose_json"},
        near=[{"request_form": {"response_format": "json"}, "body": {"text": "hello"}}],
    ),
    WireCase(
        "audio-where-events-were-asked",
        "fail",
        speech,
        {"headers": [["Content-Type", "audio/mpeg"]], "body_hex": "fffb90c40000"},
        told={"sse.content-type": "text/event-stream"},
    ),
)
