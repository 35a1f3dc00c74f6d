"""Polling continues as long as time may change the answer, and ends otherwise."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.evidence.exchange import Exchange, Response
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.scenarios.scenario import Settings, Wait
from conformance.scenarios.steps import LONGEST_PAUSE, SAME_REFUSALS, poll

SETTINGS = Settings(poll_interval=0.05)


def polled(
    statuses: Callable[[int], int], deadline: float = 10.0, interval: float = 0.05, elapsed: float = 0.0
) -> tuple[int, list[float]]:
    """How many requests a poll for a success sends, each of which takes some seconds, and its pauses."""
    settings = Settings(poll_interval=interval)
    script = poll(lambda n: Case("o", "GET", f"/{n}"), lambda x: x.ok, settings, deadline)
    step, sent, pauses = next(script), 0, []
    try:
        while True:
            if isinstance(step, Wait):
                pauses.append(step.seconds)
                step = script.send(())
            else:
                step = script.send((Exchange(Request("GET", "http://t/"), Response(statuses(sent), elapsed=elapsed)),))
                sent += 1
    except StopIteration:
        return sent + 1, pauses


@pytest.mark.parametrize("status", [400, 401, 403, 405, 410, 422, 500, 501, 503])
def test_the_same_refusal_three_times_ends_a_poll(status: int) -> None:
    assert SAME_REFUSALS == polled(lambda n: status)[0]


@pytest.mark.parametrize("status", [404, 409, 425, 429])
def test_what_time_may_mend_is_asked_for_until_the_deadline(status: int) -> None:
    sent, pauses = polled(lambda n: status)
    assert SAME_REFUSALS < sent <= 25
    assert 10.0 <= sum(pauses) <= 10.0 + LONGEST_PAUSE


def test_other_refusals_in_turn_do_not_end_a_poll() -> None:
    assert 7 == polled(lambda n: 200 if n == 6 else (400, 500)[n % 2])[0]


def test_a_poll_ends_with_the_first_good_answer() -> None:
    assert (4, 3) == (polled(lambda n: 200 if n == 3 else 404)[0], len(polled(lambda n: 200 if n == 3 else 404)[1]))


@pytest.mark.parametrize("interval", [0.05, 1.0, 5.0])
def test_pauses_grow_and_never_beyond_a_second_or_what_was_configured(interval: float) -> None:
    _, pauses = polled(lambda n: 404, interval=interval)
    assert pauses == sorted(pauses)
    assert (interval, True) == (pauses[0], pauses[-1] <= max(LONGEST_PAUSE, interval))


@pytest.mark.parametrize(("left", "elapsed"), [(1.0, 0.0), (0.75, 0.25), (None, 1.0), (None, 7.0)])
def test_a_pause_begins_when_the_request_before_it_is_sent(left: float | None, elapsed: float) -> None:
    """After a slow answer there is nothing to wait for; the number of looks until the deadline is the same."""
    sent, pauses = polled(lambda n: 404, interval=1.0, elapsed=elapsed)
    assert (11, [] if left is None else [left] * 10) == (sent, pauses)
