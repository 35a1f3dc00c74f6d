"""Mutants of files: content or fields that do not come back as they were sent."""

from __future__ import annotations

from conformance.emulator.call import Call
from conformance.emulator.edits import (
    Value,
    answer_unless_refused,
    memory,
    path_ids,
    with_field,
    with_fields,
    with_query,
)
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

SHOWN = ("files.upload", "files.get", "files.list")


@mutant("file.content-altered", "The content of a file comes back byte for byte.", "files.content")
def content_altered(call: Call, answer: Handler) -> Response:
    response = answer(call)
    return response.with_body(bytes([response.body[0] ^ 1]) + response.body[1:]) if response.body else response


@mutant("file.content-cut", "The content of a file comes back in full length.", "files.content")
def content_cut(call: Call, answer: Handler) -> Response:
    response = answer(call)
    return response.with_body(response.body[:-1])


@mutant("file.content-of-another", "The content of a file is not that of another file.", "files.content")
def content_of_another(call: Call, answer: Handler) -> Response:
    response = answer(call)
    newest = call.store.collection("file-contents").page(limit=1, order="asc").items
    return response.with_body(newest[0] + b"\n") if newest else response


@mutant("file.line-ends-changed", "Line ends in a file stay as they are.", "files.content")
def line_ends_changed(call: Call, answer: Handler) -> Response:
    response = answer(call)
    return response.with_body(response.body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


@mutant("file.bytes-wrong", "The field bytes of a file is the size of its content.", *SHOWN)
def bytes_wrong(call: Call, answer: Handler) -> Response:
    return with_field(answer(call), "bytes", lambda one: one["bytes"] + 1)


@mutant("file.purpose-lost", "A file keeps the purpose from its upload.", *SHOWN)
def purpose_lost(call: Call, answer: Handler) -> Response:
    def other(one: Value) -> str:
        return "fine-tune" if one["purpose"] == "assistants" else "assistants"

    return with_field(answer(call), "purpose", other)


@mutant("file.filename-lost", "A file keeps the name from its upload.", *SHOWN)
def filename_lost(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), filename="file")


@mutant("file.never-processed", "The processing of an uploaded file comes to an end.", *SHOWN, about="status")
def never_processed(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), status="pending")


@mutant("file.purpose-filter-ignored", "A list filtered by purpose contains no files of other purposes.", "files.list")
def purpose_filter_ignored(call: Call, answer: Handler) -> Response:
    return answer(with_query(call, purpose=None))


@mutant(
    "file.deleted-content-readable",
    "The content of a deleted file can't be read.",
    "files.content",
    "files.upload",
    seen_by="files.content",
)
def deleted_content_readable(call: Call, answer: Handler) -> Response:
    kept = memory(call, "contents")
    if call.operation.id == "files.upload":
        response = answer(call)
        kept.put(response.json["id"], call.body["file"].data)
        return response
    found = answer_unless_refused(call, answer)
    if found is None and path_ids(call)[0] in kept:
        return call.bytes(kept.get(path_ids(call)[0]), "application/octet-stream")
    return answer(call) if found is None else found
