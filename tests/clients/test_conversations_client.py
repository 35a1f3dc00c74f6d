"""Conversations and containers with the openai package."""

from __future__ import annotations

import io
from typing import Any

import openai
import pytest
from client_recorder import Connect, documenting

pytestmark = pytest.mark.parametrize("version", documenting("conversations.create", "containers.create", surface="v1"))

MODEL = "gpt-4o"


def message(text: str) -> Any:
    return {"type": "message", "role": "user", "content": text}


def test_a_conversation_and_its_items(connect: Connect, version: str) -> None:
    client = connect(version)
    talks = client.conversations
    made = talks.create(metadata={"a": "b"}, items=[message("one")])
    assert {"a": "b"} == talks.retrieve(made.id).metadata
    assert {"a": "c"} == talks.update(made.id, metadata={"a": "c"}).metadata
    added = talks.items.create(made.id, items=[message(f"t{n}") for n in range(4)])
    assert ["t0", "t1", "t2", "t3"] == [item.content[0].text for item in added.data]
    walked = [item.content[0].text for item in talks.items.list(made.id, limit=2, order="asc")]
    assert ["one", "t0", "t1", "t2", "t3"] == walked
    first = added.data[0].id
    assert "t0" == talks.items.retrieve(first, conversation_id=made.id).content[0].text
    assert made.id == talks.items.delete(first, conversation_id=made.id).id
    with pytest.raises(openai.NotFoundError):
        talks.items.retrieve(first, conversation_id=made.id)
    assert talks.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        talks.retrieve(made.id)


def test_a_response_in_a_conversation(connect: Connect, version: str) -> None:
    client = connect(version)
    made = client.conversations.create(items=[message("My name is Ada.")])
    alone = client.responses.create(model=MODEL, input="hello")
    first = client.responses.create(model=MODEL, input="hello", conversation=made.id)
    assert made.id == first.conversation.id
    assert first.usage.input_tokens > alone.usage.input_tokens
    with client.responses.stream(model=MODEL, input="again", conversation={"id": made.id}) as stream:
        second = stream.get_final_response()
    texts = [item.content[0].text for item in client.conversations.items.list(made.id, order="asc")]
    assert ["My name is Ada.", "hello", first.output_text, "again", second.output_text] == texts
    with pytest.raises(openai.BadRequestError):
        client.responses.create(model=MODEL, input="x", conversation=made.id, previous_response_id=first.id)


def test_a_container_and_its_files(connect: Connect, version: str) -> None:
    client = connect(version)
    data = bytes(range(256))
    file = client.files.create(file=("bytes.bin", io.BytesIO(data)), purpose="assistants")
    made = client.containers.create(name="c", file_ids=[file.id])
    assert ("c", "1g") == (client.containers.retrieve(made.id).name, made.memory_limit)
    assert made.id in [one.id for one in client.containers.list(limit=2)]
    files = client.containers.files
    (copied,) = files.list(made.id)
    sent = files.create(made.id, file=("sent.bin", io.BytesIO(data)))
    assert [copied.id, sent.id] == [one.id for one in files.list(made.id, limit=1, order="asc")]
    assert (256, "/mnt/data/bytes.bin") == (copied.bytes, files.retrieve(copied.id, container_id=made.id).path)
    assert data == files.content.retrieve(sent.id, container_id=made.id).read()
    files.delete(sent.id, container_id=made.id)
    with pytest.raises(openai.NotFoundError):
        files.retrieve(sent.id, container_id=made.id)
    client.containers.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.containers.retrieve(made.id)
