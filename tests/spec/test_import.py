"""``spec import`` of whole documents: their kinds, operations, paths and answers become ours."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from import_documents import imported, schema_of, three

from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spectools.importing import import_file


def test_swagger_two(tmp_path: Path) -> None:
    document = {
        "swagger": "2.0",
        "info": {"title": "t", "version": "1"},
        "host": "example.org",
        "basePath": "/openai",
        "definitions": {"file": {"type": "object", "properties": {"id": {"type": "string", "x-nullable": True}}}},
        "paths": {
            "/files": {
                "post": {
                    "consumes": ["multipart/form-data"],
                    "parameters": [
                        {"in": "formData", "name": "file", "type": "file", "required": True},
                        {"in": "formData", "name": "purpose", "type": "string", "enum": ["a"]},
                        {"in": "query", "name": "api-version", "type": "string", "required": True},
                    ],
                    "responses": {"201": {"description": "d", "schema": {"$ref": "#/definitions/file"}}},
                }
            }
        },
    }
    made = imported(document, tmp_path)
    operation = made["paths"]["/files"]["post"]
    assert operation["operationId"] == "files.upload"
    schema = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert schema["properties"]["file"] == {"type": "string", "format": "binary"}
    assert schema["required"] == ["file"]
    assert made["components"]["schemas"]["file"]["properties"]["id"] == {"type": ["string", "null"]}
    spec = load("mine", tmp_path / "versions")
    assert (spec.base_path, spec.api_version.location, spec.api_version.required) == ("/openai", "query", True)


@pytest.mark.parametrize("version", ["3.0.0", "3.1.0", "3.1.1", "3.2.0"])
def test_kinds_of_documents(version: str, tmp_path: Path) -> None:
    document = three({"type": "object"}, openapi=version)
    assert schema_of(imported(document, tmp_path)) == {"type": "object"}


def test_streams_are_split_from_plain_answers(tmp_path: Path) -> None:
    chunk = {"type": "object", "properties": {"object": {"type": "string", "enum": ["chat.completion.chunk"]}}}
    plain = {"type": "object", "properties": {"object": {"type": "string", "enum": ["chat.completion"]}}}
    document = three({"type": "object", "properties": {"stream": {"type": "boolean"}}})
    operation = document["paths"].pop("/deployments/{id}/embeddings")["post"]
    operation["responses"]["200"]["content"]["application/json"]["schema"] = {"oneOf": [plain, chunk]}
    document["paths"]["/deployments/{id}/chat/completions"] = {"post": operation}
    made = imported(document, tmp_path)["paths"]["/deployments/{deployment-id}/chat/completions"]["post"]
    content = made["responses"]["200"]["content"]
    assert content["application/json"]["schema"] == plain
    assert content["text/event-stream"]["schema"]["properties"]["data"]["contentSchema"] == chunk
    assert content["text/event-stream"]["x-stream"] == {"protocol": "chat-chunks", "done": "[DONE]"}
    assert made["x-stream-when"] == {"pointer": "/stream", "value": True}


def test_unknown_operations_get_a_name_and_a_note(tmp_path: Path) -> None:
    document = three({"type": "object"})
    document["paths"]["/gadgets/{gadgetId}/spin"] = document["paths"].pop("/deployments/{id}/embeddings")
    file = tmp_path / "document.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    done = import_file(file, "mine", tmp_path / "versions")
    assert [*operations_of(load("mine", tmp_path / "versions"))] == ["gadgets.spin"]
    assert any("gadgets.spin" in note for note in done.notes)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("/threads/{threadId}", "/threads/{thread_id}"),
        ("/threads/{tid}/gadgets", "/threads/{thread_id}/gadgets"),
        ("/threads/{id}/gadgets/{id2}", "/threads/{thread_id}/gadgets/{id2}"),
        ("/gadgets/{gadgetId}/spin", "/gadgets/{gadget_id}/spin"),
        ("/gadgets/{id}", "/gadgets/{gadget_id}"),
        ("/deployments/{id}/embeddings", "/deployments/{deployment-id}/embeddings"),
    ],
)
def test_parameters_of_paths_are_called_as_in_known_versions(theirs: str, ours: str, tmp_path: Path) -> None:
    document = three({"type": "object"})
    document["paths"] |= {
        "/threads": {"post": {"responses": {"200": {"description": "d"}}}},
        theirs: {"post": {"responses": {"200": {"description": "d"}}}},
    }
    made = imported(document, tmp_path)["paths"]
    assert ours in made
    names = [p["name"] for p in made[ours]["post"]["parameters"] if p["in"] == "path"]
    assert sorted(names) == sorted(re.findall(r"\{([^}]*)\}", ours))


def test_scalars_are_those_of_yaml_1_2(tmp_path: Path) -> None:
    """``on`` and ``1:30`` are texts, and stay so when the version is written and read again."""
    words = ["on", "no", "1:30", "1_0", "2024-01-01", "1e3x"]
    text = json.dumps(three({"type": "object", "properties": {"input": {"enum": ["WORDS"]}}}))
    file = tmp_path / "document.yaml"
    file.write_text("# YAML\n" + text.replace('"WORDS"', ", ".join([*words, "1e3", "010"])), encoding="utf-8")
    import_file(file, "mine", tmp_path / "versions")
    schema = schema_of(dict(load("mine", tmp_path / "versions").faithful))
    assert [*words, 1000.0, 10] == schema["properties"]["input"]["enum"]


def test_texts_that_look_like_numbers_stay_texts(tmp_path: Path) -> None:
    words = ["1e3", "0o7", "010", "1:30", "on", "true", "null", ".5", "3."]
    schema = schema_of(imported(three({"type": "object", "properties": {"input": {"enum": words}}}), tmp_path))
    assert words == schema["properties"]["input"]["enum"]


def test_a_value_of_an_enum_is_kept_once(tmp_path: Path) -> None:
    """1 and 1.0 are equal, 1 and true are not (JSON Schema, section 4.2.2). Fifty thousand values are no trouble."""
    values = [1, True, 1.0, "a", {"b": 1}, {"b": 1}, None, "a", *(f"v{n}" for n in range(50_000))]
    schema = schema_of(imported(three({"type": "object", "properties": {"input": {"enum": values}}}), tmp_path))
    kept = [1, True, "a", {"b": 1}, None, *values[8:]]
    assert [(type(one), one) for one in kept] == [(type(one), one) for one in schema["properties"]["input"]["enum"]]


TEXT: dict[str, Any] = {"type": "object", "required": ["input"], "properties": {"input": {"type": "string"}}}


@pytest.mark.parametrize(
    ("kinds", "demanded"),
    [
        pytest.param({"application/json": TEXT}, ["input"], id="the same request as JSON"),
        pytest.param({"application/json": {"allOf": [TEXT, {"type": "object"}]}}, ["input"], id="of parts"),
        pytest.param({"application/json": {"oneOf": [TEXT, {"type": "object"}]}}, ["input"], id="of branches"),
        pytest.param({"application/json": {"type": "object"}}, ["input", "mask"], id="JSON that names nothing"),
        pytest.param({}, ["input", "mask"], id="a form alone"),
    ],
)
def test_a_form_demands_no_more_than_the_json_of_the_same_request(
    tmp_path: Path, kinds: dict[str, Any], demanded: list[str]
) -> None:
    """Clients send a form whether there is a file or not; a form alone may demand its file."""
    form = {**TEXT, "required": ["input", "mask"], "properties": {**TEXT["properties"], "mask": {"type": "string"}}}
    document = three(TEXT)
    (item,) = document["paths"].values()
    schemas = {**kinds, "multipart/form-data": form}
    item["post"]["requestBody"]["content"] = {kind: {"schema": schema} for kind, schema in schemas.items()}
    imported(document, tmp_path)
    (operation,) = operations_of(load("mine", tmp_path / "versions")).values()
    assert demanded == operation.body["multipart/form-data"].schema["required"]


def test_bytes_are_not_json(tmp_path: Path) -> None:
    document = three({"type": "object"})
    answer = {
        "200": {"description": "d", "content": {"application/json": {"schema": {"type": "string", "format": "byte"}}}}
    }
    document["paths"] |= {
        "/files/{id}/content": {"get": {"responses": answer}},
        "/gadgets": {"get": {"responses": answer}},
    }
    made = imported(document, tmp_path)["paths"]
    for path in ("/files/{file_id}/content", "/gadgets"):
        found = made[path]["get"]["responses"]["200"]["content"]
        assert {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}} == found
