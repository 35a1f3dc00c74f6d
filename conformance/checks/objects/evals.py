"""Checks of evals: items, results and counts of a run are consistent, and a cancelled run stops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.checks.objects.jobs import objects_in, on_objects, reached
from conformance.checks.objects.lifecycle import one, sent_in
from conformance.checks.objects.lists import ids_of, items_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import query_of
from conformance.scenarios.resource_kinds import ROWS
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

RUN = ("evals.run",)
COMPLETED = reached("run.get", "completed")


def _less(item: dict[str, Any]) -> Any:
    """Counterexample: a run counts one item less."""
    counts = item.get("result_counts")
    if not isinstance(counts, dict) or not counts.get("total") or not counts.get("passed"):
        return None
    fewer = {**counts, "total": counts["total"] - 1, "passed": counts["passed"] - 1}
    return {**item, "result_counts": fewer}


@trace_check(
    "evals.items",
    Level.MUST,
    clause="evals-items",
    counterexample=on_objects("eval.run", _less),
    scenarios=RUN,
    needs=(COMPLETED, "items"),
)
def items(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A completed run has an item for each row, and counts the passed items correctly."""
    run, page = one(trace, "run.get"), one(trace, "items")
    if run is None or page is None:
        return
    found = items_of(page)
    # A page that says that more follows is incomplete, so its length proves nothing.
    if len(found) != len(ROWS) and page.json.get("has_more") is not True:
        yield page.finding("another number of items", place="/data", expected=len(ROWS), actual=len(found))
    counts = run.json.get("result_counts")
    passed = sum(item.get("status") == "pass" for item in found)
    wanted = {"total": len(ROWS), "passed": passed}
    for name, value in wanted.items() if isinstance(counts, dict) else ():
        if counts.get(name) != value:
            yield run.finding(
                f"{name} is not the number of items", place=f"/result_counts/{name}", expected=value,
                actual=counts.get(name),
            )  # fmt: skip


def _all_pass(item: dict[str, Any]) -> Any:
    """Counterexample: a failed item passes."""
    return {**item, "status": "pass"} if item.get("status") == "fail" else None


@trace_check(
    "evals.item.status",
    Level.MUST,
    clause="evals-item-status",
    counterexample=on_objects("eval.run.output_item", _all_pass),
    scenarios=RUN,
    needs=(COMPLETED, "items"),
    entails=("evals.items", "lists.filter"),
)
def item_status(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """An item passes if and only if all its results passed."""
    for seen in trace:
        for item in objects_in(seen) if seen.case.role.startswith("item") else ():
            results = [one for one in item.get("results") or () if isinstance(one, dict) and "passed" in one]
            # An item that could not be graded has another status.
            if results and item.get("status") in ("pass", "fail"):
                wanted = "pass" if all(result["passed"] for result in results) else "fail"
                if item["status"] != wanted:
                    yield seen.finding("the status contradicts the results", place="/status", expected=wanted,
                                       actual=item["status"])  # fmt: skip


def _anyway(item: dict[str, Any]) -> Any:
    """Counterexample: a cancelled run is completed."""
    return {**item, "status": "completed"} if item.get("status") in ("canceled", "cancelled") else None


def uncancelled(trace: Trace) -> str:
    """The reason why a cancelled run may complete: the answer to the cancellation names another state. Else ""."""
    asked = one(trace, "cancel")
    if asked is None or asked.json.get("status") in ("canceled", "cancelled"):
        return ""
    return f"the cancellation was answered with the state {asked.json.get('status')!r}"


@trace_check(
    "evals.cancel",
    Level.MUST,
    clause="evals-cancel",
    counterexample=on_objects("eval.run", _anyway, method="GET"),
    scenarios=("evals.cancelled",),
    unless=(uncancelled,),
    entails=("lists.filter", "jobs.end.stays"),
)
def cancel(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A run whose cancellation was confirmed by its state does not complete."""
    asked, last = one(trace, "cancel"), one(trace, "cancelled")
    if asked is None or uncancelled(trace):
        return
    if last is not None and last.json.get("status") == "completed":
        yield last.finding(
            "the run completed although it was cancelled", place="/status", expected="canceled", actual="completed"
        )


def _other_source(item: dict[str, Any]) -> Any:
    """Counterexample: the data source has another type."""
    source = item.get("data_source")
    return {**item, "data_source": {**source, "type": "completions"}} if isinstance(source, dict) else None


@trace_check(
    "evals.source",
    Level.MUST,
    clause="state-create-echo",
    counterexample=on_objects("eval.run", _other_source),
    scenarios=("evals.run", "evals.cancelled"),
    needs=("run.create",),
    entails=("schema.response",),
)
def source(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A run keeps the type of its data source."""
    made = one(trace, "run.create")
    if made is None:
        return
    wanted = (sent_in(made).get("data_source") or {}).get("type")
    for seen in filter(None, (made, one(trace, "run.get"))):
        found = seen.json.get("data_source")
        if isinstance(found, dict) and found.get("type") != wanted:
            yield seen.finding("another source", place="/data_source/type", expected=wanted, actual=found.get("type"))


def _one_order(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: ``order_by`` is ignored; the list is always ordered by creation."""
    if query_of(exchange.request).get("order_by") != "updated_at":
        return None
    for past in reversed(earlier):
        query = query_of(past.request)
        same = query.get("after") == query_of(exchange.request).get("after")
        if query.get("order_by") == "created_at" and same and past.ok and past.response:
            return exchange.answered(past.response)
    return None


@trace_check(
    "evals.order-by",
    Level.SHOULD,
    clause="evals-order-by",
    counterexample=_one_order,
    scenarios=("evals.order-by",),
    needs=("by.created_at", "by.updated_at"),
)
def order_by(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """``order_by`` is respected: ``created_at`` puts the newer eval first, ``updated_at`` the one changed last."""
    for field, first, second in (("created_at", "newer", "older"), ("updated_at", "older", "newer")):
        page = one(trace, f"by.{field}.{second}")
        if page is not None and page.case.bindings[first] in ids_of(page):
            yield page.finding(
                f"not ordered by {field}", place="/data", expected=f"the {first} eval before the {second} one",
                actual=f"the {first} eval after the {second} one",
            )  # fmt: skip
