"""The closed set of outcomes, and how they fold into one.

Source of the rules: the project's design, section "Outcomes" of ARCHITECTURE.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from attrs import field, frozen

__all__ = ["Conclusion", "Finding", "Level", "Outcome", "Unjudged", "Verdict", "Waived", "conclude", "fold"]


class Level(StrEnum):
    """How hard a rule is: a broken MUST fails, a broken SHOULD warns, an OBS is a note and never scored."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    OBS = "OBS"


class Outcome(StrEnum):
    """What became of one check on one scenario. The order of the members is the order of folding.

    What was judged comes first: one broken answer isn't hidden by another one that could not be judged. The outcomes
    after ``pass`` are those of an item of which nothing was judged. ``waived`` is no judgement of its own: it stands in
    place of a failure that is known (:class:`Waived`).
    """

    ERROR = "error"
    FAIL = "fail"
    WAIVED = "waived"
    WARN = "warn"
    PASS = "pass"  # noqa: S105 - an outcome, no password
    UNAVAILABLE = "unavailable"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTABLE = "not_testable"
    NOT_APPLICABLE = "not_applicable"

    @property
    def undecided(self) -> bool:
        """True where something would have been judged, and could not be."""
        return self in (Outcome.UNAVAILABLE, Outcome.INCONCLUSIVE, Outcome.NOT_TESTABLE, Outcome.NOT_APPLICABLE)

    @property
    def judged(self) -> bool:
        """True where something was judged, by the target's evidence."""
        return self in (Outcome.FAIL, Outcome.WARN, Outcome.PASS)


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
class Unjudged:
    """A part of an item that could not be judged: how many exchanges, and why.

    ``rest`` marks what was never sent, because the scenario ended early; ``count`` is 0 then.
    """

    outcome: Outcome
    reason: str
    count: int = 1
    rest: bool = False


@frozen
class Waived:
    """Why a verdict doesn't decide, and what it would be without: ``outcome``.

    Either somebody answers for it: ``owner``, ``reason`` and ``link`` as the configuration has them, until the day
    ``expires``. Or a baseline has it as well: known ``since`` a day. Days are ISO 8601 dates.
    """

    outcome: Outcome
    owner: str = ""
    reason: str = ""
    link: str = ""
    expires: str = ""
    since: str = ""

    @property
    def text(self) -> str:
        """In words: ``ann: known, see the link (until 2030-01-31, https://…)``."""
        if self.since:
            return f"known since {self.since} (baseline)"
        return f"{self.owner}: {self.reason} ({', '.join(filter(None, (f'until {self.expires}', self.link)))})"


@frozen
class Verdict:
    """What one check says of one scenario: an outcome, and how much it rests on.

    ``judged`` counts the exchanges that the check could judge, ``unjudged`` tells those that it could not, with
    reasons. ``waived`` is there where the outcome is ``waived``, and nowhere else. ``witness`` is the case that proves
    a pass: had its answer been broken, the check would have said so. ``cause`` names what this verdict follows from:
    another verdict, or an operation that answers nothing well.
    """

    check: str
    scenario: str
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    judged: int = 0
    reason: str = ""
    errata: tuple[str, ...] = ()
    waived: Waived | None = None
    cases: tuple[str, ...] = field(default=())
    unjudged: tuple[Unjudged, ...] = ()
    witness: str = ""
    cause: str = ""

    @property
    def unwaived(self) -> Outcome:
        """What the judge said, whatever a waiver or a baseline made of it."""
        return self.outcome if self.waived is None else self.waived.outcome

    @property
    def coverage(self) -> str:
        """How much was judged, in words: ``judged 72 of 80; 8 not: the target answered 500``. "" where all was."""
        if not self.unjudged:
            return ""
        missed = sum(part.count for part in self.unjudged)
        reasons = "; ".join(
            f"the rest was not sent: {part.reason}" if part.rest else f"{part.count} not: {part.reason}"
            for part in self.unjudged
        )
        return f"judged {self.judged} of {self.judged + missed}; {reasons}"


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
    """Fold a run's verdicts. A waived one doesn't decide; a run that executed nothing proves nothing.

    The rest of a scenario that ended early counts as what ended it: what was not sent can't have passed. Single
    exchanges that could not be judged among others that could are told with the verdict and don't decide.
    """
    counted = [verdict for verdict in verdicts if verdict.outcome is not Outcome.WAIVED]
    seen = {verdict.outcome for verdict in counted}
    seen |= {part.outcome for verdict in counted for part in verdict.unjudged if part.rest}
    if Outcome.ERROR in seen:
        return Conclusion.ERROR
    if Outcome.FAIL in seen:
        return Conclusion.NOT_CONFORMANT
    if not executed or seen & {Outcome.UNAVAILABLE, Outcome.INCONCLUSIVE}:
        return Conclusion.INCONCLUSIVE
    if Outcome.NOT_TESTABLE in seen:
        return Conclusion.PARTIAL
    return Conclusion.CONFORMANT
