"""Checks of runs: states, times, usage and limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.checks.objects.lifecycle import holds, one, sent_in
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import asked, on_json, path_of, query_of
from conformance.requests.request import Request
from conformance.scenarios.resource_kinds import properties
from conformance.scenarios.runs import ENDS
from conformance.schema.integers import is_integer
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: All scenarios about runs.
RUNS = ("runs.*",)
#: A run object and the answer that contains it.
Shown = Iterator[tuple[Observation, Mapping[str, Any]]]

#: Matches requests whose answer contains a run, or a page of runs.
is_run = asked("GET", r"/runs(/run_\w+)?")


def is_run_object(value: Any) -> bool:
    """Return True for a run object."""
    return isinstance(value, dict) and value.get("object") == "thread.run"


def runs_in(trace: Trace) -> Shown:
    """Yield every run in a trace, alone or in a page, in the order of the evidence."""
    for seen in trace:
        value = seen.json if seen.exchange.ok else None
        data = value.get("data") if isinstance(value, dict) else None
        for item in data if isinstance(data, list) else [value]:
            if isinstance(item, dict) and is_run_object(item):
                yield seen, item


def run_ended(trace: Trace) -> str:
    """A text with the last state if no run of the trace reached a final state; "" if one did."""
    states = [str(run.get("status")) for _, run in runs_in(trace)]
    if any(state in ENDS for state in states):
        return ""
    return f"no run ended: the last state of the run is {states[-1]!r}" if states else "no run was started"


def documented(spec: Spec, name: str) -> bool:
    """Return True if runs have this field in the version."""
    media = (operations_of(spec)["threads.runs.get"].answer(200) or {}).get("application/json")
    return media is not None and name in properties(spec, media.schema)


def _alive_again(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a run is in progress again after its end."""
    response = exchange.response
    if response is None or not exchange.ok or not is_run_object(response.json):
        return None
    if exchange.request.method != "GET" or response.json.get("status") not in ENDS:
        return None
    for past in earlier:
        old = past.response.json if past.ok and past.response else None
        if past.request.url == exchange.request.url and isinstance(old, dict) and old.get("status") in ENDS:
            names = ("completed_at", "usage", "incomplete_details", "cancelled_at")
            back = {name: None for name in names if name in response.json}
            return exchange.answered(response.with_json({**response.json, **back, "status": "in_progress"}))
    return None


@trace_check(
    "runs.end.stays",
    Level.MUST,
    clause="runs-end-stays",
    counterexample=_alive_again,
    scenarios=RUNS,
    needs=(run_ended,),
)
def end_stays(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A run in a final state does not change any more. A client that stopped polling has seen the final result."""
    ended: dict[str, str] = {}
    for seen, run in runs_in(trace):
        id_, status = str(run.get("id")), str(run.get("status"))
        if id_ in ended and status != ended[id_]:
            yield seen.finding(
                "the state of a run changes after a final state", place="/status", expected=ended[id_], actual=status
            )
        elif status in ENDS:
            ended[id_] = status


def _done_early(value: Any, _request: Request) -> Any:
    """Counterexample: a run has a ``completed_at`` before its end."""
    if not is_run_object(value) or value.get("status") in ENDS:
        return None
    return {**value, "completed_at": value.get("created_at")}


@trace_check(
    "runs.completed-at",
    Level.MUST,
    clause="runs-times",
    counterexample=on_json(_done_early),
    scenarios=RUNS,
    needs=(run_ended,),
)
def completed_at(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """``completed_at`` is set only if the run is completed. Clients detect the end by it."""
    for seen, run in runs_in(trace):
        if run.get("completed_at") is not None and run.get("status") != "completed":
            yield seen.finding(
                f"completed_at of a run that is {run.get('status')}",
                place="/completed_at",
                expected=None,
                actual=run["completed_at"],
            )


def _failed_too(value: Any, _request: Request) -> Any:
    """Counterexample: a completed run has a ``failed_at``."""
    if not is_run_object(value) or value.get("status") != "completed":
        return None
    return {**value, "failed_at": value.get("created_at")}


@trace_check(
    "runs.completed.clean",
    Level.MUST,
    clause="runs-times",
    counterexample=on_json(_failed_too),
    scenarios=RUNS,
    needs=(run_ended,),
)
def completed_clean(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A completed run has no ``failed_at``, ``cancelled_at`` or ``last_error``."""
    for seen, run in runs_in(trace):
        for name in ("failed_at", "cancelled_at", "last_error") if run.get("status") == "completed" else ():
            if run.get(name) is not None:
                yield seen.finding(f"a completed run has {name}", place=f"/{name}", expected=None, actual=run[name])


def _one_token_more(value: Any, _request: Request) -> Any:
    """Counterexample: the total is one too high."""
    usage = value.get("usage") if is_run_object(value) else None
    if not isinstance(usage, dict):
        return None
    return {**value, "usage": {**usage, "total_tokens": usage.get("total_tokens", 0) + 1}}


@trace_check(
    "runs.usage.sum",
    Level.MUST,
    clause="runs-usage-sum",
    counterexample=on_json(_one_token_more),
    scenarios=RUNS,
    needs=(run_ended,),
)
def usage_sum(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """``total_tokens`` is the sum of prompt and completion tokens. Costs are computed from it."""
    if not documented(spec, "usage"):
        return
    for seen, run in runs_in(trace):
        usage = run.get("usage")
        parts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")] if isinstance(usage, dict) else []
        numbers = [part for part in parts if is_integer(part)]
        if len(numbers) == 2 and isinstance(usage, dict) and usage.get("total_tokens") != sum(numbers):
            yield seen.finding(
                "the tokens don't add up", place="/usage", expected=sum(numbers), actual=usage.get("total_tokens")
            )


def _no_usage(value: Any, _request: Request) -> Any:
    """Counterexample: a run has no usage."""
    return {**value, "usage": None} if is_run_object(value) and value.get("usage") else None


def _early_usage(value: Any, _request: Request) -> Any:
    """Witness: a run that has not ended has used something."""
    going = is_run_object(value) and value.get("status") not in ENDS
    return {**value, "usage": {"total_tokens": 1}} if going else None


@trace_check(
    "runs.usage.given",
    Level.SHOULD,
    clause="runs-usage-given",
    counterexample=on_json(_no_usage),
    witness=on_json(_early_usage),
    scenarios=RUNS,
    needs=(run_ended,),
)
def usage_given(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A completed run has a usage; a run that isn't finished has none yet."""
    if not documented(spec, "usage"):
        return
    for seen, run in runs_in(trace):
        if run.get("status") == "completed" and not run.get("usage"):
            yield seen.finding("a completed run has no usage", place="/usage", actual=run.get("usage", "absent"))
        elif run.get("status") not in ENDS and run.get("usage"):
            yield seen.finding("usage before the end", place="/usage", expected=None, actual=run["usage"])


def _other_instructions(value: Any, request: Request) -> Any:
    """Counterexample: a run has other instructions than were sent."""
    if request.method == "POST" and is_run_object(value) and "instructions" in (request.json or {}):
        return {**value, "instructions": "Something else."}
    return None


def _other_assistant(value: Any, request: Request) -> Any:
    """Witness: a run names another assistant and another thread."""
    if request.method != "POST" or not is_run_object(value):
        return None
    return {**value, "assistant_id": "asst_of_another", "thread_id": "thread_of_another"}


#: Request fields that the run must repeat.
_ECHO = ("assistant_id", "instructions", "metadata", "tools", "max_completion_tokens", "truncation_strategy")


@trace_check(
    "runs.echo",
    Level.MUST,
    clause="runs-echo",
    counterexample=on_json(_other_instructions),
    witness=on_json(_other_assistant),
    scenarios=RUNS,
)
def echo(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A run repeats what it was started with: assistant, thread, and what overrides the assistant's own fields."""
    started = [x for role in ("run.create", "limit.create") for x in trace.role(role) if is_run_object(x.json)]
    for seen in started:
        thread = path_of(seen.exchange.request).split("/threads/")[-1].split("/")[0]
        wanted = dict(sent_in(seen)) | ({"thread_id": thread} if thread != "runs" else {})
        for name in ("thread_id", *_ECHO):
            if name in wanted and documented(spec, name) and not holds(seen.json.get(name), wanted[name]):
                yield seen.finding(
                    f"{name} is not what was asked for",
                    place=f"/{name}",
                    expected=wanted[name],
                    actual=seen.json.get(name, "absent"),
                )


def _another_thread(value: Any, request: Request) -> Any:
    """Counterexample: a run that is read names another thread."""
    if request.method != "GET" or not is_run_object(value) or "thread_id" not in value:
        return None
    return {**value, "thread_id": "thread_of_another"}


@trace_check(
    "runs.same",
    Level.MUST,
    clause="runs-same",
    counterexample=on_json(_another_thread),
    scenarios=RUNS,
    needs=(run_ended,),
    entails=("run-steps.run", "state.parent"),
)
def same(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A run that is read has the requested id, and the same thread, assistant and creation time as before."""
    first: dict[str, Mapping[str, Any]] = {}
    for seen, run in runs_in(trace):
        wanted = seen.case.bindings.get("run") if seen.case.path_params.get("run_id") == "{run}" else run.get("id")
        if run.get("id") != wanted:
            yield seen.finding("another run", place="/id", expected=wanted, actual=run.get("id"))
            continue
        known = first.setdefault(str(wanted), run)
        for name in ("thread_id", "assistant_id", "created_at"):
            if run.get(name) != known.get(name):
                yield seen.finding(f"{name} differs", place=f"/{name}", expected=known.get(name), actual=run.get(name))


def _unnamed_limit(value: Any, _request: Request) -> Any:
    """Counterexample: an incomplete run has no reason."""
    if is_run_object(value) and value.get("status") == "incomplete":
        return {**value, "incomplete_details": None}
    return None


@trace_check(
    "runs.incomplete.reason",
    Level.MUST,
    clause="runs-incomplete-reason",
    counterexample=on_json(_unnamed_limit),
    scenarios=("runs.limited",),
    needs=(run_ended,),
)
def incomplete_reason(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """An incomplete run contains a reason: the limit that it reached."""
    for seen, run in runs_in(trace):
        details = run.get("incomplete_details")
        if run.get("status") == "incomplete" and not (isinstance(details, dict) and details.get("reason")):
            yield seen.finding("an incomplete run without a reason", place="/incomplete_details/reason", actual=details)


def _unlimited(value: Any, _request: Request) -> Any:
    """Counterexample: an incomplete run is completed."""
    if not is_run_object(value) or value.get("status") != "incomplete":
        return None
    return {**value, "status": "completed", "incomplete_details": None, "completed_at": value.get("created_at")}


@trace_check(
    "runs.limit.incomplete",
    Level.SHOULD,
    clause="runs-limit",
    counterexample=on_json(_unlimited),
    scenarios=("runs.limited",),
    needs=(run_ended,),
)
def limit_incomplete(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A run whose answer is longer than ``max_completion_tokens`` ends incomplete.

    Clients would take the cut-off answer of a completed run for the whole one.
    """
    seen = one(trace, "limit")
    if seen is not None and seen.json.get("status") == "completed":
        yield seen.finding(
            "the token limit was ignored, or reached without notice",
            place="/status",
            expected="incomplete",
            actual="completed",
        )


def _unlisted(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the list of runs is empty."""
    response = exchange.response
    if response is None or not exchange.ok or not isinstance(response.json, dict) or exchange.request.method != "GET":
        return None
    data = response.json.get("data")
    if query_of(exchange.request).get("after") or not (isinstance(data, list) and data and is_run_object(data[0])):
        return None
    ends = {name: None for name in ("first_id", "last_id") if name in response.json}
    return exchange.answered(response.with_json({**response.json, "data": [], "has_more": False, **ends}))


@trace_check(
    "runs.listed",
    Level.MUST,
    clause="state-list-holds",
    counterexample=_unlisted,
    scenarios=("runs.completed", "runs.streamed"),
    needs=(run_ended,),
    entails=("lists.walk.complete", "lists.has-more"),
)
def listed(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A run, streamed or not, is in the list of its thread."""
    pages = [seen for seen in trace.role("runs.list", "stream.runs") if seen.exchange.ok]
    for seen in pages:
        data = seen.json.get("data") if isinstance(seen.json, dict) else None
        if data == []:
            yield seen.finding("the run is not listed", place="/data", expected="one run", actual=[])


def _old_metadata(value: Any, request: Request) -> Any:
    """Counterexample: the answer to a modification has empty metadata."""
    if request.method == "POST" and is_run_object(value) and "step" in ((request.json or {}).get("metadata") or {}):
        return {**value, "metadata": {}}
    return None


@trace_check(
    "runs.modify",
    Level.MUST,
    clause="state-modify-applies",
    counterexample=on_json(_old_metadata),
    scenarios=("runs.completed",),
    needs=(run_ended, "run.get", "run.modify"),
)
def modify(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A modification of a run's metadata is visible in its answer and afterwards, and changes no other field."""
    changed, before = one(trace, "run.modify"), one(trace, "run.get")
    if changed is None or before is None:
        return
    for seen in filter(None, (changed, one(trace, "run.modified"))):
        wanted = {name: before.json.get(name) for name in ("id", "created_at", "instructions")}
        for name, value in (wanted | dict(sent_in(changed))).items():
            if not holds(seen.json.get(name), value):
                yield seen.finding(f"{name} differs", place=f"/{name}", expected=value, actual=seen.json.get(name))
