"""Bugs of a script, of a listener and of the runner itself end with errors: nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

import pytest

from conformance.run.runner import Event
from conformance.run.scenario_state import ScenarioState
from conformance.scenarios.scenario import Wait
from conformance.verdict import Outcome

from .test_runner import Run, always_200, chat, scripted


@pytest.mark.parametrize(
    "nonsense",
    [
        None,
        7,
        "cases",
        [chat("in a list")],
        (chat("good"), "and a string"),
        Wait(float("nan")),
        Wait(float("inf")),
        Wait(-1.0),
        Wait(cast("float", "soon")),
    ],
    ids=["none", "number", "text", "list", "mixed", "not a number", "for ever", "back in time", "no number"],
)
def test_a_script_that_yields_no_step_ends_with_an_error(run: Run, nonsense: Any) -> None:
    """Nobody waits for it for ever, and the scenarios beside it are judged."""
    runner = run([scripted("bad", nonsense), scripted("good", (chat("1"),))], [always_200], concurrency=1)
    verdict = ended_in_time(lambda: runner.verdict("bad", "test.ok"))
    assert Outcome.ERROR is verdict.outcome, verdict
    assert Outcome.PASS is runner.verdict("good", "test.ok").outcome
    ended_in_time(runner.close)


@pytest.mark.parametrize("kind", ["started", "sent", "ended"])
def test_a_listener_that_raises_ends_its_scenario_with_an_error(run: Run, kind: str) -> None:
    """``notify`` is the caller's code: its bug is told, whatever event it is about, and the others are judged."""

    def listen(event: Event) -> None:
        if (event.scenario, event.kind) == ("a", kind):
            raise ValueError("the terminal is gone")

    runner = run([scripted("a", (chat("1"),)), scripted("b", (chat("2"),))], [always_200], notify=listen, concurrency=1)
    verdict = ended_in_time(lambda: runner.verdict("a", "test.ok"))
    assert (Outcome.ERROR, True) == (verdict.outcome, "the terminal is gone" in verdict.reason)
    assert Outcome.PASS is ended_in_time(lambda: runner.verdict("b", "test.ok")).outcome
    ended_in_time(runner.close)


def test_a_bug_of_the_runner_ends_the_run_with_errors(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that breaks down leaves nobody waiting."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(ScenarioState, "ended_by", broken)
    runner = run([scripted("a", (chat("1"),)), scripted("b", (chat("2"),))], [always_200], concurrency=1)
    for name in "ab":
        verdict = ended_in_time(lambda name=name: runner.verdict(name, "test.ok"))
        assert (Outcome.ERROR, True) == (verdict.outcome, "a bug" in verdict.reason)
    ended_in_time(runner.close)


def ended_in_time(ask: Callable[[], Any], patience: float = 60.0) -> Any:
    """What a call gives; one that is not over after so many seconds hangs, and fails the test."""
    with_answer: list[Any] = []
    thread = threading.Thread(target=lambda: with_answer.append(ask()), daemon=True)
    thread.start()
    thread.join(patience)
    assert with_answer, "it hangs, or raised"
    return with_answer[0]
