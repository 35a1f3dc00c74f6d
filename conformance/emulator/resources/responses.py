"""The Responses API: one answer per call, stored by default, continued by ``previous_response_id`` or in a
conversation, plain or streamed.
"""

from __future__ import annotations

from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.conversations import add_items, conversation_of, items_of
from conformance.emulator.resources.objects import Value, deleted, ids, members
from conformance.emulator.resources.response_events import as_stream
from conformance.emulator.resources.response_items import input_tokens, output, stored_items
from conformance.emulator.store import Collection
from conformance.evidence.exchange import Response

#: The state that follows a state in which the response still changes.
_OPEN = {"queued": "in_progress", "in_progress": "completed"}


def _echoed(call: Call) -> Value:
    """The settings that the answer repeats, with their documented defaults."""
    text = members(call.get("text"))
    return {
        "background": call.get("background", False),
        "instructions": call.get("instructions"),
        "max_output_tokens": call.get("max_output_tokens"),
        "max_tool_calls": call.get("max_tool_calls"),
        "metadata": call.get("metadata", {}),
        "parallel_tool_calls": call.get("parallel_tool_calls", True),
        "previous_response_id": call.get("previous_response_id"),
        "prompt": call.get("prompt"),
        "reasoning": call.get("reasoning", {"effort": None, "summary": None}),
        "store": call.get("store", True),
        "temperature": call.get("temperature", 1.0),
        "text": {**text, "format": text.get("format") or {"type": "text"}},
        "tool_choice": call.get("tool_choice", "auto"),
        "tools": call.get("tools", []),
        "top_logprobs": call.get("top_logprobs", 0),
        "top_p": call.get("top_p", 1.0),
        "truncation": call.get("truncation", "disabled"),
        "user": call.get("user"),
    }


def _responses(call: Call) -> Collection:
    return call.store.collection("responses")


def _context(call: Call, conversation: str | None) -> list[Value]:
    """The items so far: those of the conversation, or of the responses before. Raises 400 if the previous response
    doesn't exist.
    """
    previous = call.get("previous_response_id")
    if previous is None:
        return [] if conversation is None else list(items_of(call, conversation))
    if previous not in _responses(call):
        message = f"Previous response with id '{previous}' not found."
        raise errors.invalid(message, param="previous_response_id", code="previous_response_not_found")
    return list(call.store.collection("response-context").get(previous) or ())


@handles("responses.create")
def create(call: Call) -> Response:
    """Answer, and store the answer unless ``store`` is false."""
    deployment = call.deployment("responses")
    conversation = conversation_of(call)
    context = _context(call, conversation)
    given = stored_items(call, call.get("input"))
    announced = output(call, deployment, [*context, *given])
    ended = "failed" if announced.failure else "incomplete" if announced.cut else "completed"
    read = input_tokens(call, [*context, *given])
    done: Value = {
        "id": call.store.new_id("resp_", 48),
        "object": "response",
        "created_at": call.clock.now(),
        "status": ended,
        "error": {"code": "server_error", "message": announced.failure} if announced.failure else None,
        "incomplete_details": {"reason": "max_output_tokens"} if ended == "incomplete" else None,
        "model": deployment.name,
        "output": announced.items,
        "usage": {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": announced.tokens,
            "output_tokens_details": {"reasoning_tokens": announced.reasoning},
            "total_tokens": read + announced.tokens,
        },
        "conversation": None if conversation is None else {"id": conversation},
        **_echoed(call),
    }
    if done["store"]:
        _store(call, done, context, given)
    if done["background"] and not call.wants_stream():
        # The whole answer exists already; only its state is shown step by step.
        call.store.collection("response-progress").put(done["id"], "queued")
    elif conversation is not None:
        add_items(call, conversation, [*given, *done["output"]])
    if call.wants_stream():
        return as_stream(call, done)
    return call.json(_shown(call, done))


def _store(call: Call, done: Value, context: list[Value], given: list[Value]) -> None:
    """Store a response, its input items and the context for the next one."""
    _responses(call).put(done["id"], done)
    # A copy and not a chain: later responses keep their context if an earlier one is deleted.
    call.store.collection("response-context").put(done["id"], [*context, *given, *done["output"]])
    inputs = call.store.collection("response-inputs", done["id"])
    for item in given:
        inputs.put(item["id"], item)
    items = call.store.collection("response-items")
    own = call.store.collection("response-own-items", done["id"])
    for item in (*given, *done["output"]):
        if item["id"] not in items:  # an item that was only referred to belongs to an earlier response
            own.put(item["id"], item["id"])
        items.put(item["id"], item)


def _shown(call: Call, done: Value) -> Value:
    """The response in its present state: one in the background has no output before it ends."""
    status = call.store.collection("response-progress").get(done["id"])
    if status is None:
        return done
    return {**done, "status": status, "output": [], "usage": None, "incomplete_details": None}


def _found(call: Call) -> Value:
    found: Value = call.found(_responses(call), ids(call)[0], "response")
    return found


@handles("responses.get")
def get(call: Call) -> Response:
    """One response. Each read takes one in the background a state further."""
    done = _found(call)
    progress = call.store.collection("response-progress")
    status: Any = progress.get(done["id"])
    if status is not None:
        following = _OPEN.get(status)
        if following == "completed":
            progress.remove(done["id"])
            _join(call, done)
        elif following is not None:
            progress.put(done["id"], following)
    return call.json(_shown(call, done))


def _join(call: Call, done: Value) -> None:
    """Add a response that has ended in the background to its conversation."""
    if done["conversation"] is not None:
        given = call.store.collection("response-inputs", done["id"])
        add_items(call, done["conversation"]["id"], [*given, *done["output"]])


@handles("responses.cancel")
def cancel(call: Call) -> Response:
    """Stop a response that runs in the background."""
    done = _found(call)
    progress = call.store.collection("response-progress")
    if progress.get(done["id"]) not in _OPEN:
        raise errors.conflict("Only a response in the background that has not ended can be cancelled.")
    progress.put(done["id"], "cancelled")
    return call.json(_shown(call, done))


@handles("responses.delete")
def delete(call: Call) -> Response:
    """Remove a response. Responses that continued it keep their own context."""
    id = _found(call)["id"]
    _responses(call).remove(id)
    call.store.collection("response-context").remove(id)
    call.store.collection("response-progress").remove(id)
    items = call.store.collection("response-items")
    for item_id in call.store.collection("response-own-items", id):
        items.remove(item_id)
    for kind in ("response-inputs", "response-own-items"):
        call.store.drop(kind, id)
    return deleted(call, id, "response.deleted")


@handles("responses.input_items.list")
def list_input(call: Call) -> Response:
    """A page of the input items of a response, newest first unless asked otherwise."""
    return call.json(call.page(call.store.collection("response-inputs", _found(call)["id"])))
