"""Calls the emulator by operationId without a socket, and validates each answer against its documented schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from imported import spec_of

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.store import Clock
from conformance.evidence.exchange import Response
from conformance.requests.request import Request
from conformance.schema.validators import validators_of
from conformance.spec.operations import Operation, operations_of
from conformance.spec.spec import Spec

KEY = "emulator-key"


class Talk:
    """One conversation with one version. ``said`` keeps what was called and what came back."""

    def __init__(
        self, version: str, settings: Settings | None = None, *, judge: bool = True, app: App | None = None
    ) -> None:
        self.spec: Spec = spec_of(version)
        self.app = app or App([self.spec], settings or Settings(key=KEY), Clock.fixed())
        self.judge = judge
        self.said: list[tuple[str, int, Any]] = []
        self.called: set[str] = set()

    def has(self, operation: str) -> bool:
        """True when the version documents the operation."""
        return operation in operations_of(self.spec)

    def send(
        self,
        operation: str,
        *ids: str,
        body: Any = None,
        form: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Response:
        """The answer, judged by the corrected document."""
        known = operations_of(self.spec)[operation]
        path = known.path
        for id_ in ids:
            start, end = path.index("{"), path.index("}")
            path = path[:start] + quote(id_, safe="") + path[end + 1 :]
        asked: dict[str, Any] = dict(query or {})
        if self.spec.api_version.location == "query":
            asked[self.spec.api_version.name] = self.spec.api_version.accepted[0]
        url = f"http://emulator{self.spec.base_path}{path}?{urlencode(asked, doseq=True)}"
        headers = [("api-key", KEY)]
        headers += [
            (p.name, str(p.schema["enum"][0])) for p in known.parameters if p.location == "header" and p.required
        ]
        data = b""
        if form is not None:
            data, boundary = _multipart(form)
            headers.append(("content-type", f"multipart/form-data; boundary={boundary}"))
        elif body is not None:
            data = json.dumps(body).encode()
            headers.append(("content-type", "application/json"))
        response = self.app.handle(Request(known.method, url, tuple(headers), data))
        told = response.json if response.is_json else (response.media_type, response.body)
        self.said.append((operation, response.status, told))
        if response.status < 300:
            self.called.add(operation)
        if self.judge:
            self._judge(known, response)
        return response

    def ok(self, operation: str, *ids: str, **sent: Any) -> Any:
        """The JSON of an answer that must be a success."""
        response = self.send(operation, *ids, **sent)
        assert response.status < 300, (operation, response.status, response.body[:600])
        return response.json

    def status(self, operation: str, *ids: str, **sent: Any) -> int:
        """The status alone."""
        return self.send(operation, *ids, **sent).status

    def events(self, operation: str, *ids: str, **sent: Any) -> list[tuple[str, Any]]:
        """Name and data of each event of a stream; data that isn't JSON stays text."""
        response = self.send(operation, *ids, **sent)
        assert response.media_type == "text/event-stream", response.body[:600]
        return list(_events(response.body.decode()))

    def _judge(self, known: Operation, response: Response) -> None:
        validators = validators_of(self.spec, strict=response.status < 300)
        if response.status < 300:
            assert response.status in known.success, (known.id, response.status)
        documented = known.answer(response.status) or {}
        if response.media_type == "text/event-stream":
            media = known.stream.media
            for name, data in _events(response.body.decode()):
                schemas = list(_contents(self.spec, media.schema, name))
                assert schemas, (known.id, name)
                if data == "[DONE]":
                    continue
                judged = [validators.get(schema).errors(data) for schema in schemas]
                assert any(not one for one in judged), (known.id, name, judged[0][:3], data)
        elif "application/json" in documented:
            found = validators.get(documented["application/json"].schema).errors(response.json)
            # An erratum says that the data source of a run has more fields than are listed; the closed view forgets it.
            errors = [one for one in found if "/data_source" not in one.instance_pointer]
            assert not errors, (known.id, response.status, errors[:4], response.json)
        elif response.status < 300 and documented:
            assert response.media_type in documented, (known.id, response.media_type)


def _contents(spec: Spec, schema: Any, name: str) -> Iterator[Any]:
    """The schemas of the data of an event with this name."""
    node = spec.deref(schema)
    for branch in node.get("oneOf", ()):
        yield from _contents(spec, branch, name)
    properties = node.get("properties", {})
    event = spec.deref(properties.get("event", {}))
    if properties and name in (event.get("const"), *event.get("enum", ())):
        data = spec.deref(properties["data"])
        yield data.get("contentSchema", data)


def _events(text: str) -> Iterator[tuple[str, Any]]:
    for block in text.split("\n\n"):
        name, data = "", []
        for line in block.split("\n"):
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                data.append(value)
        if data:
            joined = "\n".join(data)
            yield name, joined if joined == "[DONE]" else json.loads(joined)


def _multipart(form: Mapping[str, Any]) -> tuple[bytes, str]:
    """Text fields, and files as (name, bytes)."""
    boundary = "state-talk-boundary"
    lines: list[bytes] = []
    for name, value in form.items():
        if isinstance(value, tuple):
            head = f'content-disposition: form-data; name="{name}"; filename="{value[0]}"\r\ncontent-type: text/plain'
            content = value[1]
        else:
            head, content = f'content-disposition: form-data; name="{name}"', str(value).encode()
        lines.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(lines) + f"--{boundary}--\r\n".encode(), boundary
