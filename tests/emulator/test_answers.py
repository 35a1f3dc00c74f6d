"""Every answer of the emulator to a valid request fits the version's document, by the judgement of another library."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
import pytest

from conformance.evidence.event_stream import parse
from conformance.evidence.exchange import Response
from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

HELLO = [{"role": "user", "content": "Hello, what is the weather in JSON?"}]
TOOL = {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
TOOLS = [{"type": "function", "function": TOOL}]
SEARCH = {
    "type": "azure_search",
    "parameters": {
        "endpoint": "https://a.example",
        "index_name": "i",
        "authentication": {"type": "api_key", "key": "k"},
    },
}
CHAT: list[dict[str, Any]] = [
    {},
    {"n": 2, "max_tokens": 3, "logprobs": True, "top_logprobs": 2},
    {"tools": TOOLS},
    {"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
    {"functions": [TOOL], "function_call": {"name": "get_weather"}},
    {"response_format": {"type": "json_object"}},
    {"data_sources": [SEARCH]},
    {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}},
]
COMPLETIONS: list[dict[str, Any]] = [
    {"prompt": "Say hi"},
    {"prompt": ["a", "b"], "n": 2, "logprobs": 3, "echo": True},
    {"prompt": "x", "max_tokens": 0, "echo": True, "logprobs": 0},
]
REQUESTS: list[tuple[str, str, str, dict[str, Any]]] = [
    *(("chat.completions.create", "/chat/completions", "gpt-4o", {"messages": HELLO, **one}) for one in CHAT),
    *(("completions.create", "/completions", "gpt-35-turbo-instruct", one) for one in COMPLETIONS),
    ("embeddings.create", "/embeddings", "text-embedding-3-small", {"input": "a"}),
    ("embeddings.create", "/embeddings", "text-embedding-3-small", {"input": ["a", "b"], "encoding_format": "base64"}),
    ("images.generations.create", "/images/generations", "dall-e-3", {"prompt": "a"}),
    ("images.generations.create", "/images/generations", "gpt-image-1", {"prompt": "a", "response_format": "b64_json"}),
]


def errors(spec: Spec, schema: Any, value: Any) -> Iterator[str]:
    whole = {**schema, "components": spec.document["components"]}  # so that its references resolve
    validator = jsonschema.Draft202012Validator(whole)
    return (f"{error.json_path}: {error.message}" for error in validator.iter_errors(value))


def cases() -> Iterator[Any]:
    for operation, path, deployment, body in REQUESTS:
        label = "+".join(sorted(body))
        yield pytest.param((operation, path, deployment, body), id=f"{operation}-{label}")
        if operation.endswith("completions.create"):
            yield pytest.param(
                (operation, path, deployment, {**body, "stream": True}), id=f"{operation}-{label}-stream"
            )


@pytest.mark.parametrize("asked", list(cases()))
def test_the_answer_is_what_the_document_says(
    any_version: str,
    inference: Callable[..., Response],
    asked: tuple[str, str, str, dict[str, Any]],
) -> None:
    operation, path, deployment, body = asked
    spec = load(any_version)
    documented = operations_of(spec).get(operation)
    if documented is None:
        pytest.skip("not an operation of this version")
    answer = inference(any_version, path, deployment, body)
    assert 200 == answer.status, answer.body
    if answer.media_type == "application/json":
        schema = (documented.answer(200) or {})["application/json"].schema
        assert [] == list(errors(spec, schema, answer.json))
        return
    assert documented.stream is not None
    shape = spec.deref(documented.stream.media.schema)
    data = [
        spec.deref(one["properties"]["data"]).get("contentSchema")
        for one in map(spec.deref, shape.get("oneOf", [shape]))
    ]
    (content,) = [one for one in data if one is not None]
    for event in parse(answer.chunks).events:
        assert [] == list(errors(spec, documented.stream.media.schema, {"data": event.data}))
        if event.data != documented.stream.done:
            assert [] == list(errors(spec, content, json.loads(event.data)))
