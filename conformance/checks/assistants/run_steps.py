"""Checks of the steps of a run, and of what its stream said: both describe the same run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.checks.assistants.runs import RUNS, run_ended, runs_in
from conformance.checks.objects.lifecycle import one, sent_in, text_of
from conformance.checks.objects.lists import items_of
from conformance.evidence.event_stream import stream_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import on_json
from conformance.pointer import look_up
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: Scenarios whose runs answer with a message.
SPOKEN = ("runs.completed", "runs.tools", "runs.with-thread")


def _steps(trace: Trace) -> list[Observation]:
    """The pages of steps after the end of the run."""
    return [seen for seen in trace.role("steps") if seen.exchange.ok and isinstance(seen.json, dict)]


def _in_steps(change: Any) -> Any:
    """A counterexample that changes steps in a page of steps. ``change`` returns the changed step, or None."""

    def changed(value: Any, request: Request) -> Any:
        data = value.get("data")
        if not request.url.split("?", maxsplit=1)[0].endswith("/steps") or not isinstance(data, list) or not data:
            return None
        made = [change(item) for item in data if isinstance(item, dict)]
        kept = [new if new is not None else old for new, old in zip(made, data, strict=True)]
        return {**value, "data": kept} if any(new is not None for new in made) else None

    return on_json(changed)


@trace_check(
    "run-steps.run",
    Level.MUST,
    clause="run-steps-run",
    counterexample=_in_steps(lambda step: {**step, "run_id": "run_of_another"}),
    scenarios=RUNS,
    entails=("state.parent",),
)
def step_run(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The steps of a run contain the ids of the run and of its thread. Clients assign steps to runs by them."""
    pages = _steps(trace)
    known = {str(run.get("id")): run.get("thread_id") for _, run in runs_in(trace)}
    for seen in pages:
        for item in items_of(seen):
            wanted = seen.case.bindings.get("run")
            if item.get("run_id") != wanted or item.get("thread_id") != known.get(str(wanted), item.get("thread_id")):
                yield seen.finding("a step of another run", place="/data", expected=wanted, actual=item.get("run_id"))
                break


def _no_message(step: Any) -> Any:
    """Counterexample: a step names a message that doesn't exist."""
    if step.get("type") != "message_creation":
        return None
    return {**step, "step_details": {"type": "message_creation", "message_creation": {"message_id": "msg_of_nobody"}}}


@trace_check(
    "run-steps.message",
    Level.MUST,
    clause="run-steps-message",
    counterexample=_in_steps(_no_message),
    scenarios=SPOKEN,
    needs=(run_ended, "steps", "messages"),
)
def step_message(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A completed run that answered has a step for its message, and the step names a message of the thread."""
    steps, messages = one(trace, "steps"), one(trace, "messages")
    done = any(run.get("status") == "completed" for _, run in runs_in(trace))
    if steps is None or messages is None or not done:
        return
    spoken = {str(item.get("id")) for item in items_of(messages) if item.get("role") == "assistant"}
    named = []
    for item in items_of(steps):
        details = item.get("step_details")
        inner = details.get("message_creation") if isinstance(details, dict) else None
        if isinstance(inner, dict):
            named.append(str(inner.get("message_id")))
    strange = [name for name in named if name not in spoken]
    if strange or (spoken and not named):
        yield steps.finding("the message has no step of its own", place="/data", expected=sorted(spoken), actual=named)


def _calls(item: Any) -> list[dict[str, Any]]:
    """The tool calls of a step."""
    details = item.get("step_details") if isinstance(item, dict) else None
    calls = details.get("tool_calls") if isinstance(details, dict) else None
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def _other_calls(step: Any) -> Any:
    """Counterexample: the calls of a step have other ids."""
    if not _calls(step):
        return None
    made = [{**call, "id": "call_of_another"} for call in _calls(step)]
    return {**step, "step_details": {**step["step_details"], "tool_calls": made}}


@trace_check(
    "run-steps.calls",
    Level.MUST,
    clause="run-steps-calls",
    counterexample=_in_steps(_other_calls),
    scenarios=("runs.tools",),
    entails=("run-steps.outputs",),
)
def step_calls(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The calls of a step are those for whose outputs the run waits. Clients match them by id."""
    waiting = one(trace, "run.waits")
    pages = [one(trace, role) for role in ("steps.waiting", "steps")]
    if waiting is None or not any(pages):
        return
    asked = look_up(waiting.json, "/required_action/submit_tool_outputs/tool_calls")
    # An action of another form is reported by the schema.
    calls = asked if isinstance(asked, list) else []
    wanted = {str(call.get("id")) for call in calls if isinstance(call, dict)}
    for seen in filter(None, pages):
        shown = {str(call.get("id")) for item in items_of(seen) for call in _calls(item)}
        if shown and not wanted <= shown:
            yield seen.finding(
                "the step lacks a call that the run waits for",
                place="/data",
                expected=sorted(wanted),
                actual=sorted(shown),
            )


def _no_output(step: Any) -> Any:
    """Counterexample: the outputs of a step's calls are missing."""
    made = [
        {**call, "function": {**call["function"], "output": None}}
        for call in _calls(step)
        if isinstance(call.get("function"), dict) and call["function"].get("output")
    ]
    return {**step, "step_details": {**step["step_details"], "tool_calls": made}} if made else None


@trace_check(
    "run-steps.outputs",
    Level.SHOULD,
    clause="run-steps-outputs",
    counterexample=_in_steps(_no_output),
    scenarios=("runs.tools",),
)
def step_outputs(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Submitted tool outputs appear in the step of their calls."""
    given, steps = one(trace, "submit"), [seen for seen in _steps(trace) if seen.case.role == "steps"]
    if given is None or not steps:
        return
    wanted = {one["tool_call_id"]: one["output"] for one in sent_in(given).get("tool_outputs", ())}
    shown = {str(call.get("id")): call.get("function") for item in items_of(steps[-1]) for call in _calls(item)}
    for id_, output in wanted.items():
        found = shown.get(str(id_))
        if not isinstance(found, dict) or found.get("output") != output:
            yield steps[-1].finding("the output is not in the step", place="/data", expected=output, actual=found)
            return


def _forgotten(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: after a stream, the thread has another text."""
    response = exchange.response
    if response is None or not exchange.ok or not isinstance(response.json, dict):
        return None
    given = response.json.get("data")
    data = given if isinstance(given, list) else []
    spoken = [x for x in data if isinstance(x, dict) and x.get("role") == "assistant"]
    if not spoken or not any(past.response and past.response.media_type == "text/event-stream" for past in earlier):
        return None
    changed = [
        {**x, "content": [{"type": "text", "text": {"value": "Else.", "annotations": []}}]} if x in spoken else x
        for x in data
    ]
    return exchange.answered(response.with_json({**response.json, "data": changed}))


def _spoken(trace: Trace) -> dict[str, str]:
    """The messages that streams completed, by id, each with its text."""
    said: dict[str, str] = {}
    for seen in trace:
        response = seen.exchange.response
        if response is None or response.media_type != "text/event-stream":
            continue
        for event in stream_of(response).events:
            if event.name == "thread.message.completed" and isinstance(event.json, dict):
                said[str(event.json.get("id"))] = "".join(map(text_of, event.json.get("content") or ()))
    return said


def spoke(trace: Trace) -> str:
    """The reason why no streamed message can be compared: no stream completed one. "" if a stream did."""
    return "" if _spoken(trace) else "no stream completed a message"


@trace_check(
    "runs.stream.kept",
    Level.MUST,
    clause="runs-stream-kept",
    counterexample=_forgotten,
    scenarios=("runs.streamed",),
    needs=(spoke, "stream.messages"),
)
def stream_kept(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A message that a stream completed is in the thread afterwards, with the same text."""
    pages = [seen for seen in trace.role("stream.messages") if seen.exchange.ok]
    for seen in pages[-1:]:
        shown = {str(item.get("id")): "".join(map(text_of, item.get("content") or ())) for item in items_of(seen)}
        for id_, text in _spoken(trace).items():
            if shown.get(id_) != text:
                yield seen.finding(
                    "the streamed message is not in the thread", place="/data", expected=text, actual=shown.get(id_)
                )
