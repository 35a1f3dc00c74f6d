"""Batches: the rows of an uploaded file are requests; each read of a batch takes it one state further."""

from __future__ import annotations

import json
from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call
from conformance.emulator.events import dumps
from conformance.emulator.handlers import handles
from conformance.emulator.resources.files import content_of, rows_of, store_file
from conformance.emulator.resources.objects import Value, ids, members
from conformance.emulator.store import Collection
from conformance.evidence.exchange import Response

_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
#: The state after each state.
_NEXT = {
    "validating": "in_progress",
    "in_progress": "finalizing",
    "finalizing": "completed",
    "cancelling": "cancelled",
}
#: Seconds of the only documented window, 24h.
_WINDOW = 24 * 3600


def _batches(call: Call) -> Collection:
    return call.store.collection("batches")


def _found(call: Call) -> Value:
    found: Value = call.found(_batches(call), ids(call)[0], "batch")
    return found


def _moved(call: Call, batch: Value, status: str) -> None:
    """Put the batch into a state and note the time."""
    batch["status"] = status
    batch[f"{status}_at"] = call.clock.now()


def _path(url: Any) -> str:
    """The path of an endpoint without the prefix that rows may leave out."""
    return str(url).removeprefix("/v1")


def _faults(batch: Value, rows: list[Value] | None) -> list[Value]:
    """What is wrong with the input file as a whole: such a batch fails before any request of it is answered."""
    if rows is None:
        return [{"code": "invalid_json_line", "message": "The file is not a JSON Lines file.", "line": 1}]
    found: list[Value] = []
    seen: set[str] = set()
    for line, row in enumerate(rows, 1):
        id = row.get("custom_id")
        if not isinstance(id, str) or not isinstance(row.get("body"), dict):
            found.append({"code": "invalid_request", "message": "A row needs custom_id and body.", "line": line})
        elif id in seen:
            found.append({"code": "duplicate_custom_id", "message": f"The custom_id {id} is not unique.", "line": line})
        elif row.get("method") != "POST" or _path(row.get("url")) != _path(batch["endpoint"]):
            message = f"Method and url must be POST and {batch['endpoint']}."
            found.append({"code": "invalid_url", "message": message, "line": line})
        seen.add(str(id))
    return found


def _advance(call: Call, batch: Value) -> None:
    """Take the batch one state further. Its first row is answered when it is in progress, the others before it is
    finalized, so that a batch which is cancelled between has a part of its results.
    """
    if batch["status"] in _ENDED:
        return
    following = _NEXT[batch["status"]]
    if following == "in_progress":
        rows = rows_of(content_of(call, batch["input_file_id"]) or b"")
        faults = _faults(batch, rows)
        if faults:
            batch["errors"] = {"object": "list", "data": faults}
            _moved(call, batch, "failed")
            return
        batch["request_counts"] = {"total": len(rows or ()), "completed": 0, "failed": 0}
        _answered(call, batch, (rows or [])[:1])
    elif following == "finalizing":
        _answered(call, batch, (rows_of(content_of(call, batch["input_file_id"]) or b"") or [])[1:])
    else:
        _written(call, batch)
    _moved(call, batch, following)


def _lines(call: Call, batch: Value, name: str) -> list[str]:
    """The rows of the output or of the error file that a batch has so far."""
    kept = call.store.collection(f"batch-{name}-lines")
    found: list[str] | None = kept.get(batch["id"])
    if found is None:
        found = []
        kept.put(batch["id"], found)
    return found


def _answered(call: Call, batch: Value, rows: list[Value]) -> None:
    """Answer some rows. Those that succeed go to the output file, the others to the error file."""
    for row in rows:
        response = call.post(_path(batch["endpoint"]), row["body"])
        answer = {
            "status_code": response.status,
            "request_id": call.store.new_id("req_"),
            "body": json.loads(response.body),
        }
        line = {
            "id": call.store.new_id("batch_req_"),
            "custom_id": row["custom_id"],
            "response": answer,
            "error": None,
        }
        good = response.status < 300
        _lines(call, batch, "output" if good else "error").append(dumps(line))
        batch["request_counts"]["completed" if good else "failed"] += 1


def _written(call: Call, batch: Value) -> None:
    """Store the files with the rows that were answered. There is no file without rows."""
    for name in ("output", "error"):
        lines = _lines(call, batch, name)
        if lines:
            data = "".join(f"{line}\n" for line in lines).encode()
            file = store_file(call, data, f"{batch['id']}_{name}.jsonl", "batch_output", status="processed")
            batch[f"{name}_file_id"] = file["id"]


@handles("batches.create")
def create(call: Call) -> Response:
    """A new batch over a file with the purpose ``batch``. Its rows are checked at the first read."""
    id = call.get("input_file_id")
    file = members(call.store.collection("files").get(id)) if isinstance(id, str) else {}
    if file.get("purpose") != "batch":
        message = "'input_file_id' must name an uploaded file with the purpose 'batch'."
        raise errors.invalid(message, param="input_file_id")
    now = call.clock.now()
    batch: Value = {
        "id": call.store.new_id("batch_"),
        "object": "batch",
        "endpoint": call.body["endpoint"],
        "completion_window": call.body["completion_window"],
        "input_file_id": id,
        "metadata": call.body.get("metadata"),
        "status": "validating",
        "created_at": now,
        "expires_at": now + _WINDOW,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
    }
    _batches(call).put(batch["id"], batch)
    return call.json(batch)


@handles("batches.list")
def list_(call: Call) -> Response:
    """A page of batches, newest first. An empty page has no ids: the document allows no null there."""
    return call.json({name: value for name, value in call.page(_batches(call)).items() if value is not None})


@handles("batches.get")
def get(call: Call) -> Response:
    """One batch. Each read takes it one state further."""
    batch = _found(call)
    _advance(call, batch)
    return call.json(batch)


@handles("batches.cancel")
def cancel(call: Call) -> Response:
    """Stop a batch: it is cancelled at the next read. Raises 400 if it has ended."""
    batch = _found(call)
    if batch["status"] in _ENDED:
        raise errors.conflict(f"The batch {batch['id']} has status '{batch['status']}' and can't be cancelled.")
    if batch["status"] != "cancelling":
        _moved(call, batch, "cancelling")
    return call.json(batch)
