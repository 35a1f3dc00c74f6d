"""Messages of a thread. While a run is active, the thread accepts no new messages."""

from __future__ import annotations

from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.objects import Value, changed, deleted, ids
from conformance.evidence.exchange import Response

__all__ = ["ACTIVE", "new_message", "refuse_while_active", "text_of"]

#: The states of a run in which its thread is locked.
ACTIVE = frozenset({"queued", "in_progress", "requires_action", "cancelling"})


def new_message(call: Call, thread_id: str, asked: Value, **extra: Any) -> Value:
    """Store a message in its thread. ``extra`` are fields that only the service sets: status, run_id, assistant_id …"""
    message: Value = {
        "id": call.store.new_id("msg_"),
        "object": "thread.message",
        "created_at": call.clock.now(),
        "thread_id": thread_id,
        "status": "completed",
        "incomplete_details": None,
        "completed_at": call.clock.now(),
        "incomplete_at": None,
        "role": asked["role"],
        "content": _content(asked["content"]),
        "assistant_id": None,
        "run_id": None,
        "attachments": asked.get("attachments") or [],
        "file_ids": asked.get("file_ids") or [],
        "metadata": asked.get("metadata") or {},
        **extra,
    }
    call.store.collection("messages", thread_id).put(message["id"], message)
    return message


def _content(content: Any) -> list[Value]:
    """The content as answers show it: texts become objects with annotations."""
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [
        {"type": "text", "text": {"value": part["text"], "annotations": []}}
        if part.get("type") == "text" and isinstance(part["text"], str)
        else part
        for part in parts
    ]


def text_of(message: Value) -> str:
    """The text of a message, all parts joined."""
    return " ".join(part["text"]["value"] for part in message["content"] if part["type"] == "text")


def refuse_while_active(call: Call, thread_id: str, what: str) -> None:
    """Raise 400 if a run of the thread is active. Only the newest run can be."""
    # A thread starts no run while another is active, so an active run is always the newest.
    newest = call.store.collection("runs", thread_id).page(limit=1).items
    if newest and newest[0]["status"] in ACTIVE:
        raise errors.conflict(f"Can't {what} {thread_id} while a run {newest[0]['id']} is active.")


@handles("threads.messages.create")
def create(call: Call) -> Response:
    """Add a message to the end of the thread."""
    thread_id = _thread(call)
    refuse_while_active(call, thread_id, "add messages to")
    return call.json(new_message(call, thread_id, call.body))


@handles("threads.messages.list")
def list_(call: Call) -> Response:
    """A page of messages, on request those of one run."""
    run_id = call.query.get("run_id")
    messages = call.store.collection("messages", _thread(call))
    return call.json(call.page(messages, where=(lambda m: m["run_id"] == run_id) if run_id else None))


@handles("threads.messages.get")
def get(call: Call) -> Response:
    """One message."""
    return call.json(_message(call))


@handles("threads.messages.modify")
def modify(call: Call) -> Response:
    """Replace the metadata."""
    message = changed(_message(call), call.body, {"metadata": {}})
    return call.json(call.store.collection("messages", message["thread_id"]).put(message["id"], message))


@handles("threads.messages.delete")
def delete(call: Call) -> Response:
    """Remove a message."""
    message = _message(call)
    call.store.collection("messages", message["thread_id"]).remove(message["id"])
    call.store.drop("message-files", message["id"])
    return deleted(call, message["id"], "thread.message.deleted")


@handles("threads.messages.files.list")
def list_files(call: Call) -> Response:
    """A page of the files of a message."""
    return call.json(call.page(_files(call)))


@handles("threads.messages.files.get")
def get_file(call: Call) -> Response:
    """One file of a message."""
    return call.json(call.found(_files(call), ids(call)[2], "message file"))


def _files(call: Call) -> Any:
    """The files of the message, created from its ``file_ids`` on first use."""
    message = _message(call)
    files = call.store.collection("message-files", message["id"])
    # Only versions with files of messages ask for these objects, so they are made on demand.
    for id in message["file_ids"]:
        if id not in files:
            files.put(
                id,
                {
                    "id": id,
                    "object": "thread.message.file",
                    "created_at": message["created_at"],
                    "message_id": message["id"],
                },
            )
    return files


def _thread(call: Call) -> str:
    id: str = call.found(call.store.collection("threads"), ids(call)[0], "thread")["id"]
    return id


def _message(call: Call) -> Value:
    found: Value = call.found(call.store.collection("messages", _thread(call)), ids(call)[1], "message")
    return found
