"""The closed set of outcomes, and how they fold into one.

Source of the rules: the project's design, section "Outcomes" of ARCHITECTURE.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from attrs import field, frozen

__all__ = ["Conclusion", "Finding", "Level", "Outcome", "Verdict", "conclude", "fold"]


class Level(StrEnum):
    """How hard a rule is: a broken MUST fails, a broken SHOULD warns, an OBS is a note and never scored."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    OBS = "OBS"


class Outcome(StrEnum):
    """What became of one check on one scenario. The order of the members is the order of folding."""

    ERROR = "error"
    FAIL = "fail"
    UNAVAILABLE = "unavailable"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTABLE = "not_testable"
    WARN = "warn"
    PASS = "pass"  # noqa: S105 - an outcome, no password
    NOT_APPLICABLE = "not_applicable"


_RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}


def fold(outcomes: Iterable[Outcome]) -> Outcome:
    """The heaviest outcome; ``not_applicable`` of nothing."""
    return min(outcomes, key=_RANK.__getitem__, default=Outcome.NOT_APPLICABLE)


@frozen
class Finding:
    """One thing that a check saw on one exchange.

    ``outcome`` None means: as the check's level says (MUST fail, SHOULD warn, OBS a note). ``case_id`` names the case,
    ``place`` the place in the evidence: a JSON Pointer (``/choices/0``), ``header:Name``, ``status``, ``byte:123``,
    ``event:4`` or ``event:4/choices/0``. ``note`` findings are shown and never scored. ``pointer`` is a place in the
    spec that the rule rests on, so that an erratum there can be named.
    """

    message: str
    case_id: str
    place: str = ""
    expected: str = ""
    actual: str = ""
    outcome: Outcome | None = None
    level: Level | None = None
    note: bool = False
    pointer: str = ""


@frozen
class Verdict:
    """The outcome of one check on one scenario, with what was found and how many exchanges were judged."""

    check: str
    scenario: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    judged: int = 0
    reason: str = ""
    errata: tuple[str, ...] = ()
    waiver: str = ""
    cases: tuple[str, ...] = field(default=())


class Conclusion(StrEnum):
    """What a whole run says about the target."""

    CONFORMANT = "conformant"
    NOT_CONFORMANT = "not conformant"
    PARTIAL = "partial"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"

    @property
    def exit_code(self) -> int:
        """The exit code of the command: 0, 1, 3 or 70."""
        return _EXIT[self]


_EXIT = {
    Conclusion.CONFORMANT: 0,
    Conclusion.NOT_CONFORMANT: 1,
    Conclusion.PARTIAL: 3,
    Conclusion.INCONCLUSIVE: 3,
    Conclusion.ERROR: 70,
}


def conclude(verdicts: Iterable[Verdict], *, executed: int) -> Conclusion:
    """Fold a run's verdicts. A waived verdict doesn't decide; a run that executed nothing proves nothing."""
    seen = {verdict.outcome for verdict in verdicts if not verdict.waiver}
    if Outcome.ERROR in seen:
        return Conclusion.ERROR
    if Outcome.FAIL in seen:
        return Conclusion.NOT_CONFORMANT
    if not executed or seen & {Outcome.UNAVAILABLE, Outcome.INCONCLUSIVE}:
        return Conclusion.INCONCLUSIVE
    if Outcome.NOT_TESTABLE in seen:
        return Conclusion.PARTIAL
    return Conclusion.CONFORMANT
