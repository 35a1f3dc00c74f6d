"""Mutants of lists: wrong pages, cursors, orders and filters."""

from __future__ import annotations

from typing import Any

from conformance.emulator.call import Call
from conformance.emulator.edits import Value, answer_unless_refused, edited, memory, with_items, with_query
from conformance.emulator.error_answers import Problem, Refused
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

#: Every list operation.
LISTS = ("*.list", "*.list_files")


def _has(call: Call, name: str) -> bool:
    """Return True if the operation documents the query parameter."""
    return call.operation.parameter("query", name) is not None


def _all(call: Call, answer: Handler) -> list[Value]:
    """All objects of the list, in the requested order."""
    # The limit is above any list of a run. It bypasses validation, which has happened before.
    whole = with_query(call, after=None, before=None, limit=1_000_000)
    found: list[Value] = answer(whole).json["data"]
    return found


def _neighbour(call: Call, answer: Handler, cursor: str, step: int) -> str | None:
    """The id that stands ``step`` places behind the cursor, or None beyond the ends of the list."""
    names = [one["id"] for one in _all(call, answer)]
    place = names.index(call.query[cursor]) + step if call.query.get(cursor) in names else -1
    return names[place] if 0 <= place < len(names) else None


@mutant("cursor.after-inclusive", "A page after a cursor begins behind the cursor's item.", *LISTS)
def after_inclusive(call: Call, answer: Handler) -> Response:
    if "after" not in call.query:
        return answer(call)
    names = [one["id"] for one in _all(call, answer)]
    if call.query["after"] not in names:
        return answer(call)
    # The page after the object before the cursor begins with the cursor's object.
    earlier = _neighbour(call, answer, "after", -1)
    return answer(with_query(call, after=earlier))


@mutant("cursor.repeats-item", "Walking a list page by page shows no item twice.", *LISTS)
def repeats_item(call: Call, answer: Handler) -> Response:
    response = answer(call)
    if "after" not in call.query or response.json["has_more"]:
        return response
    again = [one for one in _all(call, answer) if one["id"] == call.query["after"]]
    return with_items(response, lambda data: [*again, *data])


@mutant("cursor.gap", "Walking a list page by page leaves out no item.", *LISTS)
def gap(call: Call, answer: Handler) -> Response:
    following = _neighbour(call, answer, "after", 1) if "after" in call.query else None
    return answer(with_query(call, after=following) if following else call)


@mutant("cursor.never-ends", "Walking a list page by page comes to an end.", *LISTS)
def never_ends(call: Call, answer: Handler) -> Response:
    if not _has(call, "after"):
        return answer(call)
    response = answer(call)
    if not response.json["data"]:
        # Behind the last page comes the first one again.
        response = answer(with_query(call, after=None))
    return edited(response, lambda page: {**page, "has_more": True})


@mutant("cursor.has-more-always-true", "has_more is false on the last page.", *LISTS)
def has_more_true(call: Call, answer: Handler) -> Response:
    return edited(answer(call), lambda page: {**page, "has_more": True} if "has_more" in page else page)


@mutant("cursor.has-more-always-false", "has_more is true when more items follow.", *LISTS)
def has_more_false(call: Call, answer: Handler) -> Response:
    return edited(answer(call), lambda page: {**page, "has_more": False} if "has_more" in page else page)


@mutant("cursor.has-more-when-full", "has_more is false on the last page, even if that page is full.", *LISTS)
def has_more_when_full(call: Call, answer: Handler) -> Response:
    # 20 is the documented default of the lists that have pages.
    limit = int(call.query.get("limit", 20))

    def full(page: Value) -> None:
        if "has_more" in page:
            page["has_more"] = len(page["data"]) >= limit

    return edited(answer(call), full)


@mutant("cursor.order-ignored", "A list has the requested order.", *LISTS)
def order_ignored(call: Call, answer: Handler) -> Response:
    return answer(with_query(call, order=None))


@mutant("cursor.order-reversed", "Order asc begins with the oldest item, desc with the newest.", *LISTS)
def order_reversed(call: Call, answer: Handler) -> Response:
    order = call.query.get("order")
    return answer(with_query(call, order={"asc": "desc", "desc": "asc"}.get(order)) if order else call)


@mutant("cursor.default-order", "Without the parameter order, a list has the documented default order.", *LISTS)
def default_order(call: Call, answer: Handler) -> Response:
    return answer(with_query(call, order=call.query.get("order", "asc")) if _has(call, "order") else call)


@mutant("cursor.after-ignored", "A page after a cursor is not the first page.", *LISTS)
def after_ignored(call: Call, answer: Handler) -> Response:
    return answer(with_query(call, after=None))


@mutant("cursor.before-ignored", "A page before a cursor ends before the cursor's item.", *LISTS)
def before_ignored(call: Call, answer: Handler) -> Response:
    return answer(with_query(call, before=None))


@mutant("cursor.before-inclusive", "A page before a cursor does not contain the cursor's item.", *LISTS)
def before_inclusive(call: Call, answer: Handler) -> Response:
    following = _neighbour(call, answer, "before", 1) if "before" in call.query else None
    return answer(with_query(call, before=following) if following else call)


@mutant("cursor.before-as-after", "The cursors before and after lead in opposite directions.", *LISTS)
def before_as_after(call: Call, answer: Handler) -> Response:
    if "before" in call.query and "after" not in call.query:
        return answer(with_query(call, after=call.query["before"], before=None))
    return answer(call)


@mutant("cursor.limit-ignored", "A page contains at most limit items.", *LISTS)
def limit_ignored(call: Call, answer: Handler) -> Response:
    return answer(with_query(call, limit=None))


@mutant("cursor.limit-plus-one", "A page contains not even one item more than limit.", *LISTS)
def limit_plus_one(call: Call, answer: Handler) -> Response:
    return answer(with_query(call, limit=int(call.query["limit"]) + 1) if "limit" in call.query else call)


@mutant(
    "cursor.default-limit",
    "Without the parameter limit, a page contains at most the documented default number of items.",
    *LISTS,
)
def default_limit(call: Call, answer: Handler) -> Response:
    return answer(with_query(call, limit=call.query.get("limit", 100)) if _has(call, "limit") else call)


@mutant("cursor.ends-swapped", "first_id is the first item of the page, last_id the last.", *LISTS)
def ends_swapped(call: Call, answer: Handler) -> Response:
    def swap(page: Value) -> None:
        if "first_id" in page and "last_id" in page:
            page["first_id"], page["last_id"] = page["last_id"], page["first_id"]

    return edited(answer(call), swap)


@mutant("cursor.last-id-of-list", "last_id is the last item of the page, not of the whole list.", *LISTS)
def last_id_of_list(call: Call, answer: Handler) -> Response:
    def whole(page: Value) -> None:
        if page.get("last_id"):
            page["last_id"] = _all(call, answer)[-1]["id"]

    return edited(answer(call), whole)


@mutant("cursor.unstable-order", "Walking the same list twice shows the same order.", *LISTS)
def unstable_order(call: Call, answer: Handler) -> Response:
    # Every second answer is reversed.
    odd = call.store.count("mutant unstable") % 2
    return with_items(answer(call), lambda data: data[::-1] if odd else data)


@mutant("cursor.order-within-page", "The items within a page are in the requested order.", *LISTS)
def order_within_page(call: Call, answer: Handler) -> Response:
    return with_items(answer(call), lambda data: data[::-1])


@mutant(
    "cursor.lost-on-delete",
    "Deleting an item while a list is walked hides no other item.",
    *LISTS,
    "*.delete",
    about="has_more",
)
def lost_on_delete(call: Call, answer: Handler) -> Response:
    return _shifted(call, answer, ".delete", 1)


@mutant(
    "cursor.repeat-on-create",
    "Creating an item while a list is walked repeats no other item.",
    *LISTS,
    "*.create",
    about="has_more",
)
def repeat_on_create(call: Call, answer: Handler) -> Response:
    return _shifted(call, answer, ".create", -1)


def _shifted(call: Call, answer: Handler, event: str, step: int) -> Response:
    """Pages by number instead of by cursor: the end of a page is remembered by its number, and what is created or
    deleted afterwards moves the start of the page behind it.
    """
    kept, collection = memory(call, "shift"), call.operation.id.rpartition(".")[0]
    happened: int = kept.get(collection) or 0
    if call.operation.id.endswith(event):
        response = answer(call)
        kept.put(collection, happened + 1)
        return response
    before = kept.get(f"{collection} {call.query.get('after')}")
    moved = _neighbour(call, answer, "after", step) if before is not None and before < happened else None
    response = answer(with_query(call, after=moved) if moved else call)
    for last in response.json["data"][-1:]:
        kept.put(f"{collection} {last['id']}", happened)
    return response


@mutant("cursor.unknown-cursor-crashes", "An unknown cursor is not answered with a 5xx.", *LISTS)
def unknown_cursor(call: Call, answer: Handler) -> Response:
    response = answer_unless_refused(call, answer)
    if response is None and ("after" in call.query or "before" in call.query):
        raise Refused(Problem(500, "InternalServerError", "Sequence contains no matching element."))
    return answer(call) if response is None else response


@mutant("cursor.filter-ignored", "A filtered list contains only matching items.", *LISTS)
def filter_ignored(call: Call, answer: Handler) -> Response:
    names: dict[str, Any] = dict.fromkeys(("filter", "run_id", "status", "statuses", "purpose"))
    return answer(with_query(call, **names))


@mutant("cursor.newest-missing", "A created object appears in the list.", *LISTS)
def newest_missing(call: Call, answer: Handler) -> Response:
    newest = _newest(call, answer)
    return with_items(answer(call), lambda data: [one for one in data if one["id"] != newest])


def _newest(call: Call, answer: Handler) -> Any:
    """The id of the newest object in a list with pages, or None."""
    if not _has(call, "after"):
        return None
    order = "desc" if _has(call, "order") else None
    data = answer(with_query(call, after=None, before=None, limit=1, order=order)).json["data"]
    return data[0]["id"] if data else None
