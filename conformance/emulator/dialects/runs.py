"""Recorded shapes of runs and their steps."""

from __future__ import annotations

from typing import Any

from conformance.emulator.call import Call
from conformance.emulator.dialects import dialect
from conformance.emulator.edits import Value, each_object, with_data, with_events
from conformance.emulator.handlers import Handler
from conformance.evidence.exchange import Response

_STREAMED = ("threads.runs.create", "threads.create_and_run", "threads.runs.submit_tool_outputs")

#: What a streamed run was recorded without.
_LIMITS = ("max_prompt_tokens", "max_completion_tokens", "truncation_strategy", "incomplete_details")


def _expires(step: Value) -> None:
    if step.get("object") == "thread.run.step":
        step["expires_at"] = step.pop("expired_at", None)


def _is(value: Value, kind: str) -> bool:
    return value.get("object") == kind


@dialect(
    "run-step.expires-at",
    "A run step has expires_at, and no expired_at.",
    "threads.runs.steps.*",
    *_STREAMED,
)
def expires_at(call: Call, answer: Handler) -> Response:
    response = answer(call)
    if response.media_type != "text/event-stream":
        return each_object(response, _expires)
    return with_events(response, lambda events: [(name, with_data(data, _expires)) for name, data in events])


@dialect("run.lean-stream", "The runs in the events of a stream lack limits and details.", *_STREAMED)
def lean_stream(call: Call, answer: Handler) -> Response:
    def lean(value: Value) -> Any:
        for name in _LIMITS if _is(value, "thread.run") else ():
            value.pop(name, None)

    return with_events(answer(call), lambda events: [(name, with_data(data, lean)) for name, data in events])
