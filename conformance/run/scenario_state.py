"""The state of a scenario that the runner sends, and the form of what its script yields."""

from __future__ import annotations

import reprlib
import threading

from attrs import define, field, frozen

from conformance.errors import HarnessError
from conformance.evidence.exchange import Exchange, Fault, FaultKind
from conformance.evidence.trace import Observation, Trace
from conformance.judging.blocking import Blocked
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.run.creations import Creations
from conformance.scenarios.scenario import GiveUp, Scenario, Script, Step, Wait
from conformance.target.foreign import ForeignObjects
from conformance.target.limits import Window, Withheld, away
from conformance.verdict import Outcome

__all__ = ["Event", "ScenarioState", "checked", "never_sent"]


@frozen
class Event:
    """Progress of a scenario: it ``started``, ``sent`` a case, or ``ended``."""

    kind: str
    scenario: str
    case: str = ""
    status: int | None = None


@define(eq=False)
class ScenarioState:
    """A scenario that runs. Changed only under the runner's lock, or by the one thread that advances it."""

    index: int
    scenario: Scenario
    script: Script | None = None
    step: int = -1
    cases: tuple[Case, ...] = ()
    results: list[Exchange] = field(factory=list)
    withheld: list[bool] = field(factory=list)
    open: int = 0
    seen: list[Observation] = field(factory=list)
    foreign: ForeignObjects | None = None
    window: Window = field(factory=Window)
    ended: str = ""
    outcome: Outcome | None = None
    closing: bool = False
    #: True from the moment when somebody begins to build its trace.
    ending: bool = False
    creations: Creations = field(factory=Creations)
    error: Exception | None = None
    kept: bool = False
    done: threading.Event = field(factory=threading.Event)

    def stamped(self, case: Case) -> Case:
        """The case with its scenario and step, which are part of its id. Cases of a corpus have neither."""
        # The id of a corpus case must be the same in every run, so it names no step.
        if self.scenario.is_corpus or case.scenario:
            return case
        return case.at(self.scenario.id, case.step or str(self.step))

    def keep_step(self) -> None:
        """Add the exchanges of the present step to the evidence, without what belongs to others and was hidden."""
        for case, result, held in zip(self.cases, self.results, self.withheld, strict=True):
            if not held:
                seen = Observation(case, result)
                self.seen.append(seen if self.foreign is None else self.foreign.hidden(seen))

    def leave_out(self, number: int, reason: Withheld) -> None:
        """Note that a case was not sent. A corpus continues without it; a script ends, as its next steps need it."""
        case = self.cases[number]
        self.results[number] = never_sent(case, reason.message)
        self.creations.withheld(case, Blocked(reason.outcome, reason.message))
        alone = not self.scenario.is_corpus
        # A corpus goes on without a case that doesn't apply; any other reason limits what its verdict says.
        if alone or reason.final or reason.outcome is not Outcome.NOT_APPLICABLE:
            self.ended = self.ended or f"{reason.message}; {case.operation} was not sent"
            self.outcome = self.outcome or reason.outcome
        self.closing = self.closing or alone or reason.final

    def give_up(self, step: GiveUp) -> None:
        """End the scenario at the wish of its script."""
        self.ended, self.closing = step.reason, True
        self.outcome = Outcome.UNAVAILABLE if step.account else Outcome.NOT_TESTABLE

    def ended_by(self, exchange: Exchange, down: bool) -> bool:
        """End the scenario if the target seems to be unavailable. ``down`` and the result say if it was found so.

        Once it was, one dead answer is enough for the following scenarios: each costs a time limit.
        """
        dead = away(exchange)
        self.window.add(exchange)
        if not (self.window.tripped or (down and dead)):
            return False
        if not self.closing:
            self.closing = True
            self.ended, self.outcome = "more than half of the last exchanges failed", Outcome.UNAVAILABLE
        return dead

    def trace(self) -> Trace:
        """The evidence at the end, in the order of its steps; that of a corpus in the order of its cases, behind the
        set-up. A step that was cut off in the middle keeps what came.
        """
        if self.open:
            self.keep_step()
        if not self.seen and self.outcome is None and self.cases:
            self.outcome, self.ended = Outcome.NOT_APPLICABLE, "no case of it may be sent to this target"
        places = {case.id: place for place, case in enumerate(self.scenario.cases)}
        seen = sorted(self.seen, key=lambda seen: places.get(seen.case.id, -1))
        return Trace(self.scenario.id, tuple(seen), self.ended, self.outcome)

    def forget(self) -> None:
        """Let go of the evidence: from now on it is the store's alone, because a run has more than fits into memory."""
        self.cases, self.results, self.withheld, self.seen, self.script = (), [], [], [], None


def checked(step: object) -> Step:
    """What a script yielded, if it is a step. Raises :class:`HarnessError` if it is not."""
    if isinstance(step, Wait) and 0 <= step.seconds <= threading.TIMEOUT_MAX:
        return step
    if isinstance(step, GiveUp):
        return step
    if isinstance(step, tuple) and all(isinstance(case, Case) for case in step):
        return step
    raise HarnessError(
        f"the script yielded {reprlib.repr(step)}, which is no step: a tuple of cases, a Wait or a GiveUp"
    )


def never_sent(case: Case, reason: str) -> Exchange:
    """What a script receives in place of the answer to a case that was not sent. It never becomes evidence."""
    return Exchange(Request(case.method, ""), fault=Fault(FaultKind.CANCELLED, reason, 0.0))
