"""Checks of token counts that a request decides: the default limit of a completion, and predicted tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.checks.inference.chat import body_of, number
from conformance.checks.inference.completions import prompts_in
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import asked, on_json
from conformance.pointer import look_up
from conformance.requests.case import Case, Expect
from conformance.requests.request import Request
from conformance.requests.selectors import ABSENT, streams, value_at
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: The tokens of one completion, at most, if the request sets no limit.
DEFAULT_LIMIT = 16


def _unlimited(spec: Spec, case: Case) -> bool:
    """A valid request sets no limit."""
    plain = not streams(spec, case) and case.expect is not Expect.REJECT
    return plain and isinstance(case.json, dict) and case.json.get("max_tokens") is None


def _most(body: Any) -> int:
    """The number of tokens that an answer without a limit may have. Candidates that aren't shown count too."""
    return DEFAULT_LIMIT * prompts_in(body) * max(number(body, "n", 1), number(body, "best_of", 1))


def _longer(value: Any, request: Request) -> Any:
    """Counterexample: an answer without a limit is one token longer than it may be."""
    body, usage = request.json, value.get("usage")
    if not isinstance(body, dict) or "prompt" not in body or body.get("max_tokens") is not None:
        return None
    prompt = look_up(usage, "/prompt_tokens")
    if not is_integer(prompt):
        return None
    spent = _most(body) + 1
    return {**value, "usage": {**usage, "completion_tokens": spent, "total_tokens": prompt + spent}}


@check(
    "completions.limit.default",
    Level.SHOULD,
    clause="completions-max-tokens-default",
    counterexample=on_json(_longer, when=asked("POST", r"/completions")),
    operations=("completions.create",),
    about=_unlimited,
    needs=Needs.SUCCESS,
)
def limit_default(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Without ``max_tokens`` a completion has at most 16 tokens. Longer answers cost more than was expected."""
    spent, most = look_up(seen.json, "/usage/completion_tokens"), _most(body_of(seen.case))
    if is_integer(spent) and spent > most:
        yield seen.finding(
            "more tokens than the default limit", place="/usage/completion_tokens", expected=f"at most {most}",
            actual=spent,
        )  # fmt: skip


_DETAILS = "/usage/completion_tokens_details"
_PREDICTED = ("accepted_prediction_tokens", "rejected_prediction_tokens")


def _predicts(spec: Spec, case: Case) -> bool:
    """A valid request brings a prediction."""
    wanted = value_at(case, "/prediction")
    return wanted not in (ABSENT, None) and not streams(spec, case) and case.expect is not Expect.REJECT


def _silent(value: Any, request: Request) -> Any:
    """Counterexample: the usage says nothing of the prediction."""
    details = look_up(value, _DETAILS)
    if not look_up(request.json, "/prediction") or not isinstance(details, dict):
        return None
    value["usage"]["completion_tokens_details"] = {k: v for k, v in details.items() if k not in _PREDICTED}
    return value


@check(
    "usage.prediction",
    Level.SHOULD,
    clause="chat-prediction-tokens",
    counterexample=on_json(_silent),
    operations=("chat.completions.create",),
    about=_predicts,
    needs=Needs.SUCCESS,
    features=("chat.prediction",),
)
def prediction(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """With a prediction the usage counts its accepted and its rejected tokens, and no more than were generated.

    Rejected tokens are billed: without the count nobody sees what a bad prediction costs.
    """
    spent = look_up(seen.json, "/usage/completion_tokens")
    counts = [look_up(seen.json, f"{_DETAILS}/{name}") for name in _PREDICTED]
    for name, count in zip(_PREDICTED, counts, strict=True):
        if not is_integer(count):
            yield seen.finding("the prediction is not counted", place=f"{_DETAILS}/{name}", actual=count)
        elif is_integer(spent) and count > spent:
            yield seen.finding(
                "more predicted than generated tokens", place=f"{_DETAILS}/{name}", expected=f"at most {spent}",
                actual=count,
            )  # fmt: skip
