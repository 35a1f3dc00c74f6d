"""``spec import`` of event streams: events become whole, and those that a document forgets are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.spec.loading import load
from conformance.spec.operations import operations_of
from conformance.spectools.importing import import_file
from conformance.spectools.stream_ends import event_names


def document(*events: dict[str, Any], path: str = "/gadgets") -> dict[str, Any]:
    """A document with a stream in the form in which TypeSpec writes it: a union beside properties."""
    union = {"type": "object", "required": ["event"], "oneOf": list(events),
             "properties": {"event": {"type": "string"}, "data": {"type": "string"}}}  # fmt: skip
    answer = {"description": "d", "content": {"text/event-stream": {"schema": union}}}
    operation = {"operationId": "Gadgets_Create", "responses": {"200": answer}}
    servers = [{"url": "https://{endpoint}/openai"}]
    info = {"title": "t", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "servers": servers, "paths": {path: {"post": operation}}}


def event(name: str) -> dict[str, Any]:
    data = {"contentMediaType": "application/json", "contentSchema": {"type": "object", "required": ["text"]}}
    return {"properties": {"event": {"const": name}, "data": data}}


def taken(document: Any, folder: Path) -> tuple[frozenset[str], list[str]]:
    """The names of the events of the one stream, and the notes of the import."""
    (folder / "document.json").write_text(json.dumps(document), encoding="utf-8")
    done = import_file(folder / "document.json", "mine", folder / "versions")
    (operation,) = operations_of(load("mine", folder / "versions")).values()
    assert operation.stream is not None
    names = event_names(load("mine", folder / "versions").document, operation.stream.media.pointer)
    return names, [note for note in done.notes if "event" in note and "known protocol" not in note]


def test_a_union_beside_properties_becomes_whole_events(tmp_path: Path) -> None:
    nameless = {"properties": {"data": {"contentMediaType": "application/json"}}, "x-ms-sse-terminal-event": True}
    names, notes = taken(document(event("gadget.made"), event("gadget.sold"), nameless), tmp_path)
    assert {"gadget.made", "gadget.sold"} == names
    assert ["gadgets.create: 1 events have neither a name nor a form; they are left out"] == notes


def test_a_delta_without_an_end_is_named(tmp_path: Path) -> None:
    names, notes = taken(document(event("gadget.delta"), event("part.delta"), event("part.done")), tmp_path)
    assert {"gadget.delta", "part.delta", "part.done"} == names
    assert ["gadgets.create: the document forgets events that end what others begin: gadget.done"] == notes


@pytest.mark.parametrize(("file", "label"), [("v1.yaml", "v1"), ("v1-preview.json", "v1-preview")])
def test_the_ends_that_published_documents_forget(file: str, label: str, shared: Path, tmp_path: Path) -> None:
    """Both mark as many events as terminal and give them no name."""
    done = import_file(shared / "official-specs" / file, label, tmp_path)
    (told,) = (note for note in done.notes if "forgets" in note)
    names = told.partition("begin: ")[2].partition(";")[0].split(", ")
    assert told.endswith("errata add them")
    assert {"response.completed", "response.output_text.done"} <= set(names)
    assert f"responses.create: {len(names)} events have neither a name nor a form; they are left out" in done.notes
