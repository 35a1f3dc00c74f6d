"""What a runner does beside sending: it moves the target's clock in place of a wait, and removes what nobody needs."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case
from conformance.scenarios.scenario import Wait

from .memory import Memory, answer, case, runner, told

#: Whoever waits for a runner that never answers fails.
pytestmark = pytest.mark.usefixtures("bounded")


class Removal:
    """A removal that notes how many pieces may be done at once, and has one piece at the end of each scenario."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.pieces: list[Any] = []
        self.done: list[str] = []
        self.left = threading.Event()
        self.busy = False

    def ended(self, scenario: str) -> None:
        self.pieces.append(lambda: self.done.append(scenario))

    def job(self, most: int) -> Any:
        self.asked.append(most)
        self.left.set()
        return self.pieces.pop() if self.pieces else None


@pytest.mark.parametrize(("concurrency", "most"), [(1, 1), (2, 1), (5, 2), (8, 4)])
def test_half_of_the_senders_stay_with_scenarios(concurrency: int, most: int) -> None:
    """While one is under way. Then all may remove."""
    removal, released = Removal(), threading.Event()

    def send(one: Case) -> Exchange:
        released.wait()
        return answer(one)

    with runner(Memory(send), told("a", (case("1"),)), concurrency=concurrency, removal=removal) as made:
        made.start()
        if concurrency > 1:
            removal.left.wait()
        during = set(removal.asked)
        released.set()
        made.trace("a")
    assert ({most} if concurrency > 1 else set()) == during
    assert concurrency == removal.asked[-1]
    assert ["a"] == removal.done


def test_a_clock_that_moves_makes_waits_for_another_second_unnecessary() -> None:
    """No other wait, and no request, has to do with it."""
    moved: list[str] = []
    story = told("a", (case("1"),), Wait(3_000.0, apart=True), (case("2"),), Wait(0.01), (case("3"),))
    target = Memory()
    with runner(target, story, another_second=lambda: moved.append("") is None) as made:
        made.trace("a")
    assert (["1", "2", "3"], [""]) == (target.sent, moved)


def test_without_such_a_clock_they_are_waited_for() -> None:
    began = time.monotonic()
    with runner(Memory(), told("a", (case("1"),), Wait(0.1, apart=True), (case("2"),))) as made:
        made.trace("a")
    assert time.monotonic() - began >= 0.1
