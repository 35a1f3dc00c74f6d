"""Checks of the token limit: the answer ends at it, its finish_reason says so, and the usage counts it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.checks.inference.chat import (
    CHAT,
    body_of,
    choices_of,
    format_of,
    message_of,
    plain_object,
    posted,
    unfiltered,
)
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import on_json
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.streams.chunks import choices_in
from conformance.verdict import Finding, Level

#: With a token limit below this a cut-off answer may be empty, which proves nothing.
SHORTEST_LIMIT = 16


def _as_stop(value: Any, request: Request) -> Any:
    """Counterexample: a cut-off answer claims to have ended normally."""
    limit = _limit(request.json or {})
    # Cut-off JSON that claims to be finished would break the rule on JSON as well.
    if not limit or limit > 64 or format_of(request.json or {}) in ("json_object", "json_schema"):
        return None
    changed = False
    for _, choice in choices_in(value):
        if choice.get("finish_reason") == "length":
            choice["finish_reason"], changed = "stop", True
    return value if changed else None


def _limit(body: Mapping[str, Any]) -> int | None:
    """The token limit of a request, or None."""
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    return limit if isinstance(limit, int) and not isinstance(limit, bool) else None


def _about_length(spec: Spec, case: Case) -> bool:
    """The task is long and the token limit small."""
    return (
        case.role.startswith("chat.length")
        and plain_object(spec, case)
        and (_limit(body_of(case)) or 0) >= SHORTEST_LIMIT
    )


@check(
    "chat.finish-reason.length",
    Level.MUST,
    clause="chat-finish-reason-length",
    counterexample=on_json(_as_stop, when=posted),
    operations=CHAT,
    about=_about_length,
    needs=Needs.SUCCESS,
    entails=("stream.equals-plain",),
)
def finish_reason_length(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """An answer that the token limit cut ends with finish_reason ``length``.

    Clients rely on it to notice that an answer is incomplete. The usage shows whether the limit cut the answer; the
    task doesn't, because one model may need five tokens where another needs fifty.
    """
    counted, most = counted_tokens(seen), (_limit(body_of(seen.case)) or 0) * len(choices_of(seen))
    # The answers ended by themselves before the limit, or nobody can tell.
    if counted is None or counted < most:
        return
    for index, choice in unfiltered(seen):
        if choice.get("finish_reason") != "length":
            yield seen.finding(
                "the limit cut the answer and finish_reason does not say so",
                place=f"/choices/{index}/finish_reason",
                expected="length",
                actual=choice.get("finish_reason"),
            )


def counted_tokens(seen: Observation) -> int | None:
    """``usage.completion_tokens`` of an answer that isn't streamed; None if there is none."""
    usage = seen.json.get("usage") if isinstance(seen.json, dict) else None
    counted = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return counted if is_integer(counted) else None


def _one_less(value: Any, request: Request) -> Any:
    """Counterexample: the usage counts one token less than the limit that cut the answer."""
    usage, choices = value.get("usage"), value.get("choices")
    limit = _limit(request.json or {})
    # With several choices the sum doesn't say how many tokens each of them has.
    if not limit or not isinstance(usage, dict) or not isinstance(choices, list) or len(choices) != 1:
        return None
    if choices[0].get("finish_reason") != "length" or usage.get("completion_tokens") != limit:
        return None
    # The total follows, so that the usage still adds up.
    less = {"completion_tokens": limit - 1, "total_tokens": usage.get("total_tokens", 0) - 1}
    return {**value, "usage": {**usage, **less}}


@check(
    "chat.finish-reason.length.counted",
    Level.SHOULD,
    clause="chat-length-counts-limit",
    counterexample=on_json(_one_less, when=posted),
    operations=CHAT,
    about=lambda spec, case: plain_object(spec, case) and bool(_limit(body_of(case))),
    needs=Needs.SUCCESS,
)
def length_counted(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """An answer that the token limit cut counts as many tokens as the limit allowed.

    A target that stops one token early returns less than was paid for. One that counts no token at all has cut nothing,
    which is a failure: with a limit of one its answers are empty.
    """
    limit, counted, choices = _limit(body_of(seen.case)), counted_tokens(seen), choices_of(seen)
    if limit is None or counted is None or len(choices) != 1 or choices[0].get("finish_reason") != "length":
        return
    if counted == 0 and not message_of(choices[0]).get("refusal"):
        yield seen.finding(
            "the answer ends as cut by the limit, and nothing was generated that could be cut",
            place="/usage/completion_tokens",
            expected=limit,
            actual=counted,
            level=Level.MUST,
        )
    elif counted < limit:
        yield seen.finding(
            "the limit cut the answer before it was reached",
            place="/usage/completion_tokens",
            expected=limit,
            actual=counted,
        )
