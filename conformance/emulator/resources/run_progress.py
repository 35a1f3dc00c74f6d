"""The states of a run: ``queued → in_progress → (requires_action → queued →) completed``, and the ways to end early.

:func:`advance` makes one step and returns the events that a stream would send for it. A poll makes one step, a stream
makes all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from conformance.emulator.call import Call
from conformance.emulator.inference.text import count
from conformance.emulator.resources.messages import ACTIVE, new_message
from conformance.emulator.resources.objects import Value
from conformance.emulator.resources.reply import parts
from conformance.emulator.resources.run_plan import RunPlan
from conformance.emulator.store import Collection

__all__ = ["Announced", "advance", "ended_early", "outputs_given", "steps_of"]

#: (name, data) of an event. The data is a snapshot.
Announced = tuple[str, Value]


def steps_of(call: Call, run: Value) -> Collection:
    """The steps of a run."""
    return call.store.collection("steps", run["id"])


def advance(call: Call, run: Value, plan: RunPlan) -> list[Announced]:
    """Make one step. Nothing happens to a run that waits for outputs or has ended."""
    # Expiry is noticed at a read: the emulator has no timers.
    if run["status"] in ACTIVE and call.clock.now() >= (run["expires_at"] or call.clock.now() + 1):
        return list(ended_early(call, run, "expired"))
    if run["status"] == "cancelling":
        return list(ended_early(call, run, "cancelled"))
    if run["status"] == "queued":
        run["status"] = "in_progress"
        run["started_at"] = run["started_at"] or call.clock.now()
        return [_announced("thread.run.in_progress", run)]
    if run["status"] == "in_progress":
        return list(_proceed(call, run, plan))
    return []


def _proceed(call: Call, run: Value, plan: RunPlan) -> Iterator[Announced]:
    """The step of a run in progress: run built-in tools, then wait for functions or write the message."""
    if plan.refused:
        yield from _failed(call, run, plan)
        return
    if plan.builtin:
        # Taken out of the plan, so that a run which returns from waiting doesn't run them again.
        builtin, plan.builtin = plan.builtin, []
        step = _new_step(call, run, {"type": "tool_calls", "tool_calls": builtin})
        yield from _step_begins(step)
        yield from _tool_deltas(step)
        yield _step_ends(call, step, plan, sum(count(str(one)) for one in builtin))
    if plan.calls:
        step = _new_step(call, run, {"type": "tool_calls", "tool_calls": plan.calls})
        yield from _step_begins(step)
        yield from _tool_deltas(step)
        # ``required_action`` shows calls without the field ``output``, which only steps have.
        asked = [
            {**one, "function": {key: one["function"][key] for key in ("name", "arguments")}} for one in plan.calls
        ]
        run["required_action"] = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": asked}}
        run["status"] = "requires_action"
        yield _announced("thread.run.requires_action", run)
        return
    yield from _answered(call, run, plan)


def _failed(call: Call, run: Value, plan: RunPlan) -> Iterator[Announced]:
    """The step that begins a message, which the model never writes, and the end of the run."""
    message, step = _message_begun(call, run)
    yield from _message_begins(message, step)
    run["last_error"] = {"code": "server_error", "message": plan.refused}
    message |= {
        "status": "incomplete",
        "incomplete_at": call.clock.now(),
        "incomplete_details": {"reason": "run_failed"},
    }
    yield _announced("thread.message.incomplete", message)
    yield from ended_early(call, run, "failed")


def _message_begun(call: Call, run: Value) -> tuple[Value, Value]:
    """A new message without content, and the step that creates it."""
    message = new_message(
        call,
        run["thread_id"],
        {"role": "assistant", "content": []},
        status="in_progress",
        completed_at=None,
        assistant_id=run["assistant_id"],
        run_id=run["id"],
    )
    details = {"type": "message_creation", "message_creation": {"message_id": message["id"]}}
    return message, _new_step(call, run, details)


def _message_begins(message: Value, step: Value) -> Iterator[Announced]:
    """Announce a step and the message that it creates."""
    yield from _step_begins(step)
    yield _announced("thread.message.created", message)
    yield _announced("thread.message.in_progress", message)


def _answered(call: Call, run: Value, plan: RunPlan) -> Iterator[Announced]:
    """The step that creates the message, and the end of the run."""
    now = call.clock.now()
    message, step = _message_begun(call, run)
    yield from _message_begins(message, step)
    for text in parts(plan.message):
        part = {"index": 0, "type": "text", "text": {"value": text, "annotations": []}}
        delta = {"role": "assistant", "content": [part]}
        yield "thread.message.delta", {"id": message["id"], "object": "thread.message.delta", "delta": delta}
    message["content"] = [{"type": "text", "text": {"value": plan.message, "annotations": []}}]
    if plan.cut:
        message |= {"status": "incomplete", "incomplete_at": now, "incomplete_details": {"reason": "max_tokens"}}
        yield _announced("thread.message.incomplete", message)
    else:
        message |= {"status": "completed", "completed_at": now}
        yield _announced("thread.message.completed", message)
    yield _step_ends(call, step, plan, count(plan.message))
    # A run that has ended can't expire.
    run["expires_at"], run["usage"] = None, _usage(call, run)
    if plan.cut:
        run |= {"status": "incomplete", "incomplete_details": {"reason": plan.limit}}
        yield _announced("thread.run.incomplete", run)
    else:
        run |= {"status": "completed", "completed_at": now}
        yield _announced("thread.run.completed", run)


def outputs_given(call: Call, run: Value, plan: RunPlan, outputs: dict[str, str]) -> list[Announced]:
    """Enter the outputs of all calls. The run returns to the queue."""
    # Only one step waits at a time: the one with the calls.
    step = next(one for one in steps_of(call, run) if one["status"] == "in_progress")
    for one in plan.calls:
        one["function"]["output"] = outputs[one["id"]]
    # The model reads the outputs before it goes on.
    plan.prompt_tokens += sum(count(text) for text in outputs.values())
    announced = [_step_ends(call, step, plan, sum(count(one["function"]["arguments"]) for one in plan.calls))]
    plan.calls = []
    run["required_action"], run["status"] = None, "queued"
    return [*announced, _announced("thread.run.queued", run)]


def ended_early(call: Call, run: Value, status: str) -> Iterator[Announced]:
    """End a run as cancelled, failed or expired, together with its unfinished steps."""
    now = call.clock.now()
    for step in steps_of(call, run):
        if step["status"] == "in_progress":
            # ``expired_at``, ``failed_at`` and ``cancelled_at`` are named like the states.
            step |= {"status": status, f"{status}_at": now, "usage": _spent(0, 0)}
            if status == "failed":
                step["last_error"] = run["last_error"]
            yield _announced(f"thread.run.step.{status}", step)
    run |= {"status": status, "required_action": None, "usage": _usage(call, run)}
    if status != "expired":
        run |= {f"{status}_at": now, "expires_at": None}
    yield _announced(f"thread.run.{status}", run)


def _new_step(call: Call, run: Value, details: Value) -> Value:
    step = {
        "id": call.store.new_id("step_"),
        "object": "thread.run.step",
        "created_at": call.clock.now(),
        "assistant_id": run["assistant_id"],
        "thread_id": run["thread_id"],
        "run_id": run["id"],
        "type": details["type"],
        "status": "in_progress",
        "step_details": details,
        "last_error": None,
        # A version documents one of the two: the later name is the one that the service was recorded to send.
        "expired_at": None,
        "expires_at": run["expires_at"],
        "cancelled_at": None,
        "failed_at": None,
        "completed_at": None,
        "metadata": {},
        "usage": None,
    }
    steps_of(call, run).put(step["id"], step)
    return step


def _step_begins(step: Value) -> Iterator[Announced]:
    """Announce a step without its calls; deltas add them."""
    details = step["step_details"]
    begun = {**step, "step_details": {**details, "tool_calls": []} if "tool_calls" in details else details}
    yield _announced("thread.run.step.created", begun)
    yield _announced("thread.run.step.in_progress", begun)


def _step_ends(call: Call, step: Value, plan: RunPlan, completion: int) -> Announced:
    """Complete a step."""
    usage = _spent(plan.prompt_tokens, completion)
    step |= {"status": "completed", "completed_at": call.clock.now(), "usage": usage}
    return _announced("thread.run.step.completed", step)


def _tool_deltas(step: Value) -> Iterator[Announced]:
    """Yield the deltas of all calls of a step."""
    for index, one in enumerate(step["step_details"]["tool_calls"]):
        for part in _call_deltas(one):
            details = {"type": "tool_calls", "tool_calls": [{"index": index, **part}]}
            delta = {"id": step["id"], "object": "thread.run.step.delta", "delta": {"step_details": details}}
            yield "thread.run.step.delta", deepcopy(delta)


def _call_deltas(one: Value) -> Iterator[Value]:
    """One call in pieces: first id and name, then the arguments."""
    kind = one["type"]
    if kind == "function":
        function = one["function"]
        yield {"id": one["id"], "type": kind, "function": {"name": function["name"], "arguments": "", "output": None}}
        for text in parts(function["arguments"]):
            yield {"type": kind, "function": {"arguments": text}}
    elif kind == "code_interpreter":
        ran = one["code_interpreter"]
        yield {"id": one["id"], "type": kind, kind: {"input": ran["input"], "outputs": []}}
        outputs = [{"index": index, **output} for index, output in enumerate(ran["outputs"])]
        yield {"type": kind, kind: {"outputs": outputs}}
    else:
        yield {"id": one["id"], "type": kind, kind: one[kind]}


def _spent(prompt: int, completion: int) -> Value:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _usage(call: Call, run: Value) -> Value:
    """The sum of the usage of all steps."""
    used: list[Any] = [step["usage"] for step in steps_of(call, run) if step["usage"]]
    return _spent(sum(one["prompt_tokens"] for one in used), sum(one["completion_tokens"] for one in used))


def _announced(name: str, value: Value) -> Announced:
    """An event with a snapshot of the object: it changes later."""
    return name, deepcopy(value)
