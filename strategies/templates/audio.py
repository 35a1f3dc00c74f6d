"""Templates for audio: real sound files in three formats, and every response format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..drafts import Draft
from ..template_builders import TemplateContext, template

SOUNDS = ("wav", "mp3", "flac")
FORMATS = ("json", "text", "srt", "verbose_json", "vtt")


@template("audio.transcriptions.create", "audio.translations.create")
def heard(context: TemplateContext) -> Iterator[Draft]:
    """Transcriptions and translations: sound in, text out."""

    def hear(role: str, file: str = "file:wav", either: str = "", **fields: Any) -> Draft:
        return context.draft(f"audio.{role}", {"file": file, **fields}, either=either)

    for sound in SOUNDS:
        yield hear(sound, f"file:{sound}")
    for form in FORMATS:
        yield hear(f"wav.{form}", response_format=form)
    yield hear("prompt", prompt="A tone, then silence.")
    yield hear("language", language="en")
    yield hear("temperature", temperature=0.2)
    words: dict[str, Any] = {"response_format": "verbose_json", "timestamp_granularities[]": ["word", "segment"]}
    yield hear("timestamps", **words)
    logprobs: dict[str, Any] = {"include[]": ["logprobs"]}
    yield hear("logprobs", **logprobs)
    yield hear("stream", stream=True)
    # Text under the name and media type of a sound file.
    yield hear("not-audio", "file:not-audio", either="the file says it is sound and is not")
    yield hear("empty", "file:empty", either="an empty file")


@template("audio.speech.create")
def spoken(context: TemplateContext) -> Iterator[Draft]:
    """Speech: text in, sound out."""

    def speak(role: str, **fields: Any) -> Draft:
        return context.draft(f"speech.{role}", {"input": "Hello.", "voice": "alloy", **fields})

    yield speak("plain")
    for form in ("mp3", "opus", "aac", "flac", "wav", "pcm"):
        yield speak(form, response_format=form)
    yield speak("speed", speed=1.5)
    # Few characters: speech is billed by them.
    yield speak("scripts", input="Grüße. 你好。")
