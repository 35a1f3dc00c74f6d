"""No request makes the emulator fail: it always answers, never with a 5xx, and errors have the documented form."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.emulator.app import App
from conformance.evidence.exchange import Response
from conformance.requests.request import Request
from conformance.spec.loading import versions
from conformance.spec.operations import Operation, operations_of
from conformance.spec.spec import Spec

TEXT = st.text(max_size=12) | st.sampled_from(["gpt-4o", "o1", "whisper", "sora", "function", "user", "auto", "x"])
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@cache
def app(version: str) -> App:
    return App.of(version)


@cache
def places() -> list[tuple[Spec, Operation]]:
    """Every operation that is served, with its api-version."""
    return [
        (spec, operation)
        for version in versions()
        for spec in app(version).specs
        for operation in operations_of(spec).values()
        if operation.id in app(version).handlers
    ]


def asked_by(spec: Spec) -> str:
    """The query that names an api-version, as its document asks for it."""
    rule = spec.api_version
    return f"?{rule.name}={rule.accepted[0]}" if rule.location == "query" else "?"


def fields(operation: Operation, spec: Any) -> list[str]:
    """The documented names of the request body, so that junk lands where it is read."""
    return sorted({n for m in operation.body.values() for n in spec.deref(m.schema).get("properties", ())})


def in_shape(answer: Response) -> None:
    assert answer.status < 500, answer.body
    if answer.status >= 400:
        assert answer.is_json
        assert {"code", "message"} <= set(answer.json.get("error", answer.json))


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_junk_in_bodies_and_parameters(data: st.DataObject) -> None:
    spec, operation = data.draw(st.sampled_from(places()))
    names = fields(operation, spec)
    body = data.draw(st.dictionaries(st.sampled_from(names) if names else TEXT, JSON, max_size=6))
    path = operation.path.replace("{deployment-id}", "gpt-4o")
    while "{" in path:
        start, end = path.index("{"), path.index("}")
        path = path[:start] + quote(data.draw(TEXT).encode("utf-8", "replace"), safe="") + path[end + 1 :]
    query = asked_by(spec)
    for parameter in operation.parameters:
        if parameter.location == "query" and parameter.name != "api-version":
            query += f"&{parameter.name}={quote(data.draw(TEXT).encode('utf-8', 'replace'))}"
    headers = (("api-key", "emulator-key"), ("content-type", "application/json"))
    sent = json.dumps(body).encode() if operation.body else b""
    url = f"http://emulator{spec.base_path}{path}{query}"
    in_shape(app(spec.version).handle(Request(operation.method, url, headers, sent)))


VALID: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is the weather?"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "rain"},
    ],
    "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}],
    "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
    "stop": ["a", "b"],
    "n": 2,
    "logprobs": True,
    "top_logprobs": 2,
    "response_format": {"type": "json_object"},
    "stream": True,
}


def changed(value: Any, draw: Callable[..., Any]) -> Any:
    """The value with one place, chosen by the draw, replaced by junk or removed."""
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        name = draw(st.sampled_from(sorted(value)))
        rest = {key: one for key, one in value.items() if key != name}
        return rest if draw(st.integers(0, 4)) == 0 else rest | {name: changed(value[name], draw)}
    if isinstance(value, list) and value and draw(st.integers(0, 3)):
        place = draw(st.integers(0, len(value) - 1))
        return [changed(one, draw) if at == place else one for at, one in enumerate(value)]
    return draw(JSON)


@settings(max_examples=300)
@given(st.data())
def test_good_conversations_with_one_place_broken(data: st.DataObject) -> None:
    body = changed(VALID, data.draw)
    chats = [place for place in places() if place[1].id == "chat.completions.create"]
    spec, operation = data.draw(st.sampled_from(chats))
    path = operation.path.replace("{deployment-id}", "gpt-4o")
    sent = json.dumps(body | {"model": "gpt-4o"} if isinstance(body, dict) else body).encode()
    headers = (("api-key", "emulator-key"), ("content-type", "application/json"))
    url = f"http://emulator{spec.base_path}{path}{asked_by(spec)}"
    in_shape(app(spec.version).handle(Request("POST", url, headers, sent)))


@settings(max_examples=150)
@given(st.binary(max_size=200), st.sampled_from([b"x", b"--x\r\n", b"", b"\r\n"]))
def test_junk_as_a_form(body: bytes, start: bytes) -> None:
    forms = [place for place in places() if "multipart/form-data" in place[1].body and "{" not in place[1].path[1:]]
    forms = forms or [place for place in places() if "multipart/form-data" in place[1].body]
    spec, operation = forms[0]
    path = operation.path.replace("{deployment-id}", "whisper")
    for boundary in ("; boundary=x", "", '; boundary="'):
        headers = (("api-key", "emulator-key"), ("content-type", f"multipart/form-data{boundary}"))
        url = f"http://emulator{spec.base_path}{path}{asked_by(spec)}"
        in_shape(app(spec.version).handle(Request("POST", url, headers, start + body)))
