"""Checks of responses that are cancelled while they run in the background."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.checks.objects.jobs import on_objects
from conformance.checks.objects.lifecycle import one
from conformance.evidence.trace import Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import asked, on_json
from conformance.requests.request import Request
from conformance.scenarios.responses import ENDS
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

CANCELLED = ("responses.cancelled",)


def _going_on(value: Any, _request: Request) -> Any:
    """Counterexample: the answer to a cancellation shows a response that is still in progress."""
    return {**value, "status": "in_progress"} if value.get("status") == "cancelled" else None


@trace_check(
    "responses.cancel.confirmed",
    Level.SHOULD,
    clause="response-cancel-answer",
    counterexample=on_json(_going_on, when=asked("POST", r"/responses/\w+/cancel")),
    scenarios=CANCELLED,
    needs=("later.cancel",),
)
def confirmed(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The answer to a cancellation shows the response cancelled, unless it had ended before."""
    seen = one(trace, "later.cancel")
    if seen is not None and seen.json.get("status") not in ENDS:
        yield seen.finding(
            "the response was not cancelled", place="/status", expected="cancelled", actual=seen.json.get("status")
        )


def _went_on(item: dict[str, Any]) -> Any:
    """Counterexample: a cancelled response is completed."""
    return {**item, "status": "completed"} if item.get("status") == "cancelled" else None


@trace_check(
    "responses.cancel.kept",
    Level.MUST,
    clause="response-cancelled",
    counterexample=on_objects("response", _went_on, method="GET"),
    scenarios=CANCELLED,
    needs=("later.cancel", "later.get"),
    entails=("jobs.end.stays",),
)
def kept(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A response that was shown as cancelled is read as cancelled. Who cancels must not pay for what goes on."""
    told, read = one(trace, "later.cancel"), one(trace, "later.get")
    if told is None or read is None or told.json.get("status") != "cancelled":
        return
    if read.json.get("status") != "cancelled":
        yield read.finding(
            "the response went on after it was cancelled", place="/status", expected="cancelled",
            actual=read.json.get("status"),
        )  # fmt: skip
