"""Checks of deletion: the deleted object, its lists, and the objects beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve

from conformance.checks.objects.lifecycle import LIFECYCLES, in_lifecycles, one
from conformance.checks.objects.lists import answer_page, ids_of, page_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import on_json
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level, Outcome

#: Fields in which the confirmation of a deletion may contain the id.
_ID_NAMES = ("id", "eval_id", "eval_run_id", "run_id")


def _not_deleted(value: Any, _request: Request) -> Any:
    """Counterexample: the deletion says ``deleted: false``."""
    return {**value, "deleted": False} if value.get("deleted") is True else None


def _denied(exchange: Exchange, _others: Sequence[Exchange]) -> Exchange | None:
    """Witness: a deletion that was confirmed in any way is denied."""
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "DELETE":
        return None
    return exchange.answered(evolve(response, status=200).with_json({"deleted": False}))


@trace_check(
    "lifecycle.delete.confirms",
    Level.MUST,
    clause="state-delete-confirms",
    counterexample=in_lifecycles(on_json(_not_deleted, when=lambda exchange: exchange.request.method == "DELETE")),
    witness=_denied,
    scenarios=LIFECYCLES,
    needs=("create", "delete"),
    entails=("schema.response",),
)
def delete_confirms(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The answer to a deletion contains the object's id and ``deleted: true``, or it is a 204 without a body."""
    created = one(trace, "create")
    sent = trace.role("delete")
    if created is None or not sent:
        return
    seen = sent[-1]
    if seen.exchange.ok and seen.response.status != 204 and isinstance(seen.json, dict):
        given = next((seen.json[name] for name in _ID_NAMES if name in seen.json), None)
        # Some kinds confirm without an id.
        if given is not None and given != created.json.get("id"):
            yield seen.finding("another id", place="/id", expected=created.json.get("id"), actual=given)
        if seen.json.get("deleted") is not True:
            yield seen.finding(
                "deleted is not true", place="/deleted", expected=True, actual=seen.json.get("deleted", "absent")
            )


def _still_readable(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a deleted object is still readable."""
    response = exchange.response
    if response is None or response.status != 404 or exchange.request.method != "GET":
        return None
    for past in reversed(earlier):
        if past.ok and past.response and past.request.method == "GET" and past.request.url == exchange.request.url:
            return exchange.answered(past.response)
    return None


def sought(trace: Trace) -> str:
    """The reason why a deletion can't be judged: no read of the object followed, or none that was answered.

    429 and 5xx don't count as answers. "" if the object was read after its deletion.
    """
    looks = trace.role("deleted")
    if not looks:
        return "the object was not asked for after its deletion"
    status = looks[-1].exchange.status
    if status is None or status == 429 or status >= 500:
        return f"the look for the deleted object was answered with {status or 'nothing'}"
    return ""


@trace_check(
    "lifecycle.deleted.gone",
    Level.MUST,
    clause="state-deleted-gone",
    counterexample=in_lifecycles(_still_readable),
    scenarios=LIFECYCLES,
    needs=("create", "delete", sought),
    entails=(
        "conversations.items.removed",
        "files.content.deleted",
    ),
)
def deleted_gone(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A deleted object can't be read any more."""
    sent, gone = trace.role("delete"), trace.role("deleted")
    if not sent or not sent[-1].exchange.ok or not gone or sought(trace):
        return
    if gone[-1].exchange.ok:
        yield gone[-1].finding(
            "the deleted object is still there", place="status", expected=404, actual=gone[-1].exchange.status
        )
    # The poll ended with a refusal, after reads that still succeeded.
    elif len(gone) > 1:
        yield gone[0].finding("the object was still readable for a while", place="status", outcome=Outcome.WARN)


def _deleted_twice(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a second deletion succeeds."""
    response = exchange.response
    if response is None or exchange.request.method != "DELETE" or response.status != 404:
        return None
    for past in reversed(earlier):
        if past.request.url == exchange.request.url and past.request.method == "DELETE" and past.ok and past.response:
            return exchange.answered(evolve(past.response))
    return None


@trace_check(
    "lifecycle.deleted.again",
    Level.OBS,
    clause="state-delete-again",
    counterexample=in_lifecycles(_deleted_twice),
    scenarios=LIFECYCLES,
)
def deleted_again(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Deleting an object a second time does not succeed. A success is reported but not scored."""
    for seen in trace.role("delete-again"):
        if seen.exchange.ok:
            yield seen.finding(
                "the second deletion succeeded too", place="status", expected="4xx", actual=seen.exchange.status
            )


def _back_in_list(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the list still contains the deleted object."""
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "GET":
        return None
    path = exchange.request.url
    deleted = [x for x in earlier if x.request.method == "DELETE" and x.ok and x.request.url.startswith(_base(path))]
    if not deleted or not isinstance(response.json, dict) or not isinstance(response.json.get("data"), list):
        return None
    if "limit=" not in path and len(response.json["data"]) >= 20:
        return None  # a page longer than the default would be a different defect
    for past in earlier:
        if past.request.url == path and page_of(past) is not None and past.response is not None:
            # The object as the list showed it before, so that its fields are right.
            old = [x for x in past.response.json["data"] if _path(deleted[-1]).endswith("/" + str(x.get("id")))]
            if old:
                value = {**response.json, "data": [*response.json["data"], *old]}
                last = {"first_id": value["data"][0].get("id"), "last_id": old[-1].get("id")}
                return answer_page(exchange, {**value, **{k: v for k, v in last.items() if k in value}})
    return None


def _base(url: str) -> str:
    """The URL of a collection, with a slash at its end."""
    return url.split("?", maxsplit=1)[0] + "/"


def _path(exchange: Exchange) -> str:
    """The URL without its query."""
    return exchange.request.url.split("?", maxsplit=1)[0]


def _still_listed(exchange: Exchange, others: Sequence[Exchange]) -> Exchange | None:
    """Witness: a list contains an object that was deleted from it."""
    value, base = page_of(exchange), _base(exchange.request.url)
    deleted = [_path(x) for x in others if x.request.method == "DELETE" and x.ok and x.request.url.startswith(base)]
    if value is None or not deleted:
        return None
    return answer_page(exchange, {**value, "data": [{"id": path.rsplit("/", 1)[-1]} for path in deleted]})


@trace_check(
    "lifecycle.deleted.unlisted",
    Level.MUST,
    clause="state-deleted-gone",
    counterexample=in_lifecycles(_back_in_list),
    witness=_still_listed,
    scenarios=LIFECYCLES,
    entails=("conversations.items.removed", "lists.order", "lists.walk.changed"),
)
def deleted_unlisted(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A deleted object is in no list any more."""
    created, pages = one(trace, "create"), trace.role("list-after")
    if created is None or not pages or not pages[-1].exchange.ok:
        return
    if created.json.get("id") in ids_of(pages[-1]):
        yield pages[-1].finding("the deleted object is still listed", place="/data", actual=created.json.get("id"))
    elif len(pages) > 1:
        yield pages[0].finding("the object left the list only later", outcome=Outcome.WARN)
    # Where others fill the list, its first page would not show the object anyway.
    for seen in trace.role("list-later"):
        if seen.exchange.ok and created.json.get("id") in ids_of(seen):
            yield seen.finding("the deleted object is still listed", place="/data", actual=created.json.get("id"))


def _gone_too(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the other object can't be read either."""
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "GET" or "data" in (response.json or {}):
        return None
    again = [x for x in earlier if x.request.method == "DELETE" and x.status == 404]
    # A second deletion that was refused shows that the object is gone; its neighbour gets the same answer.
    siblings = [x for x in again if _path(x).rsplit("/", 1)[0] == _path(exchange).rsplit("/", 1)[0]]
    return exchange.answered(again[-1].response) if siblings and again[-1].response else None


@trace_check(
    "lifecycle.deleted.others-stay",
    Level.MUST,
    clause="state-others-stay",
    counterexample=in_lifecycles(_gone_too),
    scenarios=LIFECYCLES,
    entails=("http.accepted",),
)
def others_stay(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A deletion removes only the object that it names."""
    before, after = one(trace, "get-second"), trace.role("get-second-after")
    if before is not None and after and after[-1].exchange.status == 404:
        yield after[-1].finding("another object is gone too", place="status", expected=200, actual=404)
