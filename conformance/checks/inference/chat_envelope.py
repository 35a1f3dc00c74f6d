"""Checks of the fields of a chat message besides its tool calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import on_json
from conformance.requests.request import Request
from conformance.requests.selectors import plain
from conformance.spec.spec import Spec
from conformance.streams.chunks import choices_in
from conformance.verdict import Finding, Level


def _messages(value: Any) -> list[dict[str, Any]]:
    """The messages of all choices."""
    found = [choice.get("message") for _, choice in choices_in(value)]
    return [one for one in found if isinstance(one, dict)]


def _without_content(value: Any, _request: Request) -> Any:
    """Counterexample: a message with tool calls has no ``content``."""
    calling = [one for one in _messages(value) if one.get("tool_calls") and "content" in one]
    for one in calling:
        del one["content"]
    return value if calling else None


@check(
    "chat.message.content",
    Level.SHOULD,
    clause="chat-message-content",
    counterexample=on_json(_without_content),
    operations=("chat.completions.create",),
    about=plain,
    needs=Needs.SUCCESS,
    entails=("schema.response",),
)
def content(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A message with tool calls still has ``content``, at least as null. Typed clients always read the field."""
    for place, message in enumerate(_messages(seen.json)):
        if message.get("tool_calls") and "content" not in message:
            yield seen.finding("no content", place=f"/choices/{place}/message/content", expected=None, actual="absent")
