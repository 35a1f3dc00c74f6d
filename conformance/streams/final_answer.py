"""The answer that a client has in the end: the same value for a stream and for a plain JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from conformance.schema.integers import is_integer
from conformance.streams.chunks import by_choice, choices_in, index_of, stopped, usage_chunks
from conformance.streams.reading import Reading
from conformance.streams.tools import calls_of

__all__ = ["FinalAnswer", "FinalChoice", "from_plain", "from_stream"]


@frozen
class FinalChoice:
    """One choice: its text, refusal, tool calls as (name, arguments), and finish reason."""

    text: str = ""
    refusal: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    finish: str | None = None


@frozen
class FinalAnswer:
    """All choices by index, and the prompt's token count if there is one."""

    choices: Mapping[Any, FinalChoice]
    prompt_tokens: int | None = None


def from_stream(reading: Reading) -> FinalAnswer:
    """The answer of a chat or completion stream."""
    calls, ends = calls_of(reading), stopped(reading)
    choices = {
        index: FinalChoice(
            text="".join(piece.text for piece in found),
            refusal="".join(_text(piece.delta.get("refusal")) for piece in found),
            calls=tuple((call.name, call.arguments) for call in calls if call.choice == index),
            finish=ends.get(index) or next((piece.finish for piece in found if piece.finish), None),
        )
        for index, found in by_choice(reading).items()
    }
    usages = [chunk["usage"] for _, chunk in usage_chunks(reading) if isinstance(chunk["usage"], dict)]
    counted = [usage.get("prompt_tokens") for usage in usages]
    return FinalAnswer(choices, next((count for count in counted if is_integer(count)), None))


def from_plain(value: Any) -> FinalAnswer:
    """The answer of a JSON document; empty if it isn't one."""
    usage = value.get("usage") if isinstance(value, dict) else None
    prompt = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return FinalAnswer(
        {index_of(choice): _choice(choice) for _, choice in choices_in(value)},
        prompt if is_integer(prompt) else None,
    )


def _choice(choice: Mapping[str, Any]) -> FinalChoice:
    """One choice of a JSON document."""
    message = choice.get("message")
    message = message if isinstance(message, dict) else {"content": choice.get("text")}
    calls = message.get("tool_calls")
    functions = [call.get("function") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return FinalChoice(
        text=_text(message.get("content")),
        refusal=_text(message.get("refusal")),
        calls=tuple((_text(f.get("name")), _text(f.get("arguments"))) for f in functions if isinstance(f, dict)),
        finish=choice.get("finish_reason"),
    )


def _text(value: Any) -> str:
    """The value if it is a string, else ""."""
    return value if isinstance(value, str) else ""
