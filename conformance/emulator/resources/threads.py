"""Threads: containers of messages and runs, which are deleted with their thread."""

from __future__ import annotations

from typing import Any

from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.messages import new_message
from conformance.emulator.resources.objects import Value, changed, deleted, ids, members
from conformance.emulator.resources.vector_stores import with_stores
from conformance.evidence.exchange import Response

__all__ = ["found_thread", "new_thread"]

_FIELDS: dict[str, Any] = {"metadata": {}, "tool_resources": {}}


def new_thread(call: Call, body: Any) -> Value:
    """Store a thread with its first messages. ``body`` is the body of a thread creation, or None."""
    asked = members(body)
    thread: Value = {
        "id": call.store.new_id("thread_"),
        "object": "thread",
        "created_at": call.clock.now(),
        "metadata": asked.get("metadata") or {},
        "tool_resources": with_stores(call, asked.get("tool_resources")),
    }
    call.store.collection("threads").put(thread["id"], thread)
    for message in asked.get("messages") or ():
        new_message(call, thread["id"], message)
    return thread


def found_thread(call: Call) -> Value:
    """The thread that the path names. Raises 404."""
    found: Value = call.found(call.store.collection("threads"), ids(call)[0], "thread")
    return found


@handles("threads.create")
def create(call: Call) -> Response:
    """A new thread."""
    return call.json(new_thread(call, call.body))


@handles("threads.get")
def get(call: Call) -> Response:
    """One thread."""
    return call.json(found_thread(call))


@handles("threads.modify")
def modify(call: Call) -> Response:
    """Replace the metadata or the tool resources of a thread."""
    thread = changed(found_thread(call), call.body, _FIELDS)
    thread["tool_resources"] = with_stores(call, thread["tool_resources"])
    return call.json(call.store.collection("threads").put(thread["id"], thread))


@handles("threads.delete")
def delete(call: Call) -> Response:
    """Remove the thread with its messages, runs and steps."""
    id = found_thread(call)["id"]
    for run in call.store.collection("runs", id):
        call.store.drop("steps", run["id"])
        call.store.collection("run-plans").remove(run["id"])
    for message in call.store.collection("messages", id):
        call.store.drop("message-files", message["id"])
    call.store.collection("threads").remove(id)
    call.store.drop("messages", id)
    call.store.drop("runs", id)
    return deleted(call, id, "thread.deleted")
