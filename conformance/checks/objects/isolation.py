"""Checks that objects are kept apart: unknown ids, other parents, lists; also documented defaults and times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.checks.objects.lifecycle import LIFECYCLES, echoed, holds, in_lifecycles, one, pages_of, sent_in
from conformance.checks.objects.lists import answer_page, ids_of, items_of, page_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import on_json, path_of
from conformance.requests.request import Request
from conformance.schema.integers import is_integer
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: A time in seconds has fewer digits than this for centuries; one in milliseconds has more.
SECONDS = 100_000_000_000


def _same_id(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a new object has the id of an earlier one."""
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "POST" or not exchange.request.body:
        return None
    for past in reversed(earlier):
        if path_of(past.request) == path_of(exchange.request) and past.ok and past.response:
            value, old = response.json, past.response.json
            if isinstance(value, dict) and isinstance(old, dict) and "id" in value and "id" in old:
                return exchange.answered(response.with_json({**value, "id": old["id"]}))
    return None


@trace_check(
    "lifecycle.create.own",
    Level.MUST,
    clause="state-create-own",
    counterexample=in_lifecycles(_same_id),
    scenarios=LIFECYCLES,
    entails=(
        "conversations.items.own",
        "containers.files.content",
        "lifecycle.deleted.again",
        "lifecycle.deleted.others-stay",
        "lifecycle.foreign.unlisted",
        "lifecycle.foreign.unseen",
        "lifecycle.get.same",
        "lifecycle.modify.applies",
        "lifecycle.modify.kept",
        "lists.walk.no-repeat",
        "lists.walk.complete",
        "runs.foreign.unseen",
        "jobs.end.stays",
        "files.as-sent",
        "files.content",
        "responses.previous",
        "responses.kept",
        "responses.input-items",
        "stores.batch.files",
        "http.accepted",
    ),
)
def create_own(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Two creations make two objects, with different ids."""
    first, second = one(trace, "create"), one(trace, "create-second")
    if first is not None and second is not None and first.json.get("id") == second.json.get("id"):
        yield second.finding("the id of another object", place="/id", actual=second.json.get("id"))


def _milliseconds(value: Any, _request: Request) -> Any:
    """Counterexample: ``created_at`` is in milliseconds."""
    stamp = value.get("created_at")
    return {**value, "created_at": stamp * 1000} if is_integer(stamp) and "id" in value else None


@trace_check(
    "lifecycle.seconds",
    Level.MUST,
    clause="state-seconds",
    counterexample=in_lifecycles(on_json(_milliseconds)),
    scenarios=LIFECYCLES,
    entails=("lifecycle.list.same",),
)
def seconds(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """``created_at`` is in seconds since 1970.

    A client that takes milliseconds for seconds computes a date 50,000 years ahead.
    """
    for role in ("create", "get", "modified"):
        seen = one(trace, role)
        stamp = seen.json.get("created_at") if seen else None
        if seen is not None and is_integer(stamp) and stamp >= SECONDS:
            yield seen.finding("the time is not in seconds", place="/created_at", actual=stamp)


def _known(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: an unknown id is answered with an object that was read before."""
    response = exchange.response
    if response is None or response.status != 404 or exchange.request.method != "GET":
        return None
    here = path_of(exchange.request)
    # Only ids that no object can have: an object that existed before was deleted, which is another rule.
    if not here.endswith("0" * 24) or any(past.ok and path_of(past.request) == here for past in earlier):
        return None
    parent = path_of(exchange.request).rsplit("/", 1)[0]
    for past in reversed(earlier):
        sibling = past.request.method == "GET" and path_of(past.request).rsplit("/", 1)[0] == parent
        if sibling and past.ok and past.response is not None and "id" in (past.response.json or {}):
            return exchange.answered(past.response)
    return None


@trace_check(
    "lifecycle.unknown-id",
    Level.MUST,
    clause="state-unknown-id",
    counterexample=in_lifecycles(_known),
    scenarios=LIFECYCLES,
)
def unknown_id(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """An unknown id is answered with 404, not with an object."""
    for seen in trace.role("get-unknown"):
        status = seen.exchange.status or 500
        if seen.exchange.ok:
            yield seen.finding("an object under an unknown id", place="status", expected=404, actual=status)
        # A 400 for an id of unusual form still protects the caller, so it is only a warning.
        elif 400 <= status < 500 and status != 404:
            yield seen.finding(
                "refused with another status", place="status", expected=404, actual=status, level=Level.SHOULD
            )


def _adopted(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: an object is found under another parent."""
    response, path = exchange.response, path_of(exchange.request)
    if response is None or response.status != 404 or exchange.request.method != "GET":
        return None
    for past in reversed(earlier):
        there = path_of(past.request)
        # The same object id at the end of a path with another parent.
        same = there != path and there.count("/") == path.count("/") and there.split("/")[-1] == path.split("/")[-1]
        if past.ok and past.request.method == "GET" and same and page_of(past) is None:
            return exchange.answered(past.response) if past.response else None
    return None


@trace_check(
    "lifecycle.foreign.unseen",
    Level.MUST,
    clause="state-own-parent",
    counterexample=in_lifecycles(_adopted),
    scenarios=LIFECYCLES,
    entails=("conversations.items.own", "state.parent", "files.content.deleted"),
)
def foreign_unseen(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """An object below a parent can be read only under its own parent. Otherwise users see each other's data."""
    for seen in trace.role("get-foreign"):
        if seen.exchange.ok:
            yield seen.finding("found under another parent", place="status", expected=404, actual=seen.exchange.status)


def _children_of_all(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a list contains the objects of another parent."""
    response = exchange.response
    if response is None or not exchange.ok or not isinstance(response.json, dict) or response.json.get("data") != []:
        return None
    tail = path_of(exchange.request).rsplit("/", 1)[-1]
    for past in reversed(earlier):
        there, page = path_of(past.request), page_of(past)
        # Only lists below a parent: their paths have more segments than those of the account.
        if page and there != path_of(exchange.request) and there.rsplit("/", 1)[-1] == tail and there.count("/") > 3:
            return exchange.answered(past.response) if past.response else None
    return None


@trace_check(
    "lifecycle.foreign.unlisted",
    Level.MUST,
    clause="state-own-parent",
    counterexample=in_lifecycles(_children_of_all),
    scenarios=LIFECYCLES,
    entails=("conversations.items.own", "lists.unknown-cursor", "state.parent"),
)
def foreign_unlisted(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A list below a parent contains only objects of this parent."""
    created, page = one(trace, "create"), one(trace, "list-foreign")
    if created is not None and page is not None and ids_of(page):
        yield page.finding("children of another parent are listed", place="/data", expected=[], actual=ids_of(page))


def _listed_otherwise(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the list shows other metadata."""
    value = page_of(exchange)
    if value is None or not all(isinstance(x, dict) for x in value["data"]):
        return None
    if not any(x.get("metadata") for x in value["data"]):
        return None
    value["data"] = [{**x, "metadata": {"another": "object"}} if "metadata" in x else x for x in value["data"]]
    return answer_page(exchange, value)


def _listed_with_other_times(exchange: Exchange, _others: Sequence[Exchange]) -> Exchange | None:
    """Witness: the list shows other creation times."""
    value = page_of(exchange)
    if value is None:
        return None
    shifted = [{**x, "created_at": 1} if isinstance(x, dict) and "created_at" in x else x for x in value["data"]]
    return answer_page(exchange, {**value, "data": shifted})


@trace_check(
    "lifecycle.list.same",
    Level.MUST,
    clause="state-list-same",
    counterexample=in_lifecycles(_listed_otherwise),
    witness=_listed_with_other_times,
    scenarios=LIFECYCLES,
)
def list_same(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """An object in a list has the same fields as when it is read alone."""
    fetched = one(trace, "get")
    if fetched is None:
        return
    for page, item in ((seen, item) for seen in pages_of(trace) for item in items_of(seen)):
        if item.get("id") == fetched.json.get("id"):
            for name in ("created_at", *echoed(spec, trace)):
                wanted = fetched.json.get(name)
                # Lists may leave fields out; what they show must be right.
                if name in item and wanted is not None and not holds(item[name], wanted):
                    yield page.finding(f"{name} differs in the list", place="/data", expected=wanted, actual=item[name])


def _other_default(value: Any, request: Request) -> Any:
    """Counterexample: ``temperature`` has another default."""
    body = request.json if isinstance(request.json, dict) else {}
    if request.method == "POST" and value.get("temperature") == 1 and "temperature" not in body:
        return {**value, "temperature": 0.3}
    return None


def _odd_defaults(value: Any, request: Request) -> Any:
    """Witness: all fields that were not sent have other values."""
    body = request.json if isinstance(request.json, dict) else {}
    unsent = [name for name in value if name not in body and value[name] is not None]
    return {**value, **dict.fromkeys(unsent, "another default")} if request.method == "POST" and unsent else None


@trace_check(
    "lifecycle.defaults",
    Level.SHOULD,
    clause="state-defaults",
    counterexample=in_lifecycles(on_json(_other_default)),
    witness=on_json(_odd_defaults),
    scenarios=LIFECYCLES,
    needs=("create-second",),
    provenance="spec",
)
def defaults(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A field that was not sent has its documented default, or null if the model has no such setting."""
    seen = one(trace, "create-second")
    if seen is None:
        return
    for name, wanted in documented_defaults(spec, seen):
        found = seen.json.get(name)
        # null stands for a setting that the model doesn't have.
        if name not in sent_in(seen) and found is not None and not holds(found, wanted):
            yield seen.finding(f"{name} has another default", place=f"/{name}", expected=wanted, actual=found)


def documented_defaults(spec: Spec, seen: Observation) -> Iterator[tuple[str, Any]]:
    """Yield (name, default) of the request fields with a documented default."""
    media = operations_of(spec)[seen.case.operation].body.get("application/json")
    fields = spec.deref(media.schema).get("properties", {}) if media else {}
    for name, schema in fields.items():
        # It may stand beside a reference.
        default = schema.get("default", spec.deref(schema).get("default"))
        if default is not None:
            yield name, default
