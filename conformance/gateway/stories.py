"""Scenarios through a gateway: objects are created, listed, used and removed there, step by step.

The upstream is the emulator of this command, which ends with it, so nothing has to be removed afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from conformance.errors import ConformanceError
from conformance.evidence.exchange import Exchange
from conformance.gateway.windows import Windows
from conformance.passage.passage import Passage
from conformance.requests.case import Auth, Case
from conformance.run.creations import Creations
from conformance.run.scenario_state import never_sent
from conformance.scenarios.scenario import GiveUp, Scenario, Settings, Wait
from conformance.spec.spec import Spec
from conformance.target.limits import Withheld

__all__ = ["stories", "told"]


def stories(scenarios: Sequence[Scenario]) -> tuple[Scenario, ...]:
    """The scenarios that need objects: those of the corpora whose requests don't stand alone, and all scripts."""
    return tuple(one for one in scenarios if not one.is_corpus or one.setup or any(map(_changes, one.cases)))


def _changes(case: Case) -> bool:
    return bool(case.creates) or case.undo is not None


def told(scenario: Scenario, spec: Spec, windows: Windows, settings: Settings) -> Iterator[Passage]:
    """Send a scenario through the gateway, one request after the other, and yield the passages.

    A request that can't be sent, because what it names was not created or the target forbids it, is left out; its
    script gets no answer for it.
    """
    script, creations = scenario.script(spec, settings), Creations()
    answers: tuple[Exchange, ...] | None = None
    while True:
        try:
            step = next(script) if answers is None else script.send(answers)
        except StopIteration:
            return
        if isinstance(step, GiveUp):
            return
        if isinstance(step, Wait):
            time.sleep(min(step.seconds, settings.deadline))
            answers = ()
            continue
        seen = []
        for case in step:
            passage = _sent(case, windows, creations)
            if passage is None:
                seen.append(never_sent(case, "it was not sent"))
            else:
                yield passage
                creations.note(case, passage.through)
                seen.append(passage.through)
        answers = tuple(seen)


def _sent(case: Case, windows: Windows, creations: Creations) -> Passage | None:
    """One request; None if it may not be sent."""
    if case.auth is not Auth.VALID or creations.lacking(case) is not None:
        return None
    try:
        return windows.passage(case)
    except (Withheld, ConformanceError):
        return None
