"""Audio: each response format has its media type, timestamps increase, and sound files begin as their format
requires.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.documented_fields import Shape
from conformance.emulator.inference.sound import MEDIA_TYPES, wave
from conformance.evidence.event_stream import parse
from conformance.evidence.exchange import Response
from conformance.requests.request import Request
from conformance.spec.loading import load


@cache
def served(version: str, settings: Settings) -> App:
    return App([load(version)], settings)


def posted(version: str, path: str, fields: list[tuple[str, Any]], settings: Settings | None = None) -> Response:
    """A multipart request with a recording."""
    app = served(version, settings or Settings())
    spec = app.specs[0]
    body = b""
    for name, value in [*fields, ("model", "whisper")]:
        name_of_file = '; filename="a.mp3"' if isinstance(value, bytes) else ""
        body += f'--x\r\nContent-Disposition: form-data; name="{name}"{name_of_file}\r\n\r\n'.encode()
        body += (value if isinstance(value, bytes) else str(value).encode()) + b"\r\n"
    place = "" if spec.surface == "v1" else "/deployments/whisper"
    url = f"http://emulator{spec.base_path}{place}{path}?api-version={spec.api_version.accepted[0]}"
    headers = (("api-key", "emulator-key"), ("content-type", "multipart/form-data; boundary=x"))
    return app.handle(Request("POST", url, headers, body + b"--x--\r\n"))


@pytest.fixture
def transcribe(transcriptions_version: str) -> Callable[..., Response]:
    def call(*fields: tuple[str, Any]) -> Response:
        return posted(transcriptions_version, "/audio/transcriptions", [("file", b"sound"), *fields])

    return call


def test_json_by_default(transcribe: Callable[..., Response]) -> None:
    answer = transcribe()
    assert (200, "application/json", {"text"}) == (answer.status, answer.media_type, set(answer.json))


@pytest.mark.parametrize("form", ["text", "srt", "vtt"])
def test_texts_come_as_text(transcribe: Callable[..., Response], form: str) -> None:
    answer = transcribe(("response_format", form))
    assert (200, True) == (answer.status, answer.media_type.startswith("text/"))
    words = transcribe().json["text"].split()
    found = [w for w in answer.body.decode().split() if re.fullmatch(r"[A-Za-z.]+", w) and w != "WEBVTT"]
    assert words == found


def test_subtitles_are_numbered_and_timed(transcribe: Callable[..., Response]) -> None:
    cues = transcribe(("response_format", "srt")).body.decode().strip().split("\n\n")
    assert list(range(1, len(cues) + 1)) == [int(cue.split("\n")[0]) for cue in cues]
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}", cue.split("\n")[1]) for cue in cues)
    assert transcribe(("response_format", "vtt")).body.startswith(b"WEBVTT\n\n1\n00:00:00.000 --> ")


@pytest.mark.parametrize(
    ("granularities", "keys"),
    [
        ((), {"segments"}),
        (("segment",), {"segments"}),
        (("word",), {"words"}),
        (("word", "segment"), {"words", "segments"}),
    ],
)
def test_granularities(
    transcribe: Callable[..., Response],
    transcriptions_version: str,
    documented: Callable[[str, str], Shape],
    granularities: tuple[str, ...],
    keys: set[str],
) -> None:
    body = documented(transcriptions_version, "audio.transcriptions.create")
    if granularities and not body.has("timestamp_granularities[]"):
        pytest.skip("not documented in this version")
    asked = [("timestamp_granularities[]", one) for one in granularities]
    answer = transcribe(("response_format", "verbose_json"), *asked).json
    assert keys == {"words", "segments"} & set(answer)
    assert "transcribe" == answer["task"]
    for timed in [answer[key] for key in keys]:
        assert all(one["start"] < one["end"] <= answer["duration"] for one in timed)
        assert [one["start"] for one in timed] == sorted(one["start"] for one in timed)
    if "segments" in keys:
        assert answer["text"] == "".join(one["text"] for one in answer["segments"]).strip()


def test_a_file_must_be_there(transcriptions_version: str) -> None:
    answer = posted(transcriptions_version, "/audio/transcriptions", [])
    assert (400, "file") == (answer.status, answer.json["error"]["param"])


@pytest.mark.parametrize("field", [("temperature", "1.5"), ("temperature", "warm"), ("response_format", "mp3")])
def test_fields_of_the_form_are_checked(transcribe: Callable[..., Response], field: tuple[str, str]) -> None:
    answer = transcribe(field)
    assert (400, field[0]) == (answer.status, answer.json["error"]["param"])


def test_too_long_a_recording(transcriptions_version: str) -> None:
    answer = posted(transcriptions_version, "/audio/transcriptions", [("file", b"sound")], Settings(audio_limit=4))
    assert (413, "server_error") == (answer.status, answer.json["error"]["type"])


def test_translations_are_marked_as_such(transcriptions_version: str) -> None:
    fields = [("file", b"sound"), ("response_format", "verbose_json")]
    answer = posted(transcriptions_version, "/audio/translations", fields)
    assert ("translate", "en") == (answer.json["task"], answer.json["language"])


def test_a_streamed_transcript_is_the_whole_one(
    transcribe: Callable[..., Response], transcriptions_version: str, documented: Callable[[str, str], Shape]
) -> None:
    if not documented(transcriptions_version, "audio.transcriptions.create").has("stream"):
        pytest.skip("not documented in this version")
    *deltas, done = [json.loads(event.data) for event in parse(transcribe(("stream", "true")).chunks).events]
    text = transcribe().json["text"]
    assert (text, "transcript.text.done") == (done["text"], done["type"])
    assert text == "".join(one["delta"] for one in deltas)


@pytest.mark.parametrize("form", sorted(MEDIA_TYPES))
def test_speech_in_each_format(
    speech_version: str,
    inference: Callable[..., Response],
    documented: Callable[[str, str], Shape],
    form: str,
) -> None:
    if form not in documented(speech_version, "audio.speech.create").values("response_format"):
        pytest.skip("not documented in this version")
    body = {"input": "hello there", "voice": "alloy", "response_format": form}
    answer = inference(speech_version, "/audio/speech", "tts", body)
    starts = {"mp3": b"ID3", "opus": b"OggS", "aac": b"\xff\xf1", "flac": b"fLaC", "wav": b"RIFF", "pcm": b""}
    assert (200, MEDIA_TYPES[form]) == (answer.status, answer.media_type)
    assert answer.body.startswith(starts[form])
    assert len(answer.body) > 1_000


def test_mp3_by_default(speech_version: str, inference: Callable[..., Response]) -> None:
    answer = inference(speech_version, "/audio/speech", "tts", {"input": "hello", "voice": "alloy"})
    assert "audio/mpeg" == answer.media_type


def test_a_wav_file_says_its_own_size() -> None:
    data = wave("three short words")
    assert len(data) - 8 == struct.unpack("<I", data[4:8])[0]
    assert len(data) - 44 == struct.unpack("<I", data[40:44])[0]
    assert len(wave("three short words", 2.0)) < len(data)
