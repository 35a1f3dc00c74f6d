"""Checks of conversations: items that are kept and listed in order, and responses that read and extend them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.checks.objects.lifecycle import one, text_of
from conformance.checks.objects.lists import ids_of, items_of
from conformance.checks.responses.answers import output_of
from conformance.checks.responses.stream_twins import final_response
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import asked, on_json, query_of, still_readable
from conformance.pointer import look_up
from conformance.requests.request import Request
from conformance.scenarios.conversations import ADDED, FEWEST, FIRST, QUESTION
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

ITEMS, RESPONSE = ("conversations.items",), ("conversations.response",)

_PAGE = asked("GET", r"/conversations/\w+/items")


def _words(item: Mapping[str, Any]) -> str:
    """The text of a message: of its parts, or its content if that is a text."""
    content = item.get("content")
    return content if isinstance(content, str) else "".join(map(text_of, content if isinstance(content, list) else ()))


def _shown(page: Observation) -> list[tuple[str, str]]:
    """Role and text of each message of a page."""
    return [(str(item.get("role")), _words(item)) for item in items_of(page) if item.get("type") == "message"]


def _without(value: dict[str, Any], place: int) -> Any:
    """The page without one item; its ends follow, so that the page stays consistent in itself."""
    rest = [item for index, item in enumerate(value["data"]) if index != place % len(value["data"])]
    ends = {"first_id": rest[0].get("id"), "last_id": rest[-1].get("id")} if rest else {}
    return {**value, "data": rest, **{name: id for name, id in ends.items() if name in value}}


def _forgotten(value: Any, request: Request) -> Any:
    """Counterexample: the page of all items lacks the second one."""
    data = value.get("data")
    if not isinstance(data, list) or len(data) != len(FIRST) + len(ADDED) or "after" in query_of(request):
        return None
    return _without(value, 1) if _words(data[0]) == FIRST[0]["content"] else None


@trace_check(
    "conversations.items.kept",
    Level.MUST,
    clause="conversation-items-kept",
    counterexample=on_json(_forgotten, when=_PAGE),
    scenarios=ITEMS,
    needs=("conversation", "add", "items"),
    entails=("conversations.items.order", "conversations.items.removed"),
)
def kept(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The items of a conversation are those that it was made with and those that were added, in this order, each with
    its role and its text.
    """
    page = one(trace, "items")
    if page is None:
        return
    wanted = [(item["role"], item["content"]) for item in (*FIRST, *ADDED)]
    found = _shown(page)
    if found != wanted:
        yield page.finding("items are missing or changed", place="/data", expected=wanted, actual=found)
    seen = one(trace, "item")
    if seen is not None and (str(seen.json.get("role")), _words(seen.json)) != wanted[len(FIRST)]:
        yield seen.finding(
            "the item that is read differs from the one that was added", place="/content",
            expected=wanted[len(FIRST)], actual=(seen.json.get("role"), _words(seen.json)),
        )  # fmt: skip


def _turned(value: Any, request: Request) -> Any:
    """Counterexample: items without a requested order are listed from the oldest on."""
    data = value.get("data")
    if "order" in query_of(request) or not isinstance(data, list) or len(data) < 2:
        return None
    ends = {"first_id": data[-1].get("id"), "last_id": data[0].get("id")}
    return {**value, "data": data[::-1], **{name: id for name, id in ends.items() if name in value}}


@trace_check(
    "conversations.items.order",
    Level.MUST,
    clause="conversation-items-order",
    counterexample=on_json(_turned, when=_PAGE),
    scenarios=ITEMS,
    needs=("items", "items.default"),
)
def order(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Items are listed from the newest to the oldest unless another order is asked for."""
    oldest, newest = one(trace, "items"), one(trace, "items.default")
    if oldest is not None and newest is not None and ids_of(newest) != ids_of(oldest)[::-1]:
        yield newest.finding(
            "the items are not listed from the newest to the oldest", place="/data", expected=ids_of(oldest)[::-1],
            actual=ids_of(newest),
        )  # fmt: skip


@trace_check(
    "conversations.items.removed",
    Level.MUST,
    clause="state-deleted-gone",
    counterexample=still_readable(r"/conversations/\w+/items/\w+$"),
    scenarios=ITEMS,
    needs=("item", "remove", "items.after"),
)
def removed(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A removed item is neither listed nor readable any more, and the others stay."""
    before, after, gone = one(trace, "items"), one(trace, "items.after"), one(trace, "item")
    if before is None or after is None or gone is None:
        return
    wanted = [id for id in ids_of(before) if id != gone.json.get("id")]
    if ids_of(after) != wanted:
        yield after.finding("other items are left", place="/data", expected=wanted, actual=ids_of(after))
    for seen in trace.role("item.removed"):
        if seen.exchange.ok:
            yield seen.finding(
                "the removed item can be read", place="status", expected=404, actual=seen.exchange.status
            )


def _lent(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: an empty conversation lists the items of another one."""
    response, value = exchange.response, exchange.response.json if exchange.response else None
    if response is None or not exchange.ok or not _PAGE(exchange) or not isinstance(value, dict) or value.get("data"):
        return None
    for past in reversed(earlier):
        if past.ok and past.response and _PAGE(past) and past.response.json.get("data"):
            return exchange.answered(past.response)
    return None


@trace_check(
    "conversations.items.own",
    Level.MUST,
    clause="state-own-parent",
    counterexample=_lent,
    scenarios=ITEMS,
    needs=("items", "items.foreign"),
)
def own(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A conversation shows no items of another one."""
    page, looked = one(trace, "items.foreign"), trace.role("item.foreign")
    if page is not None and items_of(page):
        yield page.finding("items of another conversation are listed", place="/data", actual=ids_of(page))
    for seen in looked:
        if seen.exchange.ok:
            yield seen.finding(
                "an item of another conversation can be read", place="status", actual=seen.exchange.status
            )


def _in_response(value: Any, _request: Request) -> Any:
    """Counterexample: the response names another conversation."""
    return {**value, "conversation": {"id": "conv_of_another"}} if value.get("conversation") else None


@trace_check(
    "conversations.response.named",
    Level.MUST,
    clause="conversation-of-response",
    counterexample=on_json(_in_response, when=asked("POST", "/responses")),
    scenarios=RESPONSE,
    needs=("answer",),
)
def named(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A response in a conversation names it."""
    seen, made = one(trace, "answer"), one(trace, "conversation")
    if seen is not None and made is not None and look_up(seen.json, "/conversation/id") != made.json.get("id"):
        yield seen.finding(
            "the response doesn't name its conversation", place="/conversation/id", expected=made.json.get("id"),
            actual=look_up(seen.json, "/conversation/id"),
        )  # fmt: skip


def _last_lost(value: Any, request: Request) -> Any:
    """Counterexample: the newest of three items is missing."""
    data = value.get("data")
    three = isinstance(data, list) and len(data) == 3 and query_of(request).get("order") == "asc"
    return _without(value, -1) if three and "after" not in query_of(request) else None


def _response(spec: Spec, trace: Trace, role: str) -> Mapping[str, Any] | None:
    """The response of the step with a role, plain or streamed. None if it failed: then nothing need be added."""
    for seen in trace.role(role):
        found = seen.json if isinstance(seen.json, dict) else final_response(spec, seen)
        if seen.exchange.ok and found is not None and found.get("status", "completed") in ("completed", "incomplete"):
            return found
    return None


def _texts(page: Observation) -> list[str]:
    return [_words(item) for item in items_of(page)]


@trace_check(
    "conversations.response.joined",
    Level.MUST,
    clause="conversation-of-response",
    counterexample=on_json(_last_lost, when=_PAGE),
    scenarios=RESPONSE,
    needs=("answer", "items"),
)
def joined(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The input of a response and its output become items of its conversation, after those that were there.

    Without them the next response doesn't know what was asked and answered before.
    """
    answer, page, later = _response(spec, trace, "answer"), one(trace, "items"), one(trace, "items.again")
    if answer is None or page is None:
        return
    texts = _texts(page)
    spoken = [_words(item) for item in output_of(answer)]
    for what, text in (("input", QUESTION), *(("output", text) for text in spoken if text)):
        if text not in texts[1:]:
            yield page.finding(
                f"the {what} of the response is not in the conversation", place="/data", expected=text, actual=texts
            )
    if later is None or _response(spec, trace, "again") is None:
        return
    if _texts(later)[len(texts) :].count(QUESTION) != 1:
        yield later.finding(
            "the input of the second response is not in the conversation once", place="/data", expected=QUESTION,
            actual=_texts(later),
        )  # fmt: skip


def _few(value: Any, _request: Request) -> Any:
    """Counterexample: the response reads its own question only."""
    usage = value.get("usage")
    if not value.get("conversation") or not isinstance(usage, dict) or not is_integer(usage.get("output_tokens")):
        return None
    details = {**usage.get("input_tokens_details", {}), "cached_tokens": 0}
    read = {"input_tokens": 9, "input_tokens_details": details, "total_tokens": 9 + usage["output_tokens"]}
    return {**value, "usage": {**usage, **read}}


@trace_check(
    "conversations.response.read",
    Level.MUST,
    clause="conversation-prepended",
    counterexample=on_json(_few, when=asked("POST", "/responses")),
    scenarios=RESPONSE,
    needs=("answer",),
)
def read(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A response reads the items of its conversation before its own input: they count as tokens of the input."""
    seen = one(trace, "answer")
    count = look_up(seen.json, "/usage/input_tokens") if seen is not None else None
    if seen is not None and is_integer(count) and count < FEWEST:
        yield seen.finding(
            "fewer tokens were read than the items of the conversation have", place="/usage/input_tokens",
            expected=f"at least {FEWEST}", actual=count,
        )  # fmt: skip
