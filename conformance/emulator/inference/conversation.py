"""The answer of a chat model to a conversation: the decision behind chat.completions, independent of its form on the
wire.

It is deterministic: the same messages, seed and choice number give the same answer, streamed or not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from conformance.emulator import error_answers as errors
from conformance.emulator.behaviour import Deployment
from conformance.emulator.call import Call
from conformance.emulator.events import dumps
from conformance.emulator.inference.text import count, cut, reply
from conformance.emulator.inference.values import is_schema, value_for

__all__ = ["REASONING_TOKENS", "ChatChoice", "ToolCall", "chat_choice", "prompt_tokens", "text_of"]

#: The tokens that a reasoning model uses before its answer, as far as the limit allows.
REASONING_TOKENS = 16


@frozen
class ToolCall:
    """One call of a function. ``arguments`` is JSON text as tokens, cut off where the token limit is reached."""

    name: str
    arguments: tuple[str, ...]


@frozen
class ChatChoice:
    """One choice. ``legacy`` marks a call in the deprecated ``function_call`` form."""

    tokens: tuple[str, ...]
    calls: tuple[ToolCall, ...]
    finish: str
    legacy: bool = False
    reasoning: int = 0

    @property
    def completion_tokens(self) -> int:
        """The number of tokens that were generated for this choice."""
        return self.reasoning + len(self.tokens) + sum(len(call.arguments) for call in self.calls)


def text_of(content: Any) -> str:
    """The text of a message's content: a string, or the text parts of a list."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        # Pictures and sound have no text, so they are passed over.
        return "\n".join(str(p.get("text", "")) for p in content if isinstance(p, Mapping) and p.get("text"))
    return ""


def prompt_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """The tokens of a conversation: those of its texts and calls, three per message and three for the answer's
    start.
    """
    total = 3
    for message in messages:
        total += 3 + count(text_of(message.get("content")))
        total += sum(count(dumps(call)) for call in message.get("tool_calls") or ())
        parts = message.get("content")
        if isinstance(parts, list):
            # 85 is the published price of a picture in low detail.
            total += 85 * sum(isinstance(part, Mapping) and part.get("type") == "image_url" for part in parts)
    return total


def chat_choice(call: Call, deployment: Deployment, index: int) -> ChatChoice:
    """The choice with this number. Raises 400 for parameters that a reasoning model doesn't accept."""
    reasoning = "reasoning" in deployment.abilities
    if reasoning and call.get("max_tokens") is not None:
        raise errors.invalid(
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            param="max_tokens",
            code="unsupported_parameter",
        )
    # The newer field counts if both are sent.
    limit = call.get("max_completion_tokens", call.get("max_tokens"))
    limit = None if limit is None else int(limit)
    # Reasoning uses up the limit first, so a small limit leaves no text at all.
    spent = min(REASONING_TOKENS, limit if limit is not None else REASONING_TOKENS) if reasoning else 0
    left = None if limit is None else limit - spent
    offered, choice = _functions(call)
    called = _called(call, offered, choice)
    if called:
        forced = isinstance(choice, Mapping)
        return _call(called, left, spent, forced=forced, legacy=not call.get("tools"))
    stop = call.get("stop", [])
    written = cut(_text(call, index), stop=[stop] if isinstance(stop, str) else stop, limit=left)
    return ChatChoice(written.tokens, (), written.finish, reasoning=spent)


def _call(
    called: Sequence[Mapping[str, Any]], left: int | None, spent: int, *, forced: bool, legacy: bool
) -> ChatChoice:
    """A choice that calls functions, within the token limit."""
    # The service ends a forced call with ``stop`` and a free one with ``tool_calls``.
    finish = "stop" if forced else "function_call" if legacy else "tool_calls"
    calls: list[ToolCall] = []
    for function in called:
        arguments = dumps(value_for(function.get("parameters") or {"type": "object", "properties": {}}))
        written = cut(arguments, limit=left)
        left = None if left is None else left - len(written.tokens)
        calls.append(ToolCall(str(function["name"]), written.tokens))
        if written.finish == "length":
            finish = "length"
            break
    return ChatChoice((), tuple(calls), finish, legacy, spent)


def _functions(call: Call) -> tuple[list[Mapping[str, Any]], Any]:
    """The offered functions and the ``tool_choice`` among them, in the current or the deprecated form."""
    tools = call.get("tools")
    if tools:
        offered = [tool["function"] for tool in tools if tool.get("type", "function") == "function"]
        choice = call.get("tool_choice", "auto")
    else:
        offered, choice = list(call.get("functions", [])), call.get("function_call", "auto")
    for function in offered:
        if not is_schema(function.get("parameters") or {}):
            raise errors.invalid(
                f"Invalid schema for function '{function.get('name')}'.",
                param="tools" if tools else "functions",
                code="invalid_function_parameters",
            )
    return offered, choice


def _called(call: Call, offered: Sequence[Mapping[str, Any]], choice: Any) -> list[Mapping[str, Any]]:
    """The functions that this model calls: the forced one, or those that the last user message mentions."""
    if not offered or choice == "none":
        return []
    if isinstance(choice, Mapping):
        # The deprecated form has the name without an object ``function`` around it.
        name = choice.get("function", choice).get("name")
        return [function for function in offered if function.get("name") == name][:1]
    last = call.body["messages"][-1] if call.body.get("messages") else {}
    # After a tool's result the last message is not the user's: the model answers and calls nothing more.
    asked = text_of(last.get("content")).lower() if last.get("role") == "user" else ""
    named = [function for function in offered if _speaks_of(asked, str(function.get("name", "")))]
    if choice == "required":
        named = named or list(offered[:1])
    # The deprecated form has room for one call only.
    alone = call.get("parallel_tool_calls") is False or not call.get("tools")
    return named[:1] if alone else named


def _speaks_of(text: str, name: str) -> bool:
    """Return True if a text contains a word (of at least four letters) of the function's name."""
    words = [word for word in re.split(r"[_\-.]+", name.lower()) if len(word) >= 4]
    return any(word in text for word in words)


def _text(call: Call, index: int) -> str:
    """The text of a choice: JSON if a JSON format is requested, else prose."""
    messages = call.body.get("messages") or []
    wanted = call.get("response_format", {})
    kind = wanted.get("type") if isinstance(wanted, Mapping) else None
    if kind == "json_schema":
        schema = wanted["json_schema"].get("schema", {"type": "object"})
        if not is_schema(schema):
            raise errors.invalid("Invalid schema for response_format.", param="response_format")
        return dumps(value_for(schema))
    users = [text_of(message.get("content")) for message in messages if message.get("role") == "user"]
    prompt = users[-1] if users else text_of(messages[-1].get("content")) if messages else ""
    said = reply(prompt, f"{call.get('seed', '')}/{len(messages)}/{index}")
    # Short, so that a limit that is common for such requests does not cut the object.
    return dumps({"answer": " ".join(said.split()[:12])}) if kind == "json_object" else said
