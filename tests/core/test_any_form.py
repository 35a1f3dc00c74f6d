"""No check raises an exception, whatever form an answer has; it reports what is wrong instead."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import offline
import pytest
from attrs import evolve

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Scope
from conformance.judging.judge import judge
from conformance.run.selection import scenarios_in
from conformance.settings.options import Options
from conformance.spec.loading import load
from conformance.verdict import Outcome

VERSION = "2024-05-01-preview"
SPEC = load(VERSION)
ODD = (None, True, -1, 1.5, "", "x", [], [None], ["x"], {}, {"x": 1})


@cache
def good(operation: str) -> tuple[Observation, ...]:
    """Requests of the corpus that were answered with a JSON object, the richest answers first."""
    options = Options(operations=(operation,), scenarios=(f"corpus.{operation}",))
    answer = offline.answering(App.of(VERSION), SPEC)
    seen = [one for item in scenarios_in(SPEC, options) for one in offline.play(SPEC, item, answer)]
    seen = [one for one in seen if isinstance(one.json, dict) and len(one.response.body) < 20_000]
    by_shape = {(one.exchange.status, one.case.role, tuple(sorted(one.case.json or ()))): one for one in seen}
    return tuple(by_shape.values())


def spoiled(value: Any) -> Iterator[Any]:
    """The value with each of its nodes replaced once by each odd value; of a list only the first items."""
    yield from ODD
    if isinstance(value, dict):
        for key, inner in value.items():
            for odd in spoiled(inner):
                yield {**value, key: odd}
            yield {name: kept for name, kept in value.items() if name != key}
    elif isinstance(value, list) and value:
        for odd in spoiled(value[0]):
            yield [odd, *value[1:]]


@pytest.mark.parametrize("operation", ["chat.completions.create", "completions.create", "embeddings.create"])
def test_an_answer_of_any_form_gets_a_verdict(operation: str) -> None:
    checks = [check for check in all_checks().values() if check.scope is Scope.EXCHANGE and check.covers(operation)]
    crashed, tried = set(), 0
    for number, one in enumerate(good(operation)):
        concerned = [check for check in checks if check.about(SPEC, one.case)]
        for odd in list(spoiled(one.json))[number % 60 :: 60]:  # each request tries another part
            exchange = one.exchange.answered(one.response.with_json(odd))
            trace = Trace(f"corpus.{operation}", (evolve(one, exchange=exchange),))
            for check in concerned:
                tried += 1
                verdict = judge(SPEC, check, trace)
                if verdict.outcome is Outcome.ERROR:
                    crashed.add(f"{check.id}: {verdict.reason}")
    assert [] == sorted(crashed)
    assert tried > 500
