"""Small recordings of our own, and the same exchanges in every format that is read."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import yaml

HOST = "https://example.openai.azure.com"
KEY = "0123456789abcdef0123456789abcdef"
VERSION = "2024-05-01-preview"

Entry = dict[str, Any]

FILTERS = {name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")}
SAID = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "gpt-4o",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Hello."},
            "logprobs": None,
            "content_filter_results": FILTERS,
        }
    ],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    "system_fingerprint": "fp_1",
}
HELLO = {"messages": [{"role": "user", "content": "Say hello."}]}


def entry(path: str, answer: Any, *, method: str = "POST", body: Any = None, **more: Any) -> Entry:
    """One exchange in the form of our JSON lines."""
    query = more.pop("query", f"api-version={VERSION}")
    media = "text/event-stream" if isinstance(answer, str) else "application/json"
    return {
        "method": method,
        "url": f"{HOST}/openai{path}{'?' + query if query else ''}",
        "request_headers": [["api-key", KEY], *([["content-type", "application/json"]] if body is not None else [])],
        "request_body": body,
        "status": 200,
        "headers": [["content-type", media], ["apim-request-id", "1"]],
        "body": answer,
        **more,
    }


def chat(answer: Any = SAID, body: Any = HELLO, **more: Any) -> Entry:
    """A chat exchange."""
    return entry("/deployments/gpt-4o/chat/completions", answer, body=body, **more)


def events(values: Iterable[Any], done: str = "data: [DONE]\n\n") -> str:
    """Values as a stream of events without names."""
    return "".join(f"data: {json.dumps(value, separators=(',', ':'))}\n\n" for value in values) + done


def chunk(delta: Mapping[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
    """A chunk of a chat stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish, **more}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "gpt-4o"}
    return {**head, "system_fingerprint": None, "choices": [choice]}


FIRST = {
    "id": "",
    "object": "",
    "created": 0,
    "model": "",
    "choices": [],
    "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": FILTERS}],
}
CHUNKS = [FIRST, chunk({"role": "assistant", "content": ""}), chunk({"content": "Hello."}), chunk({}, "stop")]


def streamed(values: Iterable[Any] = tuple(CHUNKS), **more: Any) -> Entry:
    """A streamed chat exchange."""
    return chat(events(values), {**HELLO, "stream": True}, **more)


def _bytes(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def as_lines(entries: Iterable[Entry]) -> str:
    """JSON lines of our own form."""
    return "".join(json.dumps(one) + "\n" for one in entries)


def as_har(entries: Iterable[Entry]) -> str:
    """HAR 1.2, the answers in base64 as browsers write what they take for binary."""

    def fields(pairs: Iterable[Any]) -> list[dict[str, str]]:
        return [{"name": name, "value": value} for name, value in pairs]

    made = []
    for one in entries:
        request = {"method": one["method"], "url": one["url"], "httpVersion": "HTTP/1.1", "cookies": []}
        request |= {"headers": fields(one["request_headers"]), "queryString": [], "headersSize": -1, "bodySize": -1}
        if one["request_body"] is not None:
            request["postData"] = {"mimeType": "application/json", "text": _bytes(one["request_body"])}
        body = _bytes(one["body"]).encode()
        text = base64.b64encode(body).decode()
        response = {"status": one["status"], "statusText": "", "httpVersion": "HTTP/1.1", "cookies": []}
        response |= {"headers": fields(one["headers"]), "redirectURL": "", "headersSize": -1, "bodySize": -1}
        response["content"] = {"size": len(body), "mimeType": "", "text": text, "encoding": "base64"}
        at = f"2025-01-01T00:{len(made) // 60 % 60:02}:{len(made) % 60:02}Z"
        made.append({"startedDateTime": one.get("started", at), "time": 5, "request": request, "response": response,
                     "cache": {}, "timings": {"send": 0, "wait": 5, "receive": 0}})  # fmt: skip
    creator = {"name": "test", "version": "1"}
    return json.dumps({"log": {"version": "1.2", "creator": creator, "entries": made}})


def _listed(pairs: Iterable[Any]) -> dict[str, list[str]]:
    return {name: [value] for name, value in pairs}


def as_vcr(entries: Iterable[Entry]) -> str:
    """A YAML cassette of VCR.py with packed answers as it keeps them."""
    made = []
    for one in entries:
        body = None if one["request_body"] is None else _bytes(one["request_body"])
        request = {"method": one["method"], "uri": one["url"], "headers": _listed(one["request_headers"]), "body": body}
        response = {"status": {"code": one["status"], "message": "OK"}, "headers": _listed(one["headers"])}
        made.append({"request": request, "response": {**response, "body": {"string": _bytes(one["body"]).encode()}}})
    return yaml.safe_dump({"version": 1, "interactions": made})


def as_betamax(entries: Iterable[Entry]) -> str:
    """A JSON cassette of Betamax."""
    made = []
    for one in entries:
        sent = "" if one["request_body"] is None else _bytes(one["request_body"])
        request = {"method": one["method"], "uri": one["url"], "headers": _listed(one["request_headers"])}
        packed = base64.b64encode(_bytes(one["body"]).encode()).decode()
        response = {"status": {"code": one["status"], "message": "OK"}, "headers": _listed(one["headers"])}
        response |= {"url": one["url"], "body": {"encoding": "utf-8", "base64_string": packed}}
        request["body"] = {"encoding": "utf-8", "string": sent}
        made.append({"request": request, "response": response, "recorded_at": "2025-01-01T00:00:00"})
    return json.dumps({"http_interactions": made, "recorded_with": "betamax/0.9"})


def as_session(entries: Iterable[Entry]) -> str:
    """A session record of the SDKs' test proxy."""
    made = []
    for one in entries:
        body = one["body"].splitlines(keepends=True) if isinstance(one["body"], str) else one["body"]
        made.append(
            {
                "RequestUri": one["url"],
                "RequestMethod": one["method"],
                "RequestHeaders": dict(one["request_headers"]),
                "RequestBody": one["request_body"],
                "StatusCode": one["status"],
                "ResponseHeaders": dict(one["headers"]),
                "ResponseBody": body,
            }
        )
    return json.dumps({"Entries": made, "Variables": {}})


#: The formats by the ending of their files.
FORMATS: Mapping[str, Callable[[Iterable[Entry]], str]] = {
    "har": as_har,
    "yaml": as_vcr,
    "betamax.json": as_betamax,
    "session.json": as_session,
    "jsonl": as_lines,
}
