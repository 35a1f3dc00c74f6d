"""Rules of the emulator's state that the tour doesn't reach: time, large collections, streams against polls,
refusals.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
from state_steps import FUNCTIONS, MODEL, uploaded
from state_talk import Talk

from conformance.spec.loading import load, versions
from conformance.spec.operations import operations_of


def having(*operations: str) -> list[str]:
    """The versions that document all these operations."""
    return [v for v in versions() if all(one in operations_of(load(v)) for one in operations)]


# A run needs an assistant; a version may have runs and nothing that makes assistants.
RUNS, STORES, V1 = (
    having("threads.runs.create", "assistants.create"),
    having("vector_stores.create"),
    having("responses.create"),
)
STREAMED = [v for v in RUNS if operations_of(load(v))["threads.runs.create"].stream is not None]


def started(talk: Talk, tools: list[dict[str, Any]], **more: Any) -> tuple[str, str]:
    """Thread and id of a new run."""
    assistant = talk.ok("assistants.create", body={"model": MODEL, "tools": tools})["id"]
    thread = {"messages": [{"role": "user", "content": "hello"}]}
    run = talk.ok("threads.create_and_run", body={"assistant_id": assistant, "thread": thread, **more})
    return run["thread_id"], run["id"]


@pytest.mark.parametrize("version", RUNS)
def test_a_run_goes_through_its_states_one_look_at_a_time(version: str) -> None:
    talk = Talk(version)
    run = started(talk, [])
    assert ["in_progress", "completed", "completed"] == [talk.ok("threads.runs.get", *run)["status"] for _ in range(3)]
    armed = started(talk, FUNCTIONS)
    seen = [talk.ok("threads.runs.get", *armed)["status"] for _ in range(3)]
    assert ["in_progress", "requires_action", "requires_action"] == seen


@pytest.mark.parametrize("version", RUNS)
def test_a_run_that_nobody_finishes_expires_with_its_steps(version: str) -> None:
    talk = Talk(version)
    run = started(talk, FUNCTIONS)
    talk.ok("threads.runs.get", *run)
    talk.ok("threads.runs.get", *run)
    talk.app.clock.advance(601)
    assert "expired" == talk.ok("threads.runs.get", *run)["status"]
    assert ["expired"] == [one["status"] for one in talk.ok("threads.runs.steps.list", *run)["data"]]
    assert 200 == talk.status("threads.messages.create", run[0], body={"role": "user", "content": "free again"})


@pytest.mark.parametrize("version", RUNS)
def test_a_run_of_an_unknown_deployment_fails_and_says_why(version: str) -> None:
    talk = Talk(version)
    assistant = talk.ok("assistants.create", body={"model": "nowhere"})["id"]
    run = talk.ok("threads.create_and_run", body={"assistant_id": assistant})
    for _ in range(2):
        ended = talk.ok("threads.runs.get", run["thread_id"], run["id"])
    assert "failed" == ended["status"]
    assert "nowhere" in ended["last_error"]["message"]


@pytest.mark.parametrize("version", STREAMED)
def test_a_stream_says_what_a_later_look_finds(version: str) -> None:
    talk = Talk(version)
    assistant = talk.ok("assistants.create", body={"model": MODEL, "tools": [{"type": "code_interpreter"}]})["id"]
    thread = talk.ok("threads.create", body={"messages": [{"role": "user", "content": "hello"}]})["id"]
    events = talk.events("threads.runs.create", thread, body={"assistant_id": assistant, "stream": True})
    ended = next(data for name, data in events if name == "thread.run.completed")
    assert ended == talk.ok("threads.runs.get", thread, ended["id"])
    text = "".join(d["delta"]["content"][0]["text"]["value"] for n, d in events if n == "thread.message.delta")
    message = next(data for name, data in events if name == "thread.message.completed")
    assert text == message["content"][0]["text"]["value"] != ""
    assert message == talk.ok("threads.messages.get", thread, message["id"])
    steps = talk.ok("threads.runs.steps.list", thread, ended["id"], query={"order": "asc"})["data"]
    assert steps == [data for name, data in events if name == "thread.run.step.completed"]
    assert ended["usage"]["total_tokens"] == sum(step["usage"]["total_tokens"] for step in steps)


@pytest.mark.parametrize("version", RUNS)
def test_a_message_or_an_unknown_assistant_leaves_no_trace_when_refused(version: str) -> None:
    talk = Talk(version)
    thread = talk.ok("threads.create", body={})["id"]
    assert 404 == talk.status("threads.runs.create", thread, body={"assistant_id": "asst_unknown"})
    assert [] == talk.ok("threads.runs.list", thread)["data"]


@pytest.mark.parametrize("version", STORES)
def test_a_vector_store_expires_after_its_last_activity(version: str) -> None:
    talk = Talk(version)
    store = talk.ok("vector_stores.create", body={"expires_after": {"anchor": "last_active_at", "days": 2}})
    assert store["last_active_at"] + 2 * 86_400 == store["expires_at"]
    talk.app.clock.advance(2 * 86_400)
    assert "expired" == talk.ok("vector_stores.get", store["id"])["status"]


@pytest.mark.parametrize("version", STORES)
def test_a_batch_shows_progress_and_counts_that_add_up(version: str) -> None:
    talk = Talk(version)
    known = talk.has("files.upload")
    ids = [uploaded(talk, f"{n}.txt") if known else f"file-{n}" for n in range(5)]
    store = talk.ok("vector_stores.create", body={})["id"]
    batch = talk.ok("vector_stores.file_batches.create", store, body={"file_ids": ids})
    seen = [batch, *(talk.ok("vector_stores.file_batches.get", store, batch["id"]) for _ in range(4))]
    assert ["in_progress"] * 3 + ["completed"] * 2 == [one["status"] for one in seen]
    for counts in (one["file_counts"] for one in seen):
        assert 5 == counts["total"] == sum(counts[name] for name in ("in_progress", "completed", "failed", "cancelled"))


@pytest.mark.parametrize("version", [version for version in V1 if load(version).has("responses.background")])
def test_a_response_in_the_background_ends_and_keeps_its_output(version: str) -> None:
    talk = Talk(version)
    asked = {"model": MODEL, "input": "hello", "background": True}
    first = talk.ok("responses.create", body=asked)
    seen = [first, *(talk.ok("responses.get", first["id"]) for _ in range(3))]
    assert ["queued", "in_progress", "completed", "completed"] == [one["status"] for one in seen]
    assert [0, 0, 1, 1] == [len(one["output"]) for one in seen]


@pytest.mark.parametrize("version", having("video.generations.jobs.create"))
def test_errors_of_video_operations_are_flat(version: str) -> None:
    talk = Talk(version)
    gone = talk.send("video.generations.jobs.get", "task_unknown").json
    assert ("NotFound", False) == (gone["code"], "error" in gone)
    unknown = {"model": "nowhere", "prompt": "x", "width": 480, "height": 480}
    assert "DeploymentNotFound" == talk.send("video.generations.jobs.create", body=unknown).json["code"]


def _cost(ask: Callable[[], Any]) -> int:
    """Instructions of Python that it takes, however busy the machine is."""
    count = 0

    def trace(frame: Any, event: str, _given: Any) -> Any:
        nonlocal count
        count += event == "opcode"
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return trace

    ask()  # what is kept from now on is no cost of a page
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        ask()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("version", having("assistants.list")[:1])
def test_a_page_costs_the_same_at_ten_thousand_objects(version: str) -> None:
    talk = Talk(version, judge=False)
    made = talk.ok("assistants.create", body={"model": MODEL})
    assistants = talk.app.store.collection("assistants")
    template = assistants.get(made["id"])
    for number in range(10):
        assistants.put(f"asst_{number}", {**template, "id": f"asst_{number}"})
    few = _cost(lambda: talk.ok("assistants.list", query={"after": "asst_9", "limit": 5}))
    for number in range(10, 10_000):
        assistants.put(f"asst_{number}", {**template, "id": f"asst_{number}"})
    many = _cost(lambda: talk.ok("assistants.list", query={"after": "asst_5000", "limit": 5}))
    assert few > 0
    assert many < 2 * few
