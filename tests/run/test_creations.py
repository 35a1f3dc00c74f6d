"""A request that names an object which was not created is not sent, and the report gives the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import evolve

from conformance.corpus.corpus import OperationCorpus
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.requests.case import Body, Case, JsonBody, Multipart, Part, RawBody
from conformance.run.runner import Runner
from conformance.scenarios.corpus_scenario import corpus_scenario
from conformance.spec.spec import Spec
from conformance.target.target import Target
from conformance.verdict import Conclusion, Finding, Level, Outcome, conclude

from .conftest import Board

Run = Callable[..., Runner]
Open = Callable[..., Target]

RUNS, NAME = "threads.runs.create", "corpus.threads.runs.create"


def refuse(exchange: Exchange, _earlier: Any) -> Exchange | None:
    return exchange.answered(evolve(exchange.response, status=418)) if exchange.response else None


@check("test.not-418", Level.MUST, clause="c", counterexample=refuse, operations=(RUNS,), needs=Needs.ANY)
def rule(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A rule."""
    if seen.exchange.status == 418:
        yield seen.finding("a teapot")


def create(kind: str, *, body: Body = None) -> Case:
    return Case(f"{kind}s.create", "POST", f"/{kind}s", body=body or JsonBody({}), creates={f"{kind}_id": "/id"})


def start(body: Body, **more: Any) -> Case:
    values = {"path_params": {"thread_id": "{thread_id}"}, **more}
    return Case(RUNS, "POST", "/threads/{thread_id}/runs", body=body, **values)


IN = {"assistant_id": "{assistant_id}"}
WITH_IT = {
    "body": start(JsonBody(IN)),
    "inside a text of the body": start(JsonBody({"deep": [{"text": "see {assistant_id}."}]})),
    "a name in the body": start(JsonBody({"{assistant_id}": 1})),
    "query": start(JsonBody({}), query=(("assistant", "{assistant_id}"),)),
    "header": start(JsonBody({}), headers=(("x-assistant", "{assistant_id}"),)),
    "path": start(JsonBody({}), path_params={"thread_id": "{assistant_id}"}),
    "bytes": start(RawBody(b'{"assistant_id": "{assistant_id}", \xff')),
    "form": start(Multipart((Part("assistant", b"{assistant_id}"),))),
}
WITHOUT = start(JsonBody({"text": "braces {like_these} are text"}))

#: What the target answers to the creation of an assistant, and the reason that is told.
FAILED = {
    "refused": (400, {"error": {"code": "x", "message": "m"}}, Outcome.NOT_TESTABLE, "was answered with 400"),
    "broken": (500, {}, Outcome.NOT_TESTABLE, "was answered with 500"),
    "nameless": (200, {"object": "assistant"}, Outcome.NOT_TESTABLE, "without an id at /id"),
    "throttled": (429, {}, Outcome.UNAVAILABLE, "429 after all retries"),
}


def answering(board: Board, status: int, value: Any) -> list[Any]:
    """Threads can be created and runs started; what the creation of an assistant gives is said by the test."""
    heard: list[Any] = []

    def answer(method: str, path: str, body: Any, number: int) -> tuple[int, Any]:
        heard.append((path, body))
        if path.endswith("/assistants") and method == "POST":
            return status, value
        return 200, {"id": f"thing_{number}"}

    board.answer = answer
    return heard


@pytest.mark.parametrize("failure", FAILED)
def test_no_placeholder_of_what_was_not_created_leaves_the_machine(
    board: Board, run: Run, target_for: Open, failure: str
) -> None:
    """The rest of the corpus is sent, and the part that was not is told with its cause."""
    status, value, outcome, why = FAILED[failure]
    heard = answering(board, status, value)
    setup = (create("assistant"), create("thread"))
    made = OperationCorpus(RUNS, "threads", (*WITH_IT.values(), WITHOUT), setup=setup)
    runner = run([corpus_scenario(made)], [rule], target=target_for(retries=0))
    trace, verdict = runner.trace(NAME), runner.verdict(NAME, rule.id)
    assert [WITHOUT.id] == [seen.case.id for seen in trace.observations[2:]]
    assert [] == [one for one in heard if "{assistant_id}" in str(one)]
    assert (Outcome.PASS, 1, outcome, True) == (
        verdict.outcome,
        verdict.judged,
        verdict.unjudged[-1].outcome,
        verdict.unjudged[-1].rest,
    )
    assert "what {assistant_id} stands for was not created" in verdict.unjudged[-1].reason
    assert why in verdict.unjudged[-1].reason
    assert conclude([verdict], executed=3) in (Conclusion.PARTIAL, Conclusion.INCONCLUSIVE)


@pytest.mark.parametrize("place", WITH_IT)
def test_where_all_needs_it_nothing_is_judged_for_that_reason(board: Board, run: Run, place: str) -> None:
    answering(board, 400, {})
    made = OperationCorpus(RUNS, "threads", (WITH_IT[place],), setup=(create("assistant"), create("thread")))
    verdict = run([corpus_scenario(made)], [rule]).verdict(NAME, rule.id)
    assert (Outcome.NOT_TESTABLE, 0) == (verdict.outcome, verdict.judged)
    assert "what {assistant_id} stands for was not created" in verdict.reason


def test_a_creation_that_needs_another_one_is_not_sent_either(board: Board, run: Run) -> None:
    """A set-up of two steps: the second one names what the first one did not create."""
    heard = answering(board, 400, {})
    second = create("thread", body=JsonBody(IN))
    made = OperationCorpus(RUNS, "threads", (WITHOUT,), setup=(create("assistant"), second))
    verdict = run([corpus_scenario(made)], [rule]).verdict(NAME, rule.id)
    assert 1 == len(heard)
    assert (Outcome.NOT_TESTABLE, True) == (verdict.outcome, "{assistant_id}" in verdict.reason)


@pytest.mark.parametrize("place", WITH_IT)
def test_what_was_created_is_filled_in_everywhere(board: Board, run: Run, place: str) -> None:
    answering(board, 200, {"id": "asst_1"})
    made = OperationCorpus(RUNS, "threads", (WITH_IT[place],), setup=(create("assistant"), create("thread")))
    runner = run([corpus_scenario(made)], [rule])
    trace = runner.trace(NAME)
    assert (3, "", None) == (len(trace.observations), trace.ended, trace.outcome)
    assert "{assistant_id}" not in str(trace.observations[-1].exchange.request)
    assert "asst_1" in str(trace.observations[-1].exchange.request)
