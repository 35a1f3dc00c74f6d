"""Pictures and sound of the v1 surface with the openai package."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import pytest
from client_recorder import Recorder, documenting


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the client warns of old models
@pytest.mark.parametrize("version", documenting("audio.speech.create", "images.edits.create", surface="v1"))
def test_media(connect: Callable[[str], Recorder], version: str) -> None:
    client = connect(version)
    picture = client.images.generate(model="gpt-image-1", prompt="a boat").data[0]
    png = base64.b64decode(picture.b64_json)
    edited = client.images.edit(model="gpt-image-1", prompt="a red boat", image=("a.png", io.BytesIO(png), "image/png"))
    assert edited.data
    sound = client.audio.speech.create(model="tts", input="hello", voice="alloy", response_format="wav").content
    assert sound.startswith(b"RIFF")
    file = ("a.wav", io.BytesIO(sound))
    assert client.audio.transcriptions.create(model="whisper", file=file).text
    assert client.audio.translations.create(model="whisper", file=("b.wav", io.BytesIO(sound))).text
