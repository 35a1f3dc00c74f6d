"""Checks of cursors besides a plain walk: the page before an object, and cursors that don't exist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.checks.objects.list_walks import LISTS
from conformance.checks.objects.lists import answer_page, ids_of, items_of, page_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import path_of, query_of
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level


def _before_ignored(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a page contains the object that it should end before."""
    value, query = page_of(exchange), query_of(exchange.request)
    if value is None or "before" not in query:
        return None
    value["data"] = [{**value["data"][0], "id": query["before"]}, *value["data"][1:]]
    ends = {"first_id": query["before"], "last_id": value["data"][-1].get("id")}
    return answer_page(exchange, {**value, **{k: v for k, v in ends.items() if k in value}})


@trace_check(
    "lists.before",
    Level.OBS,
    clause="list-before",
    counterexample=_before_ignored,
    scenarios=LISTS,
)
def before(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A page ``before`` an object, newest first, contains newer objects: not the object itself, no older ones."""
    own = [str(x.json.get("id")) for x in trace.role("create") if x.exchange.ok and isinstance(x.json, dict)]
    for seen in trace.role("list.before"):
        cursor = seen.case.bindings.get("cursor", "")
        shown = ids_of(seen) if seen.exchange.ok else []
        older = own[: own.index(cursor)] if cursor in own else []
        if cursor in shown:
            yield seen.finding("the page contains the object of its cursor", place="/data", actual=cursor)
        elif set(older) & set(shown):
            yield seen.finding("the page contains older objects", place="/data", actual=sorted(set(older) & set(shown)))
        elif cursor in own and seen.exchange.ok and not shown:
            yield seen.finding("the page is empty", place="/data", expected="the newer objects")


def _found_by_nothing(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: an unknown cursor is answered with the first page."""
    response, query = exchange.response, query_of(exchange.request)
    if response is None or response.status != 400 or "after" not in query or query.get("limit"):
        return None
    for past in reversed(earlier):
        page = page_of(past)
        whole = not {"after", "before", "limit"} & set(query_of(past.request))
        if page and whole and path_of(past.request) == path_of(exchange.request):
            return exchange.answered(past.response) if past.response else None
    return None


@trace_check(
    "lists.unknown-cursor",
    Level.SHOULD,
    clause="list-unknown-cursor",
    counterexample=_found_by_nothing,
    scenarios=LISTS,
)
def unknown_cursor(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A page after an unknown cursor is refused with a 4xx status. An empty page is only a note.

    A target that answers with the first page sends a client, which resumes a walk, back to the beginning.
    """
    for seen in trace.role("list.unknown-cursor"):
        if seen.exchange.ok:
            yield seen.finding(
                "a page after an unknown cursor",
                place="status",
                expected="4xx",
                actual=seen.exchange.status,
                note=not items_of(seen),
            )
