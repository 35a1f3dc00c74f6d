"""Checks of stored responses: kept as answered, continued, cut off, with their input items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.checks.objects.jobs import at_rest, objects_in, on_objects
from conformance.checks.objects.lifecycle import one
from conformance.checks.objects.lists import items_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import on_json, path_of
from conformance.requests.request import Request
from conformance.scenarios.responses import TALK
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

CHAIN, FORMS = ("responses.chain",), ("responses.forms",)


def _words(item: Any) -> str:
    """The text of an item: of its parts, or its content if that is a text."""
    content = item.get("content") if isinstance(item, dict) else None
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def _other_text(item: dict[str, Any]) -> Any:
    """Counterexample: the stored text differs."""
    output = item.get("output")
    if not isinstance(output, list) or not any(isinstance(x, dict) and _words(x) for x in output):
        return None
    made = [
        {**x, "content": [{**p, "text": "Something else."} if "text" in p else p for p in x["content"]]}
        if isinstance(x, dict) and isinstance(x.get("content"), list)
        else x
        for x in output
    ]
    return {**item, "output": made}


@trace_check(
    "responses.kept",
    Level.MUST,
    clause="responses-kept",
    counterexample=on_objects("response", _other_text, method="GET"),
    scenarios=(*CHAIN, *FORMS),
)
def kept(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Reading a stored response gives the same items with the same ids, texts and token counts as its creation."""
    for key in ("first", "second", "forced", "cut"):
        made, look = one(trace, key), one(trace, f"{key}.get")
        # Roles below this one belong to the later reads.
        if made is None or look is None or made.case.role != key:
            continue
        for name in ("id", "created_at", "status", "usage", "model"):
            # A field that the creation left open may be filled in later.
            if made.json.get(name) is not None and look.json.get(name) != made.json[name]:
                yield look.finding(f"{name} differs", place=f"/{name}", expected=made.json[name],
                                   actual=look.json.get(name))  # fmt: skip
        said = [[(x.get("id"), _words(x)) for x in s.json.get("output") or () if isinstance(x, dict)]
                for s in (made, look)]  # fmt: skip
        if said[0] != said[1]:
            yield look.finding("the output differs", place="/output", expected=said[0], actual=said[1])


def _lonely(item: dict[str, Any]) -> Any:
    """Counterexample: the response doesn't name its predecessor."""
    return {**item, "previous_response_id": None} if item.get("previous_response_id") else None


@trace_check(
    "responses.previous",
    Level.MUST,
    clause="responses-previous",
    counterexample=on_objects("response", _lonely),
    scenarios=CHAIN,
    needs=("second",),
)
def previous(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A response contains the id of the response that it continues."""
    made = one(trace, "second")
    for role in ("second", "second.get"):
        seen = one(trace, role)
        wanted = (
            seen.case.bindings.get("first") or (made.case.bindings.get("first") if made else None) if seen else None
        )
        if seen is not None and seen.json.get("previous_response_id") != wanted:
            yield seen.finding(
                "it names another response", place="/previous_response_id", expected=wanted,
                actual=seen.json.get("previous_response_id"),
            )  # fmt: skip


def _shortened(value: Any, request: Request) -> Any:
    """Counterexample: the last input item is missing."""
    data = value.get("data")
    if not request.url.split("?", maxsplit=1)[0].endswith("/input_items") or not data or "after=" in request.url:
        return None
    # Cursors and ends follow, so that the page stays consistent in itself.
    rest = data[:-1]
    ends = {"first_id": rest[0].get("id") if rest else None, "last_id": rest[-1].get("id") if rest else None}
    return {**value, "data": rest, **{k: v for k, v in ends.items() if k in value}}


@trace_check(
    "responses.input-items",
    Level.MUST,
    clause="responses-input-items",
    counterexample=on_json(_shortened),
    scenarios=CHAIN,
    needs=("second.items",),
    entails=("schema.response", "lists.walk.complete", "lists.has-more"),
)
def input_items(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The input of a response is listed completely, each item with its text."""
    page = one(trace, "second.items")
    if page is None:
        return
    sent, found = [_words(item) for item in TALK], [_words(item) for item in items_of(page)]
    # Only the texts are compared: ids and types are added by the target.
    missing = [text for text in sent if text not in found]
    if missing:
        yield page.finding("items are missing, or their text differs", place="/data", expected=missing, actual=found)


def _kept_anyway(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a response with ``store: false`` can be read."""
    response, path = exchange.response, path_of(exchange.request)
    if response is None or response.status != 404 or exchange.request.method != "GET" or "/responses/" not in path:
        return None
    for past in reversed(earlier):
        sent = past.request.json
        unkept = past.ok and isinstance(sent, dict) and sent.get("store") is False
        if unkept and past.response and past.response.json.get("id") == path.rsplit("/", 1)[-1]:
            return exchange.answered(past.response)
    return None


@trace_check(
    "responses.unkept",
    Level.MUST,
    clause="responses-store",
    counterexample=_kept_anyway,
    scenarios=FORMS,
)
def unkept(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A response with ``store: false`` can't be read afterwards. Callers rely on it for confidential data."""
    for seen in trace.role("unkept.get"):
        if seen.exchange.ok:
            yield seen.finding(
                "a response with store false can be read", place="status", expected=404, actual=seen.exchange.status
            )


def _no_call(item: dict[str, Any]) -> Any:
    """Counterexample: text in place of the forced call."""
    output = item.get("output")
    if not isinstance(output, list) or not any(_is_call(x) for x in output):
        return None
    text = {"type": "output_text", "text": "No call.", "annotations": []}
    # A well-formed message, so that only the missing call is wrong.
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [text]}
    return {**item, "output": [message if _is_call(x) else x for x in output]}


def _is_call(item: Any) -> bool:
    """Return True for a function call."""
    return isinstance(item, dict) and item.get("type") == "function_call"


def whole_answer(trace: Trace) -> str:
    """The reason why the response with a forced function may lack the call: it ended without being completed.

    "" if the response is completed, or if its status isn't known.
    """
    seen = one(trace, "forced")
    status = seen.json.get("status") if seen else None
    return "" if status in ("completed", None) else f"the response with a forced function ended {status!r}"


@trace_check(
    "responses.forced-call",
    Level.MUST,
    clause="responses-forced-call",
    counterexample=on_objects("response", _no_call),
    scenarios=FORMS,
    needs=("forced", whole_answer),
    entails=("responses.tool.required", "responses.json.parses"),
)
def forced_call(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A function that ``tool_choice`` names is called."""
    seen = one(trace, "forced")
    if seen is None or whole_answer(trace):
        return
    if not any(_is_call(item) and item.get("name") == "get_weather" for item in seen.json.get("output") or ()):
        yield seen.finding("the function is not called", place="/output", expected="a function_call")


def _uncut(item: dict[str, Any]) -> Any:
    """Counterexample: a cut-off response claims to be completed."""
    if item.get("status") != "incomplete":
        return None
    return {**item, "status": "completed", "incomplete_details": None}


@trace_check(
    "responses.cut",
    Level.MUST,
    clause="responses-cut",
    counterexample=on_objects("response", _uncut),
    scenarios=FORMS,
    needs=("cut",),
)
def cut(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A response that is longer than ``max_output_tokens`` has the status ``incomplete``.

    The task is far longer than the limit. If as many tokens as the limit allows were counted, the answer was cut off;
    with fewer the model may have stopped by itself, which is a warning.
    """
    seen = one(trace, "cut")
    # Other final states, such as failed, are judged elsewhere.
    if seen is not None and seen.json.get("status") == "completed":
        used = _token_count(seen.json.get("usage"), "output_tokens")
        limit = _token_count(seen.case.json, "max_output_tokens")
        met = used is not None and limit is not None and used >= limit
        yield seen.finding(
            "a cut-off response is not incomplete",
            place="/status",
            expected="incomplete",
            actual=f"completed with {used if used is not None else 'no count of'} output tokens, limit {limit}",
            level=None if met else Level.SHOULD,
        )


def _token_count(value: Any, name: str) -> int | None:
    """A whole number of tokens in an object; None if it isn't there."""
    count = value.get(name) if isinstance(value, dict) else None
    return count if is_integer(count) else None


def _unsaid(item: dict[str, Any]) -> Any:
    """Counterexample: an incomplete response has no reason."""
    return {**item, "incomplete_details": None} if item.get("status") == "incomplete" else None


@trace_check(
    "responses.cut.reason",
    Level.MUST,
    clause="responses-cut",
    counterexample=on_objects("response", _unsaid),
    scenarios=FORMS,
)
def cut_reason(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """An incomplete response contains a reason: the limit that it reached."""
    for seen in trace:
        for item in objects_in(seen):
            details = item.get("incomplete_details")
            if item.get("status") == "incomplete" and not (isinstance(details, dict) and details.get("reason")):
                yield seen.finding(
                    "an incomplete response without a reason", place="/incomplete_details/reason", actual=details
                )


def _more_tokens(item: dict[str, Any]) -> Any:
    """Counterexample: the total is one too high."""
    usage = item.get("usage")
    if not isinstance(usage, dict):
        return None
    return {**item, "usage": {**usage, "total_tokens": usage.get("total_tokens", 0) + 1}}


@trace_check(
    "responses.usage",
    Level.MUST,
    clause="responses-usage",
    counterexample=on_objects("response", _more_tokens),
    scenarios=("responses.*",),
)
def usage(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """``total_tokens`` is the sum of input and output tokens. Costs are computed from it."""
    for seen in trace:
        for item in objects_in(seen):
            given = item.get("usage") if item.get("object") == "response" else None
            # A response that is still running has no usage yet.
            parts = [given.get(name) for name in ("input_tokens", "output_tokens")] if isinstance(given, dict) else []
            numbers = [part for part in parts if is_integer(part)]
            if isinstance(given, dict) and len(numbers) == 2 and given.get("total_tokens") != sum(numbers):
                yield seen.finding("the tokens don't add up", place="/usage/total_tokens", expected=sum(numbers),
                                   actual=given.get("total_tokens"))  # fmt: skip


def _unfinished(item: dict[str, Any]) -> Any:
    """Counterexample: the background response fails."""
    if item.get("background") is not True or item.get("status") != "completed":
        return None
    return {**item, "status": "failed", "error": {"code": "server_error", "message": "It failed."}, "output": []}


def finished(trace: Trace) -> str:
    """The reason why a background response may lack its output: it was cancelled or cut off. Else ""."""
    seen = one(trace, "later.get")
    status = seen.json.get("status") if seen else None
    return f"the response ended {status!r}" if status in ("cancelled", "incomplete") else ""


@trace_check(
    "responses.background",
    Level.SHOULD,
    clause="responses-background",
    counterexample=on_objects("response", _unfinished),
    scenarios=("responses.background",),
    needs=("later.get", at_rest, finished),
)
def background(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A background response reaches a final state and has an output."""
    seen = one(trace, "later.get")
    status = seen.json.get("status") if seen else None
    if seen is None or status in ("queued", "in_progress") or finished(trace):
        return
    if status == "failed" or not seen.json.get("output"):
        yield seen.finding("no output", place="/output", expected="some items", actual=status)
