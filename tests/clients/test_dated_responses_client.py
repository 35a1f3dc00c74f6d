"""Responses, pictures, sound and searching of dated versions that have them, with the openai package as it is."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from client_recorder import Recorder, documenting

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # the client warns of old methods and models
    pytest.mark.parametrize("version", documenting("responses.create", "images.edits.create", surface="dated")),
]

Connect = Callable[[str], Recorder]

MODEL = "gpt-4o"
PARAMETERS: Any = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL: Any = {"type": "function", "name": "weather", "description": "", "strict": False, "parameters": PARAMETERS}


def test_chat(connect: Connect, version: str) -> None:
    client = connect(version)
    messages: Any = [{"role": "user", "content": "hello"}]
    whole = client.chat.completions.create(model=MODEL, messages=messages)
    with client.chat.completions.stream(model=MODEL, messages=messages) as stream:
        final = stream.get_final_completion()
    assert whole.choices[0].message.content == final.choices[0].message.content != ""
    more: Any = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(client.chat.completions.create(model=MODEL, messages=messages, **more))
    assert whole.usage.total_tokens == chunks[-1].usage.total_tokens
    assert {None} == {chunk.usage for chunk in chunks[:-1]}


def test_responses_are_kept_continued_and_deleted(connect: Connect, version: str) -> None:
    responses = connect(version).responses
    first = responses.create(model=MODEL, input="hello", instructions="Be brief.", metadata={"a": "b"})
    assert ("completed", {"a": "b"}) == (first.status, first.metadata)
    assert first.output_text == responses.retrieve(first.id).output_text != ""
    texts: Any = [{"role": "user", "content": f"t{n}"} for n in range(5)]
    second = responses.create(model=MODEL, previous_response_id=first.id, input=texts)
    assert first.id == second.previous_response_id
    walked = [item.content[0].text for item in responses.input_items.list(second.id, limit=2, order="asc")]
    assert [f"t{n}" for n in range(5)] == walked
    asked = responses.create(model=MODEL, input="weather?", tools=[TOOL], tool_choice="required")
    (called,) = [item for item in asked.output if item.type == "function_call"]
    assert ("weather", {"city"}) == (called.name, set(json.loads(called.arguments)))
    output: Any = {"type": "function_call_output", "call_id": called.call_id, "output": "sunny"}
    told = responses.create(model=MODEL, previous_response_id=asked.id, input=[output], tools=[TOOL])
    assert "sunny" in told.output_text
    responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        responses.retrieve(first.id)


def test_responses_streamed(connect: Connect, version: str) -> None:
    responses = connect(version).responses
    events = list(responses.create(model=MODEL, input="hello", stream=True))
    assert list(range(len(events))) == [one.sequence_number for one in events]
    assert ("response.created", "response.completed") == (events[0].type, events[-1].type)
    text = "".join(one.delta for one in events if one.type == "response.output_text.delta")
    assert events[-1].response.output_text == text != ""
    with responses.stream(model=MODEL, input="weather?", tools=[TOOL], tool_choice="required") as stream:
        final = stream.get_final_response()
    assert ["weather"] == [item.name for item in final.output if item.type == "function_call"]


def test_pictures_and_sound(connect: Connect, version: str) -> None:
    client = connect(version)
    picture = client.images.generate(model="gpt-image-1", prompt="a boat").data[0]
    png = base64.b64decode(picture.b64_json)
    edited = client.images.edit(model="gpt-image-1", prompt="a red boat", image=("a.png", io.BytesIO(png), "image/png"))
    assert edited.data[0].b64_json
    sound = client.audio.speech.create(model="tts", input="hello", voice="alloy", response_format="wav").content
    assert sound.startswith(b"RIFF")
    assert client.audio.transcriptions.create(model="whisper", file=("a.wav", io.BytesIO(sound))).text
    assert client.audio.translations.create(model="whisper", file=("b.wav", io.BytesIO(sound))).text


def test_a_store_is_searched(connect: Connect, version: str) -> None:
    """Files come from elsewhere in this version, so their text is made up from their ids."""
    stores = connect(version).vector_stores
    store = stores.create(name="books").id
    for number in range(3):
        stores.files.create(vector_store_id=store, file_id=f"file-{number}")
        stores.files.update(f"file-{number}", vector_store_id=store, attributes={"page": number})
    while stores.retrieve(store).file_counts.in_progress:
        pass
    (text,) = [part.text for part in stores.files.content("file-1", vector_store_id=store)]
    word = text.split()[0]
    found = list(stores.search(store, query=word))
    assert {"file-0", "file-1", "file-2"} == {one.file_id for one in found}
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert text in [one.content[0].text for one in found if one.score == 1]
    late: Any = {"type": "gte", "key": "page", "value": 1}
    assert {"file-1", "file-2"} == {one.file_id for one in stores.search(store, query=word, filters=late)}
    assert 1 == len(list(stores.search(store, query=word, max_num_results=1)))
    with pytest.raises(openai.NotFoundError):
        stores.search("vs_none", query=word)


def test_realtime_sessions(connect: Connect, version: str) -> None:
    """The package has no method for the path of this version; its client sends any."""
    client = connect(version)
    body: Any = {"voice": "echo", "instructions": "Be brief."}
    made: Any = client.post("/realtimeapi/sessions", body=body, cast_to=dict[str, Any])
    assert body == {name: made[name] for name in body}
    assert made["client_secret"]["value"]
    heard: Any = client.post("/realtimeapi/transcription_sessions", body={}, cast_to=dict[str, Any])
    assert made["client_secret"]["value"] != heard["client_secret"]["value"]
