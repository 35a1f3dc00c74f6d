"""A walk through every stateful resource of a version. What is said on the way is the same on every clean emulator.

The chapters ask the version what it documents; one that it doesn't have is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from state_assistants import assistants, full_pages, runs, streamed_runs, threads
from state_batches import batches
from state_conversations import containers, conversations
from state_realtime import realtime
from state_steps import FUNCTIONS, MODEL, lived, paged, uploaded
from state_talk import Talk
from state_tuned import checkpoints
from state_videos import videos


def files(talk: Talk) -> None:
    data = bytes(range(256)) * 3
    purposes = ("assistants", "fine-tune")
    made = [uploaded(talk, f"f{n}.jsonl", data, purposes[n % 2]) for n in range(4)]
    for id_ in made[:2]:
        talk.ok("files.get", id_)
    talk.ok("files.list")
    talk.ok("files.list", query={"purpose": "assistants"})
    if talk.has("files.content"):
        assert talk.send("files.content", made[0]).body == data
    talk.ok("files.delete", made[0])
    for operation in ("files.get", "files.delete", "files.content"):
        if talk.has(operation):
            assert talk.status(operation, made[0]) == 404
    talk.ok("files.list")


def searched(talk: Talk, store: str, file: str) -> None:
    """The attributes and the text of a file in a store, and searches that they decide; what the version has of it."""
    if talk.has("vector_stores.files.modify"):
        for attributes in ({"page": 3}, {"shelf": "3"}):
            talk.ok("vector_stores.files.modify", store, file, body={"attributes": attributes})
            talk.ok("vector_stores.files.get", store, file)
    if talk.has("vector_stores.files.content"):
        talk.ok("vector_stores.files.content", store, file)
    if talk.has("vector_stores.search"):
        over = {"type": "gt", "key": "page", "value": 3}
        shelf = {"type": "and", "filters": [{"type": "eq", "key": "shelf", "value": "3"}]}
        same = {"type": "eq", "key": "shelf", "value": "3"}
        sharp = {"ranking_options": {"score_threshold": 0.9}}
        for sent in ({}, {"max_num_results": 1}, {"filters": over}, {"filters": shelf}, {"filters": same}, sharp):
            talk.ok("vector_stores.search", store, body={"query": "town", **sent})


def vector_stores(talk: Talk) -> None:
    make = {"name": "books", "metadata": {"a": "bee"}, "expires_after": {"anchor": "last_active_at", "days": 7}}
    lived(talk, "vector_stores", make=make, change={"name": "papers", "metadata": {"a": "cee"}})
    known = talk.has("files.upload")
    ids = [uploaded(talk, f"v{n}.txt") if known else f"file-{n}" for n in range(5)]
    store = talk.ok("vector_stores.create", body={"file_ids": ids[:1]})["id"]
    other = talk.ok("vector_stores.create", body={})["id"]
    for id_ in ids[1:]:
        talk.ok("vector_stores.files.create", store, body={"file_id": id_})
    if known:
        talk.ok("vector_stores.files.create", store, body={"file_id": "file-nowhere"})
    for _ in range(4):
        talk.ok("vector_stores.get", store)
    talk.ok("vector_stores.files.get", store, ids[0])
    assert talk.status("vector_stores.files.get", other, ids[0]) == 404
    paged(talk, "vector_stores.files.list", store)
    for status in ("completed", "failed"):
        talk.ok("vector_stores.files.list", store, query={"filter": status})
    searched(talk, store, ids[0])
    talk.ok("vector_stores.files.delete", store, ids[0])
    assert talk.status("vector_stores.files.get", store, ids[0]) == 404
    if known:
        talk.ok("files.get", ids[0])
    talk.ok("vector_stores.get", store)
    batch = talk.ok("vector_stores.file_batches.create", other, body={"file_ids": ids})["id"]
    for _ in range(4):
        talk.ok("vector_stores.file_batches.get", other, batch)
    paged(talk, "vector_stores.file_batches.list_files", other, batch)
    assert talk.status("vector_stores.file_batches.get", store, batch) == 404
    again = talk.ok("vector_stores.file_batches.create", other, body={"file_ids": ids[:3]})["id"]
    talk.ok("vector_stores.file_batches.cancel", other, again)
    talk.ok("vector_stores.file_batches.get", other, again)
    talk.ok("vector_stores.get", other)
    few = talk.ok("vector_stores.file_batches.create", other, body={"file_ids": ids[:1]})["id"]
    talk.ok("vector_stores.file_batches.list_files", other, few)
    talk.ok("vector_stores.delete", other)
    if known:
        assert talk.status("files.get", ids[1]) in (200, 404)


def responses(talk: Talk) -> None:
    asked = {"model": MODEL, "input": "hello there", "metadata": {"a": "bee"}, "instructions": "Be brief."}
    first = talk.ok("responses.create", body=asked)["id"]
    talk.ok("responses.get", first)
    second = talk.ok(
        "responses.create",
        body={
            "model": MODEL,
            "previous_response_id": first,
            "input": [
                {"role": "user", "content": "one"},
                {
                    "type": "message",
                    "role": "assistant",
                    "id": "msg_1",  # required by some documents, and allowed by all
                    "status": "completed",
                    "content": [{"type": "output_text", "text": "two", "annotations": []}],
                },
                {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "three"}]},
                {"role": "user", "content": "four"},
                {"role": "user", "content": "five"},
            ],
        },
    )["id"]
    paged(talk, "responses.input_items.list", second)
    kept = talk.ok("responses.create", body={"model": MODEL, "input": "not kept", "store": False})["id"]
    assert talk.status("responses.get", kept) == 404
    tool = {"type": "function", "name": "weather", "strict": True, "parameters": FUNCTIONS[0]["function"]["parameters"]}
    called = talk.ok(
        "responses.create", body={"model": MODEL, "input": "weather?", "tools": [tool], "tool_choice": "required"}
    )
    call = next(item for item in called["output"] if item["type"] == "function_call")
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    talk.ok(
        "responses.create",
        body={"model": MODEL, "previous_response_id": called["id"], "input": [output], "tools": [tool]},
    )
    talk.ok("responses.create", body={"model": "o1", "input": "Count to 900", "max_output_tokens": 32})
    talk.events("responses.create", body={**asked, "stream": True})
    talk.events(
        "responses.create",
        body={"model": "o1", "input": "weather?", "tools": [tool], "tool_choice": "required", "stream": True},
    )
    talk.events(
        "responses.create", body={"model": MODEL, "input": "Count to 900", "max_output_tokens": 32, "stream": True}
    )
    later = talk.ok("responses.create", body={**asked, "background": True})["id"]
    for _ in range(3):
        talk.ok("responses.get", later)
    if talk.has("responses.cancel"):
        stopped = talk.ok("responses.create", body={**asked, "background": True})["id"]
        talk.ok("responses.cancel", stopped)
        assert "cancelled" == talk.ok("responses.get", stopped)["status"]
        assert talk.status("responses.cancel", first) == 400
    talk.ok("responses.delete", first)
    assert talk.status("responses.get", first) == 404
    assert talk.status("responses.delete", first) == 404
    assert talk.status("responses.create", body={"model": MODEL, "previous_response_id": first, "input": "x"}) == 400
    talk.ok("responses.get", second)


CRITERIA = [
    {"type": "string_check", "name": "same", "input": "{{item.word}}", "reference": "yes", "operation": "eq"},
    {
        "type": "text_similarity",
        "name": "close",
        "input": "{{sample.output_text}}",
        "reference": "{{item.word}}",
        "evaluation_metric": "fuzzy_match",
        "pass_threshold": 0.0,
    },
]


def evals(talk: Talk) -> None:
    schema = {"type": "object", "properties": {"word": {"type": "string"}}}
    make = {
        "name": "words",
        "statusCode": 201,
        "data_source_config": {"type": "custom", "item_schema": schema, "include_sample_schema": True},
        "testing_criteria": CRITERIA,
        "metadata": {"a": "bee"},
    }
    lived(talk, "evals", make=make, change={"name": "terms", "metadata": {"a": "cee"}})
    first, other = (talk.ok("evals.create", body=make)["id"] for _ in range(2))
    talk.ok("evals.modify", first, body={"name": "changed last"})
    for by in ("created_at", "updated_at"):
        talk.ok("evals.list", query={"order_by": by, "order": "desc"})
    rows = [{"item": {"word": word}} for word in ("yes", "no", "yes", "maybe", "yes")]
    source = {"type": "jsonl", "source": {"type": "file_content", "content": rows}}
    lived(talk, "evals.runs", first, make={"name": "r", "data_source": source, "metadata": {"x": "y"}}, change=None)
    run = talk.ok("evals.runs.create", first, body={"name": "r", "data_source": source})["id"]
    for _ in range(4):
        talk.ok("evals.runs.get", first, run)
    assert talk.status("evals.runs.get", other, run) == 404
    paged(talk, "evals.runs.output_items.list", first, run)
    for status in ("pass", "fail"):
        talk.ok("evals.runs.output_items.list", first, run, query={"status": status})
    item = talk.ok("evals.runs.output_items.list", first, run)["data"][0]["id"]
    talk.ok("evals.runs.output_items.get", first, run, item)
    stopped = talk.ok("evals.runs.create", first, body={"name": "s", "data_source": source})["id"]
    talk.ok("evals.runs.cancel", first, stopped)
    talk.ok("evals.runs.get", first, stopped)
    for status in ("completed", "canceled", "queued"):
        talk.ok("evals.runs.list", first, query={"status": status})
    bad = {"type": "jsonl", "source": {"type": "file_id", "id": "file-nowhere"}}
    broken = talk.ok("evals.runs.create", first, body={"data_source": bad})["id"]
    for _ in range(3):
        talk.ok("evals.runs.get", first, broken)


def fine_tuning(talk: Talk) -> None:
    data = b'{"messages": [{"role": "user", "content": "hi"}]}\n' * 10
    file = uploaded(talk, "train.jsonl", data, "fine-tune")
    make = {"model": MODEL, "training_file": file, "suffix": "mine", "metadata": {"a": "bee"}, "seed": 7}
    jobs = [talk.ok("fine_tuning.jobs.create", body=make)["id"] for _ in range(5)]
    paged(talk, "fine_tuning.jobs.list")
    for _ in range(5):
        talk.ok("fine_tuning.jobs.get", jobs[0])
    paged(talk, "fine_tuning.jobs.events.list", jobs[0])
    paged(talk, "fine_tuning.jobs.checkpoints.list", jobs[0])
    talk.send("fine_tuning.jobs.cancel", jobs[0])
    talk.ok("fine_tuning.jobs.cancel", jobs[1])
    talk.ok("fine_tuning.jobs.get", jobs[1])
    talk.ok("fine_tuning.jobs.pause", jobs[2])
    for _ in range(5):
        talk.ok("fine_tuning.jobs.get", jobs[2])
    talk.ok("fine_tuning.jobs.resume", jobs[2])
    for _ in range(5):
        talk.ok("fine_tuning.jobs.get", jobs[2])
    if talk.has("fine_tuning.checkpoints.permissions.create"):
        checkpoints(talk, jobs[0], jobs[2])
    failing = talk.ok("fine_tuning.jobs.create", body={"model": MODEL, "training_file": "file-nowhere"})["id"]
    talk.ok("fine_tuning.jobs.get", failing)
    talk.ok("fine_tuning.jobs.events.list", failing)
    grader = {
        "type": "string_check",
        "name": "same",
        "input": "{{sample.output_text}}",
        "reference": "yes",
        "operation": "eq",
    }
    multi = {"type": "multi", "name": "both", "graders": {"a": grader}, "calculate_output": "0.5 * a + 0.25"}
    for one in (grader, multi):
        talk.ok("fine_tuning.alpha.graders.validate", body={"grader": one})
        talk.ok("fine_tuning.alpha.graders.run", body={"grader": one, "model_sample": "yes", "item": {}})


def models(talk: Talk) -> None:
    talk.ok("models.list")
    talk.ok("models.get", MODEL)
    assert talk.status("models.get", "no-such-model") == 404


def video(talk: Talk) -> None:
    make = {"model": "sora", "prompt": "a river", "width": 480, "height": 480, "n_variants": 2}
    jobs = [talk.ok("video.generations.jobs.create", body=make)["id"] for _ in range(5)]
    paged(talk, "video.generations.jobs.list")
    for _ in range(6):
        done = talk.ok("video.generations.jobs.get", jobs[0])
    talk.ok("video.generations.jobs.list", query={"limit": 10, "statuses": ["succeeded"]})
    for generation in done["generations"]:
        for operation in ("get", "content", "head_content", "thumbnail"):
            talk.ok(f"video.generations.{operation}", generation["id"])
        talk.ok("video.generations.content", generation["id"], query={"quality": "low"})
    talk.send("video.generations.jobs.delete", jobs[0])
    assert talk.status("video.generations.jobs.get", jobs[0]) == 404
    assert talk.status("video.generations.jobs.delete", jobs[0]) == 404
    assert talk.status("video.generations.get", done["generations"][0]["id"]) == 404
    talk.ok("video.generations.jobs.list", query={"limit": 10})


def limits(talk: Talk) -> None:
    """What is one beyond a documented limit. Whether it is refused is the version's matter."""
    make, body = next(one for one in LIMITED if talk.has(one[0]))
    for metadata in (
        {f"k{n}": "v" for n in range(17)},
        {"k" * 65: "v"},
        {"k": "v" * 513},
    ):
        talk.send(make, body={**body, "metadata": metadata})
    talk.send(make, body={**body, "name": "n" * 257})
    talk.send(make, body={**body, "tools": [{"type": "code_interpreter"}] * 129})
    if talk.has("vector_stores.create"):
        for days in (0, 366):
            policy = {"anchor": "last_active_at", "days": days}
            talk.send("vector_stores.create", body={"expires_after": policy})
        store = talk.ok("vector_stores.create", body={})["id"]
        talk.send("vector_stores.files.list", store, query={"filter": "sleeping"})
        talk.send("vector_stores.list", query={"order": "sideways"})
    if talk.has("files.upload"):
        talk.send("files.upload", form={"purpose": "poetry", "file": ("a.txt", b"a")})


#: What takes metadata, with the rest of its body; the first that a version has is tried.
LIMITED = (
    ("assistants.create", {"model": MODEL}),
    ("responses.create", {"model": MODEL, "input": "hello"}),
)

#: Chapters by the operation that a version needs for them.
CHAPTERS: dict[str, Callable[[Talk], None]] = {
    "assistants.create": assistants,
    "assistants.list": full_pages,
    "threads.create": threads,
    "threads.runs.get": limits,
    "threads.runs.list": runs,
    "threads.create_and_run": streamed_runs,
    "files.upload": files,
    "vector_stores.create": vector_stores,
    "responses.create": responses,
    "batches.create": batches,
    "conversations.create": conversations,
    "containers.create": containers,
    "responses.get": limits,
    "realtime.sessions.create": realtime,
    "evals.create": evals,
    "fine_tuning.jobs.create": fine_tuning,
    "models.list": models,
    "video.generations.jobs.create": video,
    "videos.create": videos,
}


#: Chapters whose runs need an assistant: a version may have threads and nothing that makes assistants.
WITH_ASSISTANT = (runs, streamed_runs)


def chapters(talk: Talk, resources: Collection[str] = ()) -> list[Callable[[Talk], None]]:
    """The chapters that this version has, on request only those that deal with some resources."""
    return [
        chapter
        for operation, chapter in CHAPTERS.items()
        if talk.has(operation)
        and (chapter not in WITH_ASSISTANT or talk.has("assistants.create"))
        and (not resources or operation.partition(".")[0] in resources)
    ]
