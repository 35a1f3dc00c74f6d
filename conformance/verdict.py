"""The closed set of outcomes, and how several fold into one.

The rules are those of ARCHITECTURE.md, section "How a verdict comes about".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from attrs import field, frozen

__all__ = ["Conclusion", "Finding", "Level", "Outcome", "Unjudged", "Verdict", "Waived", "conclude", "fold"]


class Level(StrEnum):
    """How strict a rule is: a violated MUST fails, a violated SHOULD warns, an OBS is a note that never counts."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    OBS = "OBS"


class Outcome(StrEnum):
    """The result of one check on one scenario. The order of the members is the order of folding, heaviest first.

    Judged outcomes come first: an answer that could not be judged must not hide a violation in another. ``waived``
    replaces the outcome of a known failure (:class:`Waived`). The outcomes after ``pass`` are those of an item of which
    nothing was judged.
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
        """True if something should have been judged and could not be."""
        return self in (Outcome.UNAVAILABLE, Outcome.INCONCLUSIVE, Outcome.NOT_TESTABLE, Outcome.NOT_APPLICABLE)

    @property
    def judged(self) -> bool:
        """True if something was judged, by evidence of the target."""
        return self in (Outcome.FAIL, Outcome.WARN, Outcome.PASS)


_RANK = {outcome: rank for rank, outcome in enumerate(Outcome)}


def fold(outcomes: Iterable[Outcome]) -> Outcome:
    """The heaviest outcome; ``not_applicable`` if there are none."""
    return min(outcomes, key=_RANK.__getitem__, default=Outcome.NOT_APPLICABLE)


#: The most characters of each text in a finding. It may quote what the target sent.
_LONGEST = 2_000


def _cut(text: str) -> str:
    """A text, cut after some characters."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


@frozen
class Finding:
    """One thing that a check noticed in one exchange.

    Without an ``outcome`` the check's level decides (MUST fail, SHOULD warn, OBS a note). ``case_id`` names the case,
    ``place`` the place in the evidence: a JSON Pointer (``/choices/0``), ``header:Name``, ``status``, ``byte:123``,
    ``event:4`` or ``event:4/choices/0``. A ``note`` is shown and never counts. ``pointer`` is the place in the document
    that the rule rests on, so that an erratum there can be named. Long texts are cut.

    ``drift`` is the pattern of a place, such as ``/output/*/type``, where ``actual`` is a value that the document lacks
    and the service may have added. A finding with it is a note.
    """

    message: str = field(converter=_cut)
    case_id: str
    place: str = field(default="", converter=_cut)
    expected: str = field(default="", converter=_cut)
    actual: str = field(default="", converter=_cut)
    outcome: Outcome | None = None
    level: Level | None = None
    note: bool = False
    pointer: str = ""
    drift: str = ""


@frozen
class Unjudged:
    """A part of an item that could not be judged: how many exchanges, and why.

    ``rest`` marks the part that was never sent because the scenario ended early; ``count`` is 0 then.
    """

    outcome: Outcome
    reason: str
    count: int = 1
    rest: bool = False


@frozen
class Waived:
    """Why a failure doesn't decide the conclusion. ``outcome`` is what the verdict's outcome would be without the
    waiver.

    It either has an ``owner``, a ``reason``, a ``link`` and the day on which the waiver ``expires``, as in the
    configuration, or the day ``since`` which a baseline has the same failure. Days are ISO 8601 dates.
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
    """The result of one check on one scenario: an outcome, and what it rests on.

    ``judged`` counts the exchanges that the check could judge, ``unjudged`` names the others with reasons. ``waived``
    is set only if the outcome is ``waived``. ``witness`` is the case that proves a pass: if its answer had been broken,
    the check would have reported it. ``cause`` names what this verdict follows from: another verdict, or an operation
    that never answers successfully.

    ``repeats`` is empty unless the scenario was sent several times (``judging/repeats.py``); then it counts the
    outcomes of all times, the first one included. ``stable`` is True if the outcome was the same each time, False if
    not, and None if that isn't known. ``repetition`` names the trace that the rest of the verdict speaks of, if it
    isn't that of the first time.
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
    repeats: Mapping[str, int] = field(factory=dict, hash=False)
    stable: bool | None = None
    repetition: str = ""

    @property
    def unwaived(self) -> Outcome:
        """The outcome without waivers and baseline."""
        return self.outcome if self.waived is None else self.waived.outcome

    @property
    def evidence(self) -> str:
        """The name of the trace that the findings are from."""
        return self.repetition or self.scenario

    @property
    def stability(self) -> str:
        """What came of the repetitions, in words: ``unstable: failed 2 of 3, passed 1``. "" if there were none."""
        if not self.repeats:
            return ""
        words = {"fail": "failed", "warn": "warned", "pass": "passed"}
        known = {True: "stable", False: "unstable", None: "not known to be stable"}[self.stable]
        outcome = self.unwaived.value
        told = f"{words.get(outcome, outcome)} {self.repeats.get(outcome, 0)} of {sum(self.repeats.values())}"
        others = [f"{words.get(name, name)} {count}" for name, count in self.repeats.items() if name != outcome]
        return f"{known}: {', '.join([told, *others])}"

    @property
    def coverage(self) -> str:
        """How much was judged, in words: ``judged 72 of 80; 8 not: the target answered 500``. "" if all was."""
        if not self.unjudged:
            return ""
        missed = sum(part.count for part in self.unjudged)
        reasons = "; ".join(
            f"the rest was not sent: {part.reason}" if part.rest else f"{part.count} not: {part.reason}"
            for part in self.unjudged
        )
        return f"judged {self.judged} of {self.judged + missed}; {reasons}"


class Conclusion(StrEnum):
    """The result of a whole run."""

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
    """Fold the verdicts of a run. A waived failure doesn't decide; a run that sent nothing proves nothing.

    If a scenario ended early, its rest counts with the outcome that ended it: requests that were not sent can't have
    passed. Single exchanges that could not be judged are reported with the verdict and don't decide.
    """
    counted = [verdict for verdict in verdicts if verdict.outcome is not Outcome.WAIVED]
    seen = {verdict.outcome for verdict in counted}
    # Only the unsent rest of a scenario counts here; single exchanges are reported with their verdict.
    seen |= {part.outcome for verdict in counted for part in verdict.unjudged if part.rest}
    # First of all: after a bug of this suite no other result can be trusted.
    if Outcome.ERROR in seen:
        return Conclusion.ERROR
    if Outcome.FAIL in seen:
        return Conclusion.NOT_CONFORMANT
    # A part that could not be judged for reasons outside of the target leaves the whole open.
    if not executed or seen & {Outcome.UNAVAILABLE, Outcome.INCONCLUSIVE}:
        return Conclusion.INCONCLUSIVE
    if Outcome.NOT_TESTABLE in seen:
        return Conclusion.PARTIAL
    return Conclusion.CONFORMANT
