"""Shapes of batches that the guide to batches shows: null for what isn't there, an empty error file, rows in any order.

The guide: https://learn.microsoft.com/azure/ai-foundry/openai/how-to/batch
"""

from __future__ import annotations

from conformance.emulator.call import Call
from conformance.emulator.dialects import dialect
from conformance.emulator.edits import Value, each_object, edited
from conformance.emulator.events import dumps
from conformance.emulator.handlers import Handler
from conformance.emulator.resources.files import rows_of, store_file
from conformance.evidence.exchange import Response

CREATE, GET, LIST = "batches.create", "batches.get", "batches.list"
SHOWN = (CREATE, GET, LIST, "batches.cancel")

#: What the examples have as null.
_MISSING = (
    "output_file_id", "error_file_id", "errors", "metadata", "in_progress_at", "finalizing_at", "completed_at",
    "failed_at", "expired_at", "cancelling_at", "cancelled_at",
)  # fmt: skip


@dialect("batch.nulls", "What a batch has not is null, and so are its counts before the file is read.", *SHOWN)
def nulls(call: Call, answer: Handler) -> Response:
    def told(batch: Value) -> None:
        for name in _MISSING:
            batch.setdefault(name, None)
        if batch["status"] == "validating":
            batch["request_counts"] = dict.fromkeys(("total", "completed", "failed"))

    return each_object(answer(call), told)


@dialect("batch.no-endpoint", "The endpoint of a batch is null.", *SHOWN)
def no_endpoint(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda batch: batch.update(endpoint=None))


@dialect("batch.plain-list", "A list of batches doesn't say that it is one.", LIST)
def plain_list(call: Call, answer: Handler) -> Response:
    return edited(answer(call), lambda page: {name: value for name, value in page.items() if name != "object"})


@dialect("batch.empty-errors", "A completed batch without failures names an empty error file.", GET)
def empty_errors(call: Call, answer: Handler) -> Response:
    response = answer(call)
    batch = call.store.collection("batches").get(response.json["id"])
    if batch["status"] == "completed" and "error_file_id" not in batch:
        file = store_file(call, b"", f"{batch['id']}_error.jsonl", "batch_output", status="processed")
        batch["error_file_id"] = file["id"]
        return call.json(batch)
    return response


@dialect("batch.fast", "A batch has ended at the first look.", GET)
def fast(call: Call, answer: Handler) -> Response:
    for _ in range(3):
        answer(call)
    return answer(call)


@dialect("batch.rows-turned", "The rows of a file of results come in another order.", "files.content")
def rows_turned(call: Call, answer: Handler) -> Response:
    response = answer(call)
    rows = rows_of(response.body)
    if not rows or not all({"custom_id", "response"} <= row.keys() for row in rows):
        return response
    return response.with_body("".join(f"{dumps(row)}\n" for row in reversed(rows)).encode())
