"""Checks of runs that wait for tools, are cancelled, or belong to another thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.checks.assistants.runs import RUNS, documented, is_run_object, run_ended, runs_in
from conformance.checks.objects.lifecycle import one, sent_in
from conformance.checks.objects.lists import items_of, page_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import on_json, path_of
from conformance.requests.request import Request
from conformance.scenarios.resource_kinds import properties
from conformance.scenarios.runs import ENDS
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: Scenarios in which a run should wait for tool outputs.
WAITING = ("runs.tools", "runs.cancelled", "runs.streamed")


def _went_through(value: Any, request: Request) -> Any:
    """Counterexample: a run that should wait is completed."""
    if request.method != "GET" or not is_run_object(value) or value.get("status") != "requires_action":
        return None
    done = {"status": "completed", "completed_at": value.get("created_at"), "required_action": None}
    usage = {"usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}} if "usage" in value else {}
    return {**value, **done, **usage}


def came_to_the_call(trace: Trace) -> str:
    """The reason why a run need not wait for a function's output: it ended otherwise, or nothing forced the call.

    "" if the run waits, and if it completed although a call was forced.
    """
    seen, started = one(trace, "run.waits"), one(trace, "run.create")
    status = seen.json.get("status") if seen else None
    if status == "requires_action":
        return ""
    # The run is still active: no more can be said than its last state.
    if status not in ENDS:
        return f"the last state of the run is {status!r}" if seen else "no run was looked at"
    if started is None or "tool_choice" not in sent_in(started):
        return "the model called no function, and nothing forces it to"
    return "" if status == "completed" else f"the run ended {status!r}"


@trace_check(
    "runs.waits",
    Level.MUST,
    clause="runs-waits",
    counterexample=on_json(_went_through),
    scenarios=WAITING,
    needs=(came_to_the_call,),
)
def waits(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A run that must call a function waits for its output in ``requires_action``.

    Where the version can't force a call, the model may answer without one; then there is nothing to judge.
    """
    seen = one(trace, "run.waits")
    if seen is not None and seen.json.get("status") == "completed" and not came_to_the_call(trace):
        yield seen.finding(
            "the run completed without waiting", place="/status", expected="requires_action", actual="completed"
        )


def _says_nothing(value: Any, _request: Request) -> Any:
    """Counterexample: a waiting run has no ``required_action``."""
    if is_run_object(value) and value.get("status") == "requires_action":
        return {**value, "required_action": None}
    return None


@trace_check(
    "runs.required-action.given",
    Level.MUST,
    clause="runs-required-action",
    counterexample=on_json(_says_nothing),
    scenarios=RUNS,
)
def action_given(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A waiting run names the calls that it waits for. Without them the client can't continue it."""
    for seen, run in runs_in(trace):
        action = run.get("required_action")
        inner = action.get("submit_tool_outputs") if isinstance(action, dict) else None
        calls = inner.get("tool_calls") if isinstance(inner, dict) else None
        if run.get("status") == "requires_action" and not calls:
            yield seen.finding("the run waits without naming a call", place="/required_action", actual=action)


def _still_asks(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a run that continued still has its ``required_action``."""
    response = exchange.response
    if response is None or not exchange.ok or not is_run_object(response.json):
        return None
    if response.json.get("status") == "requires_action" or exchange.request.method != "GET":
        return None
    for past in reversed(earlier):
        if path_of(past.request) == path_of(exchange.request) and past.ok and past.response:
            action = past.response.json.get("required_action")
            if action:
                return exchange.answered(response.with_json({**response.json, "required_action": action}))
    return None


#: States in which a run that waited has got what it waited for.
_WENT_ON = ("queued", "in_progress", "completed")


def _asks(value: Any, _request: Request) -> Any:
    """Witness: a run that doesn't wait asks for outputs."""
    silent = is_run_object(value) and value.get("status") != "requires_action"
    return {**value, "required_action": {"type": "submit_tool_outputs"}} if silent else None


@trace_check(
    "runs.required-action.cleared",
    Level.MUST,
    clause="runs-required-action",
    counterexample=_still_asks,
    witness=on_json(_asks),
    scenarios=RUNS,
)
def action_cleared(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A run that doesn't wait has no ``required_action``. Clients would submit outputs again.

    A run that was stopped may still show what it waited for: no document has an example of that, so it is a warning.
    """
    for seen, run in runs_in(trace):
        if run.get("required_action") and run.get("status") != "requires_action":
            yield seen.finding(
                f"a run that is {run.get('status')} still has a required_action",
                place="/required_action",
                expected=None,
                actual=run["required_action"],
                level=None if run.get("status") in _WENT_ON else Level.SHOULD,
            )


def _waits_on(value: Any, request: Request) -> Any:
    """Counterexample: the outputs change nothing."""
    if not request.url.split("?", 1)[0].endswith("/submit_tool_outputs") or not is_run_object(value):
        return None
    calls = (request.json or {}).get("tool_outputs") if isinstance(request.json, dict) else None
    asked = [
        {"id": call.get("tool_call_id"), "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
        for call in calls or ()
    ]
    action = {"type": "submit_tool_outputs", "submit_tool_outputs": {"tool_calls": asked}}
    return {**value, "status": "requires_action", "required_action": action} if asked else None


@trace_check(
    "runs.submit.continues",
    Level.MUST,
    clause="run-submit-continues",
    counterexample=on_json(_waits_on),
    scenarios=("runs.tools",),
    operations=("threads.runs.submit_tool_outputs",),
    needs=("submit",),
)
def submit_continues(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """After all outputs were submitted the run goes on: it doesn't wait for the same outputs still.

    It is queued or in progress again, or has ended already. A client that polls would submit for ever.
    """
    for seen in trace.role("submit"):
        run = seen.json if seen.exchange.ok and isinstance(seen.json, dict) else {}
        given = seen.case.json.get("tool_outputs") if isinstance(seen.case.json, dict) else None
        sent = {output.get("tool_call_id") for output in given or () if isinstance(output, dict)}
        bound = {seen.case.bindings.get(str(id).strip("{}"), id) for id in sent}
        waiting = bound & set(_waiting_calls(run))
        if run.get("status") == "requires_action" and waiting:
            yield seen.finding(
                "the run still waits for outputs that it was given",
                place="/status",
                expected="queued or in_progress",
                actual=f"requires_action for {', '.join(sorted(map(str, waiting)))}",
            )


def _waiting_calls(run: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the ids of the calls that a run waits for."""
    action = run.get("required_action")
    inner = action.get("submit_tool_outputs") if isinstance(action, dict) else None
    calls = inner.get("tool_calls") if isinstance(inner, dict) else None
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict):
            yield call.get("id")


def _completed_anyway(value: Any, request: Request) -> Any:
    """Counterexample: a cancelled run is completed."""
    if request.method != "GET" or not is_run_object(value) or value.get("status") != "cancelled":
        return None
    done = {"status": "completed", "completed_at": value.get("created_at"), "cancelled_at": None}
    return {**value, **done, **({"usage": _USAGE} if "usage" in value else {})}


#: A usage whose numbers add up, for counterexamples.
_USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


def cancel_over(trace: Trace) -> str:
    """The reason why a cancelled run can't be judged: it hasn't ended yet. "" if it has."""
    last = one(trace, "cancelled")
    status = last.json.get("status") if last else None
    known = last is None or status in (*ENDS, "requires_action")
    return "" if known else f"the last state of the cancelled run is {status!r}"


@trace_check(
    "runs.cancel.ends",
    Level.MUST,
    clause="runs-cancel",
    counterexample=on_json(_completed_anyway),
    scenarios=("runs.cancelled",),
    needs=(came_to_the_call, "cancel", "cancelled", cancel_over),
)
def cancel_ends(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A run that is cancelled while it waits does not complete and does not continue to wait."""
    asked, last = one(trace, "cancel"), one(trace, "cancelled")
    if asked is None or last is None:
        return
    status = last.json.get("status")
    if status in ("completed", "incomplete", "requires_action"):
        yield last.finding("the run was not cancelled", place="/status", expected="cancelled", actual=status)


def _everywhere(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a run is found under another thread."""
    response, path = exchange.response, path_of(exchange.request)
    if response is None or response.status != 404 or exchange.request.method != "GET" or "/runs/" not in path:
        return None
    for past in reversed(earlier):
        there = path_of(past.request)
        same = there != path and there.rsplit("/", 1)[-1] == path.rsplit("/", 1)[-1]
        if same and past.ok and past.response and page_of(past) is None:
            return exchange.answered(past.response)
    return None


@trace_check(
    "runs.foreign.unseen",
    Level.MUST,
    clause="state-own-parent",
    counterexample=_everywhere,
    scenarios=("runs.completed",),
    needs=(run_ended,),
    entails=("state.parent",),
)
def foreign_unseen(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A run can be read only under its own thread."""
    for seen in trace.role("run.foreign"):
        if seen.exchange.ok:
            yield seen.finding("found under another thread", place="status", expected=404, actual=seen.exchange.status)


def _anonymous(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the run's message doesn't name the run."""
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "GET" or not isinstance(response.json, dict):
        return None
    data = response.json.get("data")
    if "run_id=" in exchange.request.url or not isinstance(data, list) or not any(_by_run(x) for x in data):
        return None
    without = [{**x, "run_id": None} if _by_run(x) else x for x in data]
    return exchange.answered(response.with_json({**response.json, "data": without}))


def _by_run(item: Any) -> bool:
    """Return True for a message that a run wrote."""
    return isinstance(item, dict) and item.get("role") == "assistant" and bool(item.get("run_id"))


@trace_check(
    "runs.message.named",
    Level.MUST,
    clause="runs-message",
    counterexample=_anonymous,
    scenarios=RUNS,
    entails=("runs.message.kept",),
)
def message_named(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A message that a run wrote contains the ids of the run and of the assistant.

    One message without them is a warning. If a run was completed and no message of an assistant names any run, nobody
    can tell which answer belongs to it.
    """
    media = (operations_of(spec)["threads.messages.get"].answer(200) or {}).get("application/json")
    names = {"run_id", "assistant_id"} & (properties(spec, media.schema) if media else set())
    pages = [seen for seen in trace.role("messages") if seen.exchange.ok and isinstance(seen.json, dict)]
    spoken = [
        (seen, item)
        for seen in pages
        for item in items_of(seen)
        if isinstance(item, dict) and item.get("role") == "assistant"
    ]
    completed = any(run.get("status") == "completed" for _, run in runs_in(trace))
    never = completed and not any(item.get("run_id") for _, item in spoken)
    for seen, item in spoken:
        lost = [name for name in sorted(names) if not item.get(name)]
        if lost:
            yield seen.finding(
                f"a message without {' and '.join(lost)}",
                place="/data",
                actual=item.get("id"),
                level=None if never and "run_id" in lost else Level.SHOULD,
            )


def _silent(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the run's message is missing in the thread."""
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "GET" or not isinstance(response.json, dict):
        return None
    data = response.json.get("data")
    if "run_id=" in exchange.request.url or not isinstance(data, list) or not any(_by_run(x) for x in data):
        return None
    rest = [item for item in data if not _by_run(item)]
    ends = {"first_id": rest[0].get("id"), "last_id": rest[-1].get("id")} if rest else {}
    kept = {name: value for name, value in ends.items() if name in response.json}
    return exchange.answered(response.with_json({**response.json, "data": rest, **kept}))


@trace_check(
    "runs.message.kept",
    Level.MUST,
    clause="runs-message",
    counterexample=_silent,
    scenarios=("runs.completed", "runs.tools", "runs.with-thread"),
    needs=(run_ended, "messages"),
    entails=("run-steps.message", "runs.stream.kept"),
)
def message_kept(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The answer of a completed run is a message in its thread."""
    pages = [seen for seen in trace.role("messages") if seen.exchange.ok and seen.case.role == "messages"]
    done = [run for _, run in runs_in(trace) if run.get("status") == "completed"]
    if not done or not documented(spec, "id"):
        return
    for seen in pages:
        data = seen.json.get("data") if isinstance(seen.json, dict) else None
        if isinstance(data, list) and not any(isinstance(x, dict) and x.get("role") == "assistant" for x in data):
            yield seen.finding("the run's message is not in the thread", place="/data", expected="a message of the run")
