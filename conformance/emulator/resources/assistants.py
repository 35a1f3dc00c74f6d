"""Assistants: created, listed, modified and deleted."""

from __future__ import annotations

from typing import Any

from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.objects import ids
from conformance.emulator.resources.vector_stores import with_stores
from conformance.evidence.exchange import Response

#: The fields that a caller may set, with the value of a field that was never sent.
FIELDS: dict[str, Any] = {
    "name": None,
    "description": None,
    "instructions": None,
    "tools": [],
    "tool_resources": {},
    "file_ids": [],
    "metadata": {},
    "temperature": 1.0,
    "top_p": 1.0,
    "response_format": "auto",
    "reasoning_effort": None,
}


@handles("assistants.create")
def create(call: Call) -> Response:
    """A new assistant. The model is not checked: an unknown one makes runs fail."""
    assistant = {
        "id": call.store.new_id("asst_"),
        "object": "assistant",
        "created_at": call.clock.now(),
        "model": call.body["model"],
        **{name: call.get(name, default) for name, default in FIELDS.items()},
        "tool_resources": with_stores(call, call.get("tool_resources")),
    }
    call.store.collection("assistants").put(assistant["id"], assistant)
    return call.json(assistant)


@handles("assistants.list")
def list_(call: Call) -> Response:
    """A page of assistants, newest first unless asked otherwise."""
    return call.json(call.page(call.store.collection("assistants")))


@handles("assistants.get")
def get(call: Call) -> Response:
    """One assistant."""
    return call.json(_found(call))


@handles("assistants.modify")
def modify(call: Call) -> Response:
    """Replace the fields that were sent. A null resets a field."""
    assistant = _found(call)
    changes = {name: value for name, value in (call.body or {}).items() if name in FIELDS or name == "model"}
    if "tool_resources" in changes:
        changes["tool_resources"] = with_stores(call, changes["tool_resources"])
    cleared = {name: FIELDS.get(name, assistant["model"]) for name, value in changes.items() if value is None}
    return call.json(call.store.collection("assistants").put(assistant["id"], {**assistant, **changes, **cleared}))


@handles("assistants.delete")
def delete(call: Call) -> Response:
    """Remove an assistant."""
    assistant = _found(call)
    call.store.collection("assistants").remove(assistant["id"])
    call.store.drop("assistant-files", assistant["id"])
    return call.json({"id": assistant["id"], "object": "assistant.deleted", "deleted": True})


def _found(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = call.found(call.store.collection("assistants"), ids(call)[0], "assistant")
    return found
