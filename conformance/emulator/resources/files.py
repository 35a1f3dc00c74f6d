"""Files: uploaded as multipart, stored byte for byte. The first read after the upload ends their processing."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call, Part
from conformance.emulator.handlers import handles
from conformance.emulator.resources.objects import Value, deleted, ids
from conformance.evidence.exchange import Response

__all__ = ["content_of", "rows_of", "store_file"]


def store_file(call: Call, data: bytes, filename: str, purpose: str, *, status: str = "pending") -> Value:
    """Store a new file with its content."""
    file: Value = {
        "id": call.store.new_id("file-"),
        "object": "file",
        "bytes": len(data),
        "created_at": call.clock.now(),
        "filename": filename,
        "purpose": purpose,
        "status": status,
    }
    call.store.collection("file-contents").put(file["id"], data)
    call.store.collection("files").put(file["id"], file)
    return file


def content_of(call: Call, id: str) -> bytes | None:
    """The bytes of a file, or None if there is no such file."""
    found: bytes | None = call.store.collection("file-contents").get(id)
    return found


def rows_of(data: bytes) -> list[Value] | None:
    """The objects of a JSON Lines file; None if a line isn't a JSON object or there are no lines."""
    try:
        rows = [json.loads(line) for line in data.decode("utf-8").split("\n") if line.strip()]
    except (ValueError, RecursionError):
        return None
    return rows if rows and all(isinstance(row, dict) for row in rows) else None


def _found(call: Call) -> Value:
    file: Value = call.found(call.store.collection("files"), ids(call)[0], "file")
    return file


def _checked(file: Value) -> Value:
    """The file, whose processing has ended now."""
    if file["status"] == "pending":
        file["status"] = "processed"
    return file


@handles("files.upload")
def upload(call: Call) -> Response:
    """Store a file. Its name is that of the part unless the form has another."""
    part = call.body["file"]
    # A text field of that name passes the schema, which only says string.
    if not isinstance(part, Part):
        raise errors.invalid("'file' must be a file.", param="file")
    file = store_file(call, part.data, str(call.get("filename", part.filename)), str(call.body["purpose"]))
    seconds = _expiry(call.body)
    if seconds is not None:
        file["expires_at"] = file["created_at"] + seconds
    return call.json(file)


def _expiry(body: Value) -> int | None:
    """The seconds of ``expires_after``. Forms send ``expires_after[seconds]``, or the object as JSON text."""
    given: Any = body.get("expires_after[seconds]")
    inner = body.get("expires_after")
    if given is None and isinstance(inner, str):
        try:
            inner = json.loads(inner)
        except ValueError:
            return None
    if given is None and isinstance(inner, dict):
        given = inner.get("seconds")
    text = str(given)
    return int(text) if text.isascii() and text.isdigit() else None


@handles("files.list")
def list_(call: Call) -> Response:
    """All files, newest first, filtered by purpose on request. The list has pages where ``limit`` is documented.

    Where it is not, some clients nevertheless ask for what follows the last file. They get an empty list.
    """
    purpose = call.query.get("purpose")
    if call.operation.parameter("query", "limit") is not None:
        page = call.page(call.store.collection("files"), where=lambda file: purpose in (None, file["purpose"]))
        return call.json({**page, "data": [_checked(file) for file in page["data"]]})
    files = [file for file in call.store.collection("files") if purpose in (None, file["purpose"])]
    # Collections are oldest first, this list is newest first.
    files.reverse()
    # The parameter isn't documented here, so it is not among the validated ones.
    after = parse_qs(urlsplit(call.request.url).query).get("after", [""])[0]
    place = next((index for index, file in enumerate(files) if file["id"] == after), -1)
    files = files[place + 1 :]
    return call.json(
        {
            "object": "list",
            "data": [_checked(file) for file in files],
            "first_id": files[0]["id"] if files else None,
            "last_id": files[-1]["id"] if files else None,
            "has_more": False,
        }
    )


@handles("files.get")
def get(call: Call) -> Response:
    """One file. The first read ends its processing."""
    return call.json(_checked(_found(call)))


@handles("files.content")
def content(call: Call) -> Response:
    """The bytes as they were uploaded."""
    return call.bytes(content_of(call, _found(call)["id"]) or b"", "application/octet-stream")


@handles("files.delete")
def delete(call: Call) -> Response:
    """Remove the file and its content."""
    id = _found(call)["id"]
    call.store.collection("files").remove(id)
    call.store.collection("file-contents").remove(id)
    return deleted(call, id, "file")
