"""A walk through every stateful resource of a version. What is said on the way is the same on every clean emulator.

The chapters ask the version what it documents; one that it doesn't have is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from state_talk import Talk

MODEL = "gpt-4o"
FUNCTIONS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": f"Gives the {name}.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    for name in ("weather", "population")
]


def uploaded(
    talk: Talk, name: str = "notes.txt", data: bytes = b"line one\nline two\n", purpose: str = "assistants"
) -> str:
    return talk.ok("files.upload", form={"purpose": purpose, "file": (name, data)})["id"]


def walked(talk: Talk, operation: str, *ids: str, limit: int = 2, **query: Any) -> list[str]:
    """The ids of a walk by ``after`` (at most 12 pages), and the same list from its far end by ``before``."""
    found: list[str] = []
    after: dict[str, Any] = {}
    for _ in range(12):
        page = talk.ok(operation, *ids, query={"limit": limit, **query, **after})
        found += [one["id"] for one in page["data"]]
        if not page["has_more"] or not page["data"]:
            break
        after = {"after": page["data"][-1]["id"]}
    return found


def paged(talk: Talk, operation: str, *ids: str) -> None:
    """All the ways to ask for a page that the operation documents."""
    known = {p.name for p in talk_operation(talk, operation).parameters}
    found = walked(talk, operation, *ids)
    talk.ok(operation, *ids)
    if "order" in known:
        walked(talk, operation, *ids, order="asc")
        walked(talk, operation, *ids, order="desc")
    if found:
        talk.send(operation, *ids, query={"after": "no_such_object"})
        for name in ("after", "before"):
            if name in known:
                for one in found[:6]:
                    talk.ok(operation, *ids, query={name: one, "limit": 2})
    if {"after", "before"} <= known and len(found) > 3:
        talk.ok(operation, *ids, query={"after": found[0], "before": found[3]})
    talk.send(operation, *ids, query={"limit": 0})
    talk.send(operation, *ids, query={"limit": 101})


def talk_operation(talk: Talk, operation: str) -> Any:
    from conformance.operations import operations_of

    return operations_of(talk.spec)[operation]


def lived(talk: Talk, prefix: str, *above: str, make: dict[str, Any], change: dict[str, Any] | None) -> None:
    """Create, get, list, modify, delete; and once more what is gone. Leaves nothing behind."""
    made = [talk.ok(f"{prefix}.create", *above, body=make)["id"] for _ in range(5)]
    for one in made[:2]:
        talk.ok(f"{prefix}.get", *above, one)
    paged(talk, f"{prefix}.list", *above)
    if change is not None and talk.has(f"{prefix}.modify"):
        talk.ok(f"{prefix}.modify", *above, made[0], body=change)
        talk.ok(f"{prefix}.get", *above, made[0])
        talk.ok(f"{prefix}.get", *above, made[1])
    if not talk.has(f"{prefix}.delete"):
        return
    before = talk.ok(f"{prefix}.list", *above, query={"limit": 2})["data"][-1]["id"]
    talk.ok(f"{prefix}.delete", *above, made[0])
    assert talk.status(f"{prefix}.get", *above, made[0]) == 404
    assert talk.status(f"{prefix}.delete", *above, made[0]) == 404
    talk.ok(f"{prefix}.list", *above, query={"after": before, "limit": 2})
    talk.ok(f"{prefix}.list", *above)
    for one in made[1:]:
        talk.send(f"{prefix}.delete", *above, one)


def assistants(talk: Talk) -> None:
    make = {
        "model": MODEL,
        "name": "clerk",
        "instructions": "Be brief.",
        "tools": FUNCTIONS[:1],
        "metadata": {"mark": "one"},
    }
    lived(talk, "assistants", make=make, change={"name": "chief", "metadata": {"mark": "two", "more": "yes"}})
    plain = talk.ok("assistants.create", body={"model": MODEL})["id"]
    talk.ok("assistants.modify", plain, body={"description": "about", "instructions": "Be kind."})
    if not talk.has("assistants.files.create"):
        return
    files = [uploaded(talk, f"{n}.txt") for n in range(3)]
    for id_ in files:
        talk.ok("assistants.files.create", plain, body={"file_id": id_})
    paged(talk, "assistants.files.list", plain)
    talk.ok("assistants.files.get", plain, files[0])
    other = talk.ok("assistants.create", body={"model": MODEL, "file_ids": files[:1]})["id"]
    assert talk.status("assistants.files.get", other, files[1]) == 404
    talk.ok("assistants.files.delete", plain, files[0])
    assert talk.status("assistants.files.get", plain, files[0]) == 404
    talk.ok("files.get", files[0])
    talk.ok("assistants.get", plain)


def threads(talk: Talk) -> None:
    thread = talk.ok(
        "threads.create",
        body={
            "messages": [{"role": "user", "content": "first", "metadata": {"n": "1"}}],
            "metadata": {"mark": "t"},
        },
    )["id"]
    other = talk.ok("threads.create", body={})["id"]
    talk.ok("threads.get", thread)
    talk.ok("threads.modify", thread, body={"metadata": {"mark": "u"}})
    talk.ok("threads.get", thread)
    make = {"role": "user", "content": "hello there", "metadata": {"k": "v"}}
    lived(talk, "threads.messages", thread, make=make, change={"metadata": {"k": "w"}})
    mine = talk.ok("threads.messages.list", thread)["data"][0]["id"]
    assert talk.status("threads.messages.get", other, mine) == 404
    if talk.has("threads.messages.files.list"):
        files = [uploaded(talk, f"m{n}.txt") for n in range(3)]
        message = talk.ok("threads.messages.create", thread, body={**make, "file_ids": files})["id"]
        paged(talk, "threads.messages.files.list", thread, message)
        talk.ok("threads.messages.files.get", thread, message, files[0])
        assert talk.status("threads.messages.files.get", thread, mine, files[0]) == 404
    talk.ok("threads.delete", thread)
    assert talk.status("threads.get", thread) == 404
    assert talk.status("threads.messages.get", thread, mine) == 404
    assert talk.status("threads.delete", thread) == 404


def polled(talk: Talk, thread: str, run: str, most: int = 8) -> Any:
    """Polls until the run stops; then twice more."""
    found: Any = None
    for _ in range(most):
        found = talk.ok("threads.runs.get", thread, run)
        if found["status"] not in ("queued", "in_progress", "cancelling"):
            break
    talk.ok("threads.runs.get", thread, run)
    return talk.ok("threads.runs.get", thread, run)


def crowds(talk: Talk) -> None:
    """More objects than a default page holds, and a walk during which some come and go."""
    made = [talk.ok("assistants.create", body={"model": MODEL, "name": f"n{n}"})["id"] for n in range(24)]
    talk.ok("assistants.list")
    first = talk.ok("assistants.list", query={"limit": 2})["data"]
    talk.ok("assistants.delete", made[20])
    second = talk.ok("assistants.list", query={"limit": 2, "after": first[-1]["id"]})["data"]
    talk.ok("assistants.create", body={"model": MODEL})
    talk.ok("assistants.list", query={"limit": 2, "after": second[-1]["id"]})


def runs(talk: Talk) -> None:
    plain = talk.ok("assistants.create", body={"model": MODEL, "instructions": "Be brief."})["id"]
    armed = talk.ok("assistants.create", body={"model": MODEL, "tools": [*FUNCTIONS, {"type": "code_interpreter"}]})[
        "id"
    ]
    thread = talk.ok("threads.create", body={"messages": [{"role": "user", "content": "hello"}]})["id"]
    run = talk.ok("threads.runs.create", thread, body={"assistant_id": plain, "metadata": {"m": "1"}})["id"]
    assert talk.status("threads.messages.create", thread, body={"role": "user", "content": "no"}) == 400
    assert talk.status("threads.runs.create", thread, body={"assistant_id": plain}) == 400
    talk.ok("threads.runs.modify", thread, run, body={"metadata": {"m": "2"}})
    polled(talk, thread, run)
    assert talk.status("threads.runs.cancel", thread, run) == 400
    paged(talk, "threads.runs.steps.list", thread, run)
    step = talk.ok("threads.runs.steps.list", thread, run)["data"][0]["id"]
    talk.ok("threads.runs.steps.get", thread, run, step)
    talk.ok("threads.messages.list", thread)

    started = talk.ok(
        "threads.create_and_run",
        body={"assistant_id": armed, "thread": {"messages": [{"role": "user", "content": "weather in Rome"}]}},
    )
    thread, run = started["thread_id"], started["id"]
    asked = polled(talk, thread, run)["required_action"]["submit_tool_outputs"]["tool_calls"]
    outputs = [{"tool_call_id": one["id"], "output": f"answer {n}"} for n, one in enumerate(asked)]
    unknown = [*outputs[1:], {"tool_call_id": "call_unknown", "output": "x"}]
    assert talk.status("threads.messages.create", thread, body={"role": "user", "content": "no"}) == 400
    assert talk.status("threads.runs.submit_tool_outputs", thread, run, body={"tool_outputs": outputs[:1]}) == 400
    assert talk.status("threads.runs.submit_tool_outputs", thread, run, body={"tool_outputs": unknown}) == 400
    talk.ok("threads.runs.steps.list", thread, run)
    talk.ok("threads.runs.submit_tool_outputs", thread, run, body={"tool_outputs": outputs})
    polled(talk, thread, run)
    paged(talk, "threads.runs.steps.list", thread, run)
    stepped = talk.ok("threads.runs.steps.list", thread, run)["data"][0]["id"]
    assert talk.status("threads.runs.steps.get", thread, run, step) == 404
    talk.ok("threads.runs.steps.get", thread, run, stepped)
    talk.send("threads.runs.submit_tool_outputs", thread, run, body={"tool_outputs": outputs})
    talk.ok("threads.messages.create", thread, body={"role": "user", "content": "again"})

    run = talk.ok("threads.runs.create", thread, body={"assistant_id": armed})["id"]
    polled(talk, thread, run)
    talk.ok("threads.runs.cancel", thread, run)
    polled(talk, thread, run)
    talk.ok("threads.messages.create", thread, body={"role": "user", "content": "free again"})
    if "max_completion_tokens" in _fields(talk, "threads.runs.create"):
        long = {"role": "user", "content": "Count to 900"}
        talk.ok("threads.messages.create", thread, body=long)
        run = talk.ok("threads.runs.create", thread, body={"assistant_id": plain, "max_completion_tokens": 256})["id"]
        assert polled(talk, thread, run)["status"] == "incomplete"
        talk.ok("threads.messages.list", thread, query={"run_id": run} if "run_id" in _query(talk) else {})
    for _ in range(3):
        run = talk.ok("threads.runs.create", thread, body={"assistant_id": plain})["id"]
        polled(talk, thread, run)
    paged(talk, "threads.runs.list", thread)
    elsewhere = talk.ok("threads.create", body={})["id"]
    assert talk.status("threads.runs.get", elsewhere, run) == 404


def _fields(talk: Talk, operation: str) -> set[str]:
    media = talk_operation(talk, operation).body["application/json"]
    return set(talk.spec.deref(media.schema).get("properties", {}))


def _query(talk: Talk) -> set[str]:
    return {p.name for p in talk_operation(talk, "threads.messages.list").parameters}


def streamed_runs(talk: Talk) -> None:
    if talk_operation(talk, "threads.runs.create").stream is None:
        return
    armed = talk.ok("assistants.create", body={"model": MODEL, "tools": [*FUNCTIONS, {"type": "code_interpreter"}]})[
        "id"
    ]
    first = talk.events(
        "threads.create_and_run",
        body={"assistant_id": armed, "stream": True, "thread": {"messages": [{"role": "user", "content": "hi"}]}},
    )
    waiting = next(data for name, data in first if name == "thread.run.requires_action")
    calls = waiting["required_action"]["submit_tool_outputs"]["tool_calls"]
    outputs = [{"tool_call_id": one["id"], "output": "42"} for one in calls]
    talk.events(
        "threads.runs.submit_tool_outputs",
        waiting["thread_id"],
        waiting["id"],
        body={"tool_outputs": outputs, "stream": True},
    )
    talk.ok("threads.runs.get", waiting["thread_id"], waiting["id"])
    talk.events(
        "threads.runs.create",
        waiting["thread_id"],
        body={
            "assistant_id": armed,
            "stream": True,
            "tool_choice": "none",
            "additional_messages": [{"role": "user", "content": "Count to 900"}],
            "max_completion_tokens": 256,
        },
    )
    talk.ok("threads.messages.list", waiting["thread_id"])


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


def vector_stores(talk: Talk) -> None:
    make = {"name": "books", "metadata": {"a": "b"}, "expires_after": {"anchor": "last_active_at", "days": 7}}
    lived(talk, "vector_stores", make=make, change={"name": "papers", "metadata": {"a": "c"}})
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
    if talk.has("vector_stores.files.modify"):
        talk.ok("vector_stores.files.modify", store, ids[0], body={"attributes": {"shelf": "3"}})
        talk.ok("vector_stores.files.get", store, ids[0])
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
    asked = {"model": MODEL, "input": "hello there", "metadata": {"a": "b"}, "instructions": "Be brief."}
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
        "metadata": {"a": "b"},
    }
    lived(talk, "evals", make=make, change={"name": "terms", "metadata": {"a": "c"}})
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
    make = {"model": MODEL, "training_file": file, "suffix": "mine", "metadata": {"a": "b"}, "seed": 7}
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


#: Chapters by the operation that a version needs for them.
CHAPTERS: dict[str, Callable[[Talk], None]] = {
    "assistants.create": assistants,
    "assistants.list": crowds,
    "threads.create": threads,
    "threads.runs.list": runs,
    "threads.create_and_run": streamed_runs,
    "files.upload": files,
    "vector_stores.create": vector_stores,
    "responses.create": responses,
    "evals.create": evals,
    "fine_tuning.jobs.create": fine_tuning,
    "models.list": models,
    "video.generations.jobs.create": video,
}


def chapters(talk: Talk) -> list[Callable[[Talk], None]]:
    """The chapters that this version has."""
    return [chapter for operation, chapter in CHAPTERS.items() if talk.has(operation)]
