"""Observations: cases with their exchanges, in the order of a scenario."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import frozen

from conformance.evidence.exchange import Exchange, Response
from conformance.requests.case import Case
from conformance.verdict import Finding, Level, Outcome

__all__ = ["Observation", "Trace"]


@frozen
class Observation:
    """One case and its exchange."""

    case: Case
    exchange: Exchange

    @property
    def response(self) -> Response:
        """The answer. Raises :class:`LookupError` if there is none."""
        if self.exchange.response is None:
            raise LookupError("no answer came")
        return self.exchange.response

    @property
    def json(self) -> Any:
        """The answer's JSON body, or None."""
        return self.exchange.response.json if self.exchange.response else None

    def finding(
        self,
        message: str,
        *,
        place: str = "",
        expected: object = "",
        actual: object = "",
        outcome: Outcome | None = None,
        level: Level | None = None,
        note: bool = False,
        pointer: str = "",
        drift: str = "",
    ) -> Finding:
        """A finding about this exchange."""
        return Finding(
            message=message,
            case_id=self.case.id,
            place=place,
            expected=str(expected),
            actual=str(actual),
            outcome=outcome,
            level=level,
            note=note,
            pointer=pointer,
            drift=drift,
        )


@frozen
class Trace:
    """The observations of one scenario. If it ended early, ``ended`` says why and ``outcome`` is set."""

    scenario: str
    observations: tuple[Observation, ...] = ()
    ended: str = ""
    outcome: Outcome | None = None

    def __iter__(self) -> Iterator[Observation]:
        return iter(self.observations)

    def role(self, *prefixes: str) -> tuple[Observation, ...]:
        """The observations whose role is one of the names, or below it (``walk.page`` is below ``walk``)."""
        return tuple(
            seen
            for seen in self.observations
            if any(seen.case.role == prefix or seen.case.role.startswith(prefix + ".") for prefix in prefixes)
        )
