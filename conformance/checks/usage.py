"""Token counts of answers that come in one piece, and the model's name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.about import streams
from conformance.breaking import on_json, path_of
from conformance.cases import Case, Expect
from conformance.check import Needs, check
from conformance.exchange import Exchange, Request
from conformance.spec import Spec
from conformance.trace import Observation
from conformance.verdict import Finding, Level

MODELS = ("chat.completions.create", "completions.create", "embeddings.create")


def _whole(spec: Spec, case: Case) -> bool:
    return not streams(spec, case) and case.expect is not Expect.REJECT


def _inference(exchange: Exchange) -> bool:
    return path_of(exchange.request).endswith(("/completions", "/embeddings"))


def adds_up(usage: Mapping[str, Any]) -> bool:
    """True when the total is the sum of its parts, as far as they are numbers."""
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    total = usage.get("total_tokens")
    if not isinstance(prompt, int) or not isinstance(total, int):
        return True
    return total == prompt + (completion if isinstance(completion, int) else 0)


def _off_by_one(value: Any, _request: Request) -> Any:
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
    about=_whole,
    needs=Needs.SUCCESS,
)
def usage_adds_up(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """``total_tokens`` is prompt tokens plus completion tokens. People are billed by it."""
    usage = seen.json.get("usage") if isinstance(seen.json, dict) else None
    if isinstance(usage, dict) and not adds_up(usage):
        yield seen.finding("the total does not add up", place="/usage", actual=usage)


def _negative(value: Any, _request: Request) -> Any:
    if not isinstance(value.get("usage"), dict) or "completion_tokens" not in value["usage"]:
        return None
    value["usage"] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    return value


@check(
    "usage.counted",
    Level.SHOULD,
    clause="usage-counted",
    counterexample=on_json(_negative, when=_inference),
    operations=MODELS,
    about=lambda spec, case: _whole(spec, case) and case.expect is Expect.ACCEPT,
    needs=Needs.SUCCESS,
)
def usage_counted(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """An answer with text counts at least one prompt token; no count is negative."""
    usage = seen.json.get("usage") if isinstance(seen.json, dict) else None
    if isinstance(usage, dict):
        for name, count in usage.items():
            if isinstance(count, int) and count < 0 and name != "prompt_tokens":
                yield seen.finding("a negative count", place=f"/usage/{name}", expected="0 or more", actual=count)
        prompt = usage.get("prompt_tokens")
        if isinstance(prompt, int) and prompt <= 0:
            yield seen.finding(
                "no prompt tokens were counted", place="/usage/prompt_tokens", expected="1 or more", actual=prompt
            )


def _no_model(value: Any, _request: Request) -> Any:
    if not isinstance(value.get("model"), str):
        return None
    value["model"] = ""
    return value


@check(
    "model.named",
    Level.SHOULD,
    clause="model-named",
    counterexample=on_json(_no_model, when=_inference),
    operations=MODELS,
    about=_whole,
    needs=Needs.SUCCESS,
)
def model_named(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """``model`` names a model; which name is not judged."""
    value = seen.json
    if isinstance(value, dict) and value.get("model") == "":
        yield seen.finding("model is empty", place="/model", expected="a name", actual='""')
