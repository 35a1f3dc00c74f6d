"""Mutants of conversations: items that are lost, misplaced or stay, and responses that take no part in them."""

from __future__ import annotations

from attrs import evolve

from conformance.emulator.call import Call
from conformance.emulator.edits import (
    Value,
    each_object,
    path_ids,
    restored,
    with_fields,
    with_one_of_another,
    with_query,
)
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

RESPONSE = "responses.create"


def _items(call: Call, conversation: str) -> list[str]:
    return [item["id"] for item in call.store.collection("conversation-items", conversation)]


def _conversation(call: Call) -> str:
    """The id of the conversation that a response is asked for in, or ""."""
    given = call.get("conversation", "")
    return str(given["id"] if isinstance(given, dict) else given)


@mutant(
    "conversations.first-items-lost",
    "A conversation has the items that it is made with.",
    "conversations.create",
    seen_by="conversations.items.list",
)
def first_items_lost(call: Call, answer: Handler) -> Response:
    return answer(evolve(call, body={name: value for name, value in (call.body or {}).items() if name != "items"}))


@mutant(
    "conversations.oldest-first",
    "Items of a conversation are listed from the newest on by default.",
    "conversations.items.list",
)
def oldest_first(call: Call, answer: Handler) -> Response:
    return answer(with_query(call, order=call.query.get("order", "asc")))


@mutant(
    "conversations.item-stays",
    "An item that was removed from a conversation is gone.",
    "conversations.items.delete",
    seen_by="conversations.items.get",
)
def item_stays(call: Call, answer: Handler) -> Response:
    conversation, item = path_ids(call)
    return restored(call, answer, call.store.collection("conversation-items", conversation), item)


@mutant(
    "conversations.response-not-added",
    "The input and the output of a response become items of its conversation.",
    RESPONSE,
    seen_by="conversations.items.list",
    about="conversation",
)
def response_not_added(call: Call, answer: Handler) -> Response:
    id = _conversation(call)
    before = _items(call, id)
    response = answer(call)
    for item in set(_items(call, id)) - set(before):
        call.store.collection("conversation-items", id).remove(item)
    return response


@mutant(
    "conversations.input-not-added",
    "The input of a response becomes an item of its conversation, as its output does.",
    RESPONSE,
    seen_by="conversations.items.list",
    about="conversation",
)
def input_not_added(call: Call, answer: Handler) -> Response:
    id = _conversation(call)
    before = _items(call, id)
    response = answer(call)
    items = call.store.collection("conversation-items", id)
    for one in [item for item in items if item["id"] not in before and item.get("role") == "user"]:
        items.remove(one["id"])
    return response


@mutant(
    "conversations.not-read",
    "A response reads the items of its conversation.",
    RESPONSE,
    seen_by="conversations.create",
    about="conversation",
)
def not_read(call: Call, answer: Handler) -> Response:
    collection = call.store.collection("conversation-items", _conversation(call))
    held = list(collection)
    for item in held:
        collection.remove(item["id"])
    response = answer(call)
    added = list(collection)
    for item in added:
        collection.remove(item["id"])
    for item in (*held, *added):
        collection.put(item["id"], item)
    return response


@mutant(
    "conversations.items-of-all",
    "A conversation shows its own items alone.",
    "conversations.items.list",
)
def items_of_all(call: Call, answer: Handler) -> Response:
    return with_one_of_another(call, answer, "conversation-items")


@mutant("conversations.only-one-added", "All items that are sent together are added.", "conversations.items.create")
def only_one_added(call: Call, answer: Handler) -> Response:
    return answer(evolve(call, body={**call.body, "items": call.body["items"][:1]}))


@mutant("conversations.text-cut", "An item keeps its text.", "conversations.items.list", "conversations.items.get")
def text_cut(call: Call, answer: Handler) -> Response:
    def cut(item: Value) -> None:
        for part in item.get("content") or ():
            if isinstance(part.get("text"), str):
                part["text"] = part["text"][:5]

    return each_object(answer(call), cut)


@mutant("conversations.roles-lost", "An item keeps its role.", "conversations.items.list", "conversations.items.get")
def roles_lost(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), role="assistant")


@mutant("conversations.response-names-none", "A response names the conversation that it is in.", RESPONSE,
        seen_by="conversations.create", about="conversation")  # fmt: skip
def response_names_none(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), conversation=None)


@mutant(
    "conversations.stays",
    "A deleted conversation is gone.",
    "conversations.delete",
    seen_by="conversations.get",
)
def stays(call: Call, answer: Handler) -> Response:
    return restored(call, answer, call.store.collection("conversations"), path_ids(call)[0])
