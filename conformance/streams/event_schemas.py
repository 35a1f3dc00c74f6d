"""The schemas of event data in the document, and the errors that filter chunks may have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.schema.validators import SchemaError
from conformance.spec.operations import StreamShape
from conformance.spec.spec import Spec

__all__ = ["event_schemas", "free_in_filter_chunk"]


def event_schemas(spec: Spec, shape: StreamShape) -> Mapping[str | None, str]:
    """Event name → JSON Pointer of the schema of its data. None stands for events without a name.

    The document describes an event as an object: ``event`` is a constant, and the schema of the data is in
    ``contentSchema``.
    """
    key = (spec.version, spec.digest, shape.media.pointer)
    if key not in _KNOWN:
        _KNOWN[key] = dict(_walk(spec, shape.media.pointer))
    return _KNOWN[key]


#: Cache by version and operation.
_KNOWN: dict[tuple[str, str, str], Mapping[str | None, str]] = {}


def _walk(spec: Spec, pointer: str) -> Iterator[tuple[str | None, str]]:
    """Yield (event name, pointer) from the schema of a stream's events."""
    node = spec.resolve("#" + pointer)
    if isinstance(node, Mapping) and "$ref" in node:
        yield from _walk(spec, str(node["$ref"]).removeprefix("#"))
        return
    for keyword in ("oneOf", "anyOf"):
        for index in range(len(node.get(keyword, ()))):
            yield from _walk(spec, f"{pointer}/{keyword}/{index}")
    properties = node.get("properties", {})
    if "contentSchema" in properties.get("data", {}):
        name = properties.get("event", {})
        names = [name["const"]] if "const" in name else name.get("enum", [None])
        for each in names:
            yield each, f"{pointer}/properties/data/contentSchema"


def free_in_filter_chunk(protocol: str, value: Mapping[str, Any], error: SchemaError) -> bool:
    """Return True for a schema error that a filter chunk may have: no delta, an empty object, no finish_reason."""
    if protocol not in ("chat-chunks", "completion-chunks"):
        return False
    choices = value.get("choices")
    if not isinstance(choices, list):
        return False
    content = "delta" if protocol == "chat-chunks" else "text"
    free = [index for index, choice in enumerate(choices) if isinstance(choice, dict) and content not in choice]
    if error.instance_pointer == "/object" and value.get("object") == "" and len(free) == len(choices):
        return True
    if error.instance_pointer == "/usage" and value.get("usage") is None:
        return True
    return any(error.instance_pointer == f"/choices/{index}" and error.keyword == "required" for index in free)
