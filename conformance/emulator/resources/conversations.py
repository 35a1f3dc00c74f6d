"""Conversations: stored items that a response reads before its own input and that its input and output are added to.

An item in a conversation is a copy: deleting a response leaves the conversation as it is, and the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.objects import Value, changed, deleted, ids, members
from conformance.emulator.resources.response_items import stored_items
from conformance.emulator.store import Collection
from conformance.evidence.exchange import Response

__all__ = ["add_items", "conversation_of", "items_of"]

_FIELDS: dict[str, Any] = {"metadata": {}}


def conversation_of(call: Call) -> str | None:
    """The id of the conversation that a response belongs to, or None. Raises 404 if there is no such conversation."""
    given = call.get("conversation")
    id = given if isinstance(given, str) else members(given).get("id")
    if id is not None and id not in _conversations(call):
        raise errors.missing("conversation", id, param="conversation")
    return id


def items_of(call: Call, conversation: str) -> Collection:
    """The items of a conversation, oldest first."""
    return call.store.collection("conversation-items", conversation)


def add_items(call: Call, conversation: str, items: Iterable[Value]) -> None:
    """Add items to a conversation, unless it was deleted meanwhile."""
    if conversation in _conversations(call):
        kept = items_of(call, conversation)
        for item in items:
            kept.put(item["id"], dict(item))


def _conversations(call: Call) -> Collection:
    return call.store.collection("conversations")


def _found(call: Call) -> Value:
    found: Value = call.found(_conversations(call), ids(call)[0], "conversation")
    return found


def _taken(call: Call) -> list[Value]:
    """The items of the request in the form in which they are stored."""
    return [_whole(item) for item in stored_items(call, call.get("items", []))]


def _whole(item: Value) -> Value:
    """An item with the fields that an answer has and a request may leave out."""
    kind, made = item["type"], dict(item)
    if kind == "message":
        made["content"] = [_part(part) for part in item["content"]]
    elif kind == "image_generation_call":
        made.setdefault("result", None)
    elif kind == "web_search_call":
        made["action"] = _action(item["action"])
    elif kind == "computer_call":
        made.setdefault("pending_safety_checks", [])
    return made


def _action(action: Value) -> Value:
    """What a web search did. A search names its query, as before there could be several."""
    return {"query": next(iter(action.get("queries", ())), ""), **action} if action["type"] == "search" else action


def _part(part: Value) -> Value:
    """A part of a message; the detail of a picture is ``auto`` unless the request says otherwise."""
    return {"detail": "auto", **part} if part.get("type") == "input_image" else part


@handles("conversations.create")
def create(call: Call) -> Response:
    """A new conversation with its first items."""
    items = _taken(call)
    made: Value = {
        "id": call.store.new_id("conv_", 48),
        "object": "conversation",
        "created_at": call.clock.now(),
        "metadata": call.get("metadata", {}),
    }
    _conversations(call).put(made["id"], made)
    add_items(call, made["id"], items)
    return call.json(made)


@handles("conversations.get")
def get(call: Call) -> Response:
    """One conversation, without its items."""
    return call.json(_found(call))


@handles("conversations.modify")
def modify(call: Call) -> Response:
    """Replace the metadata of a conversation."""
    made = changed(_found(call), call.body, _FIELDS)
    return call.json(_conversations(call).put(made["id"], made))


@handles("conversations.delete")
def delete(call: Call) -> Response:
    """Remove a conversation with its items. Its responses stay."""
    id = _found(call)["id"]
    _conversations(call).remove(id)
    call.store.drop("conversation-items", id)
    return deleted(call, id, "conversation.deleted")


@handles("conversations.items.create")
def create_items(call: Call) -> Response:
    """Add items at the end, and answer with a list of them in the order of the request."""
    id = _found(call)["id"]
    items = _taken(call)
    add_items(call, id, items)
    return call.json(_list(items))


def _list(items: Sequence[Value]) -> Value:
    ends = {"first_id": items[0]["id"] if items else None, "last_id": items[-1]["id"] if items else None}
    return {"object": "list", "data": list(items), "has_more": False, **ends}


@handles("conversations.items.list")
def list_items(call: Call) -> Response:
    """A page of items, newest first unless asked otherwise."""
    return call.json(call.page(items_of(call, _found(call)["id"])))


def _item(call: Call) -> Value:
    found: Value = call.found(items_of(call, _found(call)["id"]), ids(call)[1], "item")
    return found


@handles("conversations.items.get")
def get_item(call: Call) -> Response:
    """One item of a conversation."""
    return call.json(_item(call))


@handles("conversations.items.delete")
def delete_item(call: Call) -> Response:
    """Remove an item, and answer with the conversation that it was in."""
    made = _found(call)
    items_of(call, made["id"]).remove(_item(call)["id"])
    return call.json(made)
