"""Converts Swagger 2.0 into OpenAPI 3: bodies, form fields, media types, definitions.

Source: the OpenAPI Specification 2.0, and the description of renamed parts in version 3.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.spec.openapi import METHODS

__all__ = ["to_three"]

#: Keywords that a Swagger 2.0 parameter has itself and an OpenAPI 3 parameter has in its schema.
_SCHEMA_KEYS = (
    *("type", "format", "items", "default", "enum", "pattern", "x-nullable", "minimum", "maximum", "exclusiveMinimum"),
    *("exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "multipleOf"),
)


def to_three(document: Mapping[str, Any]) -> dict[str, Any]:
    """The same facts as an OpenAPI 3.0 document. Descriptions and vendor keywords stay where they are."""
    made: dict[str, Any] = {
        "openapi": "3.0.3",
        "info": document.get("info", {}),
        "servers": [{"url": _server(document)}],
        "paths": {},
        "components": {"schemas": document.get("definitions", {})},
    }
    for path, item in _mapping(document.get("paths")).items():
        if isinstance(item, Mapping):
            made["paths"][path] = _item(document, item)
    moved: dict[str, Any] = _renamed(made)
    return moved


def _server(document: Mapping[str, Any]) -> str:
    """The server URL from host and base path."""
    host = _mapping(document.get("x-ms-parameterized-host")).get("hostTemplate") or document.get("host") or "{endpoint}"
    return f"{host}{document.get('basePath') or ''}".rstrip("/")


def _mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def _item(document: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """The operations of one path."""
    shared = item.get("parameters", ())
    return {
        method: _operation(document, item[method], shared)
        for method in METHODS
        if isinstance(item.get(method), Mapping)
    }


def _operation(document: Mapping[str, Any], node: Mapping[str, Any], shared: Any) -> dict[str, Any]:
    """One operation: its body and form parameters become a request body."""
    listed = [_found(document, parameter) for parameter in (*shared, *node.get("parameters", ()))]
    consumes = node.get("consumes") or document.get("consumes") or ["application/json"]
    produces = node.get("produces") or document.get("produces") or ["application/json"]
    made: dict[str, Any] = {"operationId": node.get("operationId"), "deprecated": node.get("deprecated", False)}
    made["parameters"] = [_parameter(p) for p in listed if p.get("in") in ("path", "query", "header")]
    bodies = [p for p in listed if p.get("in") == "body"]
    fields = [p for p in listed if p.get("in") == "formData"]
    if bodies:
        body = bodies[0]
        content = {kind: {"schema": body.get("schema", {})} for kind in consumes}
        made["requestBody"] = {"required": body.get("required", False), "content": content}
    elif fields:
        kinds = [kind for kind in consumes if "form" in kind] or ["multipart/form-data"]
        schema = {
            "type": "object",
            "properties": {p["name"]: _schema(p) for p in fields},
            "required": [p["name"] for p in fields if p.get("required")],
        }
        made["requestBody"] = {"required": bool(schema["required"]), "content": {k: {"schema": schema} for k in kinds}}
    made["responses"] = {
        str(status): _response(_found(document, answer), produces)
        for status, answer in _mapping(node.get("responses")).items()
        if isinstance(answer, Mapping)
    }
    return made


def _found(document: Mapping[str, Any], node: Any) -> Mapping[str, Any]:
    """The parameter or response that a reference leads to. References to other documents stay, for the importer to
    refuse.
    """
    for _ in range(16):
        ref = node.get("$ref") if isinstance(node, Mapping) else None
        if not isinstance(ref, str) or not ref.startswith("#/"):
            break
        group, _, name = ref.removeprefix("#/").partition("/")
        node = _mapping(document.get(group)).get(name, {})
    return _mapping(node)


def _schema(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter or header. A file becomes a binary string."""
    found = {key: parameter[key] for key in _SCHEMA_KEYS if key in parameter}
    if found.get("type") == "file":
        found = {"type": "string", "format": "binary"}
    return found


def _parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    """A path, query or header parameter."""
    if "$ref" in parameter:
        return dict(parameter)
    made = {key: parameter[key] for key in ("name", "in", "required") if key in parameter}
    made["schema"] = _schema(parameter)
    if made["schema"].get("type") == "array":
        made |= {"style": "form", "explode": parameter.get("collectionFormat") == "multi"}
    return made


def _response(answer: Mapping[str, Any], produces: list[str]) -> dict[str, Any]:
    """A response with its media types."""
    if "$ref" in answer:
        return dict(answer)
    made: dict[str, Any] = {"description": "", "headers": {}}
    if "schema" in answer:
        schema = answer["schema"]
        if _mapping(schema).get("type") == "file":
            kinds = [kind for kind in produces if kind != "application/json"] or ["application/octet-stream"]
            made["content"] = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}
        else:
            made["content"] = {kind: {"schema": schema} for kind in produces}
    for name, header in _mapping(answer.get("headers")).items():
        made["headers"][name] = {"schema": _schema(_mapping(header))}
    return made


def _renamed(node: Any) -> Any:
    """The document with references to definitions rewritten."""
    if isinstance(node, Mapping):
        return {
            key: value.replace("#/definitions/", "#/components/schemas/", 1)
            if key == "$ref" and isinstance(value, str)
            else _renamed(value)
            for key, value in node.items()
        }
    return [_renamed(item) for item in node] if isinstance(node, list) else node
