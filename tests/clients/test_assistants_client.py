"""The assistants methods of the openai package on every version that documents them; v1 has threads and runs alone."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from client_recorder import MAKES_ASSISTANTS, Connect, documenting
from openai import AssistantEventHandler

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the client warns of the whole surface

MODEL = "gpt-4o"
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
OLDEST = documenting("assistants.list", surface="dated", location="none")
DATED = documenting("assistants.list", "threads.runs.list", surface="dated")
ALL = [*OLDEST, *DATED]
V1 = documenting("threads.runs.create", surface="v1")
DELETING = [one for surface in ("dated", "v1") for one in documenting("threads.messages.delete", surface=surface)]
FAST: Any = {"poll_interval_ms": 1}
ASKED: Any = [{"role": "user", "content": "How is the weather?"}]


def assistants(connect: Connect, version: str, *tools: list[Any]) -> list[str]:
    """The ids of an assistant for each list of tools, made by the version itself or by one that can."""
    client = connect(version) if version in ALL else connect(MAKES_ASSISTANTS, at=version)
    return [client.beta.assistants.create(model=MODEL, tools=one).id for one in tools]


def outputs(run: Any) -> Any:
    """An output for every call that the run waits for."""
    return [{"tool_call_id": one.id, "output": "sunny"} for one in run.required_action.submit_tool_outputs.tool_calls]


@pytest.mark.parametrize("version", ALL)
def test_assistants(connect: Connect, version: str) -> None:
    client = connect(version)
    assistants = client.beta.assistants
    made = [assistants.create(model=MODEL, name=f"a{n}", metadata={"n": str(n)}) for n in range(5)]
    ids = [one.id for one in made]
    walked = [one.id for one in assistants.list(limit=2, order="asc") if one.id in ids]
    back = [one.id for one in assistants.list(limit=2) if one.id in ids]
    assert (ids, ids[::-1]) == (walked, back)
    changed = assistants.update(ids[0], name="other", instructions="Be brief.")
    assert ("other", {"n": "0"}, made[0].created_at) == (changed.name, changed.metadata, changed.created_at)
    assert changed == assistants.retrieve(ids[0])
    assert all(assistants.delete(one).deleted for one in ids)
    with pytest.raises(openai.NotFoundError):
        assistants.retrieve(ids[0])
    assert client.notes.called == {
        f"beta.assistants.{name}" for name in ("create", "list", "update", "retrieve", "delete")
    }


@pytest.mark.parametrize("version", [*ALL, *V1])
def test_threads_and_messages(connect: Connect, version: str) -> None:
    client = connect(version)
    threads = client.beta.threads
    thread = threads.create(messages=ASKED, metadata={"a": "b"})
    assert {"a": "c"} == threads.update(thread.id, metadata={"a": "c"}).metadata
    assert {"a": "c"} == threads.retrieve(thread.id).metadata
    made = [threads.messages.create(thread.id, role="user", content=f"m{n}").id for n in range(4)]
    walked = [one.content[0].text.value for one in threads.messages.list(thread.id, limit=2, order="asc")]
    assert ["How is the weather?", "m0", "m1", "m2", "m3"] == walked
    assert {"k": "v"} == threads.messages.update(made[0], thread_id=thread.id, metadata={"k": "v"}).metadata
    assert {"k": "v"} == threads.messages.retrieve(made[0], thread_id=thread.id).metadata
    other = threads.create()
    with pytest.raises(openai.NotFoundError):
        threads.messages.retrieve(made[0], thread_id=other.id)
    assert threads.delete(thread.id).deleted
    with pytest.raises(openai.NotFoundError):
        threads.retrieve(thread.id)


@pytest.mark.parametrize("version", DELETING)
def test_a_message_is_deleted(connect: Connect, version: str) -> None:
    threads = connect(version).beta.threads
    thread = threads.create(messages=ASKED).id
    other = threads.messages.create(thread, role="user", content="m").id
    assert threads.messages.delete(other, thread_id=thread).deleted
    assert ["How is the weather?"] == [one.content[0].text.value for one in threads.messages.list(thread)]
    with pytest.raises(openai.NotFoundError):
        threads.messages.retrieve(other, thread_id=thread)


@pytest.mark.parametrize("version", [*ALL, *V1])
def test_runs_polled(connect: Connect, version: str) -> None:
    client = connect(version)
    threads, runs = client.beta.threads, client.beta.threads.runs
    plain, armed = assistants(connect, version, [], [TOOL])
    thread = threads.create(messages=ASKED).id
    run = runs.create_and_poll(thread_id=thread, assistant_id=plain, **FAST)
    assert "completed" == run.status
    answers = [one for one in threads.messages.list(thread) if one.run_id == run.id]
    assert ["assistant"] == [one.role for one in answers]
    assert answers[0].content[0].text.value
    steps = list(runs.steps.list(run.id, thread_id=thread))
    assert [answers[0].id] == [one.step_details.message_creation.message_id for one in steps]
    assert steps[0] == runs.steps.retrieve(steps[0].id, thread_id=thread, run_id=run.id)

    waiting = runs.create_and_poll(thread_id=thread, assistant_id=armed, **FAST)
    assert "requires_action" == waiting.status
    with pytest.raises(openai.BadRequestError):
        threads.messages.create(thread, role="user", content="not now")
    with pytest.raises(openai.BadRequestError):
        runs.submit_tool_outputs(waiting.id, thread_id=thread, tool_outputs=[])
    done = runs.submit_tool_outputs_and_poll(run_id=waiting.id, thread_id=thread, tool_outputs=outputs(waiting), **FAST)
    assert "completed" == done.status
    calls = [one for one in runs.steps.list(done.id, thread_id=thread) if one.type == "tool_calls"]
    assert ["sunny"] == [one.function.output for one in calls[0].step_details.tool_calls]

    started = threads.create_and_run(assistant_id=armed, thread={"messages": ASKED})
    assert {"x": "y"} == runs.update(started.id, thread_id=started.thread_id, metadata={"x": "y"}).metadata
    held = runs.poll(started.id, thread_id=started.thread_id, **FAST)
    assert "requires_action" == held.status
    assert "cancelling" == runs.cancel(held.id, thread_id=held.thread_id).status
    assert "cancelled" == runs.poll(held.id, thread_id=held.thread_id, **FAST).status
    assert "cancelled" == runs.retrieve(held.id, thread_id=held.thread_id).status
    again = runs.create(held.thread_id, assistant_id=armed)
    runs.poll(again.id, thread_id=again.thread_id, **FAST)
    submitted = runs.submit_tool_outputs(
        again.id, thread_id=again.thread_id, tool_outputs=outputs(runs.retrieve(again.id, thread_id=again.thread_id))
    )
    assert "queued" == submitted.status
    assert [again.id, held.id] == [one.id for one in runs.list(held.thread_id, limit=1)]
    assert "completed" == threads.create_and_run_poll(assistant_id=plain, thread={"messages": ASKED}, **FAST).status


class Listener(AssistantEventHandler):
    """Notes what the client's own event handler makes of a stream."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.final = ""
        self.calls: list[Any] = []

    def on_text_delta(self, delta: Any, snapshot: Any) -> None:
        self.text += delta.value or ""

    def on_text_done(self, text: Any) -> None:
        self.final = text.value

    def on_tool_call_done(self, tool_call: Any) -> None:
        self.calls.append(tool_call)


@pytest.mark.parametrize("version", [*DATED, *V1])
def test_runs_streamed(connect: Connect, version: str) -> None:
    client = connect(version)
    threads, runs = client.beta.threads, client.beta.threads.runs
    plain, armed = assistants(connect, version, [], [TOOL])
    with threads.create_and_run_stream(
        assistant_id=armed, thread={"messages": ASKED}, event_handler=Listener()
    ) as stream:
        stream.until_done()
        waiting = stream.current_run
        called = stream.calls
    assert "requires_action" == waiting.status
    assert [one.id for one in waiting.required_action.submit_tool_outputs.tool_calls] == [one.id for one in called]
    assert called[0].function.arguments == waiting.required_action.submit_tool_outputs.tool_calls[0].function.arguments
    with runs.submit_tool_outputs_stream(
        run_id=waiting.id, thread_id=waiting.thread_id, tool_outputs=outputs(waiting), event_handler=Listener()
    ) as stream:
        stream.until_done()
        assert "completed" == stream.current_run.status
        assert "" != stream.text == stream.final
    with runs.stream(thread_id=waiting.thread_id, assistant_id=plain, event_handler=Listener()) as stream:
        run = stream.get_final_run()
        messages = stream.get_final_messages()
    assert "completed" == run.status
    stored = threads.messages.retrieve(messages[0].id, thread_id=waiting.thread_id)
    assert stored.content == messages[0].content
    events = [one.event for one in runs.create(waiting.thread_id, assistant_id=plain, stream=True)]
    assert ["thread.run.created", "thread.run.queued", "thread.run.in_progress"] == events[:3]
    assert "thread.run.completed" in events
    with runs.create_and_stream(thread_id=waiting.thread_id, assistant_id=plain) as stream:
        assert "completed" == stream.get_final_run().status
