"""Answers hold what a version documents and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.emulator.documented_fields import Shape
from conformance.spec.spec import Spec


@pytest.fixture
def shape(small: Callable[..., Spec]) -> Callable[..., Shape]:
    spec = small("2000-01-01")
    return lambda *schemas: Shape(spec, schemas)


def properties(**schemas: Any) -> dict[str, Any]:
    return {"type": "object", "properties": schemas}


STRING = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "value", "fitted"),
    [
        (properties(a=STRING), {"a": "x", "b": 1}, {"a": "x"}),
        (properties(a=STRING), {"a": None}, {}),
        ({**properties(a=STRING), "required": ["a"]}, {"a": None}, {"a": None}),
        (properties(a={"type": ["string", "null"]}), {"a": None}, {"a": None}),
        ({"type": "object"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"type": "object", "additionalProperties": STRING}, {"a": "x"}, {"a": "x"}),
        ({"type": "object", "unevaluatedProperties": STRING}, {"a": "x"}, {"a": "x"}),
        ({**properties(a=STRING), "unevaluatedProperties": STRING}, {"a": "x", "b": "y"}, {"a": "x", "b": "y"}),
        ({"type": "array", "items": properties(a=STRING)}, [{"a": "x", "b": 1}], [{"a": "x"}]),
        ({"allOf": [properties(a=STRING), properties(b=STRING)]}, {"a": "x", "b": "y", "c": 1}, {"a": "x", "b": "y"}),
        ({"$ref": "#/components/schemas/assistant"}, {"model": "m", "other": 1}, {"model": "m"}),
    ],
)
def test_fit_keeps_what_is_documented(shape: Callable[..., Shape], schema: Any, value: Any, fitted: Any) -> None:
    assert fitted == shape(schema).fit(value)


def test_a_constant_field_chooses_the_branch_of_a_union(shape: Callable[..., Shape]) -> None:
    union = {
        "oneOf": [
            properties(type={"const": "text"}, text=STRING),
            properties(type={"enum": ["image"]}, url=STRING),
        ]
    }
    assert {"type": "text", "text": "x"} == shape(union).fit({"type": "text", "text": "x", "url": "u"})
    assert {"type": "image", "url": "u"} == shape(union).fit({"type": "image", "text": "x", "url": "u"})


def test_a_value_that_is_no_known_branch_keeps_the_fields_of_all(shape: Callable[..., Shape]) -> None:
    union = {"oneOf": [properties(type={"const": "a"}, x=STRING), properties(type={"const": "b"}, y=STRING)]}
    assert {"type": "c", "x": "1", "y": "2"} == shape(union).fit({"type": "c", "x": "1", "y": "2", "z": "3"})


def test_what_was_fitted_before_changes_nothing(shape: Callable[..., Shape]) -> None:
    union = shape({"oneOf": [properties(type={"const": "a"}, x=STRING), properties(type={"const": "b"}, y=STRING)]})
    for number in range(1_000):  # more texts than are kept
        union.fit({"type": f"other {number}"})
    for _ in range(2):
        assert {"x": "1", "type": "a"} == union.fit({"x": "1", "type": "a", "y": "2"})
        assert {"type": "b", "y": "2"} == union.fit({"type": "b", "x": "1", "y": "2"})
        assert {"x": "1", "y": "2"} == union.fit({"x": "1", "y": "2"})
        assert {"type": 1, "x": "1", "y": "2"} == union.fit({"type": 1, "x": "1", "y": "2"})


def test_a_place_where_null_is_not_documented_keeps_none(shape: Callable[..., Shape]) -> None:
    once = shape(properties(a=properties(b=STRING)))
    for _ in range(2):
        assert {"a": {}} == once.fit({"a": {"b": None, "c": None}})
        assert {} == once.fit({"a": None})


def test_questions_about_a_schema(shape: Callable[..., Shape]) -> None:
    nested = properties(list={"type": "array", "items": properties(kind={"enum": ["a", "b"], "default": "b"})})
    here = shape(nested)
    assert here.has("list", "*", "kind")
    assert not here.has("list", "*", "other")
    assert ("a", "b") == here.values("list", "*", "kind")
    assert here.default("list", "*", "kind") == "b"


def test_a_schema_that_contains_itself_ends(shape: Callable[..., Shape]) -> None:
    loop: dict[str, Any] = {"type": "object", "properties": {"name": STRING}}
    loop["properties"]["child"] = loop
    value = {"name": "a", "child": {"name": "b", "extra": 1}}
    assert {"name": "a", "child": {"name": "b"}} == shape(loop).fit(value)
