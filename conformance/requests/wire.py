"""From an unbound Case to the bytes of a Request: placeholders, URL, api-version, body. Pure.

Credentials are not added here. ``target/target.py`` does that last, so that no other module sees a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from conformance.errors import HarnessError
from conformance.requests.case import Body, Case, JsonBody, Multipart, Part, RawBody, Version
from conformance.requests.request import Request
from conformance.spec.spec import Spec

__all__ = [
    "PLACEHOLDER",
    "UNKNOWN_API_VERSION",
    "UNKNOWN_ROUTE",
    "bind_text",
    "encode_body",
    "placeholders",
    "to_request",
]

#: A placeholder such as ``{deployment}``, ``{run}`` or ``{assistant.1}``.
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_.-]*)\}")

#: The made-up api-version that probes send.
UNKNOWN_API_VERSION = "1999-01-01"

#: A path segment that no version documents. Probes of unknown routes contain it.
UNKNOWN_ROUTE = "conformance-no-such-route"


def bind_text(text: str, values: Mapping[str, str]) -> str:
    """The text with known placeholders replaced. Unknown ones stay: a prompt may contain braces."""
    return PLACEHOLDER.sub(lambda match: values.get(match.group(1), match.group(0)), text)


def placeholders(case: Case) -> tuple[str, ...]:
    """The names of the placeholders anywhere in a request that the case itself does not fill: path, query, header
    fields, body. Some of them may be plain text in braces.
    """
    texts = [*case.path_params.values(), *(value for _, value in (*case.query, *case.headers))]
    texts.append(encode_body(case.body, {})[0].decode("utf-8", "replace"))
    names = dict.fromkeys(name for text in texts for name in PLACEHOLDER.findall(text))
    return tuple(name for name in names if name not in case.bindings)


def _bind(value: Any, values: Mapping[str, str]) -> Any:
    """A JSON value with placeholders replaced in all its texts."""
    if isinstance(value, str):
        return bind_text(value, values) if "{" in value else value
    if isinstance(value, dict):
        return {(bind_text(k, values) if "{" in k else k): _bind(v, values) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_bind(item, values) for item in value]
    return value


def _bind_bytes(data: bytes, values: Mapping[str, str]) -> bytes:
    """Bytes with placeholders replaced."""
    if b"{" not in data:
        return data
    for name, value in values.items():
        data = data.replace(b"{" + name.encode() + b"}", value.encode())
    return data


def _disposition(part: Part, values: Mapping[str, str]) -> bytes:
    """The header section of one form part (RFC 7578; names are escaped as in the WHATWG form encoding)."""

    def quoted(text: str) -> str:
        return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")

    head = f'Content-Disposition: form-data; name="{quoted(part.name)}"'
    if part.filename:
        head += f'; filename="{quoted(bind_text(part.filename, values))}"'
    if part.content_type:
        head += f"\r\nContent-Type: {part.content_type}"
    return head.encode()


def encode_body(body: Body, values: Mapping[str, str]) -> tuple[bytes, str]:
    """(content, Content-Type) of a body; the type is "" if there is no body."""
    match body:
        case None:
            return b"", ""
        case JsonBody(value):
            bound = _bind(value, values)
            text = json.dumps(bound, ensure_ascii=False, separators=(",", ":"))
            # Fuzzed texts and ids of a target may hold lone surrogates, which are sent as they are.
            return text.encode("utf-8", "surrogatepass"), body.content_type
        case RawBody(data, content_type):
            return _bind_bytes(data, values), content_type
        case Multipart(parts, boundary):
            lines = [
                b"--"
                + boundary.encode()
                + b"\r\n"
                + _disposition(p, values)
                + b"\r\n\r\n"
                + _bind_bytes(p.data, values)
                + b"\r\n"
                for p in parts
            ]
            return b"".join(lines) + b"--" + boundary.encode() + b"--\r\n", body.content_type


def to_request(
    case: Case,
    spec: Spec,
    *,
    origin: str,
    bindings: Mapping[str, str],
    base_path: str | None = None,
    api_version: str | None = None,
    versioned: bool = True,
) -> Request:
    """The request of a case. ``origin`` is scheme and authority; ``base_path`` is by default the version's own.
    ``versioned`` False leaves ``api-version`` out, for targets that don't have it.

    Raises :class:`HarnessError` if a path parameter has no value.
    """
    values = {**bindings, **case.bindings}
    path = case.path
    for name, raw in case.path_params.items():
        value = bind_text(raw, values)
        if PLACEHOLDER.fullmatch(value):
            raise HarnessError(f"path parameter {name} is unbound: {value}", where=f"case {case.id}")
        # A slash in an id is escaped; otherwise it would name another path.
        path = path.replace("{" + name + "}", quote(value, safe="", errors="surrogatepass"))
    query = [(name, bind_text(value, values)) for name, value in case.query]
    if (
        versioned
        and spec.api_version.location == "query"
        # A case may send the parameter itself, with a value under test.
        and not any(name == spec.api_version.name for name, _ in query)
    ):
        match case.api_version:
            # The last accepted value is the newest; the configuration may name another one.
            case Version.DEFAULT if spec.api_version.accepted or api_version:
                query.append((spec.api_version.name, api_version or spec.api_version.accepted[-1]))
            case Version.UNKNOWN:
                query.append((spec.api_version.name, UNKNOWN_API_VERSION))
    prefix = spec.base_path if base_path is None else base_path
    # An id that the target made up may hold half a surrogate pair; it goes back as it came.
    asked = "?" + urlencode(query, errors="surrogatepass") if query else ""
    url = origin.rstrip("/") + prefix.rstrip("/") + path + asked
    body, content_type = encode_body(case.body, values)
    headers = [(name, bind_text(value, values)) for name, value in case.headers]
    if content_type and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("content-type", content_type))
    return Request(method=case.method, url=url, headers=tuple(headers), body=body)
