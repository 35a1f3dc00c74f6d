"""Checks of what an eval shows: its schema, the results of its comparisons, the usage of its samples, its order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.checks.objects.jobs import objects_in, on_objects, reached
from conformance.checks.objects.lifecycle import holds, one, sent_in
from conformance.checks.objects.lists import answer_page, items_of, page_of, times_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Needs, check, trace_check
from conformance.judging.counterexamples import asked, on_json, path_of, query_of
from conformance.pointer import look_up
from conformance.requests.case import Case
from conformance.requests.field_rules import body_of
from conformance.requests.request import Request
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

RUNS = ("evals.run", "evals.comparisons")
COMPLETED = reached("run.get", "completed")


def _criteria(trace: Trace) -> list[Mapping[str, Any]]:
    """The testing criteria of the eval that the trace created."""
    made = next((seen for seen in trace.role("setup") if seen.case.operation == "evals.create"), None)
    given = sent_in(made).get("testing_criteria") if made is not None else None
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _compared(operation: str, word: str, reference: str) -> bool:
    """The result of a string check. Where equal and contained differ, ``like`` and ``ilike`` mean contained."""
    if operation == "like":
        return reference in word
    if operation == "ilike":
        return reference.lower() in word.lower()
    return (word == reference) is (operation == "eq")


def _all_passed(item: dict[str, Any]) -> Any:
    """Counterexample: every comparison holds in every row."""
    results = item.get("results")
    if not isinstance(results, list) or all(one.get("passed") for one in results):
        return None
    return {**item, "status": "pass", "results": [{**one, "passed": True, "score": 1.0} for one in results]}


@trace_check(
    "evals.comparisons",
    Level.MUST,
    clause="evals-run-grade-string-check",
    counterexample=on_objects("eval.run.output_item", _all_passed),
    scenarios=RUNS,
    needs=(COMPLETED, "items"),
    entails=("evals.items", "evals.item.status", "lists.filter"),
)
def comparisons(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A string check passes the rows in which its comparison holds, and no others.

    A comparison that holds everywhere makes every model look good.
    """
    page = one(trace, "items")
    for place, item in enumerate(items_of(page) if page is not None else ()):
        word, results = look_up(item, "/datasource_item/word"), item.get("results")
        if page is None or not isinstance(word, str) or not isinstance(results, list):
            continue
        for criterion in _criteria(trace):
            # The service appends something to the name of a criterion.
            mine = [x for x in results if isinstance(x, dict) and str(x.get("name")).startswith(criterion["name"])]
            wanted = _compared(criterion["operation"], word, criterion["reference"])
            for result in mine[:1]:
                if isinstance(result.get("passed"), bool) and result["passed"] is not wanted:
                    yield page.finding(
                        f"{criterion['operation']} of {word!r} and {criterion['reference']!r} has the wrong result",
                        place=f"/data/{place}/results", expected=wanted, actual=result["passed"],
                    )  # fmt: skip


def _no_results(item: dict[str, Any]) -> Any:
    """Counterexample: a run has no results for its criteria."""
    return {**item, "per_testing_criteria_results": []} if item.get("per_testing_criteria_results") else None


@trace_check(
    "evals.run.criteria",
    Level.SHOULD,
    clause="evals-run-criteria",
    counterexample=on_objects("eval.run", _no_results),
    scenarios=RUNS,
    needs=(COMPLETED,),
)
def run_criteria(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A completed run has one result for each testing criterion."""
    run, wanted = one(trace, "run.get"), len(_criteria(trace))
    found = run.json.get("per_testing_criteria_results") if run is not None else None
    if run is not None and isinstance(found, list) and len(found) != wanted:
        yield run.finding(
            "another number of results than criteria", place="/per_testing_criteria_results", expected=wanted,
            actual=len(found),
        )  # fmt: skip


def _one_more(item: dict[str, Any]) -> Any:
    """Counterexample: the total of a sample is one too high."""
    total = look_up(item, "/sample/usage/total_tokens")
    if not is_integer(total):
        return None
    usage = {**item["sample"]["usage"], "total_tokens": total + 1}
    return {**item, "sample": {**item["sample"], "usage": usage}}


@check(
    "evals.sample.usage",
    Level.SHOULD,
    clause="evals-sample-usage",
    counterexample=on_objects("eval.run.output_item", _one_more),
    operations=("evals.runs.output_items.*",),
    needs=Needs.SUCCESS,
)
def sample_usage(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """``total_tokens`` of a sample is its prompt tokens plus its completion tokens."""
    for item in objects_in(seen):
        usage = look_up(item, "/sample/usage")
        numbers = [usage.get(f"{name}_tokens") for name in ("prompt", "completion")] if isinstance(usage, dict) else []
        parts = [each for each in numbers if is_integer(each)]
        if len(parts) == 2 and usage.get("total_tokens") != sum(parts):
            yield seen.finding(
                "the tokens of a sample don't add up", place="/sample/usage", expected=sum(parts),
                actual=usage.get("total_tokens"),
            )  # fmt: skip


def _custom(spec: Spec, case: Case) -> bool:
    """The request brings the schema of its data."""
    return look_up(body_of(case), "/data_source_config/item_schema") is not None


def _empty_schema(value: Any, request: Request) -> Any:
    """Counterexample: the schema of the answer says nothing of the items."""
    if look_up(request.json, "/data_source_config/item_schema") is None:
        return None
    return {**value, "data_source_config": {**value["data_source_config"], "schema": {"type": "object"}}}


@check(
    "evals.schema",
    Level.SHOULD,
    clause="evals-schema-echo",
    counterexample=on_json(_empty_schema, when=asked("POST", r"/evals")),
    operations=("evals.create",),
    about=_custom,
    needs=Needs.SUCCESS,
)
def schema(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The schema that an eval shows has ``item`` as it was sent, and ``sample`` where that was asked for."""
    asked_for = body_of(seen.case)["data_source_config"]
    shown = look_up(seen.json, "/data_source_config/schema/properties")
    if not holds(look_up(shown, "/item"), asked_for["item_schema"]):
        yield seen.finding(
            "the schema of the items is not what was sent", place="/data_source_config/schema/properties/item",
            expected=asked_for["item_schema"], actual=look_up(shown, "/item"),
        )  # fmt: skip
    if asked_for.get("include_sample_schema") is True and look_up(shown, "/sample") is None:
        yield seen.finding(
            "the schema of the sample is missing", place="/data_source_config/schema/properties/sample",
            expected="a schema", actual="absent",
        )  # fmt: skip


#: Parameters that begin a page elsewhere, or order it.
_PLACED = {"order", "order_by", "after", "before"}


def _by_default(spec: Spec, case: Case) -> bool:
    """The request leaves the order to the service."""
    return not _PLACED & set(dict(case.query))


def _newest_first(exchange: Exchange, _earlier: Any) -> Exchange | None:
    """Counterexample: without ``order`` the newest object comes first."""
    value = page_of(exchange)
    if "/evals" not in path_of(exchange.request):
        return None
    if value is None or _PLACED & set(query_of(exchange.request)) or len(value["data"]) < 2:
        return None
    stamps = times_of(value["data"])
    if len(stamps) < len(value["data"]):
        return None
    data = [{**item, "created_at": max(stamps) - place} for place, item in enumerate(value["data"])]
    return answer_page(exchange, {**value, "data": data})


@check(
    "evals.order.default",
    Level.SHOULD,
    clause="list-order-evals-default",
    counterexample=_newest_first,
    operations=("evals.list", "evals.runs.list", "evals.runs.output_items.list"),
    about=_by_default,
    needs=Needs.SUCCESS,
    provenance="spec",
    # What comes without an order is also held against the order that the document gives as the default.
    entails=("lists.order",),
)
def order_default(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Without ``order`` the lists of evals, runs and items begin with the oldest object.

    Other lists begin with the newest one, so a server that treats all alike is wrong here.
    """
    stamps = times_of(items_of(seen))
    if stamps != sorted(stamps):
        yield seen.finding("the newest object comes first", place="/data", expected="oldest first", actual=stamps)
