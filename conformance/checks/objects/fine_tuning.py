"""Checks of fine-tuning jobs (model, results, events) and of graders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import evolve

from conformance.checks.objects.jobs import at_rest, objects_in, on_objects, reached
from conformance.checks.objects.lifecycle import holds, one, sent_in
from conformance.checks.objects.lists import items_of, times_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import on_json
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

JOB = ("fine_tuning.job",)


def _early_model(item: dict[str, Any]) -> Any:
    """Counterexample: an unfinished job names a model."""
    if item.get("object") != "fine_tuning.job" or item.get("status") == "succeeded":
        return None
    return {**item, "fine_tuned_model": "a-model-too-early"}


@trace_check(
    "tuning.model",
    Level.MUST,
    clause="tuning-model",
    counterexample=on_objects("fine_tuning.job", _early_model),
    scenarios=("fine_tuning.job", "fine_tuning.stopped"),
)
def model(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A job names its tuned model after it has succeeded, and not before.

    Clients deploy the model as soon as it is named.
    """
    for seen in trace:
        for item in objects_in(seen):
            if item.get("object") != "fine_tuning.job":
                continue
            done, named = item.get("status") == "succeeded", item.get("fine_tuned_model")
            if done and not named:
                yield seen.finding("no model", place="/fine_tuned_model", expected="its name", actual=named)
            elif named and item.get("status") in ("validating_files", "queued", "running"):
                yield seen.finding("a model too early", place="/fine_tuned_model", expected=None, actual=named)


def _no_events(value: Any, request: Request) -> Any:
    """Counterexample: the list of events is empty."""
    if not request.url.split("?", maxsplit=1)[0].endswith("/events") or not value.get("data"):
        return None
    return {**value, "data": [], "has_more": False}


@trace_check(
    "tuning.events.first",
    Level.SHOULD,
    clause="tuning-events",
    counterexample=on_json(_no_events),
    scenarios=JOB,
    needs=("events.first",),
    entails=("lists.walk.complete",),
)
def events_first(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A new job already has an event: its creation."""
    seen = one(trace, "events.first")
    if seen is not None and not items_of(seen):
        yield seen.finding("a new job without an event", place="/data", expected="one event", actual=[])


def _mixed(value: Any, request: Request) -> Any:
    """Counterexample: the times of the events go up and down."""
    data = value.get("data")
    if not request.url.split("?", maxsplit=1)[0].endswith("/events") or not isinstance(data, list) or len(data) < 3:
        return None
    stamps = times_of(data)
    mixed = [{**item, "created_at": stamps[0] + (60 if place % 2 else 0)} for place, item in enumerate(data)]
    return {**value, "data": mixed}


@trace_check(
    "tuning.events.order",
    Level.MUST,
    clause="tuning-events-order",
    counterexample=on_json(_mixed),
    scenarios=JOB,
    needs=(at_rest, "events"),
)
def events_order(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The events of a job are sorted by time, in one direction or the other."""
    seen = one(trace, "events")
    if seen is None:
        return
    stamps = times_of(items_of(seen))
    # No document says which direction is right.
    if stamps not in (sorted(stamps), sorted(stamps, reverse=True)):
        yield seen.finding("the events are not in order", place="/data", actual=stamps)


def _no_result(exchange: Exchange, earlier: Any) -> Exchange | None:
    """Counterexample: a result file doesn't exist."""
    response = exchange.response
    if response is None or not exchange.ok or not isinstance(response.json, dict):
        return None
    if response.json.get("purpose") != "fine-tune-results":
        return None
    error = {"error": {"code": "404", "message": "No such file."}}
    return exchange.answered(evolve(response, status=404).with_json(error))


@trace_check(
    "tuning.results",
    Level.SHOULD,
    clause="tuning-results",
    counterexample=_no_result,
    scenarios=JOB,
    needs=(at_rest,),
)
def results(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The result files that a job names can be read."""
    for seen in trace.role("result"):
        # Another refusal may be due to the purpose of the file or to access.
        if seen.exchange.status == 404:
            yield seen.finding("the result file is not there", place="status", expected=200, actual=404)


def _went_on(item: dict[str, Any]) -> Any:
    """Counterexample: a cancelled job succeeds."""
    if item.get("object") != "fine_tuning.job" or item.get("status") != "cancelled":
        return None
    return {**item, "status": "succeeded", "fine_tuned_model": "a-model"}


@trace_check(
    "tuning.cancel",
    Level.MUST,
    clause="tuning-cancel",
    counterexample=on_objects("fine_tuning.job", _went_on, method="GET"),
    scenarios=("fine_tuning.stopped",),
    needs=(reached("cancel", "cancelled"), "cancelled"),
    entails=("jobs.end.stays",),
)
def cancel(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A job whose cancellation was confirmed by its state does not succeed."""
    asked, last = one(trace, "cancel"), one(trace, "cancelled")
    if asked is None or asked.json.get("status") != "cancelled":
        return
    if last is not None and last.json.get("status") == "succeeded":
        yield last.finding(
            "the job succeeded although it was cancelled", place="/status", expected="cancelled", actual="succeeded"
        )


def _other_reward(value: Any, _request: Request) -> Any:
    """Counterexample: the reward is inverted."""
    reward = value.get("reward")
    return {**value, "reward": 1 - reward} if isinstance(reward, int | float) else None


@trace_check(
    "graders.reward",
    Level.MUST,
    clause="graders-reward",
    counterexample=on_json(_other_reward),
    scenarios=("fine_tuning.graders",),
)
def reward(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A string check for equality rewards an equal text with 1 and a different one with 0."""
    for text, wanted in (("yes", 1), ("no", 0)):
        seen = one(trace, f"run.{text}")
        if seen is not None and seen.json.get("reward") != wanted:
            yield seen.finding("another reward", place="/reward", expected=wanted, actual=seen.json.get("reward"))


def _renamed(value: Any, request: Request) -> Any:
    """Counterexample: the validated grader has another name."""
    grader = value.get("grader")
    return {"grader": {**grader, "name": "another"}} if isinstance(grader, dict) else None


@trace_check(
    "graders.validate",
    Level.MUST,
    clause="graders-validate",
    counterexample=on_json(_renamed),
    scenarios=("fine_tuning.graders",),
)
def validate(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The validation of a grader answers with the grader that was sent."""
    seen = one(trace, "validate")
    if seen is None:
        return
    if "grader" in seen.json and not holds(seen.json["grader"], sent_in(seen).get("grader")):
        yield seen.finding("another grader", place="/grader", expected=sent_in(seen).get("grader"),
                           actual=seen.json["grader"])  # fmt: skip
