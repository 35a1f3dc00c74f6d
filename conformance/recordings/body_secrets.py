"""Secrets in the JSON body of a recorded request: the access to a data source, the headers that a tool shall send.

The names are those of the API's documents (``data_sources[].parameters.authentication``, ``tools[].headers`` and
``tools[].authorization`` of an MCP tool), and such names as users choose in objects of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from conformance.redaction import parts_of
from conformance.requests.headers import is_secret

__all__ = ["body_secrets"]

#: Members whose text is a secret wherever they stand, in lower case and without underscores.
_NAMES = frozenset(
    ("accesstoken", "apikey", "authorization", "clientsecret", "connectionstring", "encodedapikey", "password")
)

#: The object in which ``key`` is a secret. Elsewhere it may be the name of a property.
_ACCESS = "authentication"


def body_secrets(body: bytes) -> Iterator[str]:
    """Yield the secrets of a body; none if it isn't JSON."""
    try:
        waiting: list[tuple[str, Any]] = [("", json.loads(body))]
    except (ValueError, RecursionError):
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


def _secret(around: str, name: str) -> bool:
    """True for a member that is secret in the object with the name ``around``."""
    plain = name.lower().replace("_", "")
    return plain in _NAMES or (around == _ACCESS and plain == "key") or (around == "headers" and is_secret(name))
