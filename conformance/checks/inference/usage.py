"""Checks of token counts and of the model's name in answers that are not streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import on_json, path_of
from conformance.requests.case import Case, Expect
from conformance.requests.request import Request
from conformance.requests.selectors import streams
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: Operations whose answers have a usage.
MODELS = ("chat.completions.create", "completions.create", "embeddings.create")


def _plain(spec: Spec, case: Case) -> bool:
    """The request asks for no stream and need not be refused."""
    return not streams(spec, case) and case.expect is not Expect.REJECT


def _inference(exchange: Exchange) -> bool:
    """Return True for a request to one of these operations."""
    return path_of(exchange.request).endswith(("/completions", "/embeddings"))


def adds_up(usage: Mapping[str, Any]) -> bool:
    """Return True if the total is the sum of its parts, as far as they are numbers."""
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    total = usage.get("total_tokens")
    # Missing or odd counts are reported by the schema.
    if not is_integer(prompt) or not is_integer(total):
        return True
    return total == prompt + (completion if is_integer(completion) else 0)


def _off_by_one(value: Any, _request: Request) -> Any:
    """Counterexample: the total is one too high."""
    if not isinstance(value.get("usage"), dict):
        return None
    value["usage"]["total_tokens"] = value["usage"].get("total_tokens", 0) + 1
    return value


@check(
    "usage.adds-up",
    Level.MUST,
    clause="usage-total",
    counterexample=on_json(_off_by_one, when=_inference),
    operations=MODELS,
    about=_plain,
    needs=Needs.SUCCESS,
)
def usage_adds_up(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """``total_tokens`` is the sum of prompt and completion tokens. Costs are computed from it."""
    usage = seen.json.get("usage") if isinstance(seen.json, dict) else None
    if isinstance(usage, dict) and not adds_up(usage):
        yield seen.finding("the total does not add up", place="/usage", actual=usage)


def _negative(value: Any, _request: Request) -> Any:
    """Counterexample: all counts are zero."""
    if not isinstance(value.get("usage"), dict) or "completion_tokens" not in value["usage"]:
        return None
    value["usage"] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    return value


def _free_prompt(value: Any, _request: Request) -> Any:
    """Witness: no prompt tokens are counted."""
    usage = value.get("usage")
    return {**value, "usage": {**usage, "prompt_tokens": 0}} if isinstance(usage, dict) else None


@check(
    "usage.counted",
    Level.SHOULD,
    clause="usage-counted",
    counterexample=on_json(_negative, when=_inference),
    witness=on_json(_free_prompt, when=_inference),
    operations=MODELS,
    about=lambda spec, case: _plain(spec, case) and case.expect is Expect.ACCEPT,
    needs=Needs.SUCCESS,
    entails=("chat.finish-reason.length.counted",),
)
def usage_counted(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """At least one prompt token is counted, and no count is negative."""
    usage = seen.json.get("usage") if isinstance(seen.json, dict) else None
    if isinstance(usage, dict):
        for name, count in usage.items():
            # A prompt without tokens is reported below.
            if is_integer(count) and count < 0 and name != "prompt_tokens":
                yield seen.finding("a negative count", place=f"/usage/{name}", expected="0 or more", actual=count)
        prompt = usage.get("prompt_tokens")
        if is_integer(prompt) and prompt <= 0:
            yield seen.finding(
                "no prompt tokens were counted", place="/usage/prompt_tokens", expected="1 or more", actual=prompt
            )


def _named(exchange: Exchange) -> bool:
    """Return True for a request whose answer names its model."""
    return _inference(exchange) or path_of(exchange.request).endswith("/videos")


def _no_model(value: Any, _request: Request) -> Any:
    """Counterexample: the model has no name."""
    if not isinstance(value.get("model"), str):
        return None
    value["model"] = ""
    return value


@check(
    "model.named",
    Level.SHOULD,
    clause="model-named",
    counterexample=on_json(_no_model, when=_named),
    operations=(*MODELS, "videos.create"),
    about=_plain,
    needs=Needs.SUCCESS,
)
def model_named(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """``model`` is not empty. Which model it names is not judged."""
    value = seen.json
    if isinstance(value, dict) and value.get("model") == "":
        yield seen.finding("model is empty", place="/model", expected="a name", actual='""')


def _limit(body: Any) -> int:
    """The tokens that a chat request allows for all its choices together; 0 if it sets no limit."""
    if not isinstance(body, dict):
        return 0
    limit, choices = body.get("max_completion_tokens", body.get("max_tokens")), body.get("n", 1)
    if not isinstance(limit, int) or isinstance(limit, bool) or not isinstance(choices, int):
        return 0
    # The usage counts all choices, the limit applies to each of them.
    return limit * max(1, choices)


def _beyond(value: Any, request: Request) -> Any:
    """Counterexample: more tokens are counted than allowed."""
    limit, usage = _limit(request.json), value.get("usage")
    if not limit or not isinstance(usage, dict) or "completion_tokens" not in usage:
        return None
    more = limit + 1
    return {**value, "usage": {**usage, "completion_tokens": more, "total_tokens": usage["prompt_tokens"] + more}}


@check(
    "usage.limit",
    Level.MUST,
    clause="chat-max-completion-tokens",
    counterexample=on_json(_beyond, when=_inference),
    operations=("chat.completions.create",),
    about=lambda spec, case: _plain(spec, case) and _limit(case.json) > 0,
    needs=Needs.SUCCESS,
)
def usage_limit(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """No more tokens are counted than the limit allows to each choice, reasoning included.

    The limit is ``max_completion_tokens``, or ``max_tokens`` where the request has only that.
    """
    usage = seen.json.get("usage") if isinstance(seen.json, dict) else None
    counted = usage.get("completion_tokens") if isinstance(usage, dict) else None
    if is_integer(counted) and counted > _limit(seen.case.json):
        yield seen.finding(
            "more tokens than allowed",
            place="/usage/completion_tokens",
            expected=f"at most {_limit(seen.case.json)}",
            actual=counted,
        )


def _details(usage: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    """Yield (pointer, detail, total) of each detail of a usage that is a number."""
    for side in ("prompt_tokens", "completion_tokens"):
        whole, parts = usage.get(side), usage.get(f"{side}_details")
        if is_integer(whole) and isinstance(parts, dict):
            for name, part in parts.items():
                if is_integer(part):
                    yield f"/usage/{side}_details/{name}", part, whole


def _too_many(value: Any, _request: Request) -> Any:
    """Counterexample: a detail is larger than its total."""
    usage = value.get("usage")
    if not isinstance(usage, dict) or not isinstance(usage.get("completion_tokens"), int):
        return None
    details = {**(usage.get("completion_tokens_details") or {}), "reasoning_tokens": usage["completion_tokens"] + 1}
    return {**value, "usage": {**usage, "completion_tokens_details": details}}


@check(
    "usage.details",
    Level.SHOULD,
    clause="chat-usage-details",
    counterexample=on_json(_too_many, when=_inference),
    operations=("chat.completions.create",),
    about=_plain,
    needs=Needs.SUCCESS,
)
def usage_details(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A detail of the usage (cached, reasoning or predicted tokens) is at most as large as its total.

    Rejected prediction tokens are billed as completion tokens, so they are included like the others.
    """
    usage = seen.json.get("usage") if isinstance(seen.json, dict) else None
    for pointer, part, whole in _details(usage) if isinstance(usage, dict) else ():
        if not 0 <= part <= whole:
            yield seen.finding(
                "a detail is not part of its total", place=pointer, expected=f"0 to {whole}", actual=part
            )
