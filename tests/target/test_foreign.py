"""Objects of others: none of their content is kept, and what is kept still fits the schema and can be compared."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Collection
from typing import Any

import pytest
from attrs import evolve

from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.evidence.trace import Observation
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.spec.loading import load
from conformance.target.foreign import ForeignObjects, hidden_id, words_of

LIST = Case("assistants.list", "GET", "/assistants")
NEXT = Case("assistants.list", "GET", "/assistants", query=(("after", "{cursor}"),))
GET = Case("models.get", "GET", "/models/{model}", {"model": "{model}"})
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
SECRETS = ("abc123", "launch", "private", "Kestrel", "kestrel", "Contoso", "contoso", "customer")


def answer(value: object, status: int = 200) -> Response:
    data = value if isinstance(value, bytes) else dumps(value)
    return Response(status, (("content-type", "application/json"),), (Chunk(0.1, data),))


def dumps(value: object) -> bytes:
    return json.dumps(value).encode()


def page(*items: object) -> Response:
    return answer({"object": "list", "data": list(items), "first_id": "asst_abc123", "last_id": "asst_mine"})


def hidden(case: Case, response: Response, owned: Collection[str] = ()) -> Observation:
    sent = Request(case.method, "https://t.example/x")
    return ForeignObjects(owned).hidden(Observation(case, Exchange(sent, response)))


def body(seen: Observation) -> Any:
    assert seen.exchange.response is not None
    return seen.exchange.response.json


def left(seen: Observation) -> list[str]:
    assert seen.exchange.response is not None
    text = seen.exchange.response.body.decode() + seen.exchange.request.url + str(dict(seen.case.bindings))
    return [word for word in SECRETS if word in text]


def test_content_is_hidden_and_shape_stays() -> None:
    seen = hidden(LIST, page(THEIRS, {"id": "asst_mine", "name": "ours"}), {"asst_mine"})
    kept = body(seen)["data"][0]
    assert [] == left(seen)
    assert "x" * len(str(THEIRS["instructions"])) == kept["instructions"]
    assert ("assistant", 5, [{"type": "file_search"}], "auto") == (
        kept["object"],
        kept["created_at"],
        kept["tools"],
        kept["response_format"],
    )
    assert {"id": "asst_mine", "name": "ours"} == body(seen)["data"][1]


def test_ids_stay_comparable() -> None:
    kept = body(hidden(LIST, page(THEIRS)))
    assert hidden_id("asst_abc123") == kept["first_id"] == kept["data"][0]["id"]
    assert hidden_id("asst_abc123") != hidden_id("asst_abc124")
    assert hidden_id("asst_abc123").startswith("asst_")


def test_own_lists_and_lists_inside_own_objects_are_left_alone() -> None:
    inside = Case("threads.messages.list", "GET", "/threads/{thread_id}/messages", {"thread_id": "thread_1"})
    for case, owned in ((LIST, {"asst_abc123"}), (inside, {"thread_1"})):
        response = page(THEIRS)
        assert response is hidden(case, response, owned).exchange.response


def test_what_is_read_by_a_foreign_id_is_hidden_too_and_names_the_same_object() -> None:
    """A script reads the first model of a list. In the evidence the request, the case and the answer agree."""
    foreign = ForeignObjects(())
    foreign.hidden(Observation(LIST, Exchange(Request("GET", "https://t.example/x"), page(THEIRS))))
    case = GET.bind(model="asst_abc123")
    sent = Request("GET", "https://t.example/models/asst_abc123?api-version=v")
    kept = foreign.hidden(Observation(case, Exchange(sent, answer(THEIRS))))
    assert [] == left(kept)
    wanted = hidden_id("asst_abc123")
    assert wanted == body(kept)["id"] == kept.case.bindings["model"]
    assert f"https://t.example/models/{wanted}?api-version=v" == kept.exchange.request.url
    assert case.id == kept.case.id


def test_a_cursor_that_is_somebody_elses_object_is_hidden_in_the_request() -> None:
    foreign = ForeignObjects(())
    foreign.hidden(Observation(LIST, Exchange(Request("GET", "https://t.example/x"), page(THEIRS))))
    refused = Exchange(
        Request("GET", "https://t.example/a?after=asst_abc123&limit=2"), answer(b"no asst_abc123 here", 404)
    )
    earlier = evolve(refused, attempts=(refused,))
    kept = foreign.hidden(Observation(NEXT.bind(cursor="asst_abc123"), earlier))
    assert [] == left(kept)
    assert "abc123" not in repr(kept.exchange.attempts)


def test_an_id_that_an_answer_about_our_object_names_stays_comparable() -> None:
    """The service makes a store for our assistant. It stands in the assistant as it is, so it does where the store is
    read and where a request names it. What the store holds is hidden: it may be somebody else's.
    """
    made = Case("assistants.create", "POST", "/assistants")
    resources = {"file_search": {"vector_store_ids": ["vs_new"]}}
    look = Case("vector_stores.get", "GET", "/vector_stores/{id}", {"id": "{store}"}).bind(store="vs_new")
    change = Case("assistants.modify", "POST", "/assistants/{id}", {"id": "asst_mine"}).bind(store="vs_new")
    ours = answer({"id": "asst_mine", "tool_resources": resources})
    foreign = ForeignObjects({"asst_mine"})

    def kept(case: Case, response: Response) -> Observation:
        sent = Request(case.method, "https://t.example/x", body=dumps({"tool_resources": resources}))
        return foreign.hidden(Observation(case, Exchange(sent, response)))

    kept(made, ours)
    read = kept(look, answer({"id": "vs_new", "name": "launch"}))
    assert {"id": "vs_new", "name": "xxxxxx"} == body(read)
    listed = kept(Case("vector_stores.list", "GET", "/vector_stores"), page({"id": "vs_new", "name": "launch"}))
    assert [{"id": "vs_new", "name": "xxxxxx"}] == body(listed)["data"]
    changed = kept(change, ours)
    assert "vs_new" == changed.case.bindings["store"]
    assert body(changed)["tool_resources"] == changed.exchange.request.json["tool_resources"] == resources


@pytest.mark.parametrize("cut", [0, 60, 90])
@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_an_id_that_a_list_showed_before_has_the_same_form_in_an_answer_about_our_object(cut: int, kind: str) -> None:
    """A list shows the store before the answer that names it for our assistant. The id must not stand there hidden and
    here as it is: whoever has the report could tell which object of the account it is, and no check could compare them.
    """
    foreign = ForeignObjects({"asst_mine"})
    listed = Case("vector_stores.list", "GET", "/vector_stores")
    sent = Request("GET", "https://t.example/x")
    first = foreign.hidden(Observation(listed, Exchange(sent, page({"id": "vs_private"}))))
    text = dumps({"id": "asst_mine", "tool_resources": {"file_search": {"vector_store_ids": ["vs_private"]}}})
    data = text if kind == "application/json" else b"data: " + text + b"\n\n"
    chunks = tuple(Chunk(at, part) for at, part in ((0.1, data[:cut]), (0.7, data[cut:])) if part)
    told = Response(200, (("content-type", kind),), chunks)
    look = Case("assistants.get", "GET", "/assistants/{id}", {"id": "asst_mine"})
    kept = foreign.hidden(Observation(look, Exchange(sent, told)))
    assert kept.exchange.response is not None
    whole = kept.exchange.response.body
    assert [] == left(kept)
    assert hidden_id("vs_private") == body(first)["data"][0]["id"]
    assert data.replace(b"vs_private", hidden_id("vs_private").encode()) == whole
    assert b"asst_mine" in whole
    again = foreign.hidden(Observation(listed, Exchange(sent, page({"id": "vs_private"}))))
    assert body(first) == body(again)


def test_an_id_that_was_taken_for_foreign_stays_so_in_its_scenario() -> None:
    """Another scenario creates objects meanwhile; two pages with the same object must stay equal."""
    owned: set[str] = set()
    foreign = ForeignObjects(owned)
    first = foreign.hidden(Observation(LIST, Exchange(Request("GET", "https://t.example/x"), page(THEIRS))))
    owned.add("asst_abc123")
    again = foreign.hidden(Observation(LIST, Exchange(Request("GET", "https://t.example/x"), page(THEIRS))))
    assert body(first) == body(again)


@pytest.mark.parametrize(
    "data",
    [dumps({"data": [THEIRS]})[:-20], dumps([THEIRS]), dumps({"value": [THEIRS]}), dumps({"data": [[THEIRS]]})],
    ids=["cut off", "an array", "another name", "nested"],
)
def test_an_answer_of_another_form_is_hidden_as_a_whole(data: bytes) -> None:
    seen = hidden(LIST, answer(data))
    assert [] == left(seen)
    assert answer(data).is_json is bool(seen.exchange.response and seen.exchange.response.is_json)


def test_words_of_the_document_stay_whatever_they_look_like() -> None:
    """``generally-available`` is a state of a model and nobody's secret: without it the answer would break its enum."""
    words = words_of(load("v1-preview").document)
    odd = sorted(word for word in words if "-" in word)
    assert odd
    item = {"id": "m", "state": odd[0], "note": "my-secret"}
    seen = ForeignObjects((), words).hidden(
        Observation(LIST, Exchange(Request("GET", "https://t.example/x"), answer({"data": [item]})))
    )
    assert (odd[0], "xxxxxxxxx") == (body(seen)["data"][0]["state"], body(seen)["data"][0]["note"])


def test_half_a_surrogate_pair_in_an_id_is_hidden_as_well() -> None:
    raw = b'{"data": [{"id": "a\\ud800b", "note": "\\udfff"}, {"id": "mine", "note": "\\ud800"}]}'
    kept = body(hidden(LIST, answer(raw), {"mine"}))
    assert hidden_id("a\ud800b") == kept["data"][0]["id"]
    assert "\ud800" == kept["data"][1]["note"]


def test_headers_of_their_files_tell_neither_name_nor_place() -> None:
    told = (
        ("Content-Disposition", 'attachment; filename="kestrel.png"'),
        ("Location", "https://contoso.example/kestrel"),
        ("x-request-id", "r1"),
    )
    case = Case("files.content", "GET", "/files/{file_id}/content", {"file_id": "file-abc123"})
    for content in (b"Project Kestrel", b""):
        exchange = hidden(case, evolve(answer(content), headers=told)).exchange
        assert exchange.response is not None
        assert "r1" == exchange.response.header("x-request-id")
        assert [] == [secret for secret in SECRETS if secret in str(exchange.response.headers)]
    mine = hidden(case, evolve(answer(b"Mine"), headers=told), owned={"file-abc123"})
    assert mine.exchange.response is not None
    assert told == mine.exchange.response.headers


def test_hiding_a_text_takes_no_many_times_its_memory() -> None:
    """A target may send megabytes that are no JSON."""
    text = b'{"' + b"\\x" * 500_000
    case, response = Case("files.content", "GET", "/files/{file_id}/content", {"file_id": "file-abc123"}), answer(text)
    assert text == response.body
    tracemalloc.start()
    try:
        hidden(case, response)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 6 * len(text)
