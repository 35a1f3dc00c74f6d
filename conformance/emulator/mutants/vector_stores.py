"""Vector stores that miscount, forget or never finish."""

from __future__ import annotations

from conformance.emulator.call import Call
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.emulator.mutants.edit import Value, edited, fields, ids, listed, objects
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
    def more(one: Value) -> None:
        if one.get("file_counts"):
            one["file_counts"]["total"] += 1

    return objects(response, more)


@mutant("store.total-stays-zero", "A vector store counts the files that it holds.", *STORES)
def total_stays_zero(call: Call, answer: Handler) -> Response:
    none = {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0}
    return fields(answer(call), file_counts=none)


@mutant(
    "store.detach-deletes-file",
    "Detaching a file from a store leaves the file.",
    "vector_stores.files.delete",
    seen_by="files.get",
)
def detach_deletes_file(call: Call, answer: Handler) -> Response:
    call.store.collection("files").remove(ids(call)[1])
    return answer(call)


@mutant("store.delete-deletes-files", "Deleting a store leaves its files.", "vector_stores.delete", seen_by="files.get")
def delete_deletes_files(call: Call, answer: Handler) -> Response:
    for one in call.store.collection("vector-store-files", ids(call)[0]):
        call.store.collection("files").remove(one["id"])
    return answer(call)


@mutant("store.detached-still-counted", "A detached file is no longer counted.", "vector_stores.files.delete")
def detached_still_counted(call: Call, answer: Handler) -> Response:
    store = call.store.collection("vector-stores").get(ids(call)[0])
    before = dict(store["file_counts"]) if store else {}
    response = answer(call)
    if store:
        store["file_counts"] = before
    return response


@mutant("store.file-never-ends", "A file in a store ends completed or failed.", "vector_stores.files.get", FILES[2])
def file_never_ends(call: Call, answer: Handler) -> Response:
    return fields(answer(call), status="in_progress", last_error=None)


@mutant("store.never-ends", "A vector store becomes ready.", "vector_stores.get")
def never_ends(call: Call, answer: Handler) -> Response:
    def hold(one: Value) -> None:
        counts = one["file_counts"]
        if counts["total"]:
            moved = {**counts, "in_progress": counts["in_progress"] + counts["completed"], "completed": 0}
            one.update(status="in_progress", file_counts=moved)

    return edited(answer(call), hold)


@mutant("store.batch-never-ends", "A batch ends.", "vector_stores.file_batches.get")
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


@mutant("store.expiry-lost", "An expiry policy that was given is kept.", *STORES)
def expiry_lost(call: Call, answer: Handler) -> Response:
    def lose(one: Value) -> None:
        one.pop("expires_after", None)
        one.pop("expires_at", None)

    return objects(answer(call), lose)


@mutant("store.expires-at-wrong", "expires_at is the last activity and the days of the policy.", *STORES)
def expires_at_wrong(call: Call, answer: Handler) -> Response:
    def wrong(one: Value) -> None:
        if one.get("expires_at"):
            one["expires_at"] = one["last_active_at"] + one["expires_after"]["days"]

    return objects(answer(call), wrong)


@mutant("store.batch-cancel-ignored", "A cancelled batch processes nothing more.", "vector_stores.file_batches.cancel")
def batch_cancel_ignored(call: Call, answer: Handler) -> Response:
    batch = call.store.collection("file-batches", ids(call)[0]).get(ids(call)[1])
    if batch is None:
        return answer(call)
    queue = call.store.collection("vector-store-queue", ids(call)[0])
    waiting = [dict(queue.get(one)) for one in batch["files"] if one in queue]
    response = answer(call)
    for one in waiting:
        kept = call.store.collection("vector-store-files", ids(call)[0]).get(one["id"])
        kept.update(one)
        counts = call.store.collection("vector-stores").get(ids(call)[0])["file_counts"]
        counts["cancelled"] -= 1
        counts["in_progress"] += 1
        queue.put(one["id"], kept)
    batch["cancelled"] = False
    return response


@mutant("store.chunking-lost", "A chunking strategy that was given is kept.", *FILES, about="chunking_strategy")
def chunking_lost(call: Call, answer: Handler) -> Response:
    other = {"type": "static", "static": {"max_chunk_size_tokens": 777, "chunk_overlap_tokens": 77}}
    return fields(answer(call), chunking_strategy=other)


@mutant("store.attributes-lost", "Attributes that were given are kept.", *FILES, about="attributes")
def attributes_lost(call: Call, answer: Handler) -> Response:
    return fields(answer(call), attributes={})


@mutant("store.batch-lists-all", "A batch lists its own files.", "vector_stores.file_batches.list_files")
def batch_lists_all(call: Call, answer: Handler) -> Response:
    first = not {"after", "before"} & set(call.query)
    others = [call.surface.answer.fit({"data": [one]})["data"][0] for one in _others(call)]
    return listed(answer(call), lambda data: [*data, *others[:1]] if first else data)


def _others(call: Call) -> list[Value]:
    own = call.store.collection("file-batch-files", ids(call)[1])
    return [one for one in call.store.collection("vector-store-files", ids(call)[0]) if one["id"] not in own]


@mutant("store.file-of-another", "A file in a store names the store.", *FILES, "vector_stores.file_batches.*")
def file_of_another(call: Call, answer: Handler) -> Response:
    return fields(answer(call), vector_store_id="vs_000000000000000000000000")


@mutant("store.usage-negative", "A store's bytes are the sum of its files'.", *STORES)
def usage_negative(call: Call, answer: Handler) -> Response:
    return fields(answer(call), usage_bytes=-1, bytes=-1)
