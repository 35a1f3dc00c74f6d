"""A real client works: the openai package, which knows nothing of this project."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AzureOpenAI, OpenAI

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.server import asgi, running
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of

V1 = [version for version in versions() if load(version).surface == "v1"]
#: Versions of one base path that need no api-version can't share a server: the last of them is served here.
SERVED = V1[-1:]
HELLO: list[Any] = [{"role": "user", "content": "Hello"}]


def offering(operation: str) -> str:
    """The newest dated version that documents an operation."""
    found = [one for one in versions() if load(one).surface == "dated" and operation in operations_of(load(one))]
    return next(one for one in reversed(found) if load(one).api_version.location == "query")


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    """One server of the dated versions that the clients of this module ask for, and of v1."""
    wanted = {
        offering("chat.completions.create"),
        offering("assistants.list"),
        offering("audio.speech.create"),
        *SERVED,
    }
    with running(asgi(App.of(*sorted(wanted), settings=Settings(tokens=("entra-token",))))) as url:
        yield url


def azure(base: str, operation: str) -> AzureOpenAI:
    return AzureOpenAI(
        api_key="emulator-key", azure_endpoint=base, api_version=offering(operation), max_retries=0, timeout=20
    )


@pytest.fixture
def client(base: str) -> Iterator[AzureOpenAI]:
    with azure(base, "chat.completions.create") as made:
        yield made


def test_chat_streamed_and_whole(client: AzureOpenAI) -> None:
    whole = client.chat.completions.create(model="gpt-4o", messages=HELLO)
    chunks = list(client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True))
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert whole.choices[0].message.content == said != ""
    assert whole.usage is not None
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens


def test_completions(client: AzureOpenAI) -> None:
    answer = client.completions.create(model="gpt-35-turbo-instruct", prompt=["a", "b"], n=2)
    assert [0, 1, 2, 3] == [choice.index for choice in answer.choices]


def test_embeddings_as_floats_and_as_base64(client: AzureOpenAI) -> None:
    # without an encoding this client asks for base64 and decodes it itself
    decoded = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"]).data
    floats = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"], encoding_format="float").data
    for one, other in zip(decoded, floats, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
        assert 64 == len(one.embedding)


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # the client warns of the whole surface
def test_assistants_created_walked_and_deleted(base: str) -> None:
    with azure(base, "assistants.list") as client:
        assistants = client.beta.assistants
        made = [assistants.create(model="gpt-4o", name=f"a{number}").id for number in range(5)]
        walked = [one.id for one in assistants.list(limit=2, order="asc") if one.id in made]
        assert made == walked
        assert all(assistants.delete(id).deleted for id in made)
        with pytest.raises(openai.NotFoundError):
            assistants.retrieve(made[0])


def test_images_and_audio(base: str) -> None:
    with azure(base, "audio.speech.create") as client:
        picture = client.images.generate(model="dall-e-3", prompt="a boat").data
        assert picture is not None
        assert picture[0].url is not None
        sound = client.audio.speech.create(model="tts", input="hello", voice="alloy", response_format="wav").content
        assert sound.startswith(b"RIFF")
        file = ("a.wav", io.BytesIO(sound))
        assert client.audio.transcriptions.create(model="whisper", file=file).text
        timed = client.audio.transcriptions.create(model="whisper", file=file, response_format="verbose_json")
        assert timed.segments
        assert timed.segments[0].start == 0


def test_errors_become_the_errors_of_the_client(base: str, client: AzureOpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as gone:
        client.chat.completions.create(model="none", messages=HELLO)
    assert "DeploymentNotFound" == gone.value.code
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="gpt-4o", messages=HELLO, temperature=9)
    assert ("temperature", "invalid_request_error") == (refused.value.param, refused.value.type)
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="wrong").chat.completions.create(model="gpt-4o", messages=HELLO)


def test_a_token_of_the_directory(base: str) -> None:
    with AzureOpenAI(
        azure_ad_token="entra-token",
        azure_endpoint=base,
        api_version=offering("chat.completions.create"),
        max_retries=0,
    ) as client:
        assert client.chat.completions.create(model="gpt-4o", messages=HELLO).id.startswith("chatcmpl-")


@pytest.mark.skipif(not V1, reason="no v1 surface among the versions")
def test_v1_with_the_plain_client(base: str) -> None:
    with OpenAI(api_key="emulator-key", base_url=f"{base}/openai/v1/", max_retries=0) as client:
        assert client.chat.completions.create(model="gpt-4o", messages=HELLO).choices[0].message.content
        assert 8 == len(
            client.embeddings.create(model="text-embedding-3-small", input="a", dimensions=8).data[0].embedding
        )
        speech = client.audio.speech.create(model="tts", input="hello", voice="alloy", response_format="wav")
        assert speech.content.startswith(b"RIFF")
