"""``spec import`` of schemas: every way to write one takes our form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from import_documents import imported, schema_of, three

from conformance.corpus.corpus import build_corpus
from conformance.spec.loading import load


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "x-nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": True, "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"type": "integer", "minimum": 0, "exclusiveMinimum": True}, {"type": "integer", "exclusiveMinimum": 0}),
        ({"type": "integer", "minimum": 0, "exclusiveMinimum": False}, {"type": "integer", "minimum": 0}),
        ({"type": "array"}, {"type": "array", "items": {}}),
        ({"type": "object", "additionalProperties": True}, {"type": "object"}),
        ({"type": "string", "description": "d", "title": "t", "example": "e", "x-foo": 1}, {"type": "string"}),
        ({"type": "string", "externalDocs": {"url": "u"}, "xml": {}}, {"type": "string"}),
        ({"type": "any"}, {}),
        ({"oneOf": [{"type": "string"}], "nullable": True}, {"oneOf": [{"type": "string"}, {"type": "null"}]}),
        # ``oneOf`` would refuse a null that two branches allow.
        (
            {"oneOf": [{"type": "string", "nullable": True}], "nullable": True},
            {"oneOf": [{"type": ["string", "null"]}]},
        ),
        (
            {"type": "object", "x-nullable": True, "allOf": [{"type": "object", "minProperties": 1}]},
            {"anyOf": [{"type": "object", "allOf": [{"type": "object", "minProperties": 1}]}, {"type": "null"}]},
        ),
        (
            {"type": "string", "nullable": True, "oneOf": [{"maxLength": 2}]},
            {"anyOf": [{"type": "string", "oneOf": [{"maxLength": 2}]}, {"type": "null"}]},
        ),
        ({"type": "integer", "maximum": "ten"}, {"type": "integer"}),
        (
            {"type": "object", "required": ["a"], "properties": {}, "additionalProperties": False},
            {"type": "object", "required": [], "properties": {}, "additionalProperties": False},
        ),
        ({"type": "string", "x-ref": {"$ref": "other.json#/a"}}, {"type": "string"}),
    ],
)
def test_schemas_take_our_form(theirs: dict[str, Any], ours: dict[str, Any], tmp_path: Path) -> None:
    document = imported(three({"type": "object", "properties": {"field": theirs}}), tmp_path)
    assert schema_of(document)["properties"]["field"] == ours


def test_recursive_schemas_work(tmp_path: Path) -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/node"}}}
    document = imported(three({"$ref": "#/components/schemas/node"}, components={"schemas": {"node": node}}), tmp_path)
    assert schema_of(document) == node


def test_kinds_that_inherit_become_a_union(tmp_path: Path) -> None:
    schemas = {
        "base": {
            "type": "object",
            "properties": {"kind": {"type": "string"}},
            "discriminator": {"propertyName": "kind", "mapping": {"a": "#/components/schemas/a"}},
        },
        "a": {
            "allOf": [
                {"$ref": "#/components/schemas/base"},
                {"type": "object", "properties": {"n": {"type": "integer"}}},
            ]
        },
    }
    document = imported(three({"$ref": "#/components/schemas/base"}, components={"schemas": schemas}), tmp_path)
    assert schema_of(document)["oneOf"] == [{"$ref": "#/components/schemas/a"}]
    assert schema_of(document)["discriminator"]["mapping"] == {"a": "#/components/schemas/a"}
    assert document["components"]["schemas"]["a"]["properties"]["kind"]["const"] == "a"
    assert document["components"]["schemas"]["a"]["allOf"][0] == {"$ref": "#/components/schemas/base.base"}


def test_a_field_described_by_a_base_takes_every_kind(tmp_path: Path) -> None:
    schemas = {
        "base": {
            "type": "object",
            "properties": {"kind": {"type": "string"}},
            "discriminator": {"propertyName": "kind", "mapping": {"a": "#/components/schemas/a"}},
        },
        "a": {"allOf": [{"$ref": "#/components/schemas/base"}], "properties": {"n": {"type": "integer"}}},
    }
    # A description beside a reference needs this form before OpenAPI 3.1; nothing is inherited.
    field = {"description": "Prose.", "allOf": [{"$ref": "#/components/schemas/base"}]}
    body = {"type": "object", "properties": {"one": field, "other": {**field, "nullable": True}}}
    document = imported(three(body, components={"schemas": schemas}), tmp_path)
    reference = {"$ref": "#/components/schemas/base"}
    assert schema_of(document)["properties"] == {"one": reference, "other": {"anyOf": [reference, {"type": "null"}]}}
    assert document["components"]["schemas"]["base"]["oneOf"] == [{"$ref": "#/components/schemas/a"}]


def test_a_name_that_two_parts_require_is_required_once(tmp_path: Path) -> None:
    part = {"type": "object", "required": ["role"], "properties": {"role": {"type": "string"}}}
    item = {"anyOf": [{"allOf": [part, {**part, "properties": {}}]}, {"type": "string"}]}
    body = {"type": "object", "required": ["input"], "properties": {"input": {"type": "array", "items": item}}}
    imported(three(body), tmp_path)
    assert len(build_corpus(load("mine", tmp_path / "versions"), "standard", cached=False)) > 0
