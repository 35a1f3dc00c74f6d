"""Recorded shapes of files, of files in vector stores and of fine-tuning jobs."""

from __future__ import annotations

from attrs import evolve

from conformance.emulator.call import Call
from conformance.emulator.dialects import dialect
from conformance.emulator.edits import Value, each_object
from conformance.emulator.handlers import Handler
from conformance.evidence.exchange import Response

#: What a job was recorded without after it was created, and after it was cancelled.
_UNTOLD = ("error", "fine_tuned_model", "organization_id", "result_files", "validation_file", "trained_tokens")


@dialect(
    "batch-files.without-bytes",
    "The files of a batch lack usage_bytes.",
    "vector_stores.file_batches.list_files",
)
def without_bytes(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.pop("usage_bytes", None))


@dialect(
    "file.null-details", "A file has status_details, which is null.", "files.list", "files.get", "files.upload",
    surfaces=("v1",),
)  # fmt: skip
def null_details(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.update(status_details=None))


@dialect("created.201", "An upload and a new job are answered with 201.", "files.upload", "fine_tuning.jobs.create")
def created(call: Call, answer: Handler) -> Response:
    response = answer(call)
    return evolve(response, status=201) if response.status == 200 else response


@dialect(
    "job.lean",
    "A job that was just created is pending and lacks fields that it doesn't need yet.",
    "fine_tuning.jobs.create",
    surfaces=("v1",),
)
def lean_job(call: Call, answer: Handler) -> Response:
    def lean(job: Value) -> None:
        job["status"] = "pending"
        for name in _UNTOLD:
            if job.get(name) in (None, []):
                job.pop(name, None)

    return each_object(answer(call), lean)


@dialect(
    "job.keeps-estimate",
    "A cancelled job keeps its estimated_finish.",
    "fine_tuning.jobs.cancel",
    "fine_tuning.jobs.get",
    surfaces=("v1",),
)
def keeps_estimate(call: Call, answer: Handler) -> Response:
    def keep(job: Value) -> None:
        if job.get("status") == "cancelled":
            job["estimated_finish"] = job["created_at"] + 3_600

    return each_object(answer(call), keep)
