"""The runner alone: a scenario that is given an object starts when that is made, and a script may give up."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.evidence.exchange import Chunk, Exchange, Response
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.scenarios.scenario import Given, GiveUp, Scenario, Script, Settings
from conformance.spec.spec import Spec
from conformance.verdict import Outcome

from .memory import Memory, case, corpus, runner, told

#: Whoever waits for a runner that never answers fails.
pytestmark = pytest.mark.usefixtures("bounded")

MAKING = case("make", creates={"made": "/id"})


def made(one: Case) -> Exchange:
    """An answer with an id."""
    return Exchange(Request(one.method, "http://t.example/x"), Response(200, chunks=(Chunk(0.0, b'{"id": "o1"}'),)))


def reader(id: str, got: list[Any]) -> Scenario:
    """A scenario that is given the object of the maker, and notes what it was given."""

    def script(spec: Spec, settings: Settings) -> Script:
        got.append({**settings.given})
        yield (case(id),)

    return Scenario(id, ("chat.completions.create",), script, given={"made_id": Given("maker", MAKING.id, "made")})


@pytest.mark.parametrize("concurrency", [1, 3])
def test_whoever_is_given_an_object_starts_after_it_is_made(concurrency: int) -> None:
    """Also if it stands before its maker, and if several wait."""
    got: list[Any] = []
    target = Memory(made)
    stories = (reader("a", got), reader("b", got), corpus("maker", MAKING), told("free", (case("free"),)))
    with runner(target, *stories, concurrency=concurrency) as running:
        ended = [running.trace(one.id).ended for one in stories]
    assert [""] * 4 == ended
    assert [{"made_id": "o1"}] * 2 == got
    assert ["a", "b", "free", "make"] == sorted(target.sent)
    assert target.sent.index("make") < min(target.sent.index("a"), target.sent.index("b"))


def test_a_script_that_gives_up_ends_with_its_reason() -> None:
    with runner(Memory(), told("a", (case("1"),), GiveUp("it would be in vain"), (case("2"),))) as running:
        story = running.trace("a")
    assert (["1"], "it would be in vain", Outcome.NOT_TESTABLE) == (
        [seen.case.role for seen in story],
        story.ended,
        story.outcome,
    )
