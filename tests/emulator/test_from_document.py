"""Operations of imported versions that no handler knows, and answers that another document wants otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.evidence.exchange import Response
from conformance.requests.request import Request
from conformance.schema.completion import NOTHING, Completion
from conformance.schema.validators import validator_for
from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spectools.importing import import_file

GADGET = {
    "type": "object",
    "required": ["id", "object", "colour", "parts", "made"],
    "properties": {
        "id": {"type": "string"},
        "object": {"type": "string", "enum": ["gadget"]},
        "colour": {"type": "string", "enum": ["red", "blue"]},
        "parts": {"type": "array", "minItems": 2, "items": {"$ref": "#/components/schemas/part"}},
        "made": {"type": "string", "format": "date-time"},
        "inside": {"$ref": "#/components/schemas/gadget"},
    },
}
PART = {
    "oneOf": [
        {
            "type": "object",
            "required": ["kind", "size"],
            "properties": {"kind": {"const": "wheel"}, "size": {"type": "integer", "minimum": 3}},
        },
        {
            "type": "object",
            "required": ["kind", "of"],
            "properties": {
                "kind": {"const": "box"},
                "of": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/part"}},
            },
        },
    ]
}
FAULT = {"type": "object", "required": ["error", "trace"], "properties": {"error": {}, "trace": {"type": "string"}}}


def answers(status: str, schema: Any = None, kind: str = "application/json") -> dict[str, Any]:
    good = {"description": "d", **({"content": {kind: {"schema": schema}}} if schema is not None else {})}
    fault = {"description": "d", "content": {"application/json": {"schema": FAULT}}}
    return {"responses": {status: good, "default": fault}}


def body(schema: Any) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


REF = {"$ref": "#/components/schemas/gadget"}
WISH = {"type": "object", "required": ["colour"], "properties": {"colour": GADGET["properties"]["colour"]}}  # type: ignore[index]  # a dict
LIST = {
    "type": "object",
    "required": ["data", "first_id"],
    "properties": {"data": {"type": "array", "items": REF}, "first_id": {"type": "string"}},
}
ONE = {"name": "gadgetId", "in": "path", "required": True, "schema": {"type": "string"}}
DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Gadgets", "version": "1"},
    "servers": [{"url": "https://example.org/openai/v1"}],
    "paths": {
        "/gadgets": {"post": {**body(WISH), **answers("201", REF)}, "get": answers("200", LIST)},
        "/gadgets/{gadgetId}": {
            "parameters": [ONE],
            "get": answers("200", REF),
            "post": {**body(WISH), **answers("200", REF)},
            "delete": answers("204"),
        },
        "/gadgets/{gadgetId}/picture": {
            "parameters": [ONE],
            "get": answers("200", {"type": "string", "format": "binary"}, "image/png"),
        },
        "/gadgets/{gadgetId}/watch": {"parameters": [ONE], "get": answers("200", REF, "text/event-stream")},
        "/pictures": {
            "post": {
                **body({"type": "object", "properties": {"model": {"type": "string"}, "n": {"type": "integer"}}}),
                **answers(
                    "200",
                    {"type": "object", "required": ["data"], "properties": {"data": {"type": "array", "items": REF}}},
                ),
            }
        },
        "/models": {
            "get": answers(
                "200",
                {
                    "type": "object",
                    "required": ["data", "extra"],
                    "properties": {
                        "data": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["size"],
                                "properties": {
                                    "id": {"type": "integer"},
                                    "size": {"type": "number", "exclusiveMinimum": 0},
                                },
                            },
                        },
                        "extra": {"type": "string", "nullable": True},
                    },
                },
            )
        },
    },
    "components": {"schemas": {"gadget": GADGET, "part": PART}},
}


@pytest.fixture
def app(tmp_path: Path) -> App:
    file = tmp_path / "gadgets.json"
    file.write_text(json.dumps(DOCUMENT), encoding="utf-8")
    import_file(file, "gadgets", tmp_path / "versions")
    return App.of("gadgets", settings=Settings(key="k"), folder=tmp_path / "versions")


def ask(app: App, method: str, path: str, value: Any = None) -> Response:
    headers = (("api-key", "k"), ("content-type", "application/json"))
    return app.handle(
        Request(
            method, f"http://127.0.0.1/openai/v1{path}", headers, b"" if value is None else json.dumps(value).encode()
        )
    )


def valid(app: App, operation: str, answer: Response) -> Any:
    spec = app.specs[0]
    media = (operations_of(spec)[operation].answer(answer.status) or {})["application/json"]
    assert validator_for(spec, media.pointer).errors(answer.json) == ()
    return answer.json


def test_what_is_created_is_kept_until_it_is_deleted(app: App) -> None:
    made = ask(app, "POST", "/gadgets", {"colour": "blue"})
    assert made.status == 201
    value = valid(app, "gadgets.create", made)
    assert value["colour"] == "blue"
    path = f"/gadgets/{value['id']}"
    assert ask(app, "GET", path).json == value
    assert valid(app, "gadgets.list", ask(app, "GET", "/gadgets"))["data"] == [value]
    changed = valid(app, "gadgets.modify", ask(app, "POST", path, {"colour": "red"}))
    assert changed == {**value, "colour": "red"}
    gone = ask(app, "DELETE", path)
    assert (gone.status, gone.body) == (204, b"")
    assert ask(app, "GET", path).status == 404
    empty = valid(app, "gadgets.list", ask(app, "GET", "/gadgets"))
    assert (empty["data"], empty["first_id"]) == ([], "")


@pytest.mark.parametrize(
    ("status", "method", "path", "value"),
    [
        (404, "GET", "/gadgets/none", None),
        (404, "POST", "/gadgets/none", {"colour": "red"}),
        (404, "DELETE", "/gadgets/none", None),
        (404, "GET", "/gadgets/none/picture", None),
        (400, "POST", "/gadgets", {"colour": "green"}),
        (400, "POST", "/gadgets", {}),
        (400, "POST", "/gadgets", None),
        (405, "DELETE", "/gadgets", None),
        (404, "GET", "/elsewhere", None),
    ],
)
def test_what_is_wrong_is_refused(status: int, method: str, path: str, value: Any, app: App) -> None:
    answer = ask(app, method, path, value)
    assert answer.status == status
    assert answer.json["error"]["message"]


def test_errors_have_the_documented_form(app: App) -> None:
    answer = ask(app, "POST", "/gadgets", {})
    assert set(valid(app, "gadgets.create", answer)) == {"error", "trace"}


def test_other_media_types(app: App) -> None:
    made = ask(app, "POST", "/gadgets", {"colour": "red"}).json
    picture = ask(app, "GET", f"/gadgets/{made['id']}/picture")
    assert picture.media_type == "image/png"
    assert picture.body
    stream = ask(app, "GET", f"/gadgets/{made['id']}/watch")
    assert stream.media_type == "text/event-stream"
    line = next(line for line in stream.body.decode().splitlines() if line.startswith("data: "))
    assert json.loads(line.removeprefix("data: "))["object"] == "gadget"


def test_an_object_of_another_parent_is_another_object(app: App) -> None:
    app.store.collection("parts", "elsewhere").put("shared", {"id": "shared"})
    app.store.collection("things").put("shared", {"id": "shared", "colour": "red"})
    assert ask(app, "DELETE", "/gadgets/shared").status == 204
    assert "shared" in app.store.collection("parts", "elsewhere")
    assert ask(app, "GET", "/gadgets/shared").status == 404


def test_as_many_results_as_asked_for(app: App) -> None:
    drawn = valid(app, "pictures.create", ask(app, "POST", "/pictures", {"n": 3}))
    assert [one["object"] for one in drawn["data"]] == ["gadget"] * 3
    assert ask(app, "POST", "/pictures", {"model": "gpt-4o"}).status == 200
    assert ask(app, "POST", "/pictures", {"model": "of-nobody"}).status == 404


def test_answers_of_handlers_take_the_form_of_the_document(app: App) -> None:
    models = valid(app, "models.list", ask(app, "GET", "/models"))
    assert len(models["data"]) > 1


@pytest.mark.parametrize(
    ("expected", "schema", "value"),
    [
        ("a", {"type": "string"}, "a"),
        ("ab", {"type": "string", "maxLength": 2}, "abc"),
        ("7", {"type": "string"}, 7),
        ("", {"type": "string"}, None),
        (None, {"type": ["string", "null"]}, None),
        (3, {"type": "integer", "minimum": 3}, NOTHING),
        (2, {"type": "integer"}, 2.5),
        ("b", {"enum": [None, "b"]}, "c"),
        ({"a": 1}, {"properties": {"a": {"type": "integer"}}, "additionalProperties": False}, {"a": 1, "b": 2}),
        ({"a": 1}, {"properties": {"a": {"type": "integer"}}, "unevaluatedProperties": False}, {"a": 1, "b": 2}),
        ({"b": "2"}, {"type": "object", "unevaluatedProperties": {"type": "string"}}, {"b": 2}),
        (
            {"k": "y", "n": 0},
            {
                "oneOf": [
                    {"type": "object", "required": ["k"], "properties": {"k": {"const": "x"}}},
                    {
                        "type": "object",
                        "required": ["k", "n"],
                        "properties": {"k": {"const": "y"}, "n": {"type": "integer"}},
                    },
                ]
            },
            {"k": "y"},
        ),
        (
            {"a": "text", "b": 0},
            {
                "allOf": [
                    {"required": ["a"], "properties": {"a": {"type": "string"}}},
                    {"required": ["b"], "properties": {"b": {"type": "integer"}}},
                ]
            },
            {},
        ),
        ([1, 0], {"type": "array", "minItems": 2, "items": {"type": "integer"}}, [1]),
        ([1], {"type": "array", "maxItems": 1, "items": {"type": "integer"}}, [1, 2]),
        ([], {"type": "array", "items": {"type": "integer"}}, "no list"),
    ],
)
def test_values_keep_what_fits(expected: Any, schema: Any, value: Any) -> None:
    completion = Completion(load("2024-10-21"))
    assert expected == completion.complete(schema, value)
    assert completion.fits(schema, expected)


@pytest.mark.parametrize(
    ("wanted", "given"),
    [("completed", "incomplete"), ("queued", NOTHING), ("failed", "failed"), ("queued", "validating_files")],
)
def test_a_state_that_a_document_lacks_becomes_the_nearest_one(wanted: str, given: Any) -> None:
    """A run that ended can't be queued for ever because its document doesn't know how it ended."""
    states = {"type": "string", "enum": ["queued", "in_progress", "failed", "completed"]}
    assert wanted == Completion(load("2024-06-01")).complete(states, given)
