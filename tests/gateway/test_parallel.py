"""Several clients at once: which request at the upstream is whose, and what a gateway makes of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from attrs import evolve

from conformance.gateway.canaries import ambiguous, calls_with, planted
from conformance.gateway.session import CLIENTS, pass_through
from conformance.passage.judge import Conclusion, judged
from conformance.passage.passage import Passage, Record
from conformance.pointer import look_up
from conformance.requests.case import Case, JsonBody
from conformance.settings.gateway import Gateway as Declarations
from conformance.settings.gateway import Nature
from conformance.verdict import Level

from .editing import body_in
from .forwarder import HONEST, Alteration
from .stage import Stage, verdict

_NAMES = ("plain", "streamed", "tools", "wrong", "embeddings")


def test_through_an_honest_gateway_each_request_is_found_by_its_canary(running: Stage) -> None:
    cases = [running.cases[name] for name in _NAMES]
    passed = pass_through(running.windows, running.direct, cases, patience=5.0, parallel=4)
    result = verdict(passed)
    assert ((), Conclusion.TRANSPARENT) == (result.rows, result.conclusion)
    at_once = [one for one in passed.passages if one.volley and not one.gathered]
    assert 4 == len([one for one in at_once if one.volley == at_once[0].volley])
    assert [1] * len(at_once) == [len(one.calls) for one in at_once]
    gathered = [one for one in passed.passages if one.gathered]
    assert 2 * CLIENTS == len(gathered)


@pytest.fixture
def impatient(running: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The stage, of which the upstream doesn't wait long for requests that can't come."""
    monkeypatch.setattr(running.windows, "patience", 0.5)
    return running


def test_a_limit_is_a_policy_with_its_number(impatient: Stage) -> None:
    rows = verdict(impatient.through(Alteration("two at once", at_once=2), ("plain",))).rows
    (row,) = [row for row in rows if row.rule == "via.parallel.limit"]
    assert (Nature.POLICY, Level.OBS) == (row.judgement.nature, row.level)
    assert {"via.parallel.limit"} == {row.rule for row in rows}
    assert ("4 at once", "2 at once") == (row.example.before, row.example.after)


def _volley(stage: Stage, alteration: Alteration, clients: int = 2, gather: int = 0) -> tuple[Passage, ...]:
    """The same request of several clients at once through the gateway while it alters them."""
    stage.between.alteration = alteration
    try:
        return stage.windows.volley((stage.cases["plain"],) * clients, (None,) * clients, gather)
    finally:
        stage.between.alteration = HONEST


def _told(stage: Stage, volley: tuple[Passage, ...]) -> set[str]:
    """The rules that find something in a volley."""
    return {row.rule for row in judged(Record(volley), stage.spec, Declarations()).rows}


def test_a_queue_whose_last_is_first_is_told(running: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running.windows, "patience", 2.0)
    volley = _volley(running, Alteration("a stack", at_once=1, newest_first=True), CLIENTS, CLIENTS)
    assert {"via.parallel.serial", "via.parallel.order"} == _told(running, volley)


@pytest.mark.parametrize(
    ("times", "told"),
    [
        # Two places: the third client's request finds one of them free before the second client's has come.
        (((0.0, 0.0, 2.0), (0.3, 2.02, 2.1), (0.6, 0.6, 2.0), (0.9, 2.01, 2.2)), {"via.parallel.limit"}),
        # One place: when it is free, all three wait, and the second client's is taken last.
        (
            ((0.0, 0.0, 2.0), (0.3, 2.3, 2.4), (0.6, 2.1, 2.2), (0.9, 2.2, 2.3)),
            {"via.parallel.serial", "via.parallel.order"},
        ),
        # One place, and they come faster than anybody could tell their order.
        (((0.0, 0.0, 2.0), (0.1, 2.2, 2.3), (0.15, 2.1, 2.2), (0.2, 2.3, 2.4)), {"via.parallel.serial"}),
    ],
)
def test_only_what_a_gateway_held_back_can_be_out_of_order(
    times: tuple[tuple[float, float, float], ...], told: set[str], running: Stage
) -> None:
    """``times``: when the client began, when its request reached the upstream, and when it was answered there."""
    volley = _volley(running, HONEST, CLIENTS, CLIENTS)
    timed = []
    for passage, (began, at, ended) in zip(volley, times, strict=True):
        calls = tuple(evolve(call, at=100 + at, ended=100 + ended) for call in passage.calls)
        timed.append(evolve(passage, began=100 + began, calls=calls))
    assert told == _told(running, tuple(timed))


def test_a_canary_that_does_not_arrive_leaves_its_request_unjudged(running: Stage) -> None:
    alteration = Alteration("cuts canaries", request=body_in(lambda body: re.sub(rb" canary-\w+", b"", body)))
    volley = _volley(running, alteration)
    assert all("has no canary" in one.unclear for one in volley)
    result = judged(Record(volley), running.spec, Declarations())
    assert Conclusion.NOTHING is result.conclusion


def test_repeats_and_refusals_of_one_client_among_several_are_told_apart(running: Stage) -> None:
    def calls(times: int) -> list[int]:
        return [len(one.calls) for one in _volley(running, Alteration("sends twice", times=times))]

    assert [1, 1] == calls(1)
    assert [2, 2] == calls(2)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"prompt": ["a", "b"]}, "/prompt/1"),
        ({"input": "b"}, "/input"),
        (
            {"messages": [{"content": [{"type": "text", "text": "b"}, {"type": "image_url"}]}]},
            "/messages/0/content/0/text",
        ),
        ({"messages": [{"content": "b"}, {"role": "assistant", "content": None}]}, "/messages/0/content"),
    ],
)
def test_a_canary_is_added_to_the_last_text(body: Any, where: str, running: Stage) -> None:
    found = planted(evolve(running.cases["plain"], body=JsonBody(body)), "canary-1")
    assert found is not None
    assert "b canary-1" == look_up(found.json, where)
    assert "b" == look_up(body, where)


@pytest.mark.parametrize("body", [{"prompt": [[1, 2]]}, {"input": ""}, {"messages": "none"}, [], {"input": 7}])
def test_a_request_without_a_text_goes_alone(body: Any, running: Stage) -> None:
    case: Case = evolve(running.cases["plain"], body=JsonBody(body))
    assert planted(case, "canary-1") is None


def test_a_request_with_two_canaries_belongs_to_nobody(running: Stage) -> None:
    (first, second) = _volley(running, HONEST)
    (call,) = first.calls
    both = evolve(call, request=evolve(call.request, body=b"canary-1 canary-2"))
    found = {text: calls_with(text, (both,)) for text in ("canary-1", "canary-2")}
    assert {"canary-1", "canary-2"} == set(ambiguous(found, (both,)))
    assert second.calls != first.calls
