"""Chat, completions, embeddings, pictures and sound of every version that documents them, with the openai package."""

from __future__ import annotations

import base64
import io
import wave
from typing import Any

import openai
import pytest
from client_recorder import Connect, documenting
from pydantic import BaseModel

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the client warns of old methods and models

MODEL = "gpt-4o"
HELLO: Any = [{"role": "user", "content": "hello"}]


def versions(*operations: str) -> list[str]:
    """The versions of both surfaces that document these operations."""
    return [one for surface in ("dated", "v1") for one in documenting(*operations, surface=surface)]


class Place(BaseModel):
    """What a parsed answer becomes."""

    name: str
    number: int


@pytest.mark.parametrize("version", versions("chat.completions.create"))
def test_chat_also_by_its_old_name(connect: Connect, version: str) -> None:
    client = connect(version)
    said = set()
    for completions in (client.chat.completions, client.beta.chat.completions):
        whole = completions.create(model=MODEL, messages=HELLO)
        said.add(whole.choices[0].message.content)
        with completions.stream(model=MODEL, messages=HELLO) as stream:
            said.add(stream.get_final_completion().choices[0].message.content)
        chunks = list(completions.create(model=MODEL, messages=HELLO, stream=True))
        said.add("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices))
        assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    assert 1 == len(said - {""})


@pytest.mark.parametrize("version", versions("responses.create"))
def test_chat_counts_tokens_in_its_last_chunk(connect: Connect, version: str) -> None:
    chat = connect(version).chat.completions
    whole = chat.create(model=MODEL, messages=HELLO)
    chunks = list(chat.create(model=MODEL, messages=HELLO, stream=True, stream_options={"include_usage": True}))
    assert whole.usage.total_tokens == chunks[-1].usage.total_tokens
    assert {None} == {chunk.usage for chunk in chunks[:-1]}


@pytest.mark.parametrize("version", versions("chat.completions.create"))
def test_chat_without_a_form_is_parsed_as_it_is(connect: Connect, version: str) -> None:
    client = connect(version)
    for completions in (client.chat.completions, client.beta.chat.completions):
        assert "" != completions.parse(model=MODEL, messages=HELLO).choices[0].message.content


@pytest.mark.parametrize("version", versions("responses.create"))
def test_responses_of_the_beta_and_parsed_ones(connect: Connect, version: str) -> None:
    client = connect(version)
    parsed = client.responses.parse(model=MODEL, input="a place", text_format=Place)
    assert isinstance(parsed.output_parsed, Place)
    with client.responses.stream(model=MODEL, input="hello") as stream:
        streamed = stream.get_final_response().output_text
    responses = client.beta.responses
    made = responses.create(model=MODEL, input="hello")
    (said,) = [part.text for item in made.output if item.type == "message" for part in item.content]
    assert said == streamed != ""
    assert made.id == responses.retrieve(made.id).id
    assert ["hello"] == [item.content[0].text for item in responses.input_items.list(made.id)]
    responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        responses.retrieve(made.id)


@pytest.mark.parametrize("version", versions("responses.cancel"))
def test_a_response_in_the_background_is_cancelled(connect: Connect, version: str) -> None:
    client = connect(version)
    for responses in (client.responses, client.beta.responses):
        made = responses.create(model=MODEL, input="hello", background=True)
        assert made.status in ("queued", "in_progress")
        assert "cancelled" == responses.cancel(made.id).status == responses.retrieve(made.id).status


@pytest.mark.parametrize("version", versions("completions.create"))
def test_completions(connect: Connect, version: str) -> None:
    completions = connect(version).completions
    model = "gpt-35-turbo-instruct"
    whole = completions.create(model=model, prompt="hello")
    chunks = completions.create(model=model, prompt="hello", stream=True)
    assert whole.choices[0].text == "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) != ""


@pytest.mark.parametrize("version", versions("embeddings.create"))
def test_embeddings(connect: Connect, version: str) -> None:
    embeddings = connect(version).embeddings
    model = "text-embedding-3-small"
    # The package asks for base64 and decodes it, unless a form is named.
    packed = embeddings.create(model=model, input=["a", "b"])
    plain = embeddings.create(model=model, input=["a", "b"], encoding_format="float")
    assert [0, 1] == [one.index for one in packed.data]
    for one, other in zip(packed.data, plain.data, strict=True):
        assert other.embedding == pytest.approx(one.embedding, abs=1e-6)


@pytest.mark.parametrize("version", versions("images.generations.create"))
def test_a_picture(connect: Connect, version: str) -> None:
    picture = connect(version).images.generate(model="dall-e-3", prompt="a boat").data[0]
    assert picture.url or picture.b64_json


@pytest.mark.parametrize("version", versions("images.edits.create"))
def test_a_picture_is_changed(connect: Connect, version: str) -> None:
    images = connect(version).images
    png = base64.b64decode(images.generate(model="gpt-image-1", prompt="a boat").data[0].b64_json)
    file = ("a.png", io.BytesIO(png), "image/png")
    assert images.edit(model="gpt-image-1", prompt="a red boat", image=file).data[0].b64_json


@pytest.mark.parametrize("version", versions("audio.transcriptions.create", "audio.translations.create"))
def test_sound_becomes_text(connect: Connect, version: str) -> None:
    audio = connect(version).audio
    assert audio.transcriptions.create(model="whisper", file=("a.wav", silence())).text
    assert audio.translations.create(model="whisper", file=("b.wav", silence())).text


@pytest.mark.parametrize("version", versions("audio.speech.create"))
def test_text_becomes_sound(connect: Connect, version: str) -> None:
    spoken = connect(version).audio.speech.create(model="tts", input="hello", voice="alloy", response_format="wav")
    assert spoken.content.startswith(b"RIFF")


def silence() -> bytes:
    """A tenth of a second of silence as WAV."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8000, 800, "NONE", ""))
        sound.writeframes(bytes(1600))
    return file.getvalue()
