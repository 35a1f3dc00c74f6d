"""Fixtures that call an emulator without a socket, and a small api-version whose schemas the tests know."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.call import Documented
from conformance.emulator.documented_fields import Shape
from conformance.emulator.store import Clock
from conformance.evidence.exchange import Response
from conformance.requests.request import Request
from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

KEY = "emulator-key"

Ask = Callable[..., Response]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``chat_version`` and its like stand for every version of the checkout that documents the operation."""
    wanted = {
        "chat_version": "chat.completions.create",
        "completions_version": "completions.create",
        "embeddings_version": "embeddings.create",
        "images_version": "images.generations.create",
        "speech_version": "audio.speech.create",
        "transcriptions_version": "audio.transcriptions.create",
        "any_version": "",
    }
    for name, operation in wanted.items():
        if name in metafunc.fixturenames:
            serving = [one for one in versions() if not operation or operation in operations_of(load(one))]
            metafunc.parametrize(name, serving)


def body_of(version: str, operation: str) -> Shape:
    """What a version documents for the body of an operation."""
    spec = load(version)
    return Documented(spec, operations_of(spec)[operation]).body


@pytest.fixture
def documented() -> Callable[[str, str], Shape]:
    return body_of


def asking(app: App) -> Ask:
    """``ask(method, path, body, headers=…, key=…, **query)`` with a JSON body unless it is bytes."""

    def ask(
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        key: str | None = KEY,
        **query: str,
    ) -> Response:
        sent = {"content-type": "application/json"} if body is not None else {}
        if key is not None:
            sent["api-key"] = key
        sent |= headers or {}
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        text = "&".join(f"{name.replace('_', '-') if name == 'api_version' else name}={v}" for name, v in query.items())
        url = f"http://emulator{path}" + (f"?{text}" if text else "")
        return app.handle(Request(method, url, tuple(sent.items()), data))

    return ask


@pytest.fixture
def ask_of() -> Callable[[App], Ask]:
    return asking


@cache
def served(version: str, settings: Settings) -> App:
    """One emulator per version and settings: compiling validators anew for each test would be most of the time."""
    return App([load(version)], settings, Clock.fixed())


@pytest.fixture
def inference() -> Callable[..., Response]:
    """``inference(version, operation path below the deployment, deployment, body, settings)`` on an emulator."""

    def call(
        version: str, path: str, deployment: str, body: dict[str, Any], settings: Settings | None = None
    ) -> Response:
        app = served(version, settings or Settings())
        spec = app.specs[0]
        accepted = spec.api_version.accepted[0]
        if spec.surface == "v1":
            return asking(app)("POST", f"{spec.base_path}{path}", {"model": deployment, **body})
        return asking(app)("POST", f"{spec.base_path}/deployments/{deployment}{path}", body, api_version=accepted)

    return call


def _operation(id: str, body: Any = None, answer: Any = None, parameters: Any = ()) -> dict[str, Any]:
    content = {"application/json": {"schema": answer or {"type": "object"}}}
    made: dict[str, Any] = {
        "operationId": id,
        "tags": [id.split(".", maxsplit=1)[0]],
        "parameters": list(parameters),
        "responses": {"200": {"description": "Success", "content": content}},
    }
    if body is not None:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return made


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


ASSISTANT = {
    "type": "object",
    "required": ["model"],
    "properties": {
        "model": {"type": "string"},
        "name": {"type": ["string", "null"], "maxLength": 8},
        "temperature": {"type": "number", "maximum": 2},
        "metadata": {"type": "object", "maxProperties": 2, "additionalProperties": {"type": "string"}},
    },
}
ANSWER = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "object": {"type": "string", "enum": ["assistant"]},
        "created_at": {"type": "integer"},
        "model": {"type": "string"},
        "name": {"type": ["string", "null"]},
        "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
LIMIT = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 3}}
ORDER = {"name": "order", "in": "query", "schema": {"type": "string", "enum": ["asc", "desc"]}}
CURSORS = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("after", "before")]
PATHS = {
    "/assistants": {
        "get": _operation(
            "assistants.list",
            answer={
                "type": "object",
                "properties": {
                    "object": {"type": "string"},
                    "data": {"type": "array", "items": ANSWER},
                    "first_id": {"type": ["string", "null"]},
                    "last_id": {"type": ["string", "null"]},
                    "has_more": {"type": "boolean"},
                },
            },
            parameters=[LIMIT, ORDER, *CURSORS],
        ),
        "post": _operation("assistants.create", {"$ref": "#/components/schemas/assistant"}, ANSWER),
    },
    "/assistants/{assistant_id}": {
        "get": _operation("assistants.get", answer=ANSWER, parameters=[_path("assistant_id")]),
        "delete": _operation("assistants.delete", parameters=[_path("assistant_id")]),
    },
    "/deployments/{deployment-id}/embeddings": {
        "post": _operation(
            "embeddings.create",
            {"type": "object", "required": ["input"], "properties": {"input": {"type": "string"}}},
            parameters=[_path("deployment-id")],
        )
    },
    "/nothing": {"get": _operation("nothing.list")},
}
CLAUSE = """
[[clause]]
id = "name-needs-temperature"
text = "A name is used only with a temperature."
source = "this test"
provenance = "docs"
keyword = "MUST"
operations = ["assistants.create"]
state = "planned"
[clause.rule]
pointer = ""
schema = '''{"if": {"required": ["name"]}, "then": {"required": ["temperature"]}}'''
break = '''{"name": "x", "temperature": null}'''
"""


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., Spec]:
    """``small(label, surface=…, base=…, location=…)``: a version with a few operations that the test knows whole."""

    def make(
        label: str, *, surface: str = "dated", base: str = "/openai", location: str = "query", accepted: Any = None
    ) -> Spec:
        folder = tmp_path / label
        folder.mkdir()
        document = {
            "openapi": "3.1.0",
            "info": {"title": "small", "version": label},
            "paths": PATHS,
            "components": {"schemas": {"assistant": ASSISTANT}},
        }
        (folder / "openapi.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(document))), "utf-8")
        (folder / "clauses.toml").write_text(CLAUSE, "utf-8")
        (folder / "version.toml").write_text(
            f'label = "{label}"\nstatus = "preview"\nlive = "no"\nsurface = "{surface}"\nbase_path = "{base}"\n'
            "complete = true\ngaps = []\nfeatures = []\n"
            '[[source]]\ntitle = "made up"\ndocument = "this test"\n'
            f'[api_version]\nin = "{location}"\nrequired = {str(surface == "dated").lower()}\n'
            f"accepted = {json.dumps(accepted or [label])}\nunknown = {404 if surface == 'dated' else 400}\n",
            "utf-8",
        )
        return load(label, tmp_path)

    return make
