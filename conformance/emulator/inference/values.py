"""A value that satisfies a JSON Schema: the "model's" answer for structured outputs and tool arguments.

Supported are the keywords of structured outputs and those common in tools: objects, arrays, enums, unions, references,
bounds, formats and simple patterns. Below a certain depth optional properties are left out, so recursive schemas end.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
from attrs import define

from conformance.pointer import look_up

__all__ = ["value_for"]

#: Optional properties are left out below this depth.
_DEEP = 4

#: No text and no array is longer than this, whatever the schema asks for.
_MOST = 10_000
#: A value for each ``format``.
_FORMATS = {
    "date-time": "2024-01-01T12:00:00Z",
    "date": "2024-01-01",
    "time": "12:00:00Z",
    "duration": "P1D",
    "email": "a@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/a",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
#: Texts that are tried for a ``pattern``.
_SAMPLES = ("a", "A", "1", "a1", "abc", "ABC", "123", "12345", "a@example.com", "2024-01-01", "+15550100", "a-b", "a_b")


@define
class _Writer:
    """Builds values for one schema. References are resolved against ``root``."""

    root: Any

    def value(self, schema: Any, depth: int = 0) -> Any:
        """A value for a schema, or None if nothing is known."""
        # Required properties may recurse without end; a value that deep is left out instead.
        if not isinstance(schema, Mapping) or depth > 24:
            return None
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][0]
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                return self._union(schema, key, depth)
        kind = schema.get("type")
        if isinstance(kind, list):
            # Deep inside, null ends the recursion.
            kind = "null" if depth > _DEEP and "null" in kind else next((k for k in kind if k != "null"), "null")
        if kind is None:
            kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
        make = getattr(self, f"_{kind}", None)
        return make(schema, depth) if make else None

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """The schema with ``$ref`` and ``allOf`` merged. Gives up after 16 steps: references may be circular."""
        for _ in range(16):
            if "$ref" in schema:
                rest = {key: value for key, value in schema.items() if key != "$ref"}
                schema = {**self._at(str(schema["$ref"])), **rest}
            elif schema.get("allOf"):
                merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
                for part in schema["allOf"]:
                    merged = _merged(merged, self._resolved(part) if isinstance(part, Mapping) else {})
                schema = merged
            else:
                break
        return schema

    def _at(self, ref: str) -> Mapping[str, Any]:
        """The schema that a local reference names, or an empty one."""
        node = look_up(self.root, ref.removeprefix("#"))
        return node if isinstance(node, Mapping) else {}

    def _union(self, schema: Mapping[str, Any], key: str, depth: int) -> Any:
        """A value of the first branch; deep inside, of a null branch if there is one."""
        branches = [self._resolved(one) for one in schema[key] if isinstance(one, Mapping)]
        if depth > _DEEP:
            # ``sort`` is stable: only the null branch moves to the front.
            branches.sort(key=lambda one: one.get("type") != "null")
        rest = {name: value for name, value in schema.items() if name != key}
        return self.value(_merged(rest, branches[0] if branches else {}), depth + 1)

    def _object(self, schema: Mapping[str, Any], depth: int) -> Any:
        """An object with all properties; deep inside, with the required ones only."""
        properties = schema.get("properties") or {}
        required = list(schema.get("required") or ())
        wanted = list(properties) if depth <= _DEEP else []
        return {
            name: self.value(properties.get(name, {"type": "string"}), depth + 1)
            for name in dict.fromkeys([*(n for n in properties if n in required or n in wanted), *required])
        }

    def _array(self, schema: Mapping[str, Any], depth: int) -> Any:
        """An array of the least length, with at least one item unless it lies deep inside."""
        first = [self.value(item, depth + 1) for item in schema.get("prefixItems") or ()]
        least = min(int(schema.get("minItems", 0)), _MOST)
        most = int(schema.get("maxItems", _MOST))
        many = min(max(least, len(first) or (0 if depth > _DEEP else 1)), most)
        items = schema.get("items")
        rest = [self.value(items, depth + 1) if isinstance(items, Mapping) else "a" for _ in range(many - len(first))]
        if schema.get("uniqueItems"):
            rest = [_varied(item, index, items) for index, item in enumerate(rest)]
        return [*first[:many], *rest]

    def _string(self, schema: Mapping[str, Any], depth: int) -> str:  # noqa: ARG002 - one signature for all kinds
        least, most = min(int(schema.get("minLength", 0)), _MOST), int(schema.get("maxLength", _MOST))
        if schema.get("pattern"):
            return _matching(str(schema["pattern"]), least, most)
        text = _FORMATS.get(str(schema.get("format")), "value")
        return (text + "a" * (least - len(text)))[:most]

    def _integer(self, schema: Mapping[str, Any], depth: int) -> int:  # noqa: ARG002 - one signature for all
        return int(_number(schema, 1))

    def _number(self, schema: Mapping[str, Any], depth: int) -> float:  # noqa: ARG002 - one signature for all
        return _number(schema, 0)

    def _boolean(self, schema: Mapping[str, Any], depth: int) -> bool:  # noqa: ARG002 - one signature for all
        return True

    def _null(self, schema: Mapping[str, Any], depth: int) -> None:  # noqa: ARG002 - one signature for all
        return None


def _merged(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    """Two schemas as one: properties and required names of both, other keywords of the right one."""
    merged = {**left, **right}
    if "properties" in left and "properties" in right:
        merged["properties"] = {**left["properties"], **right["properties"]}
    if "required" in left and "required" in right:
        merged["required"] = [*left["required"], *right["required"]]
    return merged


def _number(schema: Mapping[str, Any], step: int) -> float:
    """A number within the bounds. ``step`` is 1 for integers, 0 for other numbers."""
    unit = schema.get("multipleOf") or 1
    low, high = schema.get("minimum"), schema.get("maximum")
    if "exclusiveMinimum" in schema:
        low = max(schema["exclusiveMinimum"] + (step or 0.5 * unit), low if low is not None else -math.inf)
    if "exclusiveMaximum" in schema:
        high = min(schema["exclusiveMaximum"] - (step or 0.5 * unit), high if high is not None else math.inf)
    value = 1 if low is None else low
    if high is not None and value > high:
        value = high
    if "multipleOf" in schema or step:
        # Upwards first, because the value begins at the lower bound.
        value = math.ceil(value / unit) * unit
        if high is not None and value > high:
            value = math.floor(high / unit) * unit
    return value


def _varied(item: Any, index: int, schema: Any) -> Any:
    """The item, changed so that the items of an array differ."""
    options = schema.get("enum") if isinstance(schema, Mapping) else None
    if options and index < len(options):
        return options[index]
    if isinstance(item, bool) or index == 0:
        return item
    return f"{item}{index}" if isinstance(item, str) else item + index if isinstance(item, (int, float)) else item


def _matching(pattern: str, least: int, most: int) -> str:
    """A text that the pattern matches: one of the samples, else one built from the pattern's own pieces."""
    try:
        compiled = re.compile(pattern)
    except re.error:
        return "a" * max(least, 1)
    # Common patterns are met by a sample. Building a text handles only simple patterns, so it comes last.
    for sample in (*_SAMPLES, *_FORMATS.values(), _built(pattern)):
        if least <= len(sample) <= most and compiled.search(sample):
            return sample
    return _built(pattern)


#: One piece of a pattern: a class, an escape, a group sign or a character, with its quantifier.
_PIECE = re.compile(r"(\[\^?\]?[^\]]*\]|\\.|\(\?:|[().]|[^\\])(\{(\d+)(?:,\d*)?\}|[*+?])?")
_CLASSES = {"\\d": "1", "\\w": "a", "\\s": " ", ".": "a", "^": "", "$": "", "(": "", ")": "", "(?:": "", "\\b": ""}


def _built(pattern: str) -> str:
    """The shortest text for a pattern without alternatives and repeated groups. A class gives its first member."""
    text = ""
    for piece, quantifier, least in _PIECE.findall(pattern):
        if piece.startswith("["):
            inner = piece[1:-1]
            one = "a" if inner.startswith("^") else _CLASSES.get(inner[:2], inner[:1])
        else:
            one = _CLASSES.get(piece, piece.removeprefix("\\"))
        text += one * (int(least) if least else 0 if quantifier in ("*", "?") else 1)
    return text


def value_for(schema: Any) -> Any:
    """A value that satisfies the schema, if the schema uses only the supported keywords.

    An object is returned if the schema says nothing. Never raises for a schema that :func:`is_schema` accepts.
    """
    try:
        guess = _Writer(schema).value(schema)
    except (ArithmeticError, ValueError):  # bounds beyond the range of numbers
        guess = None
    if guess is None and isinstance(schema, Mapping) and schema.get("type") in (None, "object"):
        return {}
    return guess


def is_schema(value: Any) -> bool:
    """Return True if the value is a JSON Schema by the 2020-12 meta-schema."""
    try:
        return bool(jsonschema_rs.meta.is_valid(value))
    except (ValueError, RecursionError):
        return False
