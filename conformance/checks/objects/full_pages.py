"""The check that a page is full if the list has enough objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.checks.objects.lists import answer_page, documented_default, items_of, page_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import query_of
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level


def _halved(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a page has half of the requested objects."""
    value, query = page_of(exchange), query_of(exchange.request)
    if value is None or "after" in query or query.get("limit") != str(len(value["data"])) or len(value["data"]) < 2:
        return None
    if value.get("has_more") is not True:
        return None
    value["data"] = value["data"][: len(value["data"]) // 2]
    last = {"last_id": value["data"][-1].get("id")} if "last_id" in value else {}
    return answer_page(exchange, {**value, **last})


def _one_less(exchange: Exchange, _others: Sequence[Exchange]) -> Exchange | None:
    """Witness: a page has one object less."""
    value = page_of(exchange)
    if value is None or len(value["data"]) < 2:
        return None
    return answer_page(exchange, {**value, "data": value["data"][:-1], "has_more": True})


@trace_check(
    "lists.full-page",
    Level.SHOULD,
    clause="list-full-page",
    counterexample=_halved,
    witness=_one_less,
    scenarios=("crowds.*", "lists.*"),
)
def full_page(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """If more objects exist, a page has as many as ``limit``, or as the documented default.

    Short pages multiply the requests of every walk.
    """
    many = trace.scenario.startswith("crowds.")
    pages = [seen for seen in trace.role("crowd", "walk") if seen.exchange.ok and isinstance(seen.json, dict)]
    for seen in pages:
        asked = dict(seen.case.query).get("limit")
        wanted = int(asked) if asked else documented_default(spec, seen.case)
        found = len(items_of(seen))
        more = many or seen.json.get("has_more") is True
        if wanted is not None and more and 0 < found < wanted:
            yield seen.finding("the page is not full", place="/data", expected=wanted, actual=found)
