"""Checks of walks through a list: no gap, no repetition, an end, an order, all of it also while objects change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from conformance.checks.objects.lists import answer_page, documented_order, ids_of, items_of, page_of, times_of
from conformance.evidence.created_ids import created_ids
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import query_of
from conformance.requests.case import Expect
from conformance.scenarios.lists import MOST_PAGES
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: All scenarios that walk a list.
LISTS = ("lists.*",)
#: The roles of the pages of a walk, one for each order.
WALKS = ("walk.asc", "walk.desc", "walk.default")


def steps_of(trace: Trace, role: str) -> list[Observation]:
    """The pages of a step: JSON objects, and answers that failed.

    A page that was refused because somebody else had removed its cursor is left out if the walk went on.
    """
    asked = [seen for seen in trace if seen.case.role == role]
    went_on = [seen for seen in asked[:-1] if not _cursor_removed(seen)] + asked[-1:]
    return [seen for seen in went_on if not seen.exchange.ok or isinstance(seen.json, dict)]


def _cursor_removed(seen: Observation) -> bool:
    """True if a page after somebody else's object was refused."""
    return seen.case.expect is Expect.EITHER and 400 <= (seen.exchange.status or 0) < 500


def _orders(trace: Trace) -> tuple[str, ...]:
    """The roles of the walks of which every page succeeded. A walk whose cursor was removed by somebody else is not
    judged.
    """
    found = [role for role in WALKS if steps_of(trace, role)]
    return tuple(role for role in found if all(seen.exchange.ok for seen in steps_of(trace, role)))


def walk(trace: Trace) -> str:
    """The reason why no walk can be judged: none came to its end. "" if one did."""
    return "" if _orders(trace) else "no walk came to its end: the list was not answered, or has none of our objects"


def lost_cursor(trace: Trace) -> str:
    """Why no walk came to its end although the target did nothing wrong: others removed an object; else ""."""
    if _orders(trace):
        return ""
    lost = [x for role in WALKS for x in steps_of(trace, role) if not x.exchange.ok and x.case.expect is Expect.EITHER]
    removed = lost and all(map(_cursor_removed, lost))
    return "others removed the cursor of the walk" if removed else ""


def _start(trace: Trace, role: str) -> set[str]:
    """The object after which a walk starts, as a set; empty for the beginning of the list."""
    first = steps_of(trace, role)[0].case
    # In the account's list a walk starts after one of our objects, which it must not show again.
    return {first.bindings.get("cursor", "")} if "after" in dict(first.query) else set()


def _created(trace: Trace) -> list[str]:
    """The ids of the objects that were created for the walk, oldest first."""
    found = (created_ids(x.case, x.exchange) for x in trace.role("create"))
    return [id for ids in found for id in ids.values()]


def _expected(trace: Trace) -> set[str]:
    """The ids of our objects: those created for the walk, or those in the list of our own parent."""
    made = set(_created(trace))
    # Objects such as steps and events are not created by us one by one; there the whole list was read beforehand.
    return made or {i for x in trace.role("list.all") if x.exchange.ok for i in ids_of(x)}


def _endless_page(trace: Trace, role: str) -> bool:
    """Return True if a walk was stopped by our own limit of pages."""
    # Other clients may fill the list faster than we walk; then a missing object proves nothing.
    asked = [seen for seen in trace if seen.case.role == role]
    return len(asked) == MOST_PAGES and steps_of(trace, role)[-1].json.get("has_more") is True


def _ours(trace: Trace, role: str, page: Observation) -> bool:
    """Return True if nobody else can have changed what follows a page.

    That is so in the list of our own parent, and if the last object on the page is the last of ours.
    """
    made = _created(trace)
    return not _start(trace, role) or ids_of(page)[-1:] == made[-1:]


def _more_of_nothing(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the last page says that more follows."""
    response = exchange.response
    if response is None or not exchange.ok or not isinstance(response.json, dict) or "has_more" not in response.json:
        return None
    # A page that already says so can't be broken in this way.
    return None if response.json["has_more"] else answer_page(exchange, {**response.json, "has_more": True})


def nothing_after(exchange: Exchange, _others: Sequence[Exchange]) -> Exchange | None:
    """Witness: a later page is empty but says that more follows."""
    value = page_of(exchange)
    if value is None or "after" not in query_of(exchange.request):
        return None
    return answer_page(exchange, {**value, "data": [], "has_more": True})


def _end_in_the_middle(exchange: Exchange, others: Sequence[Exchange]) -> Exchange | None:
    """Witness: a page that another one follows says that it is the last one."""
    value = page_of(exchange)
    if value is None or value.get("has_more") is not True:
        return nothing_after(exchange, others)
    return answer_page(exchange, {**value, "has_more": False})


@trace_check(
    "lists.has-more",
    Level.SHOULD,
    clause="list-has-more",
    counterexample=_more_of_nothing,
    witness=_end_in_the_middle,
    scenarios=LISTS,
    needs=(walk,),
    unless=(lost_cursor,),
    entails=("lists.walk.ends",),
)
def has_more(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """``has_more`` is true if and only if more objects follow.

    In a list of the whole account others may remove the following objects before the next page.
    """
    for role in _orders(trace):
        pages = [seen for seen in steps_of(trace, role) if seen.exchange.ok]
        for before, after in pairwise(pages):
            if before.json.get("has_more") is True and not items_of(after) and _ours(trace, role, before):
                yield before.finding(
                    "has_more was true and nothing followed", place="/has_more", expected=False, actual=True
                )
            if before.json.get("has_more") is False and items_of(after):
                yield before.finding(
                    "has_more is false and objects follow", place="/has_more", expected=True, actual=False
                )
        if pages[-1].json.get("has_more") is False:
            left = _expected(trace) - _start(trace, role) - {i for page in pages for i in ids_of(page)}
            # Objects of our own are known to exist, so a list that ends without them is wrong.
            if left:
                yield pages[-1].finding(
                    "has_more is false and objects are missing", place="/has_more", expected=True, actual=sorted(left)
                )


def _repeat(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a page begins with the object of its cursor."""
    value, query = page_of(exchange), query_of(exchange.request)
    if value is None or "after" not in query or "before" in query:
        return None
    for past in reversed(earlier):
        page = page_of(past)
        for item in page["data"] if page else ():
            if isinstance(item, dict) and item.get("id") == query["after"]:
                # The page keeps its length: a longer one would break the rule on ``limit`` instead.
                value["data"] = [item, *value["data"][:-1]]
                ends = {"first_id": item["id"], "last_id": value["data"][-1].get("id")}
                return answer_page(exchange, {**value, **{k: v for k, v in ends.items() if k in value}})
    return None


@trace_check(
    "lists.walk.no-repeat",
    Level.MUST,
    clause="list-walk",
    counterexample=_repeat,
    scenarios=LISTS,
    needs=(walk,),
    unless=(lost_cursor,),
    entails=("lists.walk.complete", "lists.has-more", "lists.walk.changed", "lists.walk.ends"),
)
def no_repeat(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A walk by ``after`` shows no object twice, and not the one that it started after."""
    for role in _orders(trace):
        shown = _start(trace, role)
        for seen in steps_of(trace, role):
            again = [i for i in ids_of(seen) if i in shown]
            if again:
                yield seen.finding("the walk shows an object twice", place="/data", actual=again)
            shown |= set(ids_of(seen))


def _skip(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a page lacks its first object."""
    value = page_of(exchange)
    if value is None or "after" not in query_of(exchange.request) or len(value["data"]) < 2:
        return None
    value["data"] = value["data"][1:]
    return answer_page(exchange, {**value, "first_id": value["data"][0].get("id")} if "first_id" in value else value)


def _all_left_out(exchange: Exchange, _others: Sequence[Exchange]) -> Exchange | None:
    """Witness: a page lacks its objects, whosever they are."""
    value = page_of(exchange)
    return answer_page(exchange, {**value, "data": []}) if value else None


@trace_check(
    "lists.walk.complete",
    Level.MUST,
    clause="list-walk",
    counterexample=_skip,
    witness=_all_left_out,
    scenarios=LISTS,
    needs=(walk,),
    unless=(lost_cursor,),
    entails=("lists.has-more", "lists.walk.changed"),
)
def complete(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A walk by ``after`` shows every created object; none is missing between two pages."""
    for role in _orders(trace):
        pages = steps_of(trace, role)
        missing = _expected(trace) - _start(trace, role) - {i for seen in pages for i in ids_of(seen)}
        # A walk that we stopped ourselves has not seen the rest of the list.
        if missing and not _endless_page(trace, role):
            yield pages[-1].finding(
                "the walk leaves out objects", place="/data", expected="all created", actual=sorted(missing)
            )


def _endless(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: every page says that more follows."""
    response = exchange.response
    if response is None or not exchange.ok or not isinstance(response.json, dict):
        return None
    if "after" not in query_of(exchange.request) or "has_more" not in response.json:
        return None
    return answer_page(exchange, {**response.json, "has_more": True})


@trace_check(
    "lists.walk.ends",
    Level.MUST,
    clause="list-walk",
    counterexample=_endless,
    witness=nothing_after,
    scenarios=LISTS,
    needs=(walk,),
    unless=(lost_cursor,),
    entails=("lists.has-more",),
)
def walk_ends(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A walk ends: the page after the last object says that nothing more follows.

    An empty page with ``has_more: true`` sends clients into an endless loop.
    """
    for role in _orders(trace):
        for seen in steps_of(trace, role):
            if seen.exchange.ok and not items_of(seen) and seen.json.get("has_more") is True:
                yield seen.finding(
                    "an empty page says that more follows", place="/has_more", expected=False, actual=True
                )


def _younger_page(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the objects of a later page are older."""
    value, query = page_of(exchange), query_of(exchange.request)
    if value is None or "after" not in query or query.get("order") != "asc":
        return None
    if not all(isinstance(x, dict) and isinstance(x.get("created_at"), int) for x in value["data"]):
        return None
    # A day is more than any pause between the creations, so the page is certainly out of order.
    value["data"] = [{**item, "created_at": item["created_at"] - 86_400} for item in value["data"]]
    return answer_page(exchange, value)


@trace_check(
    "lists.walk.order",
    Level.MUST,
    clause="list-order",
    counterexample=_younger_page,
    scenarios=LISTS,
    needs=(walk,),
    unless=(lost_cursor,),
)
def walk_order(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A walk is sorted by time over all its pages. Objects of the same second may come in any order."""
    for role in _orders(trace):
        last: int | None = None
        for seen in steps_of(trace, role):
            order = documented_order(spec, seen.case.operation, dict(seen.case.query).get("order"))
            stamps = times_of(items_of(seen))
            if order is None or not stamps:
                continue
            turned = last is not None and (stamps[0] < last if order == "asc" else stamps[0] > last)
            if turned:
                yield seen.finding("the page goes back in time", place="/data/0/created_at", expected=order)
            last = stamps[-1]


def _same_way(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: ``desc`` is answered like ``asc``."""
    value, query = page_of(exchange), query_of(exchange.request)
    if value is None or query.get("order") != "desc" or _stamped(value["data"]):
        return None
    wanted = exchange.request.url.replace("order=desc", "order=asc").split("&after=")[0]
    for past in earlier:
        page = page_of(past)
        if page and "after" not in query and past.request.url.split("&after=")[0] == wanted:
            return exchange.answered(past.response) if past.response else None
    return None


def _stamped(data: Sequence[Any]) -> bool:
    """Return True if the objects have a creation time."""
    return any(isinstance(item, dict) and "created_at" in item for item in data)


@trace_check(
    "lists.order.opposite",
    Level.SHOULD,
    clause="list-order-untimed",
    counterexample=_same_way,
    scenarios=LISTS,
    needs=(walk,),
    unless=(lost_cursor,),
    entails=("lists.walk.no-repeat", "lists.walk.complete", "lists.has-more"),
)
def order_opposite(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Objects without a creation time are also listed in opposite directions by ``asc`` and ``desc``."""
    pages = [seen for role in WALKS[:2] for seen in steps_of(trace, role)[:1]]
    if len(pages) < 2:
        return
    first, second = pages
    # Objects with a creation time are judged by ``lists.order``; one object looks the same in both directions.
    if _stamped(items_of(first)) or len(_expected(trace)) < 2:
        return
    if first.exchange.ok and ids_of(first) and ids_of(first)[0] == (ids_of(second) or [""])[0]:
        yield second.finding("desc begins like asc", place="/data/0", actual=ids_of(second)[0])


def _shuffled(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: objects of the same second change their order."""
    value = page_of(exchange)
    if value is None or query_of(exchange.request).get("order") != "asc" or len(value["data"]) < 2:
        return None
    if not any(past.request.url == exchange.request.url for past in earlier):
        return None
    stamps = [item.get("created_at") for item in value["data"] if isinstance(item, dict)]
    # With different times the reversed page would break the order itself, which is another rule.
    if len(set(map(str, stamps))) > 1:
        return None
    value["data"] = value["data"][::-1]
    ends = {"first_id": value["data"][0].get("id"), "last_id": value["data"][-1].get("id")}
    return answer_page(exchange, {**value, **{k: v for k, v in ends.items() if k in value}})


def _turned_round(exchange: Exchange, others: Sequence[Exchange]) -> Exchange | None:
    """Witness: a page that was requested twice comes in another order, whether or not its objects are of one second.

    Which objects are of one second depends on when a run was started; whether the check looks doesn't.
    """
    value = page_of(exchange)
    if value is None or len(value["data"]) < 2 or all(one.request.url != exchange.request.url for one in others):
        return None
    return answer_page(exchange, {**value, "data": value["data"][::-1]})


@trace_check(
    "lists.order.stable",
    Level.SHOULD,
    clause="list-order-stable",
    counterexample=_shuffled,
    witness=_turned_round,
    scenarios=LISTS,
    needs=(walk, "walk.asc", "walk.again"),
    unless=(lost_cursor,),
    entails=("conversations.items.removed",),
)
def order_stable(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The same page requested again shows the same objects in the same order, even those of the same second."""
    first, again = steps_of(trace, "walk.asc")[:1], steps_of(trace, "walk.again")
    if not (first and again and first[0].exchange.ok):
        return
    for seen in again:
        # Others may have removed an object meanwhile. The objects on both pages must have the same order.
        wanted, found = ids_of(first[0]), ids_of(seen) if seen.exchange.ok else []
        if [i for i in wanted if i in found] != [i for i in found if i in wanted]:
            yield seen.finding("another order", place="/data", expected=wanted, actual=found)
