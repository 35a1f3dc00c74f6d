"""Audio: transcriptions and translations in every response format, and speech."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call, Part
from conformance.emulator.events import Event
from conformance.emulator.handlers import handles
from conformance.emulator.inference.sound import MEDIA_TYPES, encoded
from conformance.emulator.inference.text import count, logprob, reply, tokenize
from conformance.evidence.exchange import Response

__all__ = ["speech", "transcribe", "translate"]

#: The response formats that are plain text, and their media types.
_TEXTS = {"text": "text/plain; charset=utf-8", "srt": "text/plain; charset=utf-8", "vtt": "text/vtt; charset=utf-8"}

#: Seconds per word; words per segment.
_PACE, _SEGMENT = 0.4, 8


@handles("audio.transcriptions.create")
def transcribe(call: Call) -> Response:
    """Text for a recording."""
    call.deployment("transcription")
    return _written(call, "transcribe", str(call.get("language", "en")))


@handles("audio.translations.create")
def translate(call: Call) -> Response:
    """English text for a recording."""
    call.deployment("translation")
    return _written(call, "translate", "en")


@handles("audio.speech.create")
def speech(call: Call) -> Response:
    """Sound for a text, in the requested format (mp3 by default), or as events."""
    call.deployment("speech")
    text = str(call.get("input", ""))
    form = str(call.get("response_format", "mp3"))
    data = encoded(text, form, float(call.get("speed", 1.0)))
    if call.wants_stream():
        return call.stream(_speech_events(text, data))
    return call.bytes(data, MEDIA_TYPES.get(form, "application/octet-stream"))


def _written(call: Call, task: str, language: str) -> Response:
    """The answer of transcription and translation in the requested format. The text depends on the bytes of the
    file.
    """
    part = call.get("file")
    data = part.data if isinstance(part, Part) else str(part).encode()
    if len(data) > call.settings.audio_limit:
        raise errors.too_large(call.settings.audio_limit, len(data))
    text = reply(hashlib.sha256(data).hexdigest(), str(call.get("prompt", "")))
    if call.wants_stream():
        return call.stream(_transcript_events(call, text))
    form = str(call.get("response_format", "json"))
    words = text.split()
    if form in _TEXTS:
        written = {"text": text + "\n", "srt": _subtitles(words, ","), "vtt": "WEBVTT\n\n" + _subtitles(words, ".")}
        # A version may document plain text as the only media type for all text formats.
        media_type = _TEXTS[form] if _TEXTS[form].partition(";")[0] in _documented(call) else _TEXTS["text"]
        return call.bytes(written[form].encode(), media_type)
    answer: dict[str, Any] = {"text": text}
    if form == "verbose_json":
        answer |= {"task": task, "language": language, "duration": round(_PACE * len(words), 2)}
        answer |= _timed(call, words)
    elif "logprobs" in call.get("include[]", ()):
        answer["logprobs"] = _logprobs(text)
    return call.json(answer)


def _documented(call: Call) -> frozenset[str]:
    """The media types that the operation documents for its answer."""
    return frozenset(call.operation.answer(200) or {})


def _timed(call: Call, words: list[str]) -> dict[str, Any]:
    """Segments and words with times, as far as the granularities ask for them (segments by default)."""
    wanted = call.get("timestamp_granularities[]", ["segment"])
    timed: dict[str, Any] = {}
    if "segment" in wanted:
        timed["segments"] = [
            {
                "id": index,
                "seek": 0,
                "start": round(_PACE * start, 2),
                "end": round(_PACE * (start + len(part)), 2),
                "text": " " + " ".join(part),
                "tokens": [int.from_bytes(token.encode()[:2], "big") for token in tokenize(" ".join(part))],
                "temperature": float(call.get("temperature", 0)),
                "avg_logprob": -0.25,
                "compression_ratio": 1.2,
                "no_speech_prob": 0.01,
            }
            for index, (start, part) in enumerate(_segments(words))
        ]
    if "word" in wanted:
        timed["words"] = [
            {"word": word.strip("."), "start": round(_PACE * place, 2), "end": round(_PACE * (place + 1), 2)}
            for place, word in enumerate(words)
        ]
    return timed


def _segments(words: list[str]) -> list[tuple[int, list[str]]]:
    """(index of the first word, words) of each segment."""
    return [(start, words[start : start + _SEGMENT]) for start in range(0, len(words), _SEGMENT)]


def _subtitles(words: list[str], point: str) -> str:
    """Numbered cues. SubRip writes milliseconds after a comma, WebVTT after a point."""
    cues = []
    for index, (start, part) in enumerate(_segments(words)):
        times = " --> ".join(_clock(_PACE * moment, point) for moment in (start, start + len(part)))
        cues.append(f"{index + 1}\n{times}\n{' '.join(part)}\n")
    return "\n".join(cues)


def _clock(seconds: float, point: str) -> str:
    """A time as ``hh:mm:ss`` with milliseconds."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{milliseconds:03}"


def _logprobs(text: str) -> list[dict[str, Any]]:
    """One log probability entry per token."""
    return [
        {"token": token, "logprob": logprob(token, place), "bytes": list(token.encode())}
        for place, token in enumerate(tokenize(text))
    ]


def _transcript_events(call: Call, text: str) -> Iterator[Event]:
    """One delta per token, then the whole text. The data names the type of each event."""
    wanted = "logprobs" in call.get("include[]", ())
    for entry in _logprobs(text):
        extra = {"logprobs": [entry]} if wanted else {}
        yield Event({"type": "transcript.text.delta", "delta": entry["token"], **extra})
    yield Event({"type": "transcript.text.done", "text": text, **({"logprobs": _logprobs(text)} if wanted else {})})


def _speech_events(text: str, data: bytes) -> Iterator[Event]:
    """Pieces of the sound in base64, then the usage."""
    for start in range(0, len(data), 16_384):
        piece = base64.b64encode(data[start : start + 16_384]).decode()
        yield Event({"type": "speech.audio.delta", "audio": piece})
    # A made-up price: 400 bytes are one token.
    spoken = len(data) // 400
    usage = {"input_tokens": count(text), "output_tokens": spoken, "total_tokens": count(text) + spoken}
    yield Event({"type": "speech.audio.done", "usage": usage})
