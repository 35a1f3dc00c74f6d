"""Mutants of containers: files whose bytes change or that show in other containers, and a container that stays."""

from __future__ import annotations

from conformance.emulator.call import Call
from conformance.emulator.edits import path_ids, with_items
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

CONTENT, LIST = "containers.files.content", "containers.files.list"


@mutant("containers.text-only", "Bytes that are no text come back from a container as they were sent.", CONTENT)
def text_only(call: Call, answer: Handler) -> Response:
    response = answer(call)
    return response.with_body(response.body.decode("utf-8", "replace").encode())


@mutant(
    "containers.stays",
    "A deleted container is gone.",
    "containers.delete",
    seen_by="containers.get",
)
def stays(call: Call, answer: Handler) -> Response:
    containers = call.store.collection("containers")
    kept = containers.get(path_ids(call)[0])
    response = answer(call)
    containers.put(kept["id"], kept)
    return response


@mutant("containers.files-of-all", "A container lists its own files alone.", LIST)
def files_of_all(call: Call, answer: Handler) -> Response:
    own = path_ids(call)[0]
    everything = call.store.everything().items()
    others = [
        file for (kind, parent), kept in everything if kind == "container-files" and parent != own for file in kept
    ]
    first = not {"after", "before"} & set(call.query)
    return with_items(answer(call), lambda data: [*data, *others[:1]] if first else data)
