"""The parts of a chat answer that are the same in its plain and its streamed form."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

from conformance.emulator.behaviour import Deployment
from conformance.emulator.call import Call
from conformance.emulator.inference.conversation import ChatChoice, ToolCall, prompt_tokens, text_of
from conformance.emulator.inference.sound import wave
from conformance.emulator.inference.text import alternatives, logprob

__all__ = [
    "audio_of",
    "context_of",
    "fingerprint",
    "logprobs_of",
    "message_of",
    "speaks",
    "token_logprob",
    "tool_call",
    "usage",
    "with_logprobs",
]


def fingerprint(deployment: Deployment) -> str:
    """The system fingerprint of a deployed model."""
    return f"fp_{hashlib.sha256(deployment.model.encode()).hexdigest()[:10]}"


def usage(call: Call, choice: Sequence[ChatChoice]) -> dict[str, Any]:
    """Token counts. The total is the sum of prompt and completion."""
    prompt = prompt_tokens(call.body["messages"])
    completion = sum(one.completion_tokens for one in choice)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"audio_tokens": 0, "cached_tokens": 0},
        "completion_tokens_details": {
            "accepted_prediction_tokens": 0,
            "audio_tokens": 0,
            "reasoning_tokens": sum(one.reasoning for one in choice),
            "rejected_prediction_tokens": 0,
        },
    }


def message_of(call: Call, choice: ChatChoice) -> dict[str, Any]:
    """The message of one choice."""
    message: dict[str, Any] = {"role": "assistant", "content": None if choice.calls else "".join(choice.tokens)}
    message |= {"refusal": None, "annotations": []}
    if choice.calls and choice.legacy:
        message["function_call"] = {"name": choice.calls[0].name, "arguments": "".join(choice.calls[0].arguments)}
    elif choice.calls:
        message["tool_calls"] = [tool_call(call, one, "".join(one.arguments)) for one in choice.calls]
    if call.get("data_sources"):
        message["context"] = context_of(call)
    if speaks(call, choice):
        message |= {"content": None, "audio": audio_of(call, choice)}
    return message


def tool_call(call: Call, made: ToolCall, arguments: str) -> dict[str, Any]:
    """A call of a function, with a new id."""
    return {
        "id": call.store.new_id("call_"),
        "type": "function",
        "function": {"name": made.name, "arguments": arguments},
    }


def context_of(call: Call) -> dict[str, Any]:
    """What the "on your data" extension adds: the intent, and one citation per data source."""
    asked = next((text_of(m.get("content")) for m in reversed(call.body["messages"]) if m.get("role") == "user"), "")
    citations = [
        {
            "content": "A passage of the indexed document.",
            "title": f"Document {index + 1}",
            "url": f"https://example.com/documents/{index + 1}",
            "filepath": f"document-{index + 1}.txt",
            "chunk_id": str(index),
        }
        for index in range(len(call.body["data_sources"]))
    ]
    return {"citations": citations, "intent": str([asked])}


def speaks(call: Call, choice: ChatChoice) -> bool:
    """Return True if the choice is spoken: audio was requested, and the choice isn't a tool call."""
    return not choice.calls and "audio" in call.get("modalities", ()) and call.get("audio") is not None


def audio_of(call: Call, choice: ChatChoice) -> dict[str, Any]:
    """The spoken form of a choice, with its transcript."""
    text = "".join(choice.tokens)
    return {
        "id": call.store.new_id("audio_"),
        "data": base64.b64encode(wave(text)).decode(),
        "expires_at": call.clock.now() + 3600,
        "transcript": text,
    }


def with_logprobs(call: Call, choice: ChatChoice) -> bool:
    """Return True if log probabilities were requested and the choice is text."""
    return call.get("logprobs") is True and not choice.calls


def logprobs_of(call: Call, choice: ChatChoice) -> list[dict[str, Any]]:
    """One entry per token of the text."""
    many = int(call.get("top_logprobs", 0))
    return [token_logprob(token, place, many) for place, token in enumerate(choice.tokens)]


def token_logprob(token: str, place: int, many: int) -> dict[str, Any]:
    """The entry of one token, with the ``many`` likeliest tokens in its place."""
    ranked = alternatives(token, place, many) if many else []
    return {
        "token": token,
        "logprob": logprob(token, place),
        "bytes": list(token.encode()),
        "top_logprobs": [{"token": one, "logprob": value, "bytes": list(one.encode())} for one, value in ranked],
    }
