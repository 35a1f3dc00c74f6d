"""Checks of messages that are sent with the creation of a thread or of a run: they are in the thread, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from attrs import frozen

from conformance.checks.objects.lifecycle import one, sent_in, text_of
from conformance.checks.objects.lists import items_of
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import on_json, path_of
from conformance.requests.request import Request
from conformance.scenarios.run_requests import ADDED
from conformance.scenarios.runs import HELLO
from conformance.scenarios.threads import FIRST
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level


@frozen
class _Said:
    """A message of a thread: its role, its text, its place in the page, its time in seconds or None."""

    role: str
    text: str
    place: int
    at: int | None


def _texts(content: Any) -> str:
    """The text of a message's content: a text, or parts of which each has one."""
    return content if isinstance(content, str) else "".join(map(text_of, content if isinstance(content, list) else ()))


def _said(page: Observation) -> list[_Said]:
    """The messages of a page."""
    found = []
    for place, item in enumerate(items_of(page)):
        stamp = item.get("created_at")
        found.append(
            _Said(str(item.get("role")), _texts(item.get("content")), place, stamp if is_integer(stamp) else None)
        )
    return found


def _in_thread(page: Observation, wanted: Any) -> Iterator[Finding | _Said]:
    """Yield each sent message as it stands in the thread, or the finding that it is missing or has another role."""
    shown = _said(page)
    for sent in wanted if isinstance(wanted, list) else ():
        text = _texts(sent.get("content"))
        found = next((one for one in shown if one.text == text), None)
        if found is None:
            yield page.finding(
                "a message that was sent is not in the thread", place="/data", expected=text,
                actual=[one.text for one in shown],
            )  # fmt: skip
        elif found.role != sent.get("role"):
            yield page.finding(
                "a message has another role", place=f"/data/{found.place}/role", expected=sent.get("role"),
                actual=found.role,
            )  # fmt: skip
        else:
            yield found


def _out_of_order(page: Observation, found: Sequence[_Said]) -> Iterator[Finding]:
    """Yield a finding where a later message has an earlier time, or stands before an earlier one.

    Times are whole seconds, and what has the same time may stand in any order: then the place is a warning.
    """
    ascending = "order=asc" in page.exchange.request.url
    for before, after in pairwise(found):
        if before.at is not None and after.at is not None and before.at > after.at:
            yield page.finding(
                "a message is older than the one that was sent before it", place=f"/data/{after.place}/created_at",
                expected=f"at least {before.at}", actual=after.at,
            )  # fmt: skip
        elif ascending and before.place > after.place:
            yield page.finding(
                "the messages are not in the order in which they were sent", place="/data", expected=before.text,
                actual=after.text, level=Level.SHOULD,
            )  # fmt: skip


def _changed_text(texts: Sequence[str]) -> Any:
    """A counterexample that changes the first message of a page whose text is one of these."""

    def changed(value: Any, request: Request) -> Any:
        data = value.get("data")
        if not path_of(request).endswith("/messages") or request.method != "GET" or not isinstance(data, list):
            return None
        hit = next((x for x in data if isinstance(x, dict) and _texts(x.get("content")) in texts), None)
        if hit is None:
            return None
        hit["content"] = [{"type": "text", "text": {"value": "Something else.", "annotations": []}}]
        return value

    return on_json(changed)


def _of_thread(trace: Trace) -> Any:
    """The messages in the request that created the thread, alone or with its run."""
    for seen in trace.role("create", "run.create"):
        body: Mapping[str, Any] = sent_in(seen)
        inner = body.get("thread")
        asked = inner.get("messages") if isinstance(inner, dict) else body.get("messages")
        if seen.exchange.ok and asked:
            return asked
    return None


@trace_check(
    "threads.first-messages",
    Level.MUST,
    clause="thread-initial-messages",
    counterexample=_changed_text([*(str(one["content"]) for one in FIRST), HELLO]),
    scenarios=("threads.first-messages", "runs.with-thread"),
    needs=("messages",),
)
def first_messages(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The messages that are sent with a new thread are in it, with their roles, in their order.

    They are the conversation so far: an assistant that doesn't see them answers something else.
    """
    page = one(trace, "messages")
    if page is None or page.json.get("has_more") is True:
        return
    found = list(_in_thread(page, _of_thread(trace)))
    yield from (made for made in found if isinstance(made, Finding))
    yield from _out_of_order(page, [made for made in found if isinstance(made, _Said)])


@trace_check(
    "runs.additional-messages",
    Level.MUST,
    clause="run-additional-messages",
    counterexample=_changed_text([str(one["content"]) for one in ADDED]),
    scenarios=("runs.overrides",),
    needs=("run.create", "messages"),
)
def additional_messages(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The ``additional_messages`` of a run are in its thread, and none is newer than the answer of the run.

    The run reads the thread when it starts: what comes later has no effect on the answer.
    """
    page, made = one(trace, "messages"), one(trace, "run.create")
    if page is None or made is None or page.json.get("has_more") is True:
        return
    found = list(_in_thread(page, sent_in(made).get("additional_messages")))
    yield from (each for each in found if isinstance(each, Finding))
    answered = [each.at for each in _said(page) if each.role == "assistant" and each.at is not None]
    for each in found:
        if isinstance(each, _Said) and answered and each.at is not None and each.at > max(answered):
            yield page.finding(
                "an additional message is newer than the answer of its run",
                place=f"/data/{each.place}/created_at",
                expected=f"at most {max(answered)}",
                actual=each.at,
            )
