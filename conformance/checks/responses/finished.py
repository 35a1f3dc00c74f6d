"""Checks of a finished response that isn't streamed: who speaks in it, and what it cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.checks.responses.answers import RESPONSES, output_of, posted, with_messages
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import on_json
from conformance.requests.request import Request
from conformance.requests.selectors import plain
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level


def _spoken_by_user(value: Any, _request: Request) -> Any:
    """Counterexample: what the model wrote is said to be the user's."""
    return with_messages(value, lambda item: {**item, "role": "user"})


@check(
    "responses.role",
    Level.MUST,
    clause="responses-output-role",
    counterexample=on_json(_spoken_by_user, when=posted),
    operations=RESPONSES,
    about=plain,
    needs=Needs.SUCCESS,
    # Some documents list assistant as the only role.
    entails=("schema.response",),
)
def role(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A message in the output has the role ``assistant``.

    Clients append the output to the input of the next request. With another role the model takes its own words for
    those of somebody else.
    """
    for place, item in enumerate(output_of(seen.json)):
        if item.get("type") == "message" and item.get("role") != "assistant":
            yield seen.finding(
                "a message of the output has another role",
                place=f"/output/{place}/role",
                expected="assistant",
                actual=item.get("role", "absent"),
            )


def _for_free(value: Any, _request: Request) -> Any:
    """Counterexample: nothing was counted."""
    return {**value, "usage": None} if value.get("usage") and value.get("status") == "completed" else None


@check(
    "responses.usage.given",
    Level.SHOULD,
    clause="responses-usage-given",
    counterexample=on_json(_for_free, when=posted),
    operations=RESPONSES,
    about=plain,
    needs=Needs.SUCCESS,
)
def usage_given(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A completed response counts its tokens. Without ``usage`` nobody knows what it costs."""
    value = seen.json
    if not isinstance(value, dict) or value.get("status") != "completed":
        return
    usage = value.get("usage", "absent")
    if not isinstance(usage, dict):
        yield seen.finding("a completed response without usage", place="/usage", expected="an object", actual=usage)
