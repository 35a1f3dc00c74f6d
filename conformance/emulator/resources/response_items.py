"""Items of the Responses API: the input as it is stored, and the output of the "model"."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from conformance.emulator import error_answers as errors
from conformance.emulator.behaviour import Deployment
from conformance.emulator.call import Call
from conformance.emulator.events import dumps
from conformance.emulator.inference.chat_message import token_logprob
from conformance.emulator.inference.sound import wave
from conformance.emulator.inference.text import count, cut, tokenize
from conformance.emulator.resources.hosted_tools import citations, hosted_items, unreachable
from conformance.emulator.resources.objects import Value, members
from conformance.emulator.resources.reply import answer_text, arguments

__all__ = ["Output", "input_tokens", "output", "stored_items", "text_in"]

#: Type of an item → prefix of its id.
_PREFIXES = {"message": "msg_", "reasoning": "rs_", "function_call": "fc_", "function_call_output": "fco_"}
#: How much faster than a speaker the sound of an answer is, to keep evidence small.
_HURRY = 8.0
#: A prompt with these words is answered by a refusal.
_DECLINE = "Decline this request"
#: The tokens that a reasoning model uses before its answer.
_REASONING = 16


@frozen
class Output:
    """The output items, the tokens that they used, whether the limit cut them off, and what made the answer fail; ""
    for nothing.
    """

    items: list[Value]
    tokens: int
    reasoning: int
    cut: bool
    failure: str = ""


def stored_items(call: Call, given: Any) -> list[Value]:
    """The input as items with ids. A text becomes a user's message; a reference becomes the item that it names."""
    if given is None:
        return []
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    return [_stored(call, item) for item in given]


def _stored(call: Call, item: Value) -> Value:
    """One input item as it is stored. Raises 404 for a reference to an unknown item."""
    kind = item.get("type", "message")
    if kind == "item_reference":
        found = call.store.collection("response-items").get(item["id"])
        if found is None:
            raise errors.missing("item", item["id"], param="input")
        return dict(found)
    made = {**item, "type": kind, "status": item.get("status") or "completed"}
    made["id"] = item.get("id") or call.store.new_id(_PREFIXES.get(kind, "item_"))
    if kind == "message":
        made["role"] = item.get("role", "user")
        if isinstance(item["content"], str):
            # What an assistant said is output in the history too.
            spoken = {"type": "output_text", "text": item["content"], "annotations": []}
            read = {"type": "input_text", "text": item["content"]}
            made["content"] = [spoken if made["role"] == "assistant" else read]
    return made


def text_in(item: Value) -> str:
    """The text of an item."""
    if item["type"] == "message":
        return " ".join(part["text"] for part in item["content"] if isinstance(part.get("text"), str))
    return str(item.get("output") or item.get("arguments") or "")


def output(call: Call, deployment: Deployment, context: list[Value]) -> Output:
    """The output of the model for a conversation, within ``max_output_tokens``."""
    limit = call.get("max_output_tokens")
    limit = None if limit is None else int(limit)
    reasoning = "reasoning" in deployment.abilities
    spent = min(_REASONING, limit if limit is not None else _REASONING) if reasoning else 0
    left = None if limit is None else limit - spent
    items: list[Value] = []
    if reasoning:
        items.append(_thought(call))
    asked = _asked(context)
    items += hosted_items(call, asked)
    used, cut_off = 0, False
    failure = _failure(context, items)
    if failure:
        return Output(items, spent, spent, cut=False, failure=failure)
    functions = _called(call, context)
    for tool in functions:
        # A custom tool takes free text.
        whole = f"look up: {asked}" if tool["type"] == "custom" else arguments(tool.get("parameters"))
        written = cut(whole, limit=None if left is None else max(left - used, 0))
        used += len(written.tokens)
        cut_off = written.finish == "length"
        items.append(_function_call(call, tool, written.text, cut_off=cut_off))
        if cut_off:
            break
    # A question whether a tool may be called ends the turn, as the call of a function does.
    if not functions and (not items or items[-1]["type"] != "mcp_approval_request"):
        written = cut(_words(call, context), limit=left)
        used, cut_off = len(written.tokens), written.finish == "length"
        said = _spoken(written.text) if _heard(context) else _declined(written.text) if _DECLINE in asked else None
        items.append(_message(call, said or _written(call, written.text, items), cut_off=cut_off))
    return Output(items, used + spent, spent, cut_off)


def _failure(context: list[Value], items: list[Value]) -> str:
    """Why the answer ends before the model says something: a server of tools, or a picture, can't be reached."""
    if any(item.get("error") for item in items if item["type"] == "mcp_list_tools"):
        return "An MCP server can't be reached."
    if any(unreachable(part["image_url"]) for part in _parts(context) if part.get("image_url")):
        return "A picture can't be downloaded."
    return ""


def _parts(context: list[Value]) -> Iterator[Value]:
    """Yield the parts of the newest message of the user."""
    newest = next((item for item in reversed(context) if item.get("role") == "user"), {})
    yield from newest.get("content", ())


def _heard(context: list[Value]) -> bool:
    """Return True if the newest message of the user was spoken: it is answered in the same way."""
    return any(part.get("type") == "input_audio" for part in _parts(context))


def _function_call(call: Call, tool: Value, text: str, *, cut_off: bool) -> Value:
    if tool["type"] == "custom":
        called = {"call_id": call.store.new_id("call_"), "name": tool["name"], "input": text}
        return {"id": call.store.new_id("ctc_"), "type": "custom_tool_call", **called}
    return {
        "id": call.store.new_id("fc_"),
        "type": "function_call",
        "status": "incomplete" if cut_off else "completed",
        "call_id": call.store.new_id("call_"),
        "name": tool["name"],
        "arguments": text,
    }


def _summary(call: Call) -> list[Value]:
    """The summary of the reasoning, in two parts if it is asked for in detail; empty if nobody asks."""
    settings = members(call.get("reasoning"))
    wanted = settings.get("summary") or settings.get("generate_summary")
    texts = ["Looked at the request.", "Chose a short answer."] if wanted == "detailed" else ["Looked at the request."]
    return [{"type": "summary_text", "text": text} for text in texts] if wanted else []


def _thought(call: Call) -> Value:
    """The reasoning. Where a version has events of its text alone, and no older ones, it is told in full."""
    made: Value = {"id": call.store.new_id("rs_"), "type": "reasoning", "summary": _summary(call)}
    older, newer = "response.reasoning.delta", "response.reasoning_text.delta"
    wanted = members(call.get("reasoning")).get("generate_summary")
    if wanted and call.documented.event_name(older, newer) == newer:
        made["content"] = [{"type": "reasoning_text", "text": "The request is short, so the answer is short."}]
    return made


def _written(call: Call, text: str, before: list[Value]) -> Value:
    """A text as the part of a message, with citations of the items before it."""
    part: Value = {"type": "output_text", "text": text, "annotations": citations(before, text)}
    if "message.output_text.logprobs" in call.get("include", ()):
        many = int(call.get("top_logprobs", 0))
        part["logprobs"] = [token_logprob(token, place, many) for place, token in enumerate(tokenize(text))]
    return part


def _spoken(text: str) -> Value:
    """A text as sound, the part of a message."""
    return {"type": "output_audio", "data": base64.b64encode(wave(text, _HURRY)).decode(), "transcript": text}


def _declined(text: str) -> Value:
    """A refusal as the part of a message."""
    return {"type": "refusal", "refusal": text}


def _message(call: Call, part: Value, *, cut_off: bool) -> Value:
    """A message of one part."""
    return {
        "id": call.store.new_id("msg_"),
        "type": "message",
        "role": "assistant",
        "status": "incomplete" if cut_off else "completed",
        "content": [part],
    }


def _called(call: Call, context: list[Value]) -> list[Value]:
    """The functions and custom tools that are called: the named one, else all, unless the newest item is the output of
    a call.
    """
    tools = [tool for tool in call.get("tools", []) if tool["type"] in ("function", "custom")]
    choice = call.get("tool_choice", "auto")
    named = members(choice)
    if named.get("type") in ("function", "custom"):
        found = [tool for tool in tools if tool["type"] == named["type"] and tool["name"] == named.get("name")]
        if not found:
            raise errors.invalid(f"Tool choice '{named.get('name')}' not found in 'tools'.", param="tool_choice")
        return found
    if named or choice == "none":
        return []
    # With the output at hand a free model answers; otherwise it would call the function for ever.
    if choice == "auto" and context and context[-1]["type"] == "function_call_output":
        return []
    return tools if call.get("parallel_tool_calls", True) else tools[:1]


def _asked(context: list[Value]) -> str:
    """The text of the newest message of the user."""
    return next((text_in(item) for item in reversed(context) if item.get("role") == "user"), "")


def _words(call: Call, context: list[Value]) -> str:
    """The text of the answer: it mentions the newest function output, if there is one."""
    asked = _asked(context)
    answers = [text_in(item) for item in context if item["type"] == "function_call_output"]
    format_ = members(members(call.get("text")).get("format"))
    if answers and not format_:
        return f"The function said {dumps(answers[-1])}."
    return answer_text(asked, format_)


def input_tokens(call: Call, context: list[Value]) -> int:
    """The tokens that the model read."""
    return 3 + count(str(call.get("instructions", ""))) + sum(3 + count(text_in(item)) for item in context)
