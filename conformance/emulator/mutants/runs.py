"""Runs that lose their way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from attrs import evolve

from conformance.emulator.call import Call
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.emulator.mutants.edit import Value, edited, fields, ids, in_stream, listed, memory, objects, with_data
from conformance.evidence.exchange import Response

RUNS = ("threads.runs.create", "threads.runs.get", "threads.runs.list", "threads.create_and_run")
SUBMIT = "threads.runs.submit_tool_outputs"


def _run(call: Call) -> Any:
    thread, run = ids(call)[:2]
    return call.store.collection("runs", thread).get(run)


def _plan(call: Call) -> Any:
    return call.store.collection("run-plans").get(ids(call)[1])


@mutant("run.terminal-changes", "A run that has ended stays as it is.", "threads.runs.get")
def terminal_changes(call: Call, answer: Handler) -> Response:
    response = answer(call)
    ended = memory(call, "ended runs")
    if response.json["status"] not in ("completed", "cancelled", "failed", "expired", "incomplete"):
        return response
    if ids(call)[1] not in ended:
        ended.put(ids(call)[1], True)
        return response
    return fields(response, status="in_progress")


@mutant("run.skips-requires-action", "A run that calls functions waits for their outputs.", "threads.runs.get")
def skips_requires_action(call: Call, answer: Handler) -> Response:
    plan = _plan(call)
    if plan is not None:
        plan.calls = []
    return answer(call)


@mutant("run.cancel-ignored", "A run that was cancelled ends.", "threads.runs.cancel")
def cancel_ignored(call: Call, answer: Handler) -> Response:
    run = _run(call)
    saved = dict(run) if run else {}
    response = answer(call)
    if run:
        run.update(saved)
    return response


@mutant("run.cancel-completes", "A run cancelled while it waits is not completed.", "threads.runs.cancel")
def cancel_completes(call: Call, answer: Handler) -> Response:
    response = answer(call)
    run, plan = _run(call), _plan(call)
    run["status"], plan.calls = "in_progress", []
    return response


@mutant("run.partial-outputs-accepted", "Outputs are taken for all calls or for none.", SUBMIT)
def partial_outputs_accepted(call: Call, answer: Handler) -> Response:
    return answer(_filled(call, drop_unknown=False))


@mutant("run.unknown-call-accepted", "An output for an unknown call is refused.", SUBMIT)
def unknown_call_accepted(call: Call, answer: Handler) -> Response:
    plan = _plan(call)
    wanted = {one["id"] for one in plan.calls} if plan else set()
    unknown = any(one.get("tool_call_id") not in wanted for one in call.body["tool_outputs"])
    return answer(_filled(call, drop_unknown=True) if unknown and wanted else call)


def _filled(call: Call, *, drop_unknown: bool) -> Call:
    """The same submission with empty outputs for what is missing."""
    plan = _plan(call)
    wanted = [one["id"] for one in plan.calls] if plan else []
    given = [one for one in call.body["tool_outputs"] if not drop_unknown or one.get("tool_call_id") in wanted]
    missing = set(wanted) - {one.get("tool_call_id") for one in given}
    added = [{"tool_call_id": id_, "output": ""} for id_ in sorted(missing)]
    return evolve(call, body={**call.body, "tool_outputs": [*given, *added]})


@mutant("run.submit-twice-accepted", "Outputs are taken only while the run waits for them.", SUBMIT)
def submit_twice_accepted(call: Call, answer: Handler) -> Response:
    run = _run(call)
    return call.json(run) if run and run["status"] != "requires_action" else answer(call)


@mutant("run.thread-not-locked", "A thread takes no messages while a run is active.", "threads.messages.create")
def thread_not_locked(call: Call, answer: Handler) -> Response:
    return _unlocked(call, answer)


@mutant("run.second-run-accepted", "A thread has one active run at most.", "threads.runs.create")
def second_run_accepted(call: Call, answer: Handler) -> Response:
    return _unlocked(call, answer)


def _unlocked(call: Call, answer: Handler) -> Response:
    newest = call.store.collection("runs", ids(call)[0]).page(limit=1).items
    if not newest:
        return answer(call)
    status, newest[0]["status"] = newest[0]["status"], "completed"
    try:
        return answer(call)
    finally:
        newest[0]["status"] = status


@mutant("run.steps-of-another", "Steps belong to the run that lists them.", "threads.runs.steps.*")
def steps_of_another(call: Call, answer: Handler) -> Response:
    return fields(answer(call), run_id="run_000000000000000000000000")


@mutant("run.step-names-no-message", "A message step names a message of the thread.", "threads.runs.steps.*")
def step_names_no_message(call: Call, answer: Handler) -> Response:
    def wrong(one: Value) -> None:
        if one["type"] == "message_creation":
            one["step_details"]["message_creation"]["message_id"] = "msg_000000000000000000000000"

    return objects(answer(call), wrong)


@mutant("run.step-calls-differ", "The calls of a step are those that the run waits for.", "threads.runs.steps.*")
def step_calls_differ(call: Call, answer: Handler) -> Response:
    def wrong(one: Value) -> None:
        for made in one["step_details"].get("tool_calls", ()):
            made["id"] = f"{made['id'][:-3]}xyz"

    return objects(answer(call), wrong)


@mutant("run.outputs-lost", "Submitted outputs stand in the step.", "threads.runs.steps.*")
def outputs_lost(call: Call, answer: Handler) -> Response:
    def lose(one: Value) -> None:
        for made in one["step_details"].get("tool_calls", ()):
            if "function" in made:
                made["function"]["output"] = None

    return objects(answer(call), lose)


@mutant("run.steps-missing", "A completed run that spoke has a step for its message.", "threads.runs.steps.list")
def steps_missing(call: Call, answer: Handler) -> Response:
    return listed(answer(call), lambda data: [one for one in data if one["type"] != "message_creation"])


@mutant("run.usage-does-not-add-up", "total_tokens is the sum of the other two.", *RUNS, about="usage")
def usage_does_not_add_up(call: Call, answer: Handler) -> Response:
    def wrong(one: Value) -> None:
        if one.get("usage"):
            one["usage"]["total_tokens"] += 1

    return objects(answer(call), wrong)


@mutant("run.usage-missing", "A completed run says what it used.", *RUNS, about="usage")
def usage_missing(call: Call, answer: Handler) -> Response:
    return fields(answer(call), usage=None)


@mutant("run.usage-while-running", "A run that has not ended has no usage yet.", *RUNS, about="usage")
def usage_while_running(call: Call, answer: Handler) -> Response:
    def early(one: Value) -> None:
        if "usage" in one and one["usage"] is None:
            one["usage"] = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}

    return objects(answer(call), early)


@mutant("run.completed-at-while-running", "completed_at is set only when the run is completed.", *RUNS)
def completed_at_while_running(call: Call, answer: Handler) -> Response:
    def early(one: Value) -> None:
        if one.get("status") != "completed":
            one["completed_at"] = one["created_at"]

    return objects(answer(call), early)


@mutant("run.failed-at-when-completed", "A completed run has not failed.", *RUNS)
def failed_at_when_completed(call: Call, answer: Handler) -> Response:
    def both(one: Value) -> None:
        if one.get("status") == "completed":
            one["failed_at"] = one["completed_at"]
            one["last_error"] = {"code": "server_error", "message": "Sorry, something went wrong."}

    return objects(answer(call), both)


@mutant("run.incomplete-as-completed", "A run that met a token limit is incomplete.", *RUNS, about="incomplete_details")
def incomplete_as_completed(call: Call, answer: Handler) -> Response:
    def hide(one: Value) -> None:
        if one.get("status") == "incomplete":
            one.update(status="completed", incomplete_details=None, completed_at=one["created_at"])

    return objects(answer(call), hide)


@mutant("run.incomplete-without-reason", "An incomplete run says why.", *RUNS, about="incomplete_details")
def incomplete_without_reason(call: Call, answer: Handler) -> Response:
    return fields(answer(call), incomplete_details=None)


@mutant("run.never-ends", "A run ends.", "threads.runs.get")
def never_ends(call: Call, answer: Handler) -> Response:
    def hold(one: Value) -> None:
        if one["status"] in ("completed", "incomplete"):
            one.update(status="in_progress", completed_at=None, usage=None)

    return edited(answer(call), hold)


@mutant("run.required-action-missing", "A run that waits says for what.", *RUNS)
def required_action_missing(call: Call, answer: Handler) -> Response:
    return fields(answer(call), required_action=None)


@mutant("run.required-action-lingers", "A run that waits for nothing has no required_action.", "threads.runs.get")
def required_action_lingers(call: Call, answer: Handler) -> Response:
    seen = memory(call, "required actions")

    def keep(one: Value) -> None:
        if one.get("required_action"):
            seen.put(one["id"], one["required_action"])
        one["required_action"] = seen.get(one["id"])

    return edited(answer(call), keep)


@mutant("run.message-without-run", "A message that a run wrote names the run.", "threads.messages.*")
def message_without_run(call: Call, answer: Handler) -> Response:
    return fields(answer(call), run_id=None, assistant_id=None)


@mutant("run.answer-missing", "What a run said is in the thread.", "threads.messages.list")
def answer_missing(call: Call, answer: Handler) -> Response:
    return listed(answer(call), lambda data: [one for one in data if one["role"] != "assistant"])


@mutant("run.override-ignored", "What a run overrides holds for it.", "threads.runs.create", "threads.create_and_run")
def override_ignored(call: Call, answer: Handler) -> Response:
    body = {name: value for name, value in call.body.items() if name not in ("instructions", "metadata", "tools")}
    return answer(evolve(call, body=body))


@mutant("run.other-thread", "A run names its thread.", *RUNS)
def other_thread(call: Call, answer: Handler) -> Response:
    return fields(answer(call), thread_id="thread_000000000000000000000000")


STREAMS = ("threads.runs.create", "threads.create_and_run", SUBMIT)


@mutant("run.stream-without-end", "A streamed run announces its end.", *STREAMS, streamed=True)
def stream_without_end(call: Call, answer: Handler) -> Response:
    ends = {f"thread.run.{state}" for state in ("completed", "incomplete", "requires_action", "failed", "cancelled")}
    return in_stream(answer(call), lambda events: [one for one in events if one[0] not in ends])


@mutant("run.stream-text-differs", "The deltas of a message join to its text.", *STREAMS, streamed=True)
def stream_text_differs(call: Call, answer: Handler) -> Response:
    def lose(events: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        deltas = [place for place, (name, _) in enumerate(events) if name == "thread.message.delta"]
        return [one for place, one in enumerate(events) if place not in deltas[1:2]]

    return in_stream(answer(call), lose)


@mutant("run.stream-steps-late", "A step is announced before it ends.", *STREAMS, streamed=True)
def stream_steps_late(call: Call, answer: Handler) -> Response:
    def late(events: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        created = [one for one in events if one[0] == "thread.run.step.created"]
        others = [one for one in events if one[0] != "thread.run.step.created"]
        return [*others[:-1], *created, *others[-1:]]

    return in_stream(answer(call), late)


@mutant("run.stream-ids-differ", "All events of a run name the same run.", *STREAMS, streamed=True)
def stream_ids_differ(call: Call, answer: Handler) -> Response:
    def differ(events: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        wrong = "thread.run.in_progress"
        return [
            (name, with_data(data, lambda one: one.update(id="run_0")) if name == wrong else data)
            for name, data in events
        ]

    return in_stream(answer(call), differ)


@mutant(
    "run.stream-not-kept",
    "What a stream said is what a later look finds.",
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
        return listed(response, lambda data: [one for one in data if one["id"] not in spoken])
    return in_stream(response, note)
