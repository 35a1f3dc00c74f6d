"""The texts and function arguments that the "model" produces for runs and responses."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from conformance.emulator.events import dumps
from conformance.emulator.inference.text import reply, tokenize
from conformance.emulator.inference.values import value_for

__all__ = ["answer_text", "arguments", "parts"]

#: The number of deltas in which a text is streamed.
_DELTAS = 6


def answer_text(prompt: str, format: Any = None) -> str:
    """The answer to a prompt. ``format`` is a response format: an object whose ``type`` is json_object or
    json_schema.
    """
    if isinstance(format, Mapping):
        if format.get("type") == "json_object":
            return dumps({"answer": reply(prompt)})
        if format.get("type") == "json_schema":
            inner = format.get("json_schema")
            return dumps(value_for((inner if isinstance(inner, Mapping) else format).get("schema") or {}))
    return reply(prompt)


def arguments(parameters: Any) -> str:
    """Arguments for a function: JSON text that satisfies its parameter schema."""
    return dumps(value_for(parameters or {"type": "object", "properties": {}}))


def parts(text: str) -> list[str]:
    """A text in one to six pieces; joined they are the text."""
    found = tokenize(text)
    if not found:
        return [""]
    borders = sorted({round(index * len(found) / _DELTAS) for index in range(_DELTAS + 1)})
    return ["".join(found[start:end]) for start, end in pairwise(borders)]
