"""Checks of chat streams with several tool calls in one answer.

Nothing forces a model to make several calls: where an answer has fewer, these checks have nothing to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import Draft, on_events
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.streams.chunks import choices_in
from conformance.streams.reading import Reading, over_stream, streamed
from conformance.streams.tools import calls_of
from conformance.verdict import Finding, Level

CHAT = "chat-chunks"


def _twins(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: the calls of a choice have one id."""
    first: dict[Any, str] = {}
    changed = list(events)
    for index, event in enumerate(events):
        value = event.json
        for _, choice in choices_in(value):
            delta = choice.get("delta")
            for entry in (delta.get("tool_calls") or ()) if isinstance(delta, dict) else ():
                if entry.get("id"):
                    entry["id"] = first.setdefault(choice.get("index"), entry["id"])
        if isinstance(value, dict) and value != event.json:
            changed[index] = event.with_json(value)
    return changed if changed != events else None


@check(
    "stream.tool-calls.ids",
    Level.MUST,
    clause="chat-tool-call-ids",
    counterexample=on_events(_twins, CHAT),
    about=streamed(CHAT),
    needs=Needs.SUCCESS,
)
@over_stream
def tool_ids(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """No two calls of a choice have the same id. The message with a tool's result refers to it."""
    ids: dict[tuple[Any, str], Any] = {}
    for call in calls_of(reading):
        head = call.fragments[0]
        given = head.entry.get("id")
        if not isinstance(given, str) or not given:
            continue
        other = ids.setdefault((call.choice, given), call.index)
        if other != call.index:
            yield seen.finding(
                f"the calls {other} and {call.index} have the same id",
                place=f"{head.place}/id",
                expected="an id of its own",
                actual=given,
            )
