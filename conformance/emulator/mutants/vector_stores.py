"""Mutants of vector stores: wrong counts, lost fields, files and batches that do not end."""

from __future__ import annotations

from conformance.emulator.call import Call
from conformance.emulator.edits import Value, each_object, edited, path_ids, with_fields, with_items
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

STORES = ("vector_stores.create", "vector_stores.get", "vector_stores.list", "vector_stores.modify")
BATCHES = ("vector_stores.file_batches.create", "vector_stores.file_batches.get", "vector_stores.file_batches.cancel")
FILES = ("vector_stores.files.create", "vector_stores.files.get", "vector_stores.files.list")


@mutant("store.counts-do-not-add-up", "The counts of a vector store add up to its total.", *STORES)
def counts_do_not_add_up(call: Call, answer: Handler) -> Response:
    return _one_more(answer(call))


@mutant("store.batch-counts-do-not-add-up", "The counts of a batch add up to its total.", *BATCHES)
def batch_counts_do_not_add_up(call: Call, answer: Handler) -> Response:
    return _one_more(answer(call))


def _one_more(response: Response) -> Response:
    """The answer with each total one too high."""

    def more(one: Value) -> None:
        if one.get("file_counts"):
            one["file_counts"]["total"] += 1

    return each_object(response, more)


@mutant("store.total-stays-zero", "A vector store counts its files.", *STORES)
def total_stays_zero(call: Call, answer: Handler) -> Response:
    none = {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0}
    return with_fields(answer(call), file_counts=none)


@mutant(
    "store.detach-deletes-file",
    "Detaching a file from a store does not delete the file.",
    "vector_stores.files.delete",
    seen_by="files.get",
)
def detach_deletes_file(call: Call, answer: Handler) -> Response:
    call.store.collection("files").remove(path_ids(call)[1])
    return answer(call)


@mutant(
    "store.delete-deletes-files",
    "Deleting a store does not delete its files.",
    "vector_stores.delete",
    seen_by="files.get",
)
def delete_deletes_files(call: Call, answer: Handler) -> Response:
    for one in call.store.collection("vector-store-files", path_ids(call)[0]):
        call.store.collection("files").remove(one["id"])
    return answer(call)


@mutant("store.detached-still-counted", "A detached file is no longer counted.", "vector_stores.files.delete")
def detached_still_counted(call: Call, answer: Handler) -> Response:
    store = call.store.collection("vector-stores").get(path_ids(call)[0])
    before = dict(store["file_counts"]) if store else {}
    response = answer(call)
    if store:
        store["file_counts"] = before
    return response


@mutant("store.file-never-ends", "A file in a store reaches a final state.", "vector_stores.files.get", FILES[2])
def file_never_ends(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), status="in_progress", last_error=None)


@mutant("store.never-ends", "The processing of a vector store comes to an end.", "vector_stores.get")
def never_ends(call: Call, answer: Handler) -> Response:
    def hold(one: Value) -> None:
        counts = one["file_counts"]
        if counts["total"]:
            moved = {**counts, "in_progress": counts["in_progress"] + counts["completed"], "completed": 0}
            one.update(status="in_progress", file_counts=moved)

    return edited(answer(call), hold)


@mutant("store.batch-never-ends", "A batch reaches a final state.", "vector_stores.file_batches.get")
def batch_never_ends(call: Call, answer: Handler) -> Response:
    def hold(one: Value) -> None:
        total = one["file_counts"]["total"]
        none = {"completed": 0, "failed": 0, "cancelled": 0}
        one.update(status="in_progress", file_counts={**none, "in_progress": total, "total": total})

    return edited(answer(call), hold)


@mutant("store.completed-while-counting", "A completed store has no file in progress.", "vector_stores.get")
def completed_while_counting(call: Call, answer: Handler) -> Response:
    def early(one: Value) -> None:
        counts = one["file_counts"]
        if counts["completed"]:
            moved = {**counts, "in_progress": counts["in_progress"] + 1, "completed": counts["completed"] - 1}
            one.update(status="completed", file_counts=moved)

    return edited(answer(call), early)


@mutant("store.expiry-lost", "A vector store keeps the expiry policy from its creation.", *STORES)
def expiry_lost(call: Call, answer: Handler) -> Response:
    def lose(one: Value) -> None:
        one.pop("expires_after", None)
        one.pop("expires_at", None)

    return each_object(answer(call), lose)


@mutant(
    "store.expires-at-wrong",
    "The field expires_at is the time of the last activity plus the days of the policy.",
    *STORES,
)
def expires_at_wrong(call: Call, answer: Handler) -> Response:
    def wrong(one: Value) -> None:
        if one.get("expires_at"):
            one["expires_at"] = one["last_active_at"] + one["expires_after"]["days"]

    return each_object(answer(call), wrong)


@mutant(
    "store.batch-cancel-ignored", "A cancelled batch processes no further files.", "vector_stores.file_batches.cancel"
)
def batch_cancel_ignored(call: Call, answer: Handler) -> Response:
    batch = call.store.collection("file-batches", path_ids(call)[0]).get(path_ids(call)[1])
    if batch is None:
        return answer(call)
    queue = call.store.collection("vector-store-queue", path_ids(call)[0])
    waiting = [dict(queue.get(one)) for one in batch["files"] if one in queue]
    response = answer(call)
    for one in waiting:
        kept = call.store.collection("vector-store-files", path_ids(call)[0]).get(one["id"])
        kept.update(one)
        counts = call.store.collection("vector-stores").get(path_ids(call)[0])["file_counts"]
        counts["cancelled"] -= 1
        counts["in_progress"] += 1
        queue.put(one["id"], kept)
    batch["cancelled"] = False
    return response


@mutant(
    "store.chunking-lost",
    "A file in a store keeps the chunking strategy from its creation.",
    *FILES,
    about="chunking_strategy",
)
def chunking_lost(call: Call, answer: Handler) -> Response:
    other = {"type": "static", "static": {"max_chunk_size_tokens": 777, "chunk_overlap_tokens": 77}}
    return with_fields(answer(call), chunking_strategy=other)


@mutant("store.attributes-lost", "A file in a store keeps its attributes.", *FILES, about="attributes")
def attributes_lost(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), attributes={})


@mutant("store.batch-lists-all", "A batch lists only its own files.", "vector_stores.file_batches.list_files")
def batch_lists_all(call: Call, answer: Handler) -> Response:
    first = not {"after", "before"} & set(call.query)
    others = [call.documented.answer.fit({"data": [one]})["data"][0] for one in _others(call)]
    return with_items(answer(call), lambda data: [*data, *others[:1]] if first else data)


def _others(call: Call) -> list[Value]:
    """The files of the store that don't belong to the batch."""
    own = call.store.collection("file-batch-files", path_ids(call)[1])
    return [one for one in call.store.collection("vector-store-files", path_ids(call)[0]) if one["id"] not in own]


@mutant(
    "store.file-of-another", "A file in a store contains the id of the store.", *FILES, "vector_stores.file_batches.*"
)
def file_of_another(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), vector_store_id="vs_000000000000000000000000")


@mutant("store.usage-negative", "The bytes of a store are not negative.", *STORES)
def usage_negative(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), usage_bytes=-1, bytes=-1)


@mutant("store.attributes-as-text", "Attributes of a file keep their types.", *FILES, about="attributes")
def attributes_as_text(call: Call, answer: Handler) -> Response:
    def written(one: Value) -> None:
        if isinstance(one.get("attributes"), dict):
            one["attributes"] = {name: str(value) for name, value in one["attributes"].items()}

    return each_object(answer(call), written)
