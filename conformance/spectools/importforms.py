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
        plain, form = (_schema(document, f"{place.pointer}/content/{escape(kind)}/schema") for kind in (_JSON, _FORM))
        # What JSON can hold it may demand as well; the file is what it can't.
        needed = [name for name in form[1].get("required", ()) if name in plain[1].get("properties", {})]
        if needed != form[1].get("required", []):
            at = f"{form[0]}/required"
            steps[at] = (
                {"op": "test", "path": at, "value": form[1]["required"]},
                {"op": "replace", "path": at, "value": needed},
            )
    return tuple(step for change in steps.values() for step in change)


def _schema(document: Mapping[str, Any], pointer: str) -> tuple[str, Mapping[str, Any]]:
    """(pointer, schema) at the end of a chain of references. Chains that never end were refused before."""
    node = look_up(document, pointer)
    while isinstance(node, Mapping) and "$ref" in node:
        pointer = node["$ref"].removeprefix("#")
        node = look_up(document, pointer)
    return pointer, node if isinstance(node, Mapping) else {}
