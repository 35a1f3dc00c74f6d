"""Secrets in the JSON body of a recorded request: the access to a data source, the headers that a tool shall send.

The names are those of the API's documents (``data_sources[].parameters.authentication``, ``tools[].headers`` and
``tools[].authorization`` of an MCP tool), and such names as users choose in objects of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from conformance.redaction import parts_of
from conformance.requests.headers import is_secret

__all__ = ["body_secrets", "is_secret_member"]

#: Members whose text is a secret wherever they stand, in lower case and without underscores.
_NAMES = frozenset(
    (
        *("accesskey", "accesstoken", "apikey", "authorization", "bearertoken", "clientassertion", "clientsecret"),
        *("connectionstring", "encodedapikey", "idtoken", "passwd", "password", "privatekey", "refreshtoken"),
        *("sastoken", "secret", "secretkey", "subscriptionkey", "token"),
    )
)

#: Bytes of a body that is no JSON, of which the pairs of a form are read.
_FORM = 1_000_000

#: A field of a multipart form: its name, and its text on the line after the empty one.
_FIELD = re.compile(r'form-data; *name="([^"\r\n]*)"\r?\n(?:[^\r\n]+\r?\n)*\r?\n([^\r\n]*)')

#: The object in which ``key`` is a secret. Elsewhere it may be the name of a property.
_ACCESS = "authentication"


def body_secrets(body: bytes) -> Iterator[str]:
    """Yield the secrets of a body that is JSON or a form."""
    try:
        waiting: list[tuple[str, Any]] = [("", json.loads(body))]
    except (ValueError, RecursionError):
        yield from _of_form(body[:_FORM].decode("utf-8", "replace"))
        return
    while waiting:
        around, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(around, inner) for inner in value]
        elif isinstance(value, dict):
            for name, inner in value.items():
                waiting.append((name, inner))
                if _secret(around, name):
                    texts = inner if isinstance(inner, list) else [inner]
                    yield from (part for text in texts if isinstance(text, str) for part in parts_of(text))


def is_secret_member(name: str) -> bool:
    """True for the name of a member or of a field whose text is a secret wherever it stands."""
    return name.lower().replace("_", "").replace("-", "") in _NAMES


def _of_form(text: str) -> Iterator[str]:
    """Yield the secrets of a form, urlencoded or multipart (RFC 7578)."""
    if "form-data" in text:
        for name, value in _FIELD.findall(text):
            if is_secret_member(name):
                yield from parts_of(value)
    elif "=" in text and "\n" not in text:
        for name, value in parse_qsl(text):
            if is_secret_member(name):
                yield from parts_of(value)


def _secret(around: str, name: str) -> bool:
    """True for a member that is secret in the object with the name ``around``."""
    plain = name.lower()
    return is_secret_member(name) or (around == _ACCESS and plain == "key") or (around == "headers" and is_secret(name))
