"""Mutants of containers: files whose bytes change or that show in other containers, and a container that stays."""

from __future__ import annotations

from attrs import evolve

from conformance.emulator.call import Call
from conformance.emulator.edits import each_object, path_ids, restored, with_fields, with_one_of_another
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

CONTENT, LIST = "containers.files.content", "containers.files.list"
SHOWN = ("containers.create", "containers.get", "containers.list")
FILES = ("containers.files.create", "containers.files.get", LIST)


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
    return restored(call, answer, call.store.collection("containers"), path_ids(call)[0])


@mutant("containers.files-of-all", "A container lists its own files alone.", LIST)
def files_of_all(call: Call, answer: Handler) -> Response:
    return with_one_of_another(call, answer, "container-files")


@mutant("containers.files-not-copied", "file_ids copies files into a new container.", "containers.create", seen_by=LIST)
def files_not_copied(call: Call, answer: Handler) -> Response:
    return answer(evolve(call, body={name: value for name, value in call.body.items() if name != "file_ids"}))


@mutant("containers.limit-lost", "A container keeps the memory limit that was asked for.", *SHOWN)
def limit_lost(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), memory_limit="64g")


@mutant("containers.size-wrong", "A file in a container has its own size.", *FILES)
def size_wrong(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.update(bytes=one["bytes"] + 1) if "bytes" in one else None)


@mutant("containers.source-wrong", "A file that was uploaded into a container has the source user.", *FILES)
def source_wrong(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), source="assistant")


@mutant("containers.file-stays", "A file that was removed from a container is gone.", "containers.files.delete",
        seen_by="containers.files.get")  # fmt: skip
def file_stays(call: Call, answer: Handler) -> Response:
    container, file = path_ids(call)
    return restored(call, answer, call.store.collection("container-files", container), file)
