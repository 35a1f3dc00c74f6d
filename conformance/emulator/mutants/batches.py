"""Mutants of batches: rows that are lost, doubled or mixed up, wrong counts, states and times, bad files that pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve

from conformance.emulator.call import Call
from conformance.emulator.edits import Value, each_object, edited, memory, path_ids, with_fields
from conformance.emulator.events import dumps
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.emulator.resources.files import rows_of
from conformance.evidence.exchange import Response

CREATE, GET, CANCEL, CONTENT = "batches.create", "batches.get", "batches.cancel", "files.content"
SHOWN = (CREATE, GET, CANCEL, "batches.list")


def _with_rows(response: Response, change: Callable[[list[Value]], list[Value]]) -> Response:
    """A file of results with other rows. Other files stay as they are."""
    rows = rows_of(response.body) if response.status == 200 else None
    if not rows or not all({"custom_id", "response"} <= row.keys() for row in rows):
        return response
    return response.with_body("".join(f"{dumps(row)}\n" for row in change(rows)).encode())


def _in_state(response: Response, status: str, change: Callable[[Value], Any]) -> Response:
    """The answer with ``change`` applied to each batch that is in a state."""
    return each_object(response, lambda one: change(one) if one.get("status") == status else None)


@mutant("batches.row-lost", "Each request of a batch has a row.", CONTENT, seen_by=GET)
def row_lost(call: Call, answer: Handler) -> Response:
    return _with_rows(answer(call), lambda rows: rows[1:])


@mutant("batches.row-doubled", "Each request of a batch has one row.", CONTENT, seen_by=GET)
def row_doubled(call: Call, answer: Handler) -> Response:
    return _with_rows(answer(call), lambda rows: [*rows, rows[0]])


@mutant("batches.rows-mixed-up", "The row of a request holds its own answer.", CONTENT, seen_by=GET)
def rows_mixed_up(call: Call, answer: Handler) -> Response:
    def mixed(rows: list[Value]) -> list[Value]:
        ids = [row["custom_id"] for row in rows]
        return [{**row, "custom_id": id} for row, id in zip(rows, reversed(ids), strict=True)]

    return _with_rows(answer(call), mixed)


@mutant("batches.ids-made-up", "A row has the custom_id of its request.", CONTENT, seen_by=GET)
def ids_made_up(call: Call, answer: Handler) -> Response:
    return _with_rows(answer(call), lambda rows: [{**row, "custom_id": f"row-{n}"} for n, row in enumerate(rows)])


@mutant("batches.answers-empty", "A row of the output file holds an answer.", CONTENT, seen_by=GET)
def answers_empty(call: Call, answer: Handler) -> Response:
    def emptied(rows: list[Value]) -> list[Value]:
        return [{**row, "response": {**row["response"], "body": {}}} for row in rows]

    return _with_rows(answer(call), emptied)


@mutant("batches.files-exchanged", "Successes stand in the output file and failures in the error file.", GET)
def files_exchanged(call: Call, answer: Handler) -> Response:
    def exchange(one: Value) -> None:
        if one.get("output_file_id") and one.get("error_file_id"):
            one["output_file_id"], one["error_file_id"] = one["error_file_id"], one["output_file_id"]

    return each_object(answer(call), exchange)


@mutant("batches.no-output", "A completed batch names the file with its answers.", GET)
def no_output(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.pop("output_file_id", None))


@mutant("batches.no-errors", "A completed batch names the file with its failures.", GET)
def no_errors(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.pop("error_file_id", None))


@mutant("batches.failures-not-counted", "The counts of a completed batch add up to its total.", *SHOWN)
def failures_not_counted(call: Call, answer: Handler) -> Response:
    return _in_state(answer(call), "completed", lambda one: one["request_counts"].update(failed=0))


@mutant("batches.all-counted-as-done", "As many rows are in the output file as are counted as completed.", *SHOWN)
def all_counted_as_done(call: Call, answer: Handler) -> Response:
    def claim(one: Value) -> None:
        one["request_counts"].update(completed=one["request_counts"]["total"], failed=0)

    return _in_state(answer(call), "completed", claim)


@mutant("batches.total-too-low", "The total of a batch is the number of its requests.", *SHOWN)
def total_too_low(call: Call, answer: Handler) -> Response:
    def lower(one: Value) -> None:
        counts = one["request_counts"]
        if counts["failed"]:
            counts.update(total=counts["total"] - counts["failed"], failed=0)

    return _in_state(answer(call), "completed", lower)


@mutant("batches.cancel-ignored", "A cancelled batch does not complete.", CANCEL, seen_by=GET)
def cancel_ignored(call: Call, answer: Handler) -> Response:
    batch = call.store.collection("batches").get(path_ids(call)[0])
    before = dict(batch) if batch else {}
    response = answer(call)
    if batch:
        batch["status"] = before["status"]
    return response


@mutant("batches.cancel-reopens", "A batch that has ended stays as it is.", CANCEL, seen_by=GET)
def cancel_reopens(call: Call, answer: Handler) -> Response:
    batch = call.store.collection("batches").get(path_ids(call)[0])
    if batch and batch["status"] == "completed":
        batch["status"] = "in_progress"
    return answer(call)


@mutant("batches.restarts", "A completed batch stays completed.", GET)
def restarts(call: Call, answer: Handler) -> Response:
    seen = memory(call, "completed batches")
    response = answer(call)
    if response.status != 200 or response.json["status"] != "completed":
        return response
    if response.json["id"] in seen:
        return edited(response, lambda one: {**one, "status": "in_progress"})
    seen.put(response.json["id"], True)
    return response


@mutant("batches.goes-back", "A batch in progress is not validated again.", GET)
def goes_back(call: Call, answer: Handler) -> Response:
    return _in_state(answer(call), "finalizing", lambda one: one.update(status="validating"))


@mutant("batches.never-ends", "A batch reaches a final state.", GET)
def never_ends(call: Call, answer: Handler) -> Response:
    return _in_state(answer(call), "completed", lambda one: one.update(status="in_progress"))


@mutant("batches.completed-too-early", "An unfinished batch has no time of its completion.", *SHOWN)
def completed_too_early(call: Call, answer: Handler) -> Response:
    return _in_state(answer(call), "in_progress", lambda one: one.update(completed_at=one["created_at"]))


@mutant("batches.times-turned", "A batch is completed after it was begun.", *SHOWN)
def times_turned(call: Call, answer: Handler) -> Response:
    return _in_state(answer(call), "completed", lambda one: one.update(completed_at=one["created_at"] - 60))


@mutant("batches.any-purpose", "A batch over a file with another purpose is refused.", CREATE, seen_by=GET)
def any_purpose(call: Call, answer: Handler) -> Response:
    file = call.store.collection("files").get(str(call.get("input_file_id")))
    if file is None or file["purpose"] == "batch":
        return answer(call)
    purpose, file["purpose"] = file["purpose"], "batch"
    response = answer(call)
    file["purpose"] = purpose
    # Its rows are no requests, so it is completed without a look at them.
    if response.status < 300:
        batch = call.store.collection("batches").get(response.json["id"])
        batch.update(status="completed", completed_at=batch["created_at"])
    return response


@mutant("batches.broken-lines-skipped", "A batch over lines that are no JSON fails.", GET)
def broken_lines_skipped(call: Call, answer: Handler) -> Response:
    def complete(one: Value) -> None:
        one.pop("errors", None)
        one.update(status="completed", completed_at=one.pop("failed_at"))

    return _in_state(answer(call), "failed", complete)


@mutant("batches.fails-in-silence", "A batch that failed says why.", *SHOWN)
def fails_in_silence(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.pop("errors", None))


@mutant("batches.input-forgotten", "A batch names the file that it was made of.", *SHOWN)
def input_forgotten(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), input_file_id="file-000000000000000000000000")


@mutant("batches.results-as-input", "A file of results has a purpose of its own.", "files.get", seen_by=GET)
def results_as_input(call: Call, answer: Handler) -> Response:
    def rename(one: Value) -> None:
        if one.get("purpose") == "batch_output":
            one["purpose"] = "batch"

    return each_object(answer(call), rename)


@mutant("batches.window-any", "24h is the only window of a batch.", CREATE)
def window_any(call: Call, answer: Handler) -> Response:
    return with_fields(answer(evolve(call, body={**call.body, "completion_window": "24h"})), completion_window="48h")
