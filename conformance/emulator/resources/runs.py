"""Runs of an assistant on a thread: polled, or streamed as the events of the assistants protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.messages import ACTIVE, new_message, refuse_while_active
from conformance.emulator.resources.objects import Value, changed, ids
from conformance.emulator.resources.run_plan import RunPlan, plan_run
from conformance.emulator.resources.run_progress import Announced, advance, outputs_given, steps_of
from conformance.emulator.resources.threads import found_thread, new_thread
from conformance.evidence.exchange import Response

#: Seconds until an unfinished run expires.
_EXPIRES = 600


def _new_run(call: Call, thread: Value) -> tuple[Value, RunPlan]:
    """A queued run of the assistant that the body names. What the body leaves out is taken from the assistant."""
    assistant_id = call.body["assistant_id"]
    assistant = call.found(call.store.collection("assistants"), assistant_id, "assistant")
    extra = call.get("additional_instructions")
    instructions = call.get("instructions", assistant["instructions"] or "")
    run = {
        "id": call.store.new_id("run_"),
        "object": "thread.run",
        "created_at": call.clock.now(),
        "thread_id": thread["id"],
        "assistant_id": assistant_id,
        "status": "queued",
        "required_action": None,
        "last_error": None,
        "expires_at": call.clock.now() + _EXPIRES,
        "started_at": None,
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "incomplete_details": None,
        "model": call.get("model", assistant["model"]),
        "instructions": f"{instructions}\n{extra}" if extra else instructions,
        "tools": call.get("tools", assistant["tools"]),
        "file_ids": assistant["file_ids"],
        "metadata": call.get("metadata", {}),
        "usage": None,
        "temperature": call.get("temperature", assistant["temperature"]),
        "top_p": call.get("top_p", assistant["top_p"]),
        "max_prompt_tokens": call.get("max_prompt_tokens"),
        "max_completion_tokens": call.get("max_completion_tokens"),
        "truncation_strategy": call.get("truncation_strategy", {"type": "auto", "last_messages": None}),
        "tool_choice": call.get("tool_choice", "auto"),
        "parallel_tool_calls": call.get("parallel_tool_calls", True),
        "response_format": call.get("response_format", assistant["response_format"]),
    }
    plan = plan_run(call, run, parallel=run["parallel_tool_calls"])
    call.store.collection("runs", thread["id"]).put(run["id"], run)
    call.store.collection("run-plans").put(run["id"], plan)
    return run, plan


def _streamed(call: Call, run: Value, plan: RunPlan, announced: Sequence[Announced]) -> Response:
    """The stream of all events up to the next stop, beginning with ``announced``."""
    events = list(announced)
    # A stream makes all steps at once, up to the end or to a wait for outputs.
    while moved := advance(call, run, plan):
        events += moved
    # Older versions don't document all events.
    documented = [(name, data) for name, data in events if call.documented.event_data(name).schemas]
    return call.stream(call.event(data, name) for name, data in documented)


def _started(call: Call, thread: Value, announced: list[Announced]) -> Response:
    """The answer to starting a run: the run, or its stream."""
    run, plan = _new_run(call, thread)
    if call.wants_stream():
        return _streamed(
            call, run, plan, [*announced, ("thread.run.created", dict(run)), ("thread.run.queued", dict(run))]
        )
    return call.json(run)


def _plan(call: Call, run: Value) -> RunPlan:
    found: RunPlan = call.store.collection("run-plans").get(run["id"])
    return found


def _found(call: Call) -> Value:
    runs = call.store.collection("runs", found_thread(call)["id"])
    found: Value = call.found(runs, ids(call)[1], "run")
    return found


@handles("threads.runs.create")
def create(call: Call) -> Response:
    """Start a run. The thread is locked until the run ends."""
    thread = found_thread(call)
    refuse_while_active(call, thread["id"], "start a run on")
    call.found(call.store.collection("assistants"), call.body["assistant_id"], "assistant")
    for message in call.get("additional_messages", ()):
        new_message(call, thread["id"], message)
    return _started(call, thread, [])


@handles("threads.create_and_run")
def create_and_run(call: Call) -> Response:
    """Create a thread and start a run on it."""
    call.found(call.store.collection("assistants"), call.body["assistant_id"], "assistant")
    thread = new_thread(call, call.get("thread"))
    return _started(call, thread, [("thread.created", dict(thread))])


@handles("threads.runs.list")
def list_(call: Call) -> Response:
    """A page of the runs of a thread."""
    return call.json(call.page(call.store.collection("runs", found_thread(call)["id"])))


@handles("threads.runs.get")
def get(call: Call) -> Response:
    """One run. Each read makes the run proceed by one step."""
    run = _found(call)
    advance(call, run, _plan(call, run))
    return call.json(run)


@handles("threads.runs.modify")
def modify(call: Call) -> Response:
    """Replace the metadata."""
    run = _found(call)
    run |= changed(run, call.body, {"metadata": {}})
    return call.json(run)


@handles("threads.runs.cancel")
def cancel(call: Call) -> Response:
    """Ask a run to stop. The next read finds it cancelled."""
    run = _found(call)
    if run["status"] not in ACTIVE:
        raise errors.conflict(f"Cannot cancel run with status '{run['status']}'.")
    run["status"] = "cancelling"
    run["required_action"] = None
    return call.json(run)


@handles("threads.runs.submit_tool_outputs")
def submit(call: Call) -> Response:
    """Enter the outputs of all calls that the run waits for. Others are refused, and so are missing ones."""
    run = _found(call)
    plan = _plan(call, run)
    if run["status"] != "requires_action":
        raise errors.conflict(f"Runs in status '{run['status']}' do not accept tool outputs.")
    given = {str(one.get("tool_call_id")): _text(one.get("output")) for one in call.body["tool_outputs"]}
    wanted = [one["id"] for one in plan.calls]
    # All outputs at once: a run can't continue with a part of them.
    if set(given) != set(wanted):
        message = f"Expected tool outputs for call_ids {wanted}, got {sorted(given)}."
        raise errors.invalid(message, param="tool_outputs")
    announced = outputs_given(call, run, plan, given)
    return _streamed(call, run, plan, announced) if call.wants_stream() else call.json(run)


def _text(output: Any) -> str:
    return "" if output is None else str(output)


@handles("threads.runs.steps.list")
def list_steps(call: Call) -> Response:
    """A page of the steps of a run."""
    return call.json(call.page(steps_of(call, _found(call))))


@handles("threads.runs.steps.get")
def get_step(call: Call) -> Response:
    """One step."""
    return call.json(call.found(steps_of(call, _found(call)), ids(call)[2], "run step"))
