"""Unions of imported documents that no value, or that every good value twice, would fit."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.spec.overlay import patched
from conformance.spectools.importunions import contradictory, overlapping


def document(schema: Any) -> dict[str, Any]:
    components = {
        "short": {"type": "object", "properties": {"text": {"type": "string"}}},
        "long": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}, "words": {}}},
        "cat": {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "cat"}}},
        "dog": {"allOf": [{"type": "object", "required": ["kind"]}, {"properties": {"kind": {"enum": ["dog"]}}}]},
        "shut": {"type": "object", "required": ["b"], "properties": {"b": {}}, "additionalProperties": False},
        "node": {"oneOf": [{"$ref": "#/components/schemas/node"}, {"type": "string"}]},
        "it": schema,
    }
    return {"components": {"schemas": components}}


def of(*names: str) -> list[dict[str, str]]:
    return [{"$ref": f"#/components/schemas/{name}"} for name in names]


@pytest.mark.parametrize(
    ("read_as", "union"),
    [
        ("anyOf", of("short", "long")),
        ("anyOf", [{"type": "string"}, {"type": "string", "format": "uri"}]),
        ("anyOf", [{"type": "integer"}, {"type": "number"}]),
        ("anyOf", [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]),
        ("anyOf", [{}, {"type": "string"}]),
        ("oneOf", of("cat", "dog")),
        ("oneOf", [{"type": "string"}, {"type": "array", "items": {}}]),
        ("oneOf", [{"enum": ["a"]}, {"enum": ["b"]}]),
        ("oneOf", [{"oneOf": of("cat", "dog")}, {"type": "string"}]),
        ("oneOf", of("cat", "shut")),
    ],
)
def test_one_of_is_read_as_any_of_where_branches_overlap(read_as: str, union: list[Any]) -> None:
    before = document({"oneOf": union})
    after = patched(before, "it", overlapping(before))
    assert {read_as} == set(after["components"]["schemas"]["it"])


def test_inner_unions_are_read_so_as_well() -> None:
    inner = {"type": "object", "properties": {"a": {"oneOf": of("short", "long")}}}
    before = document({"oneOf": [inner, {"type": "object"}]})
    after = patched(before, "it", overlapping(before))["components"]["schemas"]["it"]
    assert {"anyOf": of("short", "long")} == after["anyOf"][0]["properties"]["a"]


@pytest.mark.parametrize(
    ("schema", "after"),
    [
        ({"type": "integer", "anyOf": [{"type": "string"}, {"type": "null"}]}, {"type": ["integer", "null"]}),
        ({"type": "integer", "anyOf": [{"type": "string"}]}, {"type": "integer"}),
        ({"type": ["integer", "null"], "oneOf": [{"type": "string"}, {"type": "null"}]}, {"type": ["integer", "null"]}),
        ({"type": "number", "anyOf": [{"type": "integer"}]}, None),
        ({"type": "string", "anyOf": [{"maxLength": 3}]}, None),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None),
    ],
)
def test_a_type_outlives_a_union_that_refuses_it(schema: Any, after: Any) -> None:
    before = document(schema)
    assert (after or schema) == patched(before, "it", contradictory(before))["components"]["schemas"]["it"]
