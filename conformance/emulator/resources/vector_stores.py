"""Vector stores. Their files are processed when they are read, so that polling sees progress and an end."""

from __future__ import annotations

from typing import Any

from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.objects import Value, changed, deleted, ids, members
from conformance.emulator.resources.vector_store_files import attach, process_waiting
from conformance.evidence.exchange import Response

__all__ = ["new_store", "with_stores"]

_DAY = 86_400
_FIELDS: dict[str, Any] = {"name": "", "expires_after": None, "metadata": {}}


def new_store(call: Call, asked: Value) -> Value:
    """Create a vector store with its first files."""
    now = call.clock.now()
    found: Value = {
        "id": call.store.new_id("vs_"),
        "object": "vector_store",
        "created_at": now,
        "name": asked.get("name") or "",
        "usage_bytes": 0,
        "file_counts": {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0},
        "status": "completed",
        "expires_after": asked.get("expires_after"),
        "expires_at": None,
        "last_active_at": now,
        "metadata": asked.get("metadata") or {},
    }
    call.store.collection("vector-stores").put(found["id"], _with_expiry(found))
    for file_id in dict.fromkeys(asked.get("file_ids") or ()):
        attach(call, found["id"], file_id, chunking=asked.get("chunking_strategy"))
    stored: Value = call.store.collection("vector-stores").get(found["id"])
    return stored


def with_stores(call: Call, resources: Any) -> Value:
    """Tool resources as an object shows them: stores that were described inline are created and named by id."""
    shown = dict(members(resources))
    search = shown.get("file_search")
    if isinstance(search, dict) and "vector_stores" in search:
        made = [new_store(call, members(one))["id"] for one in search["vector_stores"] or ()]
        shown["file_search"] = {"vector_store_ids": [*(search.get("vector_store_ids") or ()), *made]}
    return shown


def _with_expiry(found: Value) -> Value:
    """The store with ``expires_at``, counted from its last activity."""
    policy = found["expires_after"]
    # The only documented anchor of a policy is the last activity.
    found["expires_at"] = found["last_active_at"] + policy["days"] * _DAY if policy else None
    return found


def _shown(call: Call, found: Value) -> Value:
    """The store, marked as expired if its time is over."""
    if found["expires_at"] is not None and call.clock.now() >= found["expires_at"]:
        found["status"] = "expired"
    return found


def _found(call: Call) -> Value:
    found: Value = call.found(call.store.collection("vector-stores"), ids(call)[0], "vector store")
    return _shown(call, found)


@handles("vector_stores.create")
def create(call: Call) -> Response:
    """A new vector store with the given files."""
    return call.json(new_store(call, members(call.body)))


@handles("vector_stores.list")
def list_(call: Call) -> Response:
    """A page of vector stores."""
    page = call.page(call.store.collection("vector-stores"))
    return call.json({**page, "data": [_shown(call, one) for one in page["data"]]})


@handles("vector_stores.get")
def get(call: Call) -> Response:
    """One vector store. Each read processes some of its files."""
    found = _found(call)
    process_waiting(call, found["id"])
    return call.json(found)


@handles("vector_stores.modify")
def modify(call: Call) -> Response:
    """Replace the name, the metadata or the expiry policy."""
    found = _with_expiry(changed(_found(call), call.body, _FIELDS))
    return call.json(call.store.collection("vector-stores").put(found["id"], found))


@handles("vector_stores.delete")
def delete(call: Call) -> Response:
    """Remove a store. Its files remain."""
    id = _found(call)["id"]
    call.store.collection("vector-stores").remove(id)
    for batch in call.store.collection("file-batches", id):
        call.store.drop("file-batch-files", batch["id"])
    for kind in ("vector-store-files", "vector-store-queue", "file-batches"):
        call.store.drop(kind, id)
    return deleted(call, id, "vector_store.deleted")
