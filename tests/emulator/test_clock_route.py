"""The clock of an emulator steps for whoever started it, and for nobody else."""

from __future__ import annotations

import pytest

from conformance.emulator.app import App
from conformance.emulator.behaviour import Settings
from conformance.emulator.clock_route import stepping
from conformance.emulator.process import emulator, starting
from conformance.emulator.server import asgi, running
from conformance.emulator.store import Clock
from conformance.target.embedded_clock import stepped

VERSION = "2024-05-01-preview"


def test_a_step_leads_to_the_next_second_wherever_in_a_second_it_is_asked_for() -> None:
    for part in (0.0, 0.25, 0.999_999, 0.5):
        clock = Clock.fixed(1_800_000_000 + part)
        before = clock.now()
        clock.to_next_second()
        assert before + 1 == clock.now()
        clock.to_next_second()
        assert before + 2 == clock.now()


def test_only_who_has_the_key_moves_it() -> None:
    app = App.of(VERSION)
    with running(stepping(asgi(app), app.clock, "the key")) as url:
        before = app.clock.offset
        assert not stepped(url, "another")
        assert not stepped(url, "")
        assert before == app.clock.offset
        assert stepped(url, "the key")
        assert before < app.clock.offset


@pytest.mark.parametrize("steps", [True, False])
def test_an_emulator_that_others_may_use_has_no_such_path(steps: bool) -> None:
    settings = Settings(key="the key")
    served = starting([VERSION], settings=settings, steps=True) if steps else emulator([VERSION], settings=settings)
    with served as found:
        assert steps == stepped(found if isinstance(found, str) else found(), "the key")


def test_nobody_there_is_no_step() -> None:
    assert not stepped("http://127.0.0.1:1", "the key")
