"""Chapters about conversations, the responses in them, and containers with their files."""

from __future__ import annotations

from typing import Any

from state_steps import MODEL, lived, paged, uploaded
from state_talk import Talk


def said(text: str, role: str = "user") -> dict[str, Any]:
    return {"type": "message", "role": role, "content": text}


def texts(talk: Talk, conversation: str) -> list[str]:
    """The texts of a conversation, oldest first."""
    page = talk.ok("conversations.items.list", conversation, query={"order": "asc", "limit": 100})
    return [item["content"][0]["text"] for item in page["data"]]


def conversations(talk: Talk) -> None:
    made = talk.ok("conversations.create", body={"metadata": {"a": "b"}, "items": [said("one"), said("two")]})["id"]
    other = talk.ok("conversations.create", body={})["id"]
    talk.ok("conversations.modify", made, body={"metadata": {"a": "c"}})
    talk.ok("conversations.get", made)
    added = talk.ok("conversations.items.create", made, body={"items": [said(f"t{n}") for n in range(4)]})["data"]
    assert texts(talk, made)[2:] == ["t0", "t1", "t2", "t3"]
    paged(talk, "conversations.items.list", made)
    talk.ok("conversations.items.get", made, added[0]["id"])
    assert talk.status("conversations.items.get", other, added[0]["id"]) == 404
    talk.ok("conversations.items.delete", made, added[0]["id"])
    assert talk.status("conversations.items.get", made, added[0]["id"]) == 404
    searched = {"type": "web_search_call", "action": {"type": "search", "queries": ["lighthouses"]}}
    (kept,) = talk.ok("conversations.items.create", made, body={"items": [searched]})["data"]
    assert "lighthouses" == kept["action"]["query"]
    talk.ok("conversations.items.delete", made, kept["id"])
    responses(talk, other)
    assert texts(talk, made)[2:] == ["t1", "t2", "t3"]
    talk.ok("conversations.delete", made)
    for operation in ("conversations.get", "conversations.delete", "conversations.items.list"):
        assert talk.status(operation, made) == 404


def responses(talk: Talk, conversation: str) -> None:
    """Responses in a conversation: plain, in the background, streamed, in none and in one that isn't there."""
    talk.ok("conversations.items.create", conversation, body={"items": [said("My name is Ada.")]})
    body = {"model": MODEL, "input": "hello"}
    first = talk.ok("responses.create", body={**body, "conversation": conversation})
    assert texts(talk, conversation)[:2] == ["My name is Ada.", "hello"]
    assert first["usage"]["input_tokens"] > talk.ok("responses.create", body=body)["usage"]["input_tokens"]
    later = talk.ok("responses.create", body={**body, "conversation": {"id": conversation}, "background": True})["id"]
    assert len(texts(talk, conversation)) == 3
    for _ in range(3):
        talk.ok("responses.get", later)
    assert len(texts(talk, conversation)) == 5
    talk.send("responses.create", body={**body, "conversation": conversation, "stream": True})
    assert len(texts(talk, conversation)) == 7
    assert talk.status("responses.create", body={**body, "conversation": "conv_nowhere"}) == 404
    both = {**body, "conversation": conversation, "previous_response_id": first["id"]}
    assert talk.status("responses.create", body=both) == 400


def containers(talk: Talk) -> None:
    data = bytes(range(256))
    file = uploaded(talk, "bytes.bin", data)
    lived(talk, "containers", make={"name": "c", "memory_limit": "4g"}, change=None)
    made = talk.ok("containers.create", body={"name": "full", "file_ids": [file]})["id"]
    other = talk.ok("containers.create", body={"name": "other"})["id"]
    copied = talk.ok("containers.files.list", made)["data"]
    assert [one["path"] for one in copied] == ["/mnt/data/bytes.bin"]
    talk.ok("containers.files.create", other, form={"file_id": file})
    sent = [talk.ok("containers.files.create", made, form={"file": (f"f{n}.bin", data[n:])})["id"] for n in range(4)]
    paged(talk, "containers.files.list", made)
    paged(talk, "containers.files.list", other)
    talk.ok("containers.files.get", made, sent[0])
    talk.send("containers.files.content", made, sent[0])
    assert talk.status("containers.files.get", other, sent[0]) == 404
    assert talk.status("containers.files.create", made, form={"file": "a text"}) == 400
    talk.ok("containers.files.delete", made, sent[0])
    for operation in ("containers.files.get", "containers.files.content", "containers.files.delete"):
        assert talk.status(operation, made, sent[0]) == 404
    talk.ok("containers.delete", made)
    for operation in ("containers.get", "containers.files.list"):
        assert talk.status(operation, made) == 404
