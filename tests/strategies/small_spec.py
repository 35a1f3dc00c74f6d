"""A small version of our own: an operation that no template knows, a union, bounds, a form and a rule."""

from __future__ import annotations

from typing import Any

from conformance.spec.spec import ApiVersion, Clause, Rule, Spec

BODY: dict[str, Any] = {
    "type": "object",
    "required": ["kind", "count"],
    "properties": {
        "kind": {"type": "string", "enum": ["small", "large"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "label": {"type": ["string", "null"], "minLength": 2, "maxLength": 5},
        "code": {"type": "string", "pattern": "^[a-z]+$"},
        "parts": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"$ref": "#/components/schemas/Part"}},
        "flag": {"type": "boolean"},
        "odd_field": {"type": "string"},
    },
}

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "small", "version": "small"},
    "paths": {
        "/widgets": {
            "post": {
                "operationId": "widgets.create",
                "tags": ["widgets"],
                "requestBody": {"required": True, "content": {"application/json": {"schema": BODY}}},
                "responses": {"200": {"description": "OK"}},
            },
            "get": {
                "operationId": "widgets.list",
                "tags": ["widgets"],
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 5}}
                ],
                "responses": {"200": {"description": "OK"}},
            },
        },
        "/widgets/{widget_id}": {
            "delete": {
                "operationId": "widgets.delete",
                "tags": ["widgets"],
                "parameters": [{"name": "widget_id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "OK"}},
            },
        },
    },
    "components": {
        "schemas": {
            "Part": {
                "oneOf": [{"$ref": "#/components/schemas/Round"}, {"$ref": "#/components/schemas/Square"}],
                "discriminator": {
                    "propertyName": "type",
                    "mapping": {"round": "#/components/schemas/Round", "square": "#/components/schemas/Square"},
                },
            },
            "Round": {
                "type": "object",
                "required": ["type", "radius"],
                "properties": {"type": {"const": "round"}, "radius": {"type": "number", "exclusiveMinimum": 0}},
            },
            "Square": {
                "type": "object",
                "required": ["type"],
                "properties": {"type": {"const": "square"}, "side": {"type": "integer", "minimum": 1}},
            },
        }
    },
}

#: ``code`` is used only with ``flag`` true.
RULE = Rule(
    schema={"if": {"required": ["code"]}, "then": {"required": ["flag"], "properties": {"flag": {"const": True}}}},
    breaks={"code": "abc", "flag": False},
)


def small(**changes: Any) -> Spec:
    """The version as a Spec."""
    values: dict[str, Any] = {
        "version": "small",
        "status": "preview",
        "surface": "dated",
        "base_path": "",
        "api_version": ApiVersion(accepted=("small",)),
        "faithful": DOCUMENT,
        "document": DOCUMENT,
        "digest": "small",
        "clauses": (Clause("code-needs-flag", "…", "test", "docs", "SHOULD", ("widgets.create",), rule=RULE),),
        **changes,
    }
    return Spec(**values)
