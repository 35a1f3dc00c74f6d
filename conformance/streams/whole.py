"""An answer as its reader has it in the end: the same value for a stream and for the plain document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from conformance.streams.chunks import by_choice, usage_chunks
from conformance.streams.reading import Reading
from conformance.streams.tools import calls_of

__all__ = ["Said", "Whole", "from_plain", "from_stream"]


@frozen
class Said:
    """One choice: its text, refusal, tool calls as (name, arguments), and why it ended."""

    text: str = ""
    refusal: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    finish: str | None = None


@frozen
class Whole:
    """All choices by index, and the prompt's tokens where they were counted."""

    choices: Mapping[Any, Said]
    prompt_tokens: int | None = None


def from_stream(reading: Reading) -> Whole:
    """Put a chat or completion stream together."""
    calls = calls_of(reading)
    choices = {
        index: Said(
            text="".join(piece.text for piece in found),
            refusal="".join(_text(piece.delta.get("refusal")) for piece in found),
            calls=tuple((call.name, call.arguments) for call in calls if call.choice == index),
            finish=next((piece.finish for piece in found if piece.finish), None),
        )
        for index, found in by_choice(reading).items()
    }
    usages = [chunk["usage"] for _, chunk in usage_chunks(reading) if isinstance(chunk["usage"], dict)]
    counted = [usage.get("prompt_tokens") for usage in usages]
    return Whole(choices, next((count for count in counted if isinstance(count, int)), None))


def from_plain(value: Any) -> Whole:
    """The same of a document in one piece; nothing where it isn't one."""
    choices = value.get("choices") if isinstance(value, dict) else None
    usage = value.get("usage") if isinstance(value, dict) else None
    prompt = usage.get("prompt_tokens") if isinstance(usage, dict) else None
    return Whole(
        {choice.get("index"): _said(choice) for choice in choices or () if isinstance(choice, dict)},
        prompt if isinstance(prompt, int) else None,
    )


def _said(choice: Mapping[str, Any]) -> Said:
    message = choice.get("message")
    message = message if isinstance(message, dict) else {"content": choice.get("text")}
    calls = [call.get("function") for call in message.get("tool_calls") or () if isinstance(call, dict)]
    return Said(
        text=_text(message.get("content")),
        refusal=_text(message.get("refusal")),
        calls=tuple((_text(f.get("name")), _text(f.get("arguments"))) for f in calls if isinstance(f, dict)),
        finish=choice.get("finish_reason"),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
