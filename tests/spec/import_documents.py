"""Small documents that tests import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conformance.spec.loading import load
from conformance.spectools.importing import import_file


def schema_of(document: dict[str, Any]) -> dict[str, Any]:
    """The request schema of the one operation."""
    (item,) = document["paths"].values()
    (operation,) = item.values()
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    name = schema.get("$ref", "").rpartition("/")[2]
    return dict(document["components"]["schemas"][name] if name else schema)


def three(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An OpenAPI document with one operation that takes a schema."""
    operation = {
        "operationId": "Whatever_Create",
        "summary": "Prose that is not kept.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {
            "200": {"description": "Prose.", "content": {"application/json": {"schema": {"type": "object"}}}}
        },
    }
    servers = [{"url": "https://{endpoint}/openai"}]
    paths = {"/deployments/{id}/embeddings": {"post": operation}}
    return {"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "servers": servers, "paths": paths} | more


def imported(document: Any, folder: Path, label: str = "mine") -> dict[str, Any]:
    """Import a document and give the faithful one."""
    file = folder / "document.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    import_file(file, label, folder / "versions")
    return dict(load(label, folder / "versions").faithful)
