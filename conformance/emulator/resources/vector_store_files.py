"""Files in a vector store, attached alone or in batches.

A new file is ``in_progress``. Each read of the store, the file, its list or its batch processes half of the waiting
files, at least one. A file that was never uploaded ends ``failed``, if the version has uploads.
"""

from __future__ import annotations

from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call, Documented
from conformance.emulator.handlers import handles
from conformance.emulator.resources.objects import Value, deleted, ids, members
from conformance.emulator.store import Collection
from conformance.evidence.exchange import Response
from conformance.spec.operations import operations_of

__all__ = ["attach", "process_waiting"]

#: The chunking of a file if none was requested: the documented defaults.
_STATIC = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}

#: The size of a file of which only the id is known.
_UNKNOWN_BYTES = 1024


def attach(call: Call, store_id: str, file_id: str, *, chunking: Any = None, attributes: Any = None) -> Value:
    """Put a file into a store, to be processed. A file that is already there starts again."""
    files, queue = _files(call, store_id), call.store.collection("vector-store-queue", store_id)
    known = files.get(file_id)
    if known is not None:
        # The old entry leaves the counts before the new one enters them.
        _count(call, store_id, known["status"], -1)
        _weigh(call, store_id, -known["usage_bytes"])
    chosen = members(chunking)
    found: Value = {
        "id": file_id,
        "object": "vector_store.file",
        "usage_bytes": 0,
        "created_at": call.clock.now(),
        "vector_store_id": store_id,
        "status": "in_progress",
        "last_error": None,
        "attributes": attributes or {},
        "chunking_strategy": chosen if chosen.get("type") == "static" else _STATIC,
    }
    files.put(file_id, found)
    queue.put(file_id, found)
    _count(call, store_id, "in_progress", 1)
    return found


def process_waiting(call: Call, store_id: str) -> None:
    """Process the first half of a store's waiting files, at least one."""
    queue = call.store.collection("vector-store-queue", store_id)
    # Half of them, so that polling sees several states before the end.
    for file_id in [one["id"] for one in queue.page(limit=max(1, (len(queue) + 1) // 2), order="asc").items]:
        found = queue.remove(file_id)
        _settle(call, found, *_outcome(call, file_id))


def _outcome(call: Call, file_id: str) -> tuple[str, int]:
    """The final status of a file and its size in bytes."""
    known = call.store.collection("files").get(file_id)
    if known is not None:
        return "completed", known["bytes"]
    # A version without uploads takes files from elsewhere; their content isn't known here.
    return ("failed", 0) if "files.upload" in operations_of(call.spec) else ("completed", _UNKNOWN_BYTES)


def _settle(call: Call, found: Value, status: str, weight: int) -> None:
    """Give a waiting file its final status, and count it."""
    store_id = found["vector_store_id"]
    _count(call, store_id, found["status"], -1)
    found["status"], found["usage_bytes"] = status, weight
    if status == "failed":
        found["last_error"] = {"code": _error_code(call), "message": f"No file found with id '{found['id']}'."}
    _count(call, store_id, status, 1)
    _weigh(call, store_id, weight)


def _error_code(call: Call) -> str:
    """The documented error code that comes closest to "the file is missing"."""
    shown = Documented(call.spec, operations_of(call.spec)["vector_stores.files.get"]).answer
    codes = shown.values("last_error", "code")
    return next((code for code in ("file_not_found", "invalid_file") if code in codes), "server_error")


def _count(call: Call, store_id: str, status: str, change: int) -> None:
    """Change the store's number of files in a state."""
    store = call.store.collection("vector-stores").get(store_id)
    counts = store["file_counts"]
    counts[status] += change
    counts["total"] += change
    store["status"] = "in_progress" if counts["in_progress"] else "completed"
    store["last_active_at"] = call.clock.now()


def _weigh(call: Call, store_id: str, change: int) -> None:
    """Change the store's size in bytes."""
    call.store.collection("vector-stores").get(store_id)["usage_bytes"] += change


def _files(call: Call, store_id: str) -> Collection:
    return call.store.collection("vector-store-files", store_id)


def _store_id(call: Call) -> str:
    id: str = call.found(call.store.collection("vector-stores"), ids(call)[0], "vector store")["id"]
    return id


def _found(call: Call) -> Value:
    found: Value = call.found(_files(call, _store_id(call)), ids(call)[1], "vector store file")
    return found


def _page(call: Call, files: Collection) -> Value:
    """A page of files, filtered by state on request."""
    status = call.query.get("filter")
    return call.page(files, where=(lambda one: one["status"] == status) if status else None)


@handles("vector_stores.files.create")
def create(call: Call) -> Response:
    """Attach a file."""
    return call.json(
        attach(
            call,
            _store_id(call),
            call.body["file_id"],
            chunking=call.get("chunking_strategy"),
            attributes=call.get("attributes"),
        )
    )


@handles("vector_stores.files.list")
def list_(call: Call) -> Response:
    """A page of the files of a store, filtered by state on request."""
    store_id = _store_id(call)
    process_waiting(call, store_id)
    return call.json(_page(call, _files(call, store_id)))


@handles("vector_stores.files.get")
def get(call: Call) -> Response:
    """One file of a store."""
    found = _found(call)
    process_waiting(call, found["vector_store_id"])
    return call.json(found)


@handles("vector_stores.files.modify")
def modify(call: Call) -> Response:
    """Replace the attributes."""
    found = _found(call)
    found["attributes"] = call.get("attributes", {})
    return call.json(found)


@handles("vector_stores.files.delete")
def delete(call: Call) -> Response:
    """Detach a file. The file itself remains."""
    found = _found(call)
    store_id = found["vector_store_id"]
    _files(call, store_id).remove(found["id"])
    call.store.collection("vector-store-queue", store_id).remove(found["id"])
    _count(call, store_id, found["status"], -1)
    _weigh(call, store_id, -found["usage_bytes"])
    return deleted(call, found["id"], "vector_store.file.deleted")


@handles("vector_stores.file_batches.create")
def create_batch(call: Call) -> Response:
    """Attach several files as one batch."""
    store_id = _store_id(call)
    chunking, attributes = call.get("chunking_strategy"), call.get("attributes")
    batch: Value = {
        "id": call.store.new_id("vsfb_"),
        "object": "vector_store.files_batch",
        "created_at": call.clock.now(),
        "vector_store_id": store_id,
        "cancelled": False,
        # The same file twice is one file of the batch; the order stays.
        "files": list(dict.fromkeys(_file_ids(call))),
    }
    members_of = call.store.collection("file-batch-files", batch["id"])
    for file_id in batch["files"]:
        members_of.put(file_id, attach(call, store_id, file_id, chunking=chunking, attributes=attributes))
    call.store.collection("file-batches", store_id).put(batch["id"], batch)
    return call.json(_shown(call, batch))


def _file_ids(call: Call) -> list[str]:
    """The files of a batch: ids, or in some versions objects with options of their own."""
    return list(call.body.get("file_ids") or [one["file_id"] for one in call.get("files", [])])


@handles("vector_stores.file_batches.get")
def get_batch(call: Call) -> Response:
    """One batch."""
    batch = _batch(call)
    process_waiting(call, batch["vector_store_id"])
    return call.json(_shown(call, batch))


@handles("vector_stores.file_batches.cancel")
def cancel_batch(call: Call) -> Response:
    """Cancel the files of a batch that still wait. Processed files stay as they are."""
    batch = _batch(call)
    queue = call.store.collection("vector-store-queue", batch["vector_store_id"])
    waiting = [file_id for file_id in batch["files"] if file_id in queue]
    if not waiting:
        raise errors.conflict(f"Batch {batch['id']} has ended and can't be cancelled.")
    for file_id in waiting:
        _settle(call, queue.remove(file_id), "cancelled", 0)
    batch["cancelled"] = True
    return call.json(_shown(call, batch))


@handles("vector_stores.file_batches.list_files")
def list_batch(call: Call) -> Response:
    """A page of the files of a batch."""
    batch = _batch(call)
    process_waiting(call, batch["vector_store_id"])
    return call.json(_page(call, call.store.collection("file-batch-files", batch["id"])))


def _batch(call: Call) -> Value:
    batches = call.store.collection("file-batches", _store_id(call))
    found: Value = call.found(batches, ids(call)[1], "vector store file batch")
    return found


def _shown(call: Call, batch: Value) -> Value:
    """The batch with its counts. It has ended when none of its files waits."""
    counts = {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0}
    for one in call.store.collection("file-batch-files", batch["id"]):
        counts[one["status"]] += 1
    ended = "cancelled" if batch["cancelled"] else "completed"
    status = "in_progress" if counts["in_progress"] else ended
    # These two are the emulator's own notes, no documented fields.
    shown = {name: value for name, value in batch.items() if name not in ("cancelled", "files")}
    return {**shown, "status": status, "file_counts": {**counts, "total": sum(counts.values())}}
