"""Observations and traces: what a finding carries, which cases a role names."""

from __future__ import annotations

import pytest

from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.evidence.trace import Observation, Trace
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.verdict import Finding, Level, Outcome


def seen(role: str = "", response: Response | None = None) -> Observation:
    return Observation(Case("o", "GET", "/p", role=role), Exchange(Request("GET", "http://t.example/p"), response))


@pytest.mark.parametrize(
    ("found", "prefixes"),
    [
        (["walk", "walk.page", "walk.page.2"], ["walk"]),
        (["walk.page", "walk.page.2"], ["walk.page"]),
        (["walker", "walk.page", "walk.page.2"], ["walk.page", "walker"]),
        ([], ["wal"]),
        ([], [""]),
        ([], []),
    ],
)
def test_a_role_names_itself_and_what_lies_below_it(found: list[str], prefixes: list[str]) -> None:
    roles = ("walk", "walker", "walk.page", "walk.page.2", "create")
    trace = Trace("s", tuple(map(seen, roles)))
    assert found == [one.case.role for one in trace.role(*prefixes)]
    assert list(roles) == [one.case.role for one in trace]


def test_an_answer_that_did_not_come_can_not_be_asked_for() -> None:
    with pytest.raises(LookupError, match="no answer came"):
        _ = seen().response
    assert None is seen().json


def test_an_answer_that_came_is_there() -> None:
    response = Response(200, (), (Chunk(0.0, b'{"a":1}'),))
    assert (response, {"a": 1}) == (seen("", response).response, seen("", response).json)


def test_a_finding_names_its_case_and_shows_values_as_text() -> None:
    one = seen()
    full = one.finding(
        "m", place="/p", expected=1, actual=None, outcome=Outcome.WARN, level=Level.OBS, note=True, pointer="/x"
    )
    assert Finding("m", one.case.id, "/p", "1", "None", Outcome.WARN, Level.OBS, True, "/x") == full
    assert Finding("m", one.case.id, "", "", "", None, None, False, "") == one.finding("m")


def test_a_trace_that_did_not_end_early_says_nothing() -> None:
    assert ((), "", None) == (Trace("s").observations, Trace("s").ended, Trace("s").outcome)
