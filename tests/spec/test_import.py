"""``spec import``: published documents of every kind become versions; what can't be one is refused with the reason."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from conformance.cli import main
from conformance.corpus.corpus import build_corpus
from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.errors import UsageError
from conformance.requests.request import Request
from conformance.scenarios.registry import scenarios_of
from conformance.spec.loading import load, versions
from conformance.spec.openapi import form_problems, places
from conformance.spec.operations import operations_of
from conformance.spectools import importing
from conformance.spectools.importing import import_file

OFFICIAL = [
    ("2024-02-01.json", "2024-02-01", 6),
    ("2024-05-01-preview.json", "2024-05-01-preview", 42),
    ("2024-06-01.json", "2024-06-01", 6),
    ("2024-10-21.json", "2024-10-21", 6),
    ("2024-10-21.yaml", "2024-10-21", 6),
    ("2025-04-01-preview.yaml", "2025-04-01-preview", 52),
    ("assistants-2024-05-01-preview.json", "2024-05-01-preview", 40),
    ("authoring-2024-05-01-preview.json", "2024-05-01-preview", 20),
    ("v1-preview.json", "v1-preview", 118),
    ("v1.yaml", "v1", 106),
]


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


@pytest.mark.parametrize(("file", "label", "count"), OFFICIAL)
def test_published_documents(file: str, label: str, count: int, shared: Path, tmp_path: Path) -> None:
    done = import_file(shared / "official-specs" / file, label, tmp_path)
    spec = load(label, tmp_path)
    assert done.operations == len(operations_of(spec)) == count
    assert done.nearest
    assert done.clauses > 0
    assert list(OpenAPIV31SpecValidator(dict(spec.document)).iter_errors()) == []
    assert list(form_problems(spec.faithful)) == []
    names = [scenario.id for scenario in scenarios_of(spec, "standard")]
    assert sorted(set(names)) == sorted(names)
    told = [
        place.pointer
        for place in places(spec.faithful)
        if isinstance(place.node, dict) and place.kind != "response"
        if {"description", "title", "summary"} & set(place.node)
    ]
    assert told == ["/info"]


@pytest.mark.parametrize(
    ("file", "label"),
    [
        ("2024-02-01.json", "2024-02-01"),
        ("2025-04-01-preview.yaml", "2025-04-01-preview"),
        ("v1-preview.json", "v1-preview"),
    ],
)
def test_the_emulator_routes_an_imported_version(file: str, label: str, shared: Path, tmp_path: Path) -> None:
    """Every path of the version is served: by a handler, or by its document alone."""
    import_file(shared / "official-specs" / file, label, tmp_path)
    spec = load(label, tmp_path)
    app = App.of(label, settings=Settings(key="k"), folder=tmp_path)
    query = f"?api-version={spec.api_version.accepted[0]}"
    for operation in operations_of(spec).values():
        path = operation.path.replace("{deployment-id}", next(iter(app.settings.by_name)))
        url = f"http://127.0.0.1{spec.base_path}{path.replace('{', '').replace('}', '')}{query}"
        answer = app.handle(
            Request(operation.method, url, (("api-key", "k"), ("content-type", "application/json")), b"{}")
        )
        assert answer.status < 500, operation.id
        assert b"Resource not found" not in answer.body, operation.id


@pytest.mark.parametrize(
    ("file", "label", "profile"),
    [
        ("v1.yaml", "v1", "smoke"),
        *(
            pytest.param(file, label, profile, marks=pytest.mark.deep)
            for file, label, _ in OFFICIAL
            for profile in ("standard", "exhaustive")
        ),
    ],
)
def test_requests_of_published_documents_can_be_derived(
    file: str, label: str, profile: str, shared: Path, tmp_path: Path
) -> None:
    import_file(shared / "official-specs" / file, label, tmp_path)
    spec = load(label, tmp_path)
    assert len(build_corpus(spec, profile, cached=False)) > 0


def test_a_name_that_two_parts_require_is_required_once(tmp_path: Path) -> None:
    part = {"type": "object", "required": ["role"], "properties": {"role": {"type": "string"}}}
    item = {"anyOf": [{"allOf": [part, {**part, "properties": {}}]}, {"type": "string"}]}
    body = {"type": "object", "required": ["input"], "properties": {"input": {"type": "array", "items": item}}}
    imported(three(body), tmp_path)
    assert len(build_corpus(load("mine", tmp_path / "versions"), "standard", cached=False)) > 0


def test_the_suite_loads_what_was_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    imported(three({"type": "object", "properties": {"input": {"type": "string"}}}), tmp_path)
    capsys.readouterr()
    assert main(["list", "operations", "--api-version", "mine", "--specs", str(tmp_path / "versions"), "--json"]) == 0
    assert [row["operation"] for row in json.loads(capsys.readouterr().out)] == ["embeddings.create"]


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


OUTSIDE = {"type": "object", "properties": {"a": {"$ref": "http://example.org/x.json#/a"}}}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (json.dumps(three(OUTSIDE)), "http://example.org/x.json#/a"),
        (json.dumps(three({"$ref": "other.json"})), "other.json"),
        ("[1, 2]", "holds no object"),
        ("{}", "neither openapi nor swagger"),
        ('{"openapi": "4.0.0", "paths": {"/a": {}}}', "4.0.0"),
        ('{"openapi": "3.0.0", "paths": {}}', "without paths"),
        ('{"openapi": "3.0.0", "paths": {"/a": {}}}', "no operation"),
        ("a: [", "neither JSON nor YAML"),
        ("\x00\x01", "neither JSON nor YAML"),
        ("a: &a [*a]", "leads into itself"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("- " * 100_000, "nested too deeply"),
        ("[" * 100_000 + "a: b", "nested too deeply"),
    ],
)
def test_what_can_not_be_imported_is_refused(
    content: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "document"
    file.write_text(content, encoding="utf-8")
    assert main(["spec", "import", str(file), "--as", "mine", "--specs", str(tmp_path / "versions")]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert str(file) in error
    assert not (tmp_path / "versions" / "mine").exists()


def test_the_size_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert importing.MOST_BYTES == 50 * 1024 * 1024
    monkeypatch.setattr(importing, "MOST_BYTES", 10)
    (tmp_path / "document").write_text(json.dumps(three({})))
    with pytest.raises(UsageError, match="the limit is 10"):
        import_file(tmp_path / "document", "mine", tmp_path / "versions")


@pytest.mark.parametrize("label", ["../evil", "a/b", "..", ""])
def test_labels_stay_in_the_folder(label: str, tmp_path: Path) -> None:
    (tmp_path / "document").write_text(json.dumps(three({})))
    with pytest.raises(UsageError, match="name of a folder"):
        import_file(tmp_path / "document", label, tmp_path / "versions")


def test_a_version_that_is_there_is_kept(tmp_path: Path) -> None:
    imported(three({"type": "object"}), tmp_path)
    with pytest.raises(UsageError, match="--force"):
        imported(three({"type": "object"}), tmp_path)


@pytest.mark.parametrize("version", [version for version in versions() if not load(version).extends])
def test_what_show_prints_can_be_imported(version: str, tmp_path: Path) -> None:
    """Round trip: operations, streams and features of requests survive."""
    ours = load(version)
    (tmp_path / "document.json").write_text(json.dumps(ours.document), encoding="utf-8")
    done = import_file(tmp_path / "document.json", version, tmp_path / "versions")
    theirs = load(version, tmp_path / "versions")
    assert done.nearest == version
    assert (theirs.base_path, theirs.surface) == (ours.base_path, ours.surface)
    streams = {id: op.stream and (op.stream.protocol, op.stream.done) for id, op in operations_of(ours).items()}
    assert {
        id: op.stream and (op.stream.protocol, op.stream.done) for id, op in operations_of(theirs).items()
    } == streams


def test_a_smoke_run_of_an_imported_version(tmp_path: Path) -> None:
    """The embedded emulator gets the same folder and serves the version under its new name."""
    document = json.loads(json.dumps(load("2024-10-21").document))
    (tmp_path / "document.json").write_text(json.dumps(document), encoding="utf-8")
    import_file(tmp_path / "document.json", "2024-11-11", tmp_path / "versions")
    options = ["--api-version", "2024-11-11", "--specs", str(tmp_path / "versions"), "--profile", "smoke"]
    command = [sys.executable, "-m", "conformance", "run", *options, "--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2024-11-11: conformant in its scope (profile smoke). 6 operations" in done.stdout
    assert (tmp_path / "out" / "2024-11-11" / "report.jsonl").is_file()
