"""Checks of the end of a run: it comes, and then there is nothing to cancel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.checks.assistants.runs import RUNS, is_run, is_run_object, run_ended
from conformance.checks.objects.lifecycle import one
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import on_json, path_of
from conformance.requests.request import Request
from conformance.scenarios.runs import ENDS, GET, STOPS
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: States in which a run still works.
_GOING = ("queued", "in_progress", "cancelling")


def _endless(value: Any, _request: Request) -> Any:
    """Counterexample: a run never ends and never waits."""
    if not is_run_object(value) or value.get("status") not in STOPS:
        return None
    names = (
        "completed_at",
        "cancelled_at",
        "failed_at",
        "usage",
        "incomplete_details",
        "required_action",
        "last_error",
    )
    return {**value, **{name: None for name in names if name in value}, "status": "in_progress"}


@trace_check(
    "runs.ends",
    Level.SHOULD,
    clause="run-ends",
    counterexample=on_json(_endless, when=is_run),
    scenarios=RUNS,
)
def ends(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A run comes to a final state, or waits for outputs, before the deadline of the poll.

    A client that waits for the end of a run waits forever otherwise.
    """
    if trace.outcome is not None:  # the scenario was ended by something else, perhaps between two looks
        return
    last: dict[str, list[Observation]] = {}
    for seen in trace:
        if seen.case.operation == GET and seen.exchange.ok and is_run_object(seen.json):
            last.setdefault(str(seen.json.get("id")), []).append(seen)
    for looks in last.values():
        status = looks[-1].json.get("status")
        if status in _GOING:
            yield looks[-1].finding(
                f"the run did not end; it was read {len(looks)} times", place="/status", expected=" or ".join(STOPS),
                actual=status,
            )  # fmt: skip


def _cancelled_late(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the refusal to cancel a run that has ended becomes the run as it was read before."""
    response, path = exchange.response, path_of(exchange.request)
    if response is None or not 400 <= response.status < 500 or not path.endswith("/cancel"):
        return None
    for past in reversed(earlier):
        if past.response is None or not past.ok or path_of(past.request) != path.removesuffix("/cancel"):
            continue
        if is_run_object(past.response.json) and past.response.json.get("status") in ENDS:
            return exchange.answered(past.response)
    return None


@trace_check(
    "runs.cancel.late",
    Level.SHOULD,
    clause="run-cancel-ended",
    counterexample=_cancelled_late,
    scenarios=("runs.completed",),
    needs=(run_ended,),
)
def cancel_late(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The request to cancel a run that has ended is refused. A client would take a success for a cancelled run."""
    ended = one(trace, "run.get")
    if ended is None or ended.json.get("status") not in ENDS:
        return
    for seen in trace.role("cancel-late"):
        if seen.exchange.ok:
            yield seen.finding(
                "a run that has ended was cancelled", place="status", expected="4xx", actual=seen.exchange.status
            )
