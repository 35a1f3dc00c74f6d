"""Containers of the code interpreter and the files in them: kept, but nothing runs in them.

A file in a container is a copy, so deleting the file that it was made of leaves it as it is. A deletion is confirmed
without a body, as documented.
"""

from __future__ import annotations

from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call, Part
from conformance.emulator.handlers import handles
from conformance.emulator.resources.files import content_of
from conformance.emulator.resources.objects import Value, ids, members
from conformance.emulator.store import Collection
from conformance.evidence.exchange import Response

#: How long an unused container is kept if the request doesn't say it, in minutes.
_MINUTES = 20

#: Where files lie in a container.
_FOLDER = "/mnt/data"


def _containers(call: Call) -> Collection:
    return call.store.collection("containers")


def _found(call: Call) -> Value:
    found: Value = call.found(_containers(call), ids(call)[0], "container")
    return _present(call, found)


def _present(call: Call, made: Value) -> Value:
    """The container, expired if nobody used it for too long."""
    if call.clock.now() > made["last_active_at"] + 60 * made["expires_after"]["minutes"]:
        made["status"] = "expired"
    return made


def _files(call: Call, container: str) -> Collection:
    return call.store.collection("container-files", container)


def _add(call: Call, container: Value, name: str, data: bytes) -> Value:
    """Store a file in a container."""
    now = call.clock.now()
    container["last_active_at"] = now
    file: Value = {
        "id": call.store.new_id("cfile_"),
        "object": "container.file",
        "created_at": now,
        "bytes": len(data),
        "container_id": container["id"],
        "path": f"{_FOLDER}/{name}",
        "source": "user",
    }
    call.store.collection("container-contents", container["id"]).put(file["id"], data)
    _files(call, container["id"]).put(file["id"], file)
    return file


def _source(call: Call, id: str, param: str) -> tuple[str, bytes]:
    """Name and content of an uploaded file. Raises 404."""
    file, data = call.store.collection("files").get(id), content_of(call, id)
    if file is None or data is None:
        raise errors.missing("file", id, param=param)
    return str(file["filename"]), data


@handles("containers.create")
def create(call: Call) -> Response:
    """A new container with copies of files."""
    sources = [_source(call, id, "file_ids") for id in call.get("file_ids", [])]
    now, kept = call.clock.now(), members(call.get("expires_after"))
    made: Value = {
        "id": call.store.new_id("cntr_", 48),
        "object": "container",
        "name": call.body["name"],
        "created_at": now,
        "status": "active",
        "last_active_at": now,
        "expires_after": {"anchor": "last_active_at", "minutes": _MINUTES, **kept},
        "memory_limit": call.get("memory_limit", "1g"),
    }
    _containers(call).put(made["id"], made)
    for name, data in sources:
        _add(call, made, name, data)
    return call.json(made)


@handles("containers.list")
def list_(call: Call) -> Response:
    """A page of containers, newest first unless asked otherwise."""
    page = call.page(_containers(call))
    return call.json({**page, "data": [_present(call, one) for one in page["data"]]})


@handles("containers.get")
def get(call: Call) -> Response:
    """One container."""
    return call.json(_found(call))


@handles("containers.delete")
def delete(call: Call) -> Response:
    """Remove a container with its files."""
    id = _found(call)["id"]
    _containers(call).remove(id)
    call.store.drop("container-files", id)
    call.store.drop("container-contents", id)
    return call.empty(200)


@handles("containers.files.create")
def create_file(call: Call) -> Response:
    """Put a file into a container: one that comes with the request, or a copy of one that was uploaded before."""
    container = _found(call)
    part: Any = call.body.get("file")
    if isinstance(part, Part):
        return call.json(_add(call, container, part.filename, part.data))
    id: Any = call.body.get("file_id")
    if part is not None or not isinstance(id, str):
        raise errors.invalid("Either 'file', which must be a file, or 'file_id' is needed.", param="file")
    name, data = _source(call, id, "file_id")
    return call.json(_add(call, container, name, data))


@handles("containers.files.list")
def list_files(call: Call) -> Response:
    """A page of the files in a container, newest first unless asked otherwise."""
    return call.json(call.page(_files(call, _found(call)["id"])))


def _file(call: Call) -> Value:
    found: Value = call.found(_files(call, _found(call)["id"]), ids(call)[1], "container file")
    return found


@handles("containers.files.get")
def get_file(call: Call) -> Response:
    """One file in a container, without its content."""
    return call.json(_file(call))


@handles("containers.files.content")
def content(call: Call) -> Response:
    """The bytes of a file in a container."""
    file = _file(call)
    data: bytes = call.store.collection("container-contents", file["container_id"]).get(file["id"])
    return call.bytes(data, "application/octet-stream")


@handles("containers.files.delete")
def delete_file(call: Call) -> Response:
    """Remove a file from a container. The file that it was copied from stays."""
    file = _file(call)
    _files(call, file["container_id"]).remove(file["id"])
    call.store.collection("container-contents", file["container_id"]).remove(file["id"])
    return call.empty(200)
