"""Checks of graders that are run on their own: whose result it is, and its range."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.counterexamples import on_json
from conformance.pointer import look_up
from conformance.requests.case import Case
from conformance.requests.field_rules import body_of
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

RUN = ("fine_tuning.alpha.graders.run",)


def _renamed(value: Any, _request: Request) -> Any:
    """Counterexample: the result is that of another grader."""
    told = value.get("metadata")
    return {**value, "metadata": {**told, "name": "another"}} if isinstance(told, dict) and "name" in told else None


@check(
    "graders.run.named",
    Level.SHOULD,
    clause="grader-run-type",
    counterexample=on_json(_renamed),
    operations=RUN,
    needs=Needs.SUCCESS,
)
def named(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """``name`` and ``type`` in the metadata of a result are those of the grader that was sent."""
    for name in ("name", "type"):
        wanted, shown = look_up(body_of(seen.case), f"/grader/{name}"), look_up(seen.json, f"/metadata/{name}")
        if wanted is not None and shown is not None and shown != wanted:
            yield seen.finding(f"{name} of another grader", place=f"/metadata/{name}", expected=wanted, actual=shown)


def _scores(spec: Spec, case: Case) -> bool:
    """The grader is a model that gives a score."""
    return bool(look_up(body_of(case), "/grader/type") == "score_model")


def _too_good(value: Any, request: Request) -> Any:
    """Counterexample: the reward is far above the range."""
    if look_up(request.json, "/grader/type") != "score_model" or "reward" not in value:
        return None
    return {**value, "reward": 1_000_000.0}


@check(
    "graders.reward.range",
    Level.SHOULD,
    clause="grader-range",
    counterexample=on_json(_too_good),
    operations=RUN,
    about=_scores,
    needs=Needs.SUCCESS,
)
def reward_range(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The reward of a model that scores lies within its ``range``, by default from 0 to 1."""
    given = look_up(body_of(seen.case), "/grader/range")
    low, high = given if isinstance(given, list) and len(given) == 2 else (0, 1)
    reward = look_up(seen.json, "/reward")
    if isinstance(reward, int | float) and not isinstance(reward, bool) and not low <= reward <= high:
        yield seen.finding("the reward is out of range", place="/reward", expected=f"{low} to {high}", actual=reward)
