"""Forms of published documents that demand a file, although the same request can be sent as JSON without one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.pointer import escape, look_up
from conformance.spec.openapi import places

__all__ = ["unneeded_files"]

_JSON = "application/json"
_FORM = "multipart/form-data"


def unneeded_files(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The steps of a JSON Patch by which forms demand no more than the JSON of the same request.

    Clients send such a request as a form whether it has a file or not: the ``openai`` package does for videos.
    """
    steps: dict[str, tuple[Mapping[str, Any], ...]] = {}
    for place in places(document):
        content = place.node.get("content") if place.kind == "body" and isinstance(place.node, Mapping) else None
        if not isinstance(content, Mapping) or not {_JSON, _FORM} <= set(content):
            continue
        plain, form = (f"{place.pointer}/content/{escape(kind)}/schema" for kind in (_JSON, _FORM))
        named = _named(document, plain)
        at, schema = _schema(document, form)
        demanded = schema.get("required", [])
        # What JSON can hold it may demand as well; the file is what it can't. JSON without named properties says
        # nothing of either.
        needed = [name for name in demanded if name in named]
        if named and needed != demanded:
            at = f"{at}/required"
            steps[at] = (
                {"op": "test", "path": at, "value": demanded},
                {"op": "replace", "path": at, "value": needed},
            )
    return tuple(step for change in steps.values() for step in change)


def _named(document: Mapping[str, Any], pointer: str) -> set[str]:
    """The names of properties in all parts and branches of a schema."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [pointer]
    while waiting:
        at, schema = _schema(document, waiting.pop())
        if at not in seen:
            seen.add(at)
            found.update(schema.get("properties", ()))
            parts = ((key, index) for key in ("allOf", "anyOf", "oneOf") for index in range(len(schema.get(key, ()))))
            waiting.extend(f"{at}/{key}/{index}" for key, index in parts)
    return found


def _schema(document: Mapping[str, Any], pointer: str) -> tuple[str, Mapping[str, Any]]:
    """(pointer, schema) at the end of a chain of references. Chains that never end were refused before."""
    node = look_up(document, pointer)
    while isinstance(node, Mapping) and "$ref" in node:
        pointer = node["$ref"].removeprefix("#")
        node = look_up(document, pointer)
    return pointer, node if isinstance(node, Mapping) else {}
