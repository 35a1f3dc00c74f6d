"""The objects that a scenario creates, and which requests can't be sent without them. Pure.

A request names a created object by a placeholder. If the creation failed, the placeholder would be sent literally, and
the target would be blamed for refusing it.
"""

from __future__ import annotations

from attrs import define, field

from conformance.evidence.created_ids import created_ids
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation
from conformance.judging.blocking import Blocked, failed_step
from conformance.requests.case import Case
from conformance.requests.wire import placeholders
from conformance.verdict import Outcome

__all__ = ["Creations"]


@define
class Creations:
    """The objects of one scenario that were not created: the reason by placeholder. Not thread-safe."""

    missing: dict[str, Blocked] = field(factory=dict)

    def note(self, case: Case, exchange: Exchange) -> None:
        """Note which ids the answer to a creation lacks.

        The first reason stays: cases of a corpus name an object alike, and which of them is answered first is chance.
        """
        why = failed_step(Observation(case, exchange)) or Blocked(Outcome.NOT_TESTABLE, "the answer names no id")
        for name in set(case.creates) - set(created_ids(case, exchange)):
            self.missing.setdefault(name, why)

    def withheld(self, case: Case, why: Blocked) -> None:
        """Note that a creation was not sent."""
        for name in case.creates:
            self.missing.setdefault(name, why)

    def lacking(self, case: Case) -> Blocked | None:
        """Why a request can't be sent: it names an object that was not created. None if it names none."""
        if not self.missing:
            return None
        name = next((name for name in placeholders(case) if name in self.missing), None)
        if name is None:
            return None
        why = self.missing[name]
        return Blocked(why.outcome, f"what {{{name}}} stands for was not created: {why.reason}")
