"""The files with the answers of a batch: what ends a line, and how often a wrong row is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import offline
import pytest

from conformance.checks.catalogue import all_checks
from conformance.emulator.app import App
from conformance.emulator.store import Clock
from conformance.evidence.exchange import Exchange
from conformance.judging.judge import judge
from conformance.requests.case import Case
from conformance.requests.profile import Profile
from conformance.requests.request import Request
from conformance.run.selection import items_of
from conformance.scenarios.registry import scenarios_of
from conformance.spec.loading import load
from conformance.verdict import Finding, Outcome

VERSION, RESULTS = "v1", "batches.results"

Rows = list[dict[str, Any]]


def judged(change: Callable[[Rows], Rows], newline: str = "\n") -> dict[str, tuple[Finding, ...]]:
    """The findings of each check that doesn't pass if the rows of the answers are changed."""
    spec = load(VERSION)
    app = App([spec], clock=Clock.fixed())
    good = offline.answering(app, spec)

    def answer(case: Case, request: Request) -> Exchange:
        exchange = good(case, request)
        if case.role != "output" or exchange.response is None:
            return exchange
        rows = change([json.loads(line) for line in exchange.response.body.splitlines()])
        body = "".join(json.dumps(row, ensure_ascii=False) + newline for row in rows)
        return exchange.answered(exchange.response.with_body(body.encode()))

    (scenario,) = [one for one in scenarios_of(spec, Profile.STANDARD) if one.id == RESULTS]
    trace = offline.play(spec, scenario, answer, wait=app.clock.advance)
    verdicts = [judge(spec, item.check, trace) for item in items_of(spec, (scenario,), all_checks().values())]
    bad = (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)
    return {one.check: one.findings for one in verdicts if one.outcome in bad}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", ["\u2028", "\u0085"], ids=["line-separator", "next-line"])
def test_only_a_line_feed_ends_a_row(separator: str, newline: str) -> None:
    """A text may hold other separators of lines as they are."""

    def spoken(rows: Rows) -> Rows:
        for row in rows:
            row["response"]["body"]["choices"][0]["message"]["content"] = f"One{separator}two."
        return rows

    # The size of the file is the one before the change.
    assert judged(spoken, newline).keys() <= {"batches.results.files"}


def test_a_row_that_comes_twice_is_told_once() -> None:
    findings = judged(lambda rows: [*rows, rows[0]])["batches.results"]
    assert ["a request is answered twice"] == [one.message for one in findings if "twice" in one.message]
