"""The parts of the tour about assistants, threads, messages and runs."""

from __future__ import annotations

from typing import Any

from state_steps import FUNCTIONS, MODEL, lived, paged, talk_operation, uploaded
from state_talk import Talk


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
    if talk.has("vector_stores.get"):
        search = talk.ok("threads.create", body={"tool_resources": {"file_search": {"vector_stores": [{}]}}})
        talk.ok("vector_stores.get", search["tool_resources"]["file_search"]["vector_store_ids"][0])
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


def full_pages(talk: Talk) -> None:
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
    loud = {"assistant_id": plain, "instructions": "Be loud."}
    polled(talk, thread, talk.ok("threads.runs.create", thread, body=loud)["id"])
    assert talk.ok("assistants.get", plain)["instructions"] == "Be brief."
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
