"""Checks of a list that changes during a walk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.checks.objects.list_walks import LISTS, steps_of
from conformance.checks.objects.lists import answer_page, ids_of, page_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import query_of
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level


def _shifted(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: pages by number. An object that was removed meanwhile shifts the next page."""
    value, query = page_of(exchange), query_of(exchange.request)
    if value is None or query.get("limit") != "1" or query.get("order") != "desc" or "after" not in query:
        return None
    return answer_page(exchange, {**value, "data": []} | {k: None for k in ("first_id", "last_id") if k in value})


def _emptied(exchange: Exchange, _others: Sequence[Exchange]) -> Exchange | None:
    """Witness: a later page of the walk is empty, whatever its size."""
    value, query = page_of(exchange), query_of(exchange.request)
    if value is None or query.get("order") != "desc" or "after" not in query:
        return None
    return answer_page(exchange, {**value, "data": []})


@trace_check(
    "lists.walk.changed",
    Level.MUST,
    clause="list-walk-changed",
    counterexample=_shifted,
    witness=_emptied,
    scenarios=LISTS,
    entails=("lists.walk.complete", "lists.has-more", "lists.walk.ends"),
)
def changed(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """An object that is created or deleted during a walk doesn't make the walk lose or repeat another one."""
    pages = [seen for seen in steps_of(trace, "change.page") if seen.exchange.ok]
    if len(pages) < 2:
        return
    own = [str(x.json.get("id")) for x in trace.role("create") if x.exchange.ok and isinstance(x.json, dict)]
    shown: list[str] = []
    for seen in pages:
        again = set(ids_of(seen)) & set(shown)
        if again:
            yield seen.finding("an object twice in a changing list", place="/data", actual=sorted(again))
        shown += ids_of(seen)
    if pages[-1].json.get("has_more") is True and not set(own) & set(shown):
        return  # others create more than a walk of bounded length can pass
    # The walk goes from new to old and stops after a few pages, so only objects up to the oldest one shown are due.
    oldest = min((own.index(i) for i in shown if i in own), default=0)
    start = pages[0].case.bindings.get("cursor") if "after" in dict(pages[0].case.query) else None
    wanted = {i for i in own[oldest:] if i != start} if ids_of(pages[-1]) else set(own) - {start}
    lost = wanted - set(shown)
    if lost:
        yield pages[-1].finding("an object is lost in a changing list", place="/data", actual=sorted(lost))
