"""The tokenizer loses nothing, cutting obeys stop and limit, and forced values satisfy their schemas."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.emulator.inference.text import _reply, alternatives, cut, reply, tokenize
from conformance.emulator.inference.values import is_schema, value_for

TEXT = st.text(st.characters(codec="utf-8"), max_size=80)


@given(TEXT)
def test_tokens_joined_are_the_text(text: str) -> None:
    assert text == "".join(tokenize(text))


@given(TEXT, st.lists(st.text("ab c", min_size=1, max_size=2), max_size=4), st.none() | st.integers(0, 20))
def test_a_cut_text_is_a_beginning_without_the_stops(text: str, stop: list[str], limit: int | None) -> None:
    written = cut(text, stop=stop, limit=limit)
    assert text.startswith(written.text)
    assert not any(one in written.text for one in stop)
    assert limit is None or len(written.tokens) <= limit
    if written.finish == "length":
        assert limit == len(written.tokens)
        assert written.text != text
    else:
        assert written.text == text or any(text[len(written.text) :].startswith(one) for one in stop)


@given(TEXT)
def test_a_reply_depends_on_nothing_but_the_prompt(prompt: str) -> None:
    assert _reply(prompt, "0") == _reply(prompt, "0") == reply(prompt) != ""


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ("Repeat exactly: red green", "red green"),
        ("REPEAT: 'red'", "red"),
        ("no word for it: red", None),
        ("Count to 3", "1, 2, 3"),
        ("COUNT to 2", "1, 2"),
        ("an e\u017f\u017fay of 2", "1, 2"),  # both forms of a small s are one letter where case is ignored
        ("account for 3", None),
        ("x" * 5_000 + " count to 4", "1, 2, 3, 4"),
        ("x" * 5_000 + " say: yes", "yes"),
    ],
)
def test_what_a_prompt_asks_for_is_told(prompt: str, told: str | None) -> None:
    if told is None:
        assert reply(prompt).endswith(".")
    else:
        assert told == reply(prompt)


def test_other_replies_are_sentences() -> None:
    text = reply("Hello")
    assert text == reply("Hello", "0") != reply("Hello", "1")
    sentences = text.removesuffix(".").split(". ")
    assert all(one[0].isupper() and one[1:] == one[1:].lower() for one in sentences)
    assert 28 <= len(text.split()) <= 51


@given(TEXT, st.integers(0, 5_000), st.integers(0, 20))
def test_alternatives_are_different_and_ranked(token: str, place: int, many: int) -> None:
    found = alternatives(token, place, many)
    assert many == len({one for one, _ in found})
    assert sorted((value for _, value in found), reverse=True) == [value for _, value in found]


NODE: dict[str, Any] = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
    "required": ["value", "next"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}, "additionalProperties": False},
        {"type": "string", "enum": ["b", "a"]},
        {"const": {"a": [1]}},
        {"type": ["string", "null"], "minLength": 20},
        {"type": "string", "maxLength": 2},
        {"type": "string", "pattern": "^[0-9]{4}-[A-Z]{2}$"},
        {"type": "string", "pattern": "^\\d{3}$"},
        {"type": "integer", "minimum": 5, "maximum": 5},
        {"type": "integer", "exclusiveMinimum": 10, "multipleOf": 7},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "number", "maximum": -3.5},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 3, "maxItems": 4},
        {"type": "array", "items": {"enum": ["x", "y", "z"]}, "minItems": 2, "uniqueItems": True},
        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
        {"type": "array", "maxItems": 0},
        {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        {"allOf": [{"properties": {"a": {"type": "string"}}}, {"required": ["a", "b"]}], "type": "object"},
        {"$defs": {"node": NODE}, "$ref": "#/$defs/node"},
        {"type": "object", "properties": {"child": {"$ref": "#"}}, "required": []},
        *({"type": "string", "format": form} for form in ("date-time", "date", "email", "uuid", "ipv4", "uri")),
    ],
)
def test_a_value_for_a_schema_satisfies_it(schema: dict[str, Any]) -> None:
    assert is_schema(schema)
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(value_for(schema))


@pytest.mark.parametrize("broken", [{"type": "objekt"}, {"properties": 1}, {"required": "a"}, {"minimum": "1"}])
def test_what_is_no_schema(broken: dict[str, Any]) -> None:
    assert not is_schema(broken)


def test_immodest_bounds_end() -> None:
    assert 10_000 == len(value_for({"type": "string", "minLength": 10**12}))
    assert 10_000 == len(value_for({"type": "array", "minItems": 10**12, "items": {"type": "null"}}))
