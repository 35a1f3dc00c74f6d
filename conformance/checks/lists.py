"""Pages: at most ``limit`` objects, the right ends, the right order, and walks without gap or repeat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.breaking import query_of
from conformance.cases import Case
from conformance.check import Needs, check, trace_check
from conformance.exchange import Exchange
from conformance.operations import operations_of
from conformance.spec import Spec
from conformance.trace import Observation, Trace
from conformance.verdict import Finding, Level, Outcome

LISTS = ("lists.*",)
_OPERATIONS = ("*.list", "*.list_files")


def items_of(seen: Observation) -> list[dict[str, Any]]:
    """The objects of a page; empty where the answer isn't one."""
    data = seen.json.get("data") if isinstance(seen.json, dict) else None
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def ids_of(seen: Observation) -> list[str]:
    """The ids of a page's objects."""
    return [str(item.get("id")) for item in items_of(seen)]


def _limit(case: Case) -> int | None:
    limit = dict(case.query).get("limit", "")
    return int(limit) if limit.isdigit() and 1 <= int(limit) <= 100 else None


def _page(exchange: Exchange) -> dict[str, Any] | None:
    """A copy of a page with objects, or None."""
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "GET" or not isinstance(response.json, dict):
        return None
    value = response.json
    if not isinstance(value.get("data"), list) or not value["data"]:
        return None
    return {**value, "data": list(value["data"])}


def _answer(exchange: Exchange, value: Any) -> Exchange | None:
    return exchange.answered(exchange.response.with_json(value)) if exchange.response else None


def _too_many(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    value, limit = _page(exchange), query_of(exchange.request).get("limit", "")
    if value is None or limit != "1":
        return None
    value["data"] = [*value["data"], {**value["data"][-1], "id": f"{value['data'][-1].get('id')}x"}]
    return _answer(exchange, {**value, "last_id": value["data"][-1]["id"]} if "last_id" in value else value)


@check(
    "lists.limit",
    Level.MUST,
    clause="list-limit",
    counterexample=_too_many,
    operations=_OPERATIONS,
    about=lambda _spec, case: _limit(case) is not None,
    needs=Needs.SUCCESS,
)
def limit(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A page holds at most ``limit`` objects."""
    most, found = _limit(seen.case), len(items_of(seen))
    if most is not None and found > most:
        yield seen.finding("the page is longer than asked for", place="/data", expected=f"at most {most}", actual=found)


def _crowd(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    value = _page(exchange)
    if value is None or "limit" in query_of(exchange.request):
        return None
    first = value["data"][0]
    more = [{**first, "id": f"{first.get('id')}{number}"} for number in range(200)]
    value["data"] = [*value["data"], *more]
    return _answer(exchange, {**value, "last_id": more[-1]["id"]} if "last_id" in value else value)


def _default_limit(spec: Spec, case: Case) -> bool:
    return "limit" not in dict(case.query) and _documented_default(spec, case) is not None


def _documented_default(spec: Spec, case: Case) -> int | None:
    operation = operations_of(spec).get(case.operation)
    parameter = operation.parameter("query", "limit") if operation else None
    default = spec.deref(parameter.schema).get("default") if parameter else None
    return default if isinstance(default, int) else None


@check(
    "lists.default-limit",
    Level.MUST,
    clause="list-limit",
    counterexample=_crowd,
    operations=_OPERATIONS,
    about=_default_limit,
    needs=Needs.SUCCESS,
    provenance="spec",
    entails=("lists.order",),
)
def default_limit(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Without ``limit``, a page holds at most the documented default."""
    most, found = _documented_default(spec, seen.case), len(items_of(seen))
    if most is not None and found > most:
        yield seen.finding("more than the default", place="/data", expected=f"at most {most}", actual=found)


def _swap_ends(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    value = _page(exchange)
    if value is None or "first_id" not in value or len(value["data"]) < 2:
        return None
    return _answer(exchange, {**value, "first_id": value["last_id"], "last_id": value["first_id"]})


@check(
    "lists.ends",
    Level.MUST,
    clause="list-first-last-id",
    counterexample=_swap_ends,
    operations=_OPERATIONS,
    needs=Needs.SUCCESS,
)
def ends(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """``first_id`` and ``last_id`` are the ids of the first and the last object of the page.

    Clients walk by them. On an empty page they are null, absent or empty.
    """
    value, ids = seen.json, ids_of(seen)
    if not isinstance(value, dict):
        return
    for name, wanted in (("first_id", ids[0] if ids else None), ("last_id", ids[-1] if ids else None)):
        given = value.get(name)
        if name in value and (given != wanted if ids else given not in (None, "")):
            yield seen.finding(f"{name} is not that of the page", place=f"/{name}", expected=wanted, actual=given)


def _more_of_nothing(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    response = exchange.response
    if response is None or not exchange.ok or not isinstance(response.json, dict) or "has_more" not in response.json:
        return None
    return None if response.json["has_more"] else _answer(exchange, {**response.json, "has_more": True})


def _steps(trace: Trace, role: str) -> list[Observation]:
    """The pages of a step that were answered with a JSON object, or not answered well at all."""
    return [seen for seen in trace if seen.case.role == role and (not seen.exchange.ok or isinstance(seen.json, dict))]


def _unable(trace: Trace, *roles: str) -> Iterator[Finding]:
    """What a trace check says when its walk didn't happen."""
    if not any(seen.exchange.ok for role in roles for seen in _steps(trace, role)):
        case_id = trace.observations[-1].case.id if trace.observations else ""
        why = trace.ended or "an object could not be created, or the list was not answered"
        yield Finding(f"no page to judge: {why}", case_id, outcome=Outcome.NOT_TESTABLE)


WALKS = ("walk.asc", "walk.desc")


def _orders(trace: Trace) -> tuple[str, ...]:
    return tuple(role for role in WALKS if _steps(trace, role))


def _no_walk(trace: Trace) -> Iterator[Finding]:
    """A version whose list has no ``order`` isn't walked in both; nothing to judge then."""
    if not _orders(trace) and trace.role("list"):
        yield Finding("the list has no order parameter", trace.observations[-1].case.id, outcome=Outcome.NOT_APPLICABLE)
    else:
        yield from _unable(trace, *WALKS)


@trace_check(
    "lists.has-more",
    Level.SHOULD,
    clause="list-has-more",
    counterexample=_more_of_nothing,
    scenarios=LISTS,
)
def has_more(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """``has_more`` is true exactly when something follows: after true comes a page with objects, after false none."""
    yield from _no_walk(trace)
    created = _created(trace)
    for role in _orders(trace):
        pages = [seen for seen in _steps(trace, role) if seen.exchange.ok]
        for before, after in zip(pages, pages[1:], strict=False):
            if before.json.get("has_more") is True and not items_of(after):
                yield before.finding(
                    "has_more was true and nothing followed", place="/has_more", expected=False, actual=True
                )
        if pages and pages[-1].json.get("has_more") is False:
            left = (created - _start(trace, role)) - {i for page in pages for i in ids_of(page)}
            if left:
                yield pages[-1].finding(
                    "has_more is false and objects are missing", place="/has_more", expected=True, actual=sorted(left)
                )


def _created(trace: Trace) -> set[str]:
    return {
        str(seen.json.get("id")) for seen in trace.role("create") if seen.exchange.ok and isinstance(seen.json, dict)
    }


def _start(trace: Trace, role: str) -> set[str]:
    first = _steps(trace, role)[:1]
    return {seen.case.bindings.get("cursor", "") for seen in first}


def _repeat(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    value, query = _page(exchange), query_of(exchange.request)
    if value is None or "after" not in query or "before" in query or len(value["data"]) < 2:
        return None
    for past in reversed(earlier):
        page = _page(past)
        for item in page["data"] if page else ():
            if isinstance(item, dict) and item.get("id") == query["after"]:
                value["data"] = [item, *value["data"][:-1]]
                return _answer(exchange, {**value, "first_id": item["id"], "last_id": value["data"][-1].get("id")})
    return None


@trace_check(
    "lists.walk.no-repeat",
    Level.MUST,
    clause="list-walk",
    counterexample=_repeat,
    scenarios=LISTS,
    entails=("lists.walk.complete", "lists.has-more", "lists.order"),
)
def no_repeat(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A walk by ``after`` shows no object twice, and not the one that it started after."""
    yield from _no_walk(trace)
    for role in _orders(trace):
        shown = _start(trace, role)
        for seen in _steps(trace, role):
            again = [i for i in ids_of(seen) if i in shown]
            if again:
                yield seen.finding("the walk shows an object twice", place="/data", actual=again)
            shown |= set(ids_of(seen))


def _skip(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    value = _page(exchange)
    if value is None or "after" not in query_of(exchange.request) or len(value["data"]) < 2:
        return None
    value["data"] = value["data"][1:]
    return _answer(exchange, {**value, "first_id": value["data"][0].get("id")} if "first_id" in value else value)


@trace_check(
    "lists.walk.complete",
    Level.MUST,
    clause="list-walk",
    counterexample=_skip,
    scenarios=LISTS,
    entails=("lists.has-more",),
)
def complete(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A walk by ``after`` shows every object that was created: none is left out between two pages."""
    yield from _no_walk(trace)
    for role in _orders(trace):
        pages = _steps(trace, role)
        missing = _created(trace) - _start(trace, role) - {i for seen in pages for i in ids_of(seen)}
        if missing and all(seen.exchange.ok for seen in pages):
            yield pages[-1].finding(
                "the walk leaves out objects", place="/data", expected="all created", actual=sorted(missing)
            )


def _endless(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    value = _page(exchange)
    if value is None or "after" not in query_of(exchange.request) or "has_more" not in value:
        return None
    return _answer(exchange, {**value, "has_more": True})


@trace_check(
    "lists.walk.ends",
    Level.MUST,
    clause="list-walk",
    counterexample=_endless,
    scenarios=LISTS,
    entails=("lists.has-more",),
)
def walk_ends(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A walk comes to an end: the page after the last object says that nothing more follows.

    An empty page that says ``has_more`` sends clients round for ever.
    """
    yield from _no_walk(trace)
    for role in _orders(trace):
        for seen in _steps(trace, role):
            if seen.exchange.ok and not items_of(seen) and seen.json.get("has_more") is True:
                yield seen.finding(
                    "an empty page says that more follows", place="/has_more", expected=False, actual=True
                )


def _backwards(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    value = _page(exchange)
    if value is None or len(value["data"]) < 2:
        return None
    stamps = [item.get("created_at") for item in value["data"] if isinstance(item, dict)]
    if not all(isinstance(stamp, int) for stamp in stamps):
        return None
    ascending = query_of(exchange.request).get("order") == "asc"
    for place, item in enumerate(value["data"]):
        value["data"][place] = {**item, "created_at": max(stamps) - place if ascending else min(stamps) + place}
    return _answer(exchange, value)


@check(
    "lists.order",
    Level.MUST,
    clause="list-order",
    counterexample=_backwards,
    operations=_OPERATIONS,
    about=lambda spec, case: _ordered(spec, case),
    needs=Needs.SUCCESS,
)
def order(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Objects are sorted by ``created_at``, newest first unless ``order=asc``. Ties may come in any order."""
    stamps = [item.get("created_at") for item in items_of(seen)]
    if not all(isinstance(stamp, int) for stamp in stamps):
        return
    ascending = dict(seen.case.query).get("order") == "asc"
    if stamps != sorted(stamps, reverse=not ascending):
        yield seen.finding(
            "the objects are not in order",
            place="/data",
            expected="oldest first" if ascending else "newest first",
            actual=stamps,
        )


def _ordered(spec: Spec, case: Case) -> bool:
    operation = operations_of(spec).get(case.operation)
    asked = dict(case.query)
    return (
        operation is not None
        and operation.parameter("query", "order") is not None
        and asked.get("order", "desc") in ("asc", "desc")
        and "before" not in asked
    )


def _shuffled(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    value = _page(exchange)
    if value is None or "after" not in query_of(exchange.request) or len(value["data"]) < 2:
        return None
    if not any(past.request.url == exchange.request.url for past in earlier):
        return None
    value["data"] = value["data"][::-1]
    ends = {"first_id": value["data"][0].get("id"), "last_id": value["data"][-1].get("id")}
    return _answer(exchange, {**value, **ends})


@trace_check(
    "lists.order.stable",
    Level.SHOULD,
    clause="list-order-stable",
    counterexample=_shuffled,
    scenarios=LISTS,
)
def order_stable(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The same page asked for again shows the same objects in the same order, ties too."""
    first, again = _steps(trace, "walk.asc")[:1], _steps(trace, "walk.asc.again")[:1]
    if not (first and again and first[0].exchange.ok and again[0].exchange.ok):
        yield from _no_walk(trace)
        return
    if ids_of(first[0]) != ids_of(again[0]):
        yield again[0].finding("another order", place="/data", expected=ids_of(first[0]), actual=ids_of(again[0]))


def _before_ignored(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    value, query = _page(exchange), query_of(exchange.request)
    if value is None or "before" not in query:
        return None
    value["data"] = [{**value["data"][0], "id": query["before"]}, *value["data"][1:]]
    return _answer(exchange, {**value, "first_id": query["before"], "last_id": value["data"][-1].get("id")})


@check(
    "lists.before",
    Level.OBS,
    clause="list-before",
    counterexample=_before_ignored,
    operations=_OPERATIONS,
    about=lambda _spec, case: "before" in dict(case.query),
    needs=Needs.SUCCESS,
)
def before(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A page ``before`` an object doesn't hold that object."""
    cursor = dict(seen.case.query)["before"].strip("{}")
    real = seen.case.bindings.get(cursor, cursor)
    if real in ids_of(seen):
        yield seen.finding("the page holds its own cursor", place="/data", actual=real)
