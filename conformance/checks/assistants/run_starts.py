"""Checks of new runs, steps and messages: states, times, and who wrote a message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.checks.objects.jobs import objects_in, on_objects
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import asked, on_json
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.requests.selectors import streams
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: Operations that start a run; documents name the second one differently.
STARTS = ("threads.runs.create", "threads.create_and_run", "threads.runs.create_thread_and_run")


def _plain(spec: Spec, case: Case) -> bool:
    """The request asks for no stream."""
    return not streams(spec, case)


def _at_once(value: Any, _request: Request) -> Any:
    """Counterexample: a new run is already being cancelled."""
    if value.get("object") != "thread.run" or value.get("status") != "queued":
        return None
    return {**value, "status": "cancelling"}


@check(
    "runs.starts",
    Level.SHOULD,
    clause="run-starts-queued",
    counterexample=on_json(_at_once, when=asked("POST", r"/runs")),
    operations=STARTS,
    about=_plain,
    needs=Needs.SUCCESS,
)
def starts(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A new run is queued, or already in progress.

    No other state is possible yet: nobody could cancel it or answer its calls.
    """
    status = seen.json.get("status") if isinstance(seen.json, dict) else None
    if isinstance(status, str) and status not in ("queued", "in_progress"):
        yield seen.finding("a new run in another state", place="/status", expected="queued", actual=status)


def _before_birth(item: dict[str, Any]) -> Any:
    """Counterexample: a run started a minute before it was created."""
    if not isinstance(item.get("started_at"), int) or not isinstance(item.get("created_at"), int):
        return None
    return {**item, "started_at": item["created_at"] - 60}


@check(
    "runs.started-at",
    Level.SHOULD,
    clause="run-started-at",
    counterexample=on_objects("thread.run", _before_birth),
    operations=("threads.*",),
    needs=Needs.SUCCESS,
)
def started_at(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A run does not start before it was created. Waiting times are computed from the two times."""
    for item in objects_in(seen):
        start, birth = item.get("started_at"), item.get("created_at")
        if item.get("object") == "thread.run" and is_integer(start) and is_integer(birth) and start < birth:
            yield seen.finding(
                "it started before it was created", place="/started_at", expected=f"at least {birth}", actual=start
            )


def _of_another_kind(item: dict[str, Any]) -> Any:
    """Counterexample: a step has the type of the other kind of step."""
    other = {"message_creation": "tool_calls", "tool_calls": "message_creation"}
    return {**item, "type": other[item["type"]]} if item.get("type") in other else None


@check(
    "run-steps.kind",
    Level.MUST,
    clause="step-details-type",
    counterexample=on_objects("thread.run.step", _of_another_kind),
    operations=("threads.runs.steps.*",),
    needs=Needs.SUCCESS,
)
def step_kind(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The type of a step equals the type of its details. Clients choose the class of the details by it."""
    for item in objects_in(seen):
        details = item.get("step_details")
        inner = details.get("type") if isinstance(details, dict) else None
        if inner is not None and item.get("type") != inner:
            yield seen.finding(
                "the step and its details have different types",
                place="/step_details/type",
                expected=item.get("type"),
                actual=inner,
            )


def _of_a_run(item: dict[str, Any]) -> Any:
    """Counterexample: a user's message names a run."""
    return {**item, "run_id": "run_of_another"} if item.get("role") == "user" else None


@check(
    "messages.own",
    Level.SHOULD,
    clause="message-of-user",
    counterexample=on_objects("thread.message", _of_a_run, method="POST"),
    operations=("threads.messages.create",),
    needs=Needs.SUCCESS,
)
def message_own(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A message that a client wrote has no ``run_id``: no run wrote it."""
    run = seen.json.get("run_id") if isinstance(seen.json, dict) else None
    if run:
        yield seen.finding("a client's message names a run", place="/run_id", expected=None, actual=run)
