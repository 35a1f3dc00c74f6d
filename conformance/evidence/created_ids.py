"""The ids that an answer gives to what it created, read from JSON or from the events of a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from conformance.evidence.exchange import Exchange
from conformance.pointer import look_up
from conformance.requests.case import Case

__all__ = ["created_ids"]


def created_ids(case: Case, exchange: Exchange) -> dict[str, str]:
    """The ids that a successful create names, by placeholder (JSON Pointers, RFC 6901); none where it failed.

    An answer that was cut off may still have named them: what exists must be removed however the stream ended.
    """
    response = exchange.response
    if response is None or not 200 <= response.status < 300:
        return {}
    values = [response.json] if response.is_json else list(_events(response.body))
    found: dict[str, str] = {}
    for name, pointer in case.creates.items():
        ids = (look_up(value, pointer) for value in values)
        first = next((item for item in ids if isinstance(item, str) and item), None)
        if first is not None:
            found[name] = first
    return found


def _events(body: bytes) -> Iterator[Any]:
    for line in body.splitlines():
        if line.startswith(b"data:"):
            try:
                value = json.loads(line[5:])
            except ValueError:
                continue  # [DONE], or an event that was cut off
            # The Responses events hold the object one level down.
            held = value.get("response") if isinstance(value, dict) else None
            yield held if isinstance(held, dict) else value
