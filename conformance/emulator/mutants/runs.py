"""Mutants of runs: wrong states, locks, steps, tool outputs and streams."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from attrs import evolve

from conformance.emulator.call import Call
from conformance.emulator.edits import (
    Value,
    each_object,
    edited,
    memory,
    path_ids,
    with_data,
    with_events,
    with_fields,
    with_items,
)
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

RUNS = ("threads.runs.create", "threads.runs.get", "threads.runs.list", "threads.create_and_run")
SUBMIT = "threads.runs.submit_tool_outputs"


def _run(call: Call) -> Any:
    """The run that the path names, as the emulator stores it."""
    thread, run = path_ids(call)[:2]
    return call.store.collection("runs", thread).get(run)


def _plan(call: Call) -> Any:
    """The emulator's plan for the run that the path names."""
    return call.store.collection("run-plans").get(path_ids(call)[1])


@mutant("run.terminal-changes", "A run in a final state does not change any more.", "threads.runs.get")
def terminal_changes(call: Call, answer: Handler) -> Response:
    response = answer(call)
    ended = memory(call, "ended runs")
    if response.json["status"] not in ("completed", "cancelled", "failed", "expired", "incomplete"):
        return response
    if path_ids(call)[1] not in ended:
        ended.put(path_ids(call)[1], True)
        return response
    return with_fields(response, status="in_progress")


@mutant(
    "run.skips-requires-action", "A run that calls functions waits in the state requires_action.", "threads.runs.get"
)
def skips_requires_action(call: Call, answer: Handler) -> Response:
    plan = _plan(call)
    if plan is not None:
        plan.calls = []
    return answer(call)


@mutant("run.cancel-ignored", "A cancelled run reaches a final state.", "threads.runs.cancel")
def cancel_ignored(call: Call, answer: Handler) -> Response:
    run = _run(call)
    saved = dict(run) if run else {}
    response = answer(call)
    if run:
        run.update(saved)
    return response


@mutant("run.cancel-completes", "A run that is cancelled while it waits does not end completed.", "threads.runs.cancel")
def cancel_completes(call: Call, answer: Handler) -> Response:
    response = answer(call)
    run, plan = _run(call), _plan(call)
    run["status"], plan.calls = "in_progress", []
    return response


@mutant("run.partial-outputs-accepted", "Tool outputs for only some of the calls are refused.", SUBMIT)
def partial_outputs_accepted(call: Call, answer: Handler) -> Response:
    return answer(_filled(call, drop_unknown=False))


@mutant("run.unknown-call-accepted", "A tool output for an unknown call is refused.", SUBMIT)
def unknown_call_accepted(call: Call, answer: Handler) -> Response:
    plan = _plan(call)
    wanted = {one["id"] for one in plan.calls} if plan else set()
    unknown = any(one.get("tool_call_id") not in wanted for one in call.body["tool_outputs"])
    return answer(_filled(call, drop_unknown=True) if unknown and wanted else call)


def _filled(call: Call, *, drop_unknown: bool) -> Call:
    """The call with unknown outputs removed if wanted, and empty outputs added for calls that have none."""
    plan = _plan(call)
    wanted = [one["id"] for one in plan.calls] if plan else []
    given = [one for one in call.body["tool_outputs"] if not drop_unknown or one.get("tool_call_id") in wanted]
    missing = set(wanted) - {one.get("tool_call_id") for one in given}
    added = [{"tool_call_id": id_, "output": ""} for id_ in sorted(missing)]
    return evolve(call, body={**call.body, "tool_outputs": [*given, *added]})


@mutant("run.submit-twice-accepted", "Tool outputs are refused unless the run waits for them.", SUBMIT)
def submit_twice_accepted(call: Call, answer: Handler) -> Response:
    run = _run(call)
    return call.json(run) if run and run["status"] != "requires_action" else answer(call)


@mutant("run.thread-not-locked", "A message is refused while a run of its thread is active.", "threads.messages.create")
def thread_not_locked(call: Call, answer: Handler) -> Response:
    return _unlocked(call, answer)


@mutant(
    "run.second-run-accepted", "A second run is refused while a run of the thread is active.", "threads.runs.create"
)
def second_run_accepted(call: Call, answer: Handler) -> Response:
    return _unlocked(call, answer)


def _unlocked(call: Call, answer: Handler) -> Response:
    """The answer as if the newest run of the thread had ended."""
    newest = call.store.collection("runs", path_ids(call)[0]).page(limit=1).items
    if not newest:
        return answer(call)
    status, newest[0]["status"] = newest[0]["status"], "completed"
    try:
        return answer(call)
    finally:
        newest[0]["status"] = status


@mutant("run.steps-of-another", "A step contains the id of its run.", "threads.runs.steps.*")
def steps_of_another(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), run_id="run_000000000000000000000000")


@mutant(
    "run.step-names-no-message", "A message step contains the id of a message in the thread.", "threads.runs.steps.*"
)
def step_names_no_message(call: Call, answer: Handler) -> Response:
    def wrong(one: Value) -> None:
        if one["type"] == "message_creation":
            one["step_details"]["message_creation"]["message_id"] = "msg_000000000000000000000000"

    return each_object(answer(call), wrong)


@mutant(
    "run.step-calls-differ",
    "The calls of a step have the ids of the calls that the run waits for.",
    "threads.runs.steps.*",
)
def step_calls_differ(call: Call, answer: Handler) -> Response:
    def wrong(one: Value) -> None:
        for made in one["step_details"].get("tool_calls", ()):
            made["id"] = f"{made['id'][:-3]}xyz"

    return each_object(answer(call), wrong)


@mutant("run.outputs-lost", "A step contains the submitted tool outputs.", "threads.runs.steps.*")
def outputs_lost(call: Call, answer: Handler) -> Response:
    def lose(one: Value) -> None:
        for made in one["step_details"].get("tool_calls", ()):
            if "function" in made:
                made["function"]["output"] = None

    return each_object(answer(call), lose)


@mutant("run.steps-missing", "A completed run has a step for its message.", "threads.runs.steps.list")
def steps_missing(call: Call, answer: Handler) -> Response:
    return with_items(answer(call), lambda data: [one for one in data if one["type"] != "message_creation"])


@mutant(
    "run.usage-does-not-add-up",
    "The field total_tokens is the sum of prompt and completion tokens.",
    *RUNS,
    about="usage",
)
def usage_does_not_add_up(call: Call, answer: Handler) -> Response:
    def wrong(one: Value) -> None:
        if one.get("usage"):
            one["usage"]["total_tokens"] += 1

    return each_object(answer(call), wrong)


@mutant("run.usage-missing", "A completed run has a usage.", *RUNS, about="usage")
def usage_missing(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), usage=None)


@mutant("run.usage-while-running", "An unfinished run has no usage.", *RUNS, about="usage")
def usage_while_running(call: Call, answer: Handler) -> Response:
    def early(one: Value) -> None:
        if "usage" in one and one["usage"] is None:
            one["usage"] = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}

    return each_object(answer(call), early)


@mutant("run.completed-at-while-running", "The field completed_at of a run is set only if the run is completed.", *RUNS)
def completed_at_while_running(call: Call, answer: Handler) -> Response:
    def early(one: Value) -> None:
        if one.get("status") != "completed":
            one["completed_at"] = one["created_at"]

    return each_object(answer(call), early)


@mutant("run.failed-at-when-completed", "A completed run has no failed_at and no last_error.", *RUNS)
def failed_at_when_completed(call: Call, answer: Handler) -> Response:
    def both(one: Value) -> None:
        if one.get("status") == "completed":
            one["failed_at"] = one["completed_at"]
            one["last_error"] = {"code": "server_error", "message": "Sorry, something went wrong."}

    return each_object(answer(call), both)


@mutant(
    "run.incomplete-as-completed",
    "A run that was cut off by a token limit has the status incomplete.",
    *RUNS,
    about="incomplete_details",
)
def incomplete_as_completed(call: Call, answer: Handler) -> Response:
    def hide(one: Value) -> None:
        if one.get("status") == "incomplete":
            one.update(status="completed", incomplete_details=None, completed_at=one["created_at"])

    return each_object(answer(call), hide)


@mutant("run.incomplete-without-reason", "An incomplete run contains a reason.", *RUNS, about="incomplete_details")
def incomplete_without_reason(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), incomplete_details=None)


@mutant("run.never-ends", "A run reaches a final state.", "threads.runs.get")
def never_ends(call: Call, answer: Handler) -> Response:
    def hold(one: Value) -> None:
        if one["status"] in ("completed", "incomplete"):
            one.update(status="in_progress", completed_at=None, usage=None)

    return edited(answer(call), hold)


@mutant("run.required-action-missing", "A waiting run has a required_action.", *RUNS)
def required_action_missing(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), required_action=None)


@mutant("run.required-action-lingers", "A run that does not wait has no required_action.", "threads.runs.get")
def required_action_lingers(call: Call, answer: Handler) -> Response:
    seen = memory(call, "required actions")

    def keep(one: Value) -> None:
        if one.get("required_action"):
            seen.put(one["id"], one["required_action"])
        one["required_action"] = seen.get(one["id"])

    return edited(answer(call), keep)


@mutant("run.message-without-run", "A message written by a run contains the id of the run.", "threads.messages.*")
def message_without_run(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), run_id=None, assistant_id=None)


@mutant("run.answer-missing", "The answer of a run is among the messages of the thread.", "threads.messages.list")
def answer_missing(call: Call, answer: Handler) -> Response:
    return with_items(answer(call), lambda data: [one for one in data if one["role"] != "assistant"])


@mutant(
    "run.override-ignored",
    "Fields sent with a run override those of the assistant.",
    "threads.runs.create",
    "threads.create_and_run",
)
def override_ignored(call: Call, answer: Handler) -> Response:
    body = {name: value for name, value in call.body.items() if name not in ("instructions", "metadata", "tools")}
    return answer(evolve(call, body=body))


@mutant("run.other-thread", "A run contains the id of its thread.", *RUNS)
def other_thread(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), thread_id="thread_000000000000000000000000")


STREAMS = ("threads.runs.create", "threads.create_and_run", SUBMIT)


@mutant("run.stream-without-end", "The stream of a run contains an event for its end.", *STREAMS, streamed=True)
def stream_without_end(call: Call, answer: Handler) -> Response:
    ends = {f"thread.run.{state}" for state in ("completed", "incomplete", "requires_action", "failed", "cancelled")}
    return with_events(answer(call), lambda events: [one for one in events if one[0] not in ends])


@mutant("run.stream-text-differs", "The deltas of a message add up to its text.", *STREAMS, streamed=True)
def stream_text_differs(call: Call, answer: Handler) -> Response:
    def lose(events: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        deltas = [place for place, (name, _) in enumerate(events) if name == "thread.message.delta"]
        return [one for place, one in enumerate(events) if place not in deltas[1:2]]

    return with_events(answer(call), lose)


@mutant("run.stream-steps-late", "The stream announces a step before it reports its end.", *STREAMS, streamed=True)
def stream_steps_late(call: Call, answer: Handler) -> Response:
    def late(events: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        created = [one for one in events if one[0] == "thread.run.step.created"]
        others = [one for one in events if one[0] != "thread.run.step.created"]
        return [*others[:-1], *created, *others[-1:]]

    return with_events(answer(call), late)


@mutant("run.stream-ids-differ", "All events of a streamed run have the id of the same run.", *STREAMS, streamed=True)
def stream_ids_differ(call: Call, answer: Handler) -> Response:
    def differ(events: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        wrong = "thread.run.in_progress"
        return [
            (name, with_data(data, lambda one: one.update(id="run_0")) if name == wrong else data)
            for name, data in events
        ]

    return with_events(answer(call), differ)


@mutant(
    "run.stream-not-kept",
    "A streamed message can be read afterwards.",
    "threads.messages.list",
    *STREAMS,
    streamed=True,
)
def stream_not_kept(call: Call, answer: Handler) -> Response:
    spoken = memory(call, "streamed messages")

    def note(events: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        for name, data in events:
            if name == "thread.message.created":
                spoken.put(json.loads(data)["id"], True)
        return events

    response = answer(call)
    if call.operation.id == "threads.messages.list":
        return with_items(response, lambda data: [one for one in data if one["id"] not in spoken])
    return with_events(response, note)
