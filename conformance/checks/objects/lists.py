"""Checks of single pages: at most ``limit`` objects, the right ids at the ends, the right order, filters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve

from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import on_json, query_of
from conformance.pointer import look_up
from conformance.requests.case import Case
from conformance.requests.ordering import ASCENDING, DESCENDING, order_words
from conformance.requests.request import Request
from conformance.schema.integers import is_integer
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: All list operations.
_OPERATIONS = ("*.list", "*.list_files")


def items_of(seen: Observation) -> list[dict[str, Any]]:
    """The objects of a page; empty if the answer isn't a page."""
    data = seen.json.get("data") if isinstance(seen.json, dict) else None
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def ids_of(seen: Observation) -> list[str]:
    """The ids of a page's objects."""
    return [str(item.get("id")) for item in items_of(seen)]


def _limit(case: Case) -> int | None:
    """The requested limit, if it lies within the documented bounds; else None."""
    limit = dict(case.query).get("limit", "")
    # str.isdigit is true for digits of all scripts, and for some signs that int() refuses.
    return int(limit) if limit.isascii() and limit.isdigit() and 1 <= int(limit) <= 100 else None


def page_of(exchange: Exchange) -> dict[str, Any] | None:
    """A copy of a page with objects, or None."""
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "GET" or not isinstance(response.json, dict):
        return None
    value = response.json
    if not isinstance(value.get("data"), list) or not value["data"]:
        return None
    return {**value, "data": list(value["data"])}


def answer_page(exchange: Exchange, value: Any) -> Exchange | None:
    """The exchange with another page as its answer."""
    return exchange.answered(exchange.response.with_json(value)) if exchange.response else None


def _too_many(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a page has one object more than requested."""
    value, limit = page_of(exchange), query_of(exchange.request).get("limit", "")
    # Only the first page with ``limit=1`` is changed: on a walk the extra object would also break the rules on cursors.
    if value is None or limit != "1" or "after" in query_of(exchange.request):
        return None
    return answer_page(exchange, {**value, "data": [*value["data"], value["data"][-1]]})


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
    """A page contains at most ``limit`` objects."""
    most, found = _limit(seen.case), len(items_of(seen))
    if most is not None and found > most:
        yield seen.finding("the page is longer than asked for", place="/data", expected=f"at most {most}", actual=found)


def _oversized_page(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a page without a limit has 100 objects more."""
    value = page_of(exchange)
    if value is None or "limit" in query_of(exchange.request):
        return None
    first = value["data"][0]
    # With those that are there it is more than any documented default, and each object needs an id of its own.
    more = [{**first, "id": f"{first.get('id')}{number}"} for number in range(100)]
    value["data"] = [*value["data"], *more]
    return answer_page(exchange, {**value, "last_id": more[-1]["id"]} if "last_id" in value else value)


def _default_limit(spec: Spec, case: Case) -> bool:
    """The request sets no limit, and a default is documented."""
    return "limit" not in dict(case.query) and documented_default(spec, case) is not None


def documented_default(spec: Spec, case: Case) -> int | None:
    """The documented default of ``limit``, or None."""
    operation = operations_of(spec).get(case.operation)
    parameter = operation.parameter("query", "limit") if operation else None
    default = spec.deref(parameter.schema).get("default") if parameter else None
    return default if isinstance(default, int) else None


@check(
    "lists.default-limit",
    Level.MUST,
    clause="list-limit",
    counterexample=_oversized_page,
    operations=_OPERATIONS,
    about=_default_limit,
    needs=Needs.SUCCESS,
    provenance="spec",
    entails=("lists.order", "stores.batch.files", "stores.total"),
)
def default_limit(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Without ``limit`` a page contains at most the documented default number of objects."""
    most, found = documented_default(spec, seen.case), len(items_of(seen))
    if most is not None and found > most:
        yield seen.finding("more than the default", place="/data", expected=f"at most {most}", actual=found)


def _swap_ends(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: ``first_id`` and ``last_id`` are exchanged."""
    value = page_of(exchange)
    if value is None or "first_id" not in value or len(value["data"]) < 2:
        return None
    return answer_page(exchange, {**value, "first_id": value["last_id"], "last_id": value["first_id"]})


def _null_documented(spec: Spec, seen: Observation, name: str) -> bool:
    """The document itself, without errata, says that an end of the page may be null."""
    media = (operations_of(spec)[seen.case.operation].answer(seen.response.status) or {}).get("application/json")
    if media is None:
        return False
    published = evolve(spec, document=spec.faithful)
    page = published.deref(look_up(spec.faithful, media.pointer, {}))
    end = published.deref(page.get("properties", {}).get(name, {}))
    return any("null" in one.get("type", ()) for one in (end, *map(published.deref, end.get("anyOf", ()))))


def _end_of_nothing(value: Any, _request: Request) -> Any:
    """Witness: an empty page has a ``first_id``."""
    return {**value, "first_id": "of_nothing"} if value.get("data") == [] and "first_id" in value else None


@check(
    "lists.ends",
    Level.MUST,
    clause="list-first-last-id",
    counterexample=_swap_ends,
    witness=on_json(_end_of_nothing),
    operations=_OPERATIONS,
    needs=Needs.SUCCESS,
)
def ends(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """``first_id`` and ``last_id`` are the ids of the first and the last object of the page.

    Clients use them as cursors. On an empty page they are null, absent or empty. Where the document allows null, they
    may be null on any page.
    """
    value, ids = seen.json, ids_of(seen)
    if not isinstance(value, dict):
        return
    for name, wanted in (("first_id", ids[0] if ids else None), ("last_id", ids[-1] if ids else None)):
        given = value.get(name)
        if name not in value or (given == wanted if ids else given in (None, "")):
            continue
        if given is not None or not _null_documented(spec, seen, name):
            yield seen.finding(f"{name} is not that of the page", place=f"/{name}", expected=wanted, actual=given)


def times_of(items: Sequence[Any]) -> list[int]:
    """The creation times of the objects that have one."""
    found = [item.get("created_at") for item in items if isinstance(item, dict)]
    return [stamp for stamp in found if is_integer(stamp)]


def _backwards(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the creation times go the other way."""
    value = page_of(exchange)
    if value is None or len(value["data"]) < 2:
        return None
    stamps = times_of(value["data"])
    # Objects without a time have no order that could be turned round.
    if len(stamps) < len(value["data"]):
        return None
    ascending = query_of(exchange.request).get("order", "").startswith(ASCENDING)
    for place, item in enumerate(value["data"]):
        value["data"][place] = {**item, "created_at": max(stamps) - place if ascending else min(stamps) + place}
    return answer_page(exchange, value)


@check(
    "lists.order",
    Level.MUST,
    clause="list-order",
    counterexample=_backwards,
    operations=_OPERATIONS,
    # Messages that were sent in order are out of order, too.
    entails=("lifecycle.list.same", "threads.first-messages", "runs.additional-messages"),
    about=lambda spec, case: _ordered(spec, case),  # noqa: PLW0108 - it is defined below
    needs=Needs.SUCCESS,
)
def order(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Objects are sorted by ``created_at``, newest first unless ``order=asc``.

    Those of the same second may come in any order.
    """
    stamps = times_of(items_of(seen))
    ascending = documented_order(spec, seen.case.operation, dict(seen.case.query).get("order")) == "asc"
    if stamps != sorted(stamps, reverse=not ascending):
        yield seen.finding(
            "the objects are not in order",
            place="/data",
            expected="oldest first" if ascending else "newest first",
            actual=stamps,
        )


def documented_order(spec: Spec, operation_id: str, asked: str | None) -> str | None:
    """``asc`` or ``desc``: the requested order, else the documented default, else None."""
    operation = operations_of(spec).get(operation_id)
    parameter = operation.parameter("query", "order") if operation else None
    if parameter is None:
        return None
    order = asked or spec.deref(parameter.schema).get("default")
    words = order_words(spec, operation) if operation else ()
    return (ASCENDING, DESCENDING)[words.index(order)] if order in words else None


def _ordered(spec: Spec, case: Case) -> bool:
    """The request has a known order by creation."""
    asked = dict(case.query)
    return documented_order(spec, case.operation, asked.get("order")) is not None and not {
        "before",
        "order_by",
    } & set(asked)


def _unfiltered(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: an object doesn't match the filter."""
    value, query = page_of(exchange), query_of(exchange.request)
    if value is None:
        return None
    for name, field in FILTERS.items():
        if name in query and isinstance(value["data"][0], dict) and isinstance(value["data"][0].get(field), str):
            other = _OTHER.get(query[name], "in_progress")
            return answer_page(exchange, {**value, "data": [{**value["data"][0], field: other}, *value["data"][1:]]})
    return None


#: Query parameters that filter by a field, and the field.
FILTERS = {"filter": "status", "status": "status", "statuses": "status", "run_id": "run_id", "purpose": "purpose"}

#: Value of a filter → another value of the same field, which the schema allows as well.
_OTHER = {"in_progress": "completed", "assistants": "fine-tune", "fine-tune": "assistants", "pass": "fail"}
_OTHER |= {"fail": "pass", "succeeded": "running"}


@check(
    "lists.filter",
    Level.MUST,
    clause="list-filter",
    counterexample=_unfiltered,
    operations=_OPERATIONS,
    about=lambda _spec, case: bool(set(FILTERS) & set(dict(case.query))),
    entails=("state.fields", "jobs.end.stays", "evals.item.status", "jobs.finished-at"),
    needs=Needs.SUCCESS,
)
def filtered(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A list filtered by status, purpose or run contains only matching objects."""
    for name, wanted in seen.case.query:
        # The filter may name a created object by its placeholder, such as a run.
        real = seen.case.bindings.get(wanted.strip("{}"), wanted)
        for item in items_of(seen) if name in FILTERS else ():
            found = item.get(FILTERS[name])
            if isinstance(found, str) and found not in real.split(","):
                yield seen.finding(f"an object that doesn't match {name}", place="/data", expected=real, actual=found)
                break
