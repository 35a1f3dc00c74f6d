"""The model behind runs and responses: what it says, which arguments it gives, how many tokens that is.

It is a function of its input. A request that names a number of at least 20 gets an answer of that many words, so that
limits can be reached; everything else gets one sentence that names what was asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.emulator.events import dumps

__all__ = ["arguments", "pieces", "say", "tokens"]

_TOKEN = re.compile(r"\s*\S{1,6}|\s+")
_NUMBER = re.compile(r"\d+")
_LONGEST = 6000


def pieces(text: str) -> list[str]:
    """The tokens of a text, in order; joined they are the text."""
    return _TOKEN.findall(text)


def tokens(text: str) -> int:
    """How many tokens a text has."""
    return len(pieces(text))


def say(prompt: str, format: Any = None) -> str:
    """The answer to a prompt; ``format`` is a response format: an object with ``type`` json_object or json_schema."""
    if isinstance(format, Mapping):
        if format.get("type") == "json_object":
            return dumps({"answer": _about(prompt)})
        if format.get("type") == "json_schema":
            inner = format.get("json_schema")
            schema = inner.get("schema") if isinstance(inner, Mapping) else format.get("schema")
            return dumps(_example(schema, 0))
    wanted = max((int(number[:9]) for number in _NUMBER.findall(prompt)), default=0)
    if wanted >= 20:
        return " ".join(str(number) for number in range(1, min(wanted, _LONGEST) + 1))
    return f"Here is a short answer about {_about(prompt)}."


def arguments(parameters: Any) -> str:
    """Arguments for a function, as JSON text that its parameter schema accepts."""
    value = _example(parameters, 0) if isinstance(parameters, Mapping) else {}
    return json.dumps(value if isinstance(value, dict) else {}, ensure_ascii=False)


def _about(prompt: str) -> str:
    words = re.findall(r"\w+", prompt)
    return " ".join(words[:8]) or "nothing in particular"


def _example(schema: Any, depth: int) -> Any:
    """A value for the common forms of a JSON Schema."""
    if not isinstance(schema, Mapping) or depth > 8:
        return "text"
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return _example(schema[key][0], depth + 1)
    type_ = next(_types(schema), "object" if "properties" in schema else "string")
    if type_ == "object":
        properties = schema.get("properties") or {}
        return {name: _example(sub, depth + 1) for name, sub in properties.items()}
    if type_ == "array":
        return [_example(schema.get("items"), depth + 1) for _ in range(max(1, int(schema.get("minItems", 1))))]
    if type_ in ("integer", "number"):
        return schema.get("minimum", 1)
    return {"boolean": True, "null": None}.get(type_, "text")


def _types(schema: Mapping[str, Any]) -> Iterator[str]:
    given = schema.get("type", ())
    yield from [given] if isinstance(given, str) else given
