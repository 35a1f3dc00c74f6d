"""Objects of others: none of their content is kept, and what is kept still fits the schema."""

from __future__ import annotations

import json

from conformance.evidence.exchange import Chunk, Response
from conformance.requests.case import Case
from conformance.target.foreign import hidden_id, hide_foreign

LIST = Case("assistants.list", "GET", "/assistants")
THEIRS = {
    "id": "asst_abc123",
    "object": "assistant",
    "created_at": 5,
    "name": "launch",
    "model": "my-private-model",
    "instructions": "Tell nobody about Project Kestrel.",
    "tools": [{"type": "file_search"}],
    "tool_resources": {"file_search": {"vector_store_ids": ["vs_private"]}},
    "response_format": "auto",
    "avatar": "https://contoso.example/kestrel.png",
    "metadata": {"customer": "Contoso"},
}


def page(*items: object) -> Response:
    value = {"object": "list", "data": list(items), "first_id": "asst_abc123", "last_id": "asst_mine"}
    return Response(200, (("content-type", "application/json"),), (Chunk(0.1, json.dumps(value).encode()),))


def test_content_is_hidden_and_shape_stays() -> None:
    hidden = hide_foreign(LIST, page(THEIRS, {"id": "asst_mine", "name": "ours"}), {"asst_mine"})
    kept = hidden.json["data"][0]
    text = hidden.body.decode()
    words = ("abc123", "launch", "private", "Kestrel", "kestrel", "Contoso", "contoso", "customer")
    assert [word for word in words if word in text] == []
    assert kept["instructions"] == "x" * len(str(THEIRS["instructions"]))
    assert (kept["object"], kept["created_at"], kept["tools"], kept["response_format"]) == (
        "assistant",
        5,
        [{"type": "file_search"}],
        "auto",
    )
    assert hidden.json["data"][1] == {"id": "asst_mine", "name": "ours"}


def test_ids_stay_comparable() -> None:
    hidden = hide_foreign(LIST, page(THEIRS), ()).json
    assert hidden["first_id"] == hidden["data"][0]["id"] == hidden_id("asst_abc123")
    assert hidden_id("asst_abc123") != hidden_id("asst_abc124")
    assert hidden_id("asst_abc123").startswith("asst_")


def test_own_lists_and_lists_inside_own_objects_are_left_alone() -> None:
    inside = Case("threads.messages.list", "GET", "/threads/{thread_id}/messages", {"thread_id": "thread_1"})
    for case, owned in ((LIST, {"asst_abc123"}), (inside, set[str]())):
        response = page(THEIRS)
        assert hide_foreign(case, response, owned) is response
