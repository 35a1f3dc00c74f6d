"""Requests that are refused before a handler runs (keys, versions, routes, methods, bodies), and how."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.store import Clock
from conformance.errors import UsageError
from conformance.evidence.exchange import Response
from conformance.spec.spec import Spec

Ask = Callable[..., Response]
V = "2000-01-01"
GONE = {"error": {"code": "404", "message": "Resource not found"}}


@pytest.fixture
def ask(small: Callable[..., Spec], ask_of: Callable[[App], Ask]) -> Ask:
    """An emulator of two dated versions and one v1 surface."""
    specs = [small(V), small("2001-01-01"), small("v1", surface="v1", base="/openai/v1", accepted=["v1", "preview"])]
    return ask_of(App(specs, Settings(tokens=("entra",), body_limit=2_000)))


@pytest.mark.parametrize(
    ("key", "headers", "status"),
    [
        ("emulator-key", {}, 200),
        (None, {"authorization": "Bearer emulator-key"}, 200),
        (None, {"Authorization": "bearer entra"}, 200),
        (None, {}, 401),
        ("wrong", {}, 401),
        ("", {}, 401),
        (None, {"authorization": "Bearer wrong"}, 401),
        (None, {"authorization": "Basic emulator-key"}, 401),
        (None, {"authorization": "Bearer"}, 401),
    ],
)
def test_a_key_or_a_token_opens(ask: Ask, key: str | None, headers: dict[str, str], status: int) -> None:
    answer = ask("GET", "/openai/assistants", key=key, headers=headers, api_version=V)
    assert status == answer.status
    if status == 401:
        assert answer.json["error"]["code"] == "401"
        assert answer.json["error"]["message"].startswith("Access denied due to invalid subscription key")


@pytest.mark.parametrize(
    ("path", "query", "status", "body"),
    [
        ("/openai/assistants", {"api_version": V}, 200, None),
        ("/openai/assistants", {"api_version": "2001-01-01"}, 200, None),
        ("/openai/assistants", {}, 404, GONE),
        ("/openai/assistants", {"api_version": ""}, 404, GONE),
        ("/openai/assistants", {"api_version": "1999-01-01"}, 404, GONE),
        ("/openai/assistants", {"api_version": "preview"}, 404, GONE),
        ("/openai/v1/assistants", {}, 200, None),
        ("/openai/v1/assistants", {"api_version": "v1"}, 200, None),
        ("/openai/v1/assistants", {"api_version": "preview"}, 200, None),
        (
            "/openai/v1/assistants",
            {"api_version": V},
            400,
            {"error": {"code": "BadRequest", "message": "API version not supported"}},
        ),
    ],
)
def test_the_version_is_chosen_by_path_and_parameter(
    ask: Ask, path: str, query: dict[str, str], status: int, body: Any
) -> None:
    answer = ask("GET", path, **query)
    assert status == answer.status
    assert body in (None, answer.json)


def test_a_version_without_the_parameter_is_served_where_it_is_absent(
    small: Callable[..., Spec], ask_of: Callable[[App], Ask]
) -> None:
    dated = ask_of(App([small(V)]))
    free = ask_of(App([small("beta", location="none")]))
    assert 404 == dated("GET", "/openai/assistants").status
    assert 200 == free("GET", "/openai/assistants").status


@pytest.mark.parametrize(
    ("one", "other", "alone", "which"),
    [
        ({}, {"location": "none"}, "b", "without an api-version"),
        ({"location": "none"}, {}, "a", "without an api-version"),
        ({"location": "none"}, {"location": "none"}, "a", "without an api-version"),
        ({"surface": "v1"}, {}, "a", "without an api-version"),
        ({"accepted": ["x", "y"]}, {"accepted": ["z", "y"]}, "a", "for 'y'"),
    ],
)
def test_versions_that_a_request_does_not_tell_apart_are_not_served_together(
    small: Callable[..., Spec], one: dict[str, Any], other: dict[str, Any], alone: str, which: str
) -> None:
    """Requests of one would be answered by the other, and no run against it could find it conformant."""
    specs = [small("a", **one), small("b", **other)]
    with pytest.raises(UsageError) as caught:
        App(specs)
    told = str(caught.value)
    assert f"{alone} would answer all requests {which}" in told
    assert f"serve {alone} on a server of its own" in told
    assert {"a", "b"} == set(re.findall(r"\b[ab]\b(?= and| can)", told))


def test_versions_with_base_paths_of_their_own_are_served_together(
    small: Callable[..., Spec], ask_of: Callable[[App], Ask]
) -> None:
    both = ask_of(App([small(V), small("beta", location="none", base="/openai/beta")]))
    assert 404 == both("GET", "/openai/assistants").status
    assert 200 == both("GET", "/openai/beta/assistants").status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/openai/assistants/", 404),
        ("GET", "/openai//assistants", 404),
        ("GET", "/openai/assistant", 404),
        ("GET", "/openai", 404),
        ("GET", "/", 404),
        ("GET", "/openai/nothing", 404),
        ("PUT", "/openai/assistants", 405),
        ("PATCH", "/openai/assistants/asst_1", 405),
        ("GET", "/openai/assistants/a%2Fb", 404),
        ("GET", "/openai/assistants/%ff%fe", 404),
    ],
)
def test_unknown_routes_and_methods(ask: Ask, method: str, path: str, status: int) -> None:
    answer = ask(method, path, api_version=V)
    assert status == answer.status
    assert {"code", "message"} <= set(answer.json["error"])


def test_405_says_what_is_allowed(ask: Ask) -> None:
    assert ask("PUT", "/openai/assistants", api_version=V).header("allow") == "GET, POST"


def test_an_unknown_deployment(ask: Ask) -> None:
    answer = ask("POST", "/openai/deployments/none/embeddings", {"input": "a"}, api_version=V)
    assert (404, "DeploymentNotFound") == (answer.status, answer.json["error"]["code"])


def test_a_deployment_of_another_kind(ask: Ask) -> None:
    answer = ask("POST", "/openai/deployments/gpt-4o/embeddings", {"input": "a"}, api_version=V)
    assert (400, "OperationNotSupported") == (answer.status, answer.json["error"]["code"])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"model": "m"}', 200),
        (b'{"model": "m", "unknown": {"deep": [1]}}', 200),
        (b'{"model": "m", "model": "n"}', 200),
        (b'{"model": "\\ud800"}', 200),
        (b"\xef\xbb\xbf" + b'{"model": "m"}', 200),
        (b'{"model": "m"', 400),
        (b"", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"m"', 400),
        (b"\xff\xfe\xfd", 400),
        (b'{"model": NaN}', 400),
        (b'{"model": "m", "temperature": 1e999}', 400),
        (b'{"model": "m", "temperature": -1E+999}', 400),
        (b'{"model": "m", "temperature": ' + b"9" * 310 + b".0}", 400),
        (b'{"model": "m", "x": 1e300}', 200),
        (b'{"model": "m", "x": ' + b"9" * 1_500 + b"}", 200),
        (b"[" * 1_900, 400),
        (b'{"a":' * 300 + b"1" + b"}" * 300, 400),
        (b" " * 2_001, 413),
    ],
)
def test_bodies(ask: Ask, body: bytes, status: int) -> None:
    answer = ask("POST", "/openai/assistants", body, api_version=V)
    assert status == answer.status
    assert answer.is_json


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("", 200),
        ("text/plain", 415),
        ("multipart/form-data; boundary=x", 415),
    ],
)
def test_media_types(ask: Ask, given: str, status: int) -> None:
    answer = ask("POST", "/openai/assistants", {"model": "m"}, headers={"content-type": given}, api_version=V)
    assert status == answer.status


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "model"),
        ({"model": 1}, "model"),
        ({"model": None}, "model"),
        ({"model": "m", "name": "x" * 9, "temperature": 1}, "name"),
        ({"model": "m", "temperature": 2.1}, "temperature"),
        ({"model": "m", "metadata": {"a": 1}}, "metadata.a"),
        ({"model": "m", "metadata": {"a": "", "b": "", "c": ""}}, "metadata"),
        ({"model": "m", "name": "x"}, "temperature"),
    ],
)
def test_a_refusal_names_the_place(ask: Ask, body: dict[str, Any], param: str) -> None:
    answer = ask("POST", "/openai/assistants", body, api_version=V)
    error = answer.json["error"]
    assert 400 == answer.status
    assert {"code", "message", "param", "type"} == set(error)
    assert (param, "invalid_request_error") == (error["param"] or "temperature", error["type"])


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"limit": ""}, {"order": "up"}])
def test_query_parameters_are_checked(ask: Ask, query: dict[str, str]) -> None:
    answer = ask("GET", "/openai/assistants", api_version=V, **query)
    assert (400, next(iter(query))) == (answer.status, answer.json["error"]["param"])


def test_the_documented_default_is_the_page_size(ask: Ask) -> None:
    made = [ask("POST", "/openai/assistants", {"model": "m"}, api_version=V).json["id"] for _ in range(4)]
    first = ask("GET", "/openai/assistants", api_version=V).json
    assert made[:0:-1] == [one["id"] for one in first["data"]]
    assert (made[3], made[1], True) == (first["first_id"], first["last_id"], first["has_more"])
    rest = ask("GET", "/openai/assistants", api_version=V, after=made[1]).json
    assert (made[:1], False) == ([one["id"] for one in rest["data"]], rest["has_more"])
    assert 400 == ask("GET", "/openai/assistants", api_version=V, after="unknown").status


def test_versions_share_one_state(ask: Ask) -> None:
    made = ask("POST", "/openai/assistants", {"model": "m"}, api_version=V).json["id"]
    assert 200 == ask("GET", f"/openai/v1/assistants/{made}").status
    assert 200 == ask("DELETE", f"/openai/v1/assistants/{made}").status
    assert 404 == ask("GET", f"/openai/assistants/{made}", api_version=V).status


def test_headers_like_the_service(ask: Ask) -> None:
    sent = {"x-ms-client-request-id": "mine"}
    first = ask("GET", "/openai/assistants", api_version=V, headers=sent)
    second = ask("GET", "/openai/assistants", api_version=V)
    assert first.header("x-ms-client-request-id") == "mine"
    assert second.header("x-ms-client-request-id") == second.header("apim-request-id")
    assert first.header("apim-request-id") != second.header("apim-request-id")
    for name in ("x-request-id", "x-ms-region", "x-ratelimit-remaining-requests", "x-ratelimit-remaining-tokens"):
        assert first.header(name)


def test_errors_carry_the_request_id_too(ask: Ask) -> None:
    assert ask("GET", "/openai/none", api_version=V).header("apim-request-id")


def test_two_equal_runs_give_equal_answers(small: Callable[..., Spec], ask_of: Callable[[App], Ask]) -> None:
    spec = small(V)

    def told() -> list[Any]:
        ask = ask_of(App([spec], clock=Clock.fixed()))
        answers = [ask("POST", "/openai/assistants", {"model": "m"}, api_version=V) for _ in range(3)]
        return [(answer.headers, json.loads(answer.body)) for answer in answers]

    assert told() == told()
