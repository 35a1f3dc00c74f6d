"""Checks of batches: their states, times and counts, what cancelling does, and what becomes of files that hold none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.checks.objects.jobs import objects_in, on_objects, reached
from conformance.checks.objects.lifecycle import one
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import asked, on_json, path_of
from conformance.requests.request import Request
from conformance.scenarios.batches import BROKEN, ENDS, RESULTS, SENT
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

BATCHES, RUN = ("batches.*",), ("batches.results",)

#: The batch has ended by itself and its results are there.
COMPLETED = reached("batch.get", "completed")

_GET = asked("GET", r"/batches/[\w-]+")

#: The states through which a batch goes, in their order. A look may miss some.
_ORDER = {"validating": 0, "in_progress": 1, "finalizing": 2, "cancelling": 3}

#: The times of a batch, in the order in which they are reached.
_TIMES = ("created_at", "in_progress_at", "finalizing_at", "completed_at")

#: The times at which a batch ends.
_END_TIMES = ("completed_at", "failed_at", "expired_at", "cancelled_at")


def _batches(trace: Trace) -> Iterator[tuple[Observation, Any]]:
    """Yield every batch that an answer shows, with the answer."""
    for seen in trace:
        for item in objects_in(seen):
            if item.get("object") == "batch":
                yield seen, item


def _too_many(item: dict[str, Any]) -> Any:
    """Counterexample: one request more has failed than there are."""
    counts = item.get("request_counts")
    if item.get("status") != "completed" or not isinstance(counts, dict) or not is_integer(counts.get("total")):
        return None
    return {**item, "request_counts": {**counts, "total": counts["total"] + 1}}


@trace_check(
    "batches.counts",
    Level.MUST,
    clause="batch-counts",
    counterexample=on_objects("batch", _too_many),
    scenarios=RUN,
    needs=(COMPLETED,),
)
def counts(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A completed batch counts all its requests, and those that succeeded and failed add up to them.

    At no time more have succeeded or failed than there are.
    """
    for seen, item in _batches(trace):
        given = item.get("request_counts")
        # Counts may be missing or null, as before the file was read.
        named = [given.get(name) for name in ("total", "completed", "failed")] if isinstance(given, dict) else []
        parts = [number for number in named if is_integer(number)]
        if len(parts) < 3:
            continue
        total, done = parts[0], parts[1] + parts[2]
        wanted = {len(SENT)} if item.get("status") == "completed" else set()
        if done > total or (wanted and {total, done} != wanted):
            yield seen.finding(
                "the counts are not those of the requests", place="/request_counts",
                expected=f"{len(SENT)} requests, each counted once", actual=given,
            )  # fmt: skip


def _going_back(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a batch is validated again after it was in progress."""
    response = exchange.response
    if response is None or not exchange.ok or not _GET(exchange) or not isinstance(response.json, dict):
        return None
    if response.json.get("status") not in ("in_progress", "finalizing"):
        return None
    for past in earlier:
        old = past.response.json if past.ok and past.response else None
        same = path_of(past.request) == path_of(exchange.request) and isinstance(old, dict)
        if same and isinstance(old, dict) and _ORDER.get(str(old.get("status")), 0) > 0:
            # The times stay, so that only the state is wrong.
            return exchange.answered(response.with_json({**response.json, "status": "validating"}))
    return None


def _back(item: dict[str, Any]) -> Any:
    """Witness: a batch that was seen under way is validated."""
    return {**item, "status": "validating"} if item.get("status") in _ORDER.keys() - {"validating"} else None


@trace_check(
    "batches.states",
    Level.MUST,
    clause="batch-states",
    counterexample=_going_back,
    witness=on_objects("batch", _back, method="GET"),
    scenarios=BATCHES,
)
def states(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A batch is validated, in progress, finalized and completed in this order, and nothing but an end follows a
    cancellation.
    """
    last: dict[str, str] = {}
    for seen, item in _batches(trace):
        id, status = str(item.get("id")), str(item.get("status"))
        before = last.get(id, "")
        if status in _ORDER and before in _ORDER and _ORDER[status] < _ORDER[before]:
            yield seen.finding("the batch goes back", place="/status", expected=f"not before {before}", actual=status)
        last[id] = status


def _ended_early(item: dict[str, Any]) -> Any:
    """Counterexample: an unfinished batch has the time of its completion."""
    return {**item, "completed_at": item.get("created_at")} if item.get("status") in _ORDER else None


@trace_check(
    "batches.times",
    Level.SHOULD,
    clause="batch-times",
    counterexample=on_objects("batch", _ended_early),
    scenarios=BATCHES,
)
def times(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A batch has the time of an end once it has ended, and its times are in the order of its states."""
    for seen, item in _batches(trace):
        status = str(item.get("status"))
        ends = [name for name in _END_TIMES if is_integer(item.get(name))]
        if status in _ORDER and ends:
            yield seen.finding(
                f"{ends[0]} of a batch that is {status}", place=f"/{ends[0]}", expected=None, actual=item[ends[0]]
            )
        if status == "completed" and "completed_at" not in ends:
            yield seen.finding("no time of the completion", place="/completed_at", expected="a time", actual=None)
        stamps = [item[name] for name in _TIMES if is_integer(item.get(name))]
        if status == "completed" and stamps != sorted(stamps):
            yield seen.finding("the times are not in order", place="/created_at", expected=_TIMES, actual=stamps)


def _unnamed(item: dict[str, Any]) -> Any:
    """Counterexample: no file of results is named."""
    if item.get("status") != "completed" or not (item.keys() & RESULTS.keys()):
        return None
    return {name: value for name, value in item.items() if name not in RESULTS}


@trace_check(
    "batches.results.named",
    Level.MUST,
    clause="batch-output",
    counterexample=on_objects("batch", _unnamed),
    scenarios=RUN,
    needs=(COMPLETED,),
)
def results_named(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A completed batch names the file with the answers of the requests that succeeded, and the one of those that
    failed, if there are any.
    """
    seen = one(trace, "batch.get")
    given = seen.json.get("request_counts") if seen is not None else None
    for count, field in (("completed", "output_file_id"), ("failed", "error_file_id")):
        number = given.get(count) if isinstance(given, dict) else None
        if seen is not None and is_integer(number) and number and not seen.json.get(field):
            yield seen.finding(
                f"{number} requests are {count}, and no file holds their answers", place=f"/{field}",
                expected="the id of a file", actual=seen.json.get(field),
            )  # fmt: skip


def _went_on(item: dict[str, Any]) -> Any:
    """Counterexample: a cancelled batch completes."""
    if item.get("status") != "cancelled":
        return None
    rest = {name: value for name, value in item.items() if name != "cancelled_at"}
    return {**rest, "status": "completed", "completed_at": item.get("created_at")}


def ended_before(trace: Trace) -> str:
    """A text that says that the batch had ended before it was cancelled; "" if it was under way."""
    seen = one(trace, "batch.first")
    status = seen.json.get("status") if seen is not None else None
    return f"the batch was {status} before it could be cancelled" if status in ENDS else ""


@trace_check(
    "batches.cancel",
    Level.SHOULD,
    clause="batch-cancel",
    counterexample=on_objects("batch", _went_on, method="GET"),
    scenarios=("batches.cancelled",),
    needs=("cancel", reached("cancelled", *ENDS)),
    unless=(ended_before,),
)
def cancel(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A batch whose cancellation was accepted while it was under way is cancelled in the end."""
    asked_for, last = one(trace, "cancel"), one(trace, "cancelled")
    if asked_for is None or last is None or asked_for.json.get("status") in ("completed", "failed", "expired"):
        return
    if last.json.get("status") != "cancelled":
        yield last.finding(
            "the batch was not cancelled", place="/status", expected="cancelled", actual=last.json.get("status")
        )


#: Files that make no batch, by the role of the steps.
_BAD = (*BROKEN, "purpose", "unknown")


def _accepted(item: dict[str, Any]) -> Any:
    """Counterexample: a batch that failed is completed."""
    if item.get("status") != "failed":
        return None
    rest = {name: value for name, value in item.items() if name not in ("errors", "failed_at")}
    return {**rest, "status": "completed", "completed_at": item.get("created_at")}


@trace_check(
    "batches.bad-files",
    Level.SHOULD,
    clause="batch-input-file",
    counterexample=on_objects("batch", _accepted),
    scenarios=("batches.bad-files",),
)
def bad_files(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """No batch completes over a file with another purpose, over one that doesn't exist, over lines that are no JSON, or
    over two requests with the same ``custom_id``.
    """
    for key in _BAD:
        seen = one(trace, f"{key}.get")
        if seen is not None and seen.json.get("status") == "completed":
            yield seen.finding(
                f"a batch over a bad file ({key}) is completed", place="/status", expected="failed", actual="completed"
            )


def _silent(value: Any, _request: Request) -> Any:
    """Counterexample: a batch that failed says nothing."""
    if value.get("object") != "batch" or value.get("status") != "failed" or "errors" not in value:
        return None
    return {name: part for name, part in value.items() if name != "errors"}


@trace_check(
    "batches.errors",
    Level.SHOULD,
    clause="batch-errors",
    counterexample=on_json(_silent, when=_GET),
    scenarios=("batches.bad-files",),
)
def errors(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A batch that failed says why: each entry of ``errors`` has a code and a message."""
    for seen, item in _batches(trace):
        if item.get("status") != "failed":
            continue
        given = item.get("errors")
        listed = given.get("data") if isinstance(given, dict) else None
        told = isinstance(listed, list) and any(
            isinstance(each, dict) and each.get("code") and each.get("message") for each in listed
        )
        if not told:
            yield seen.finding("the batch doesn't say why it failed", place="/errors", expected="a code and a message",
                               actual=given)  # fmt: skip
