"""What a check is: a pure function from evidence to findings, with everything that proves it.

A check has a level, the clause that it rests on, a docstring (what the target must do and why it matters), a
counterexample that breaks exactly this rule, and the checks that are then broken too by logic (``entails``).

An exchange check judges one observation at a time, a trace check a whole scenario.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from attrs import field, frozen

from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.requests.case import Case
from conformance.requests.selectors import Selector
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

__all__ = ["Check", "Counterexample", "Needs", "Question", "Scope", "check", "trace_check"]

#: (exchange, earlier exchanges of the same server) → a faulty exchange, or None if this exchange can't exhibit the
#: defect.
Counterexample = Callable[[Exchange, Sequence[Exchange]], Exchange | None]
#: True if the check has something to judge in the answer to this case.
About = Callable[[Spec, Case], bool]
ExchangeJudge = Callable[[Spec, Observation], Iterable[Finding]]
TraceJudge = Callable[[Spec, Trace], Iterable[Finding]]

#: A function of a trace. It returns "" if the rule can be judged, else the reason why it can't, in words for a report.
Question = Callable[[Trace], str]

#: What a trace check must have seen: the role of a step that must have succeeded, or a function of the trace that
#: returns "" if all is there, else what is missing.
Prerequisite = str | Question


class Scope(StrEnum):
    """What a check judges: one exchange or a whole trace."""

    EXCHANGE = "exchange"
    TRACE = "trace"


class Needs(StrEnum):
    """Which answer an exchange must have to be judged.

    ``ANY`` includes faults; ``ANSWER`` needs a status other than 429 and 5xx; ``SUCCESS`` a 2xx; ``REFUSAL`` a 4xx. If
    a check needs a success and a valid request was refused, the item is ``not_testable``.
    """

    ANY = "any"
    ANSWER = "answer"
    SUCCESS = "success"
    REFUSAL = "refusal"


def _always(_spec: Spec, _case: Case) -> bool:
    """The default of ``about``: the check concerns every case."""
    return True


_EVERYTHING = ("*",)


@frozen
class Check:
    """A rule. ``operations`` and ``scenarios`` are globs that limit where it can apply.

    ``prerequisites`` say what a trace check must have seen. ``unless`` are functions that say why the rule can't be
    judged although nothing is missing: somebody else changed what the scenario looks at. ``subject`` looks at the
    requests of a trace alone, and says why they are not what the rule is about. ``witness`` is a second counterexample,
    which gets all other exchanges of the trace. It is for rules whose first counterexample works only on a running
    server, because that would also answer the later requests differently. ``contrast`` marks rules about refusals: a
    refusal proves something only if the same target answered a request without the fault with another status.
    ``together`` marks trace checks that report only what all answers have in common: their counterexample must break
    all of them at once to be seen.
    """

    id: str
    level: Level
    clause: str
    doc: str
    scope: Scope
    judge: Callable[[Spec, Any], Iterable[Finding]] = field(repr=False)
    counterexample: Counterexample = field(repr=False)
    provenance: str = "docs"
    entails: tuple[str, ...] = ()
    operations: tuple[str, ...] = ("*",)
    scenarios: tuple[str, ...] = ("*",)
    about: About = field(default=_always, repr=False)
    needs: Needs = Needs.ANSWER
    prerequisites: tuple[Prerequisite, ...] = ()
    unless: tuple[Question, ...] = ()
    subject: Question | None = None
    witness: Counterexample | None = field(default=None, repr=False)
    contrast: bool = False
    together: bool = False
    features: tuple[str, ...] = ()
    module: str = ""

    @property
    def title(self) -> str:
        """The first line of the docstring."""
        return self.doc.splitlines()[0] if self.doc else self.id

    @property
    def area(self) -> str:
        """The part of the API that the rule is about: the folder of ``conformance/checks/`` that it stands in."""
        parts = self.module.split(".")
        return parts[parts.index("checks") + 1] if "checks" in parts[:-1] else ""

    def covers(self, operation: str) -> bool:
        """True if the check can apply to an operation."""
        return self.operations == _EVERYTHING or any(fnmatchcase(operation, glob) for glob in self.operations)

    def may_judge(self, spec: Spec, operations: Iterable[str]) -> bool:
        """False if an exchange check can select none of the requests that a script sends to these operations."""
        if self.scope is Scope.TRACE or not isinstance(self.about, Selector):
            return True
        known = operations_of(spec)
        speaks_of = self.about.speaks_of
        return not self.about.derived and any(name in known and speaks_of(known[name]) for name in operations)

    def concerns(self, scenario: str, operations: Iterable[str]) -> bool:
        """True if the check can apply to a scenario that sends these operations."""
        return any(fnmatchcase(scenario, glob) for glob in self.scenarios) and any(
            self.covers(operation) for operation in operations
        )


def check(
    id: str,
    level: Level,
    *,
    clause: str,
    counterexample: Counterexample,
    entails: Sequence[str] = (),
    operations: Sequence[str] = ("*",),
    scenarios: Sequence[str] = ("*",),
    about: About = _always,
    needs: Needs = Needs.ANSWER,
    witness: Counterexample | None = None,
    contrast: bool = False,
    provenance: str = "docs",
    features: Sequence[str] = (),
) -> Callable[[ExchangeJudge], Check]:
    """Turn ``(spec, observation) → findings`` into an exchange check. Ids are dotted and never change."""

    def make(judge: ExchangeJudge) -> Check:
        return Check(
            id,
            level,
            clause,
            scope=Scope.EXCHANGE,
            counterexample=counterexample,
            provenance=provenance,
            entails=tuple(entails),
            operations=tuple(operations),
            scenarios=tuple(scenarios),
            about=about,
            needs=needs,
            witness=witness,
            contrast=contrast,
            features=tuple(features),
            **_from_function(judge),
        )

    return make


def trace_check(
    id: str,
    level: Level,
    *,
    clause: str,
    counterexample: Counterexample,
    scenarios: Sequence[str],
    needs: Sequence[Prerequisite] = (),
    unless: Sequence[Question] = (),
    subject: Question | None = None,
    witness: Counterexample | None = None,
    entails: Sequence[str] = (),
    operations: Sequence[str] = ("*",),
    provenance: str = "docs",
    together: bool = False,
    features: Sequence[str] = (),
) -> Callable[[TraceJudge], Check]:
    """Turn ``(spec, trace) → findings`` into a trace check.

    ``needs`` says what must have been seen, ``unless`` and ``subject`` what makes the rule inapplicable. If something
    is missing, or if no answer of the trace could have broken the rule, the judge reports that; the check itself only
    reports violations.
    """

    def make(judge: TraceJudge) -> Check:
        return Check(
            id,
            level,
            clause,
            scope=Scope.TRACE,
            counterexample=counterexample,
            provenance=provenance,
            entails=tuple(entails),
            operations=tuple(operations),
            scenarios=tuple(scenarios),
            needs=Needs.ANY,
            prerequisites=tuple(needs),
            unless=tuple(unless),
            subject=subject,
            witness=witness,
            together=together,
            features=tuple(features),
            **_from_function(judge),
        )

    return make


def _from_function(judge: ExchangeJudge | TraceJudge) -> dict[str, Any]:
    """The parts of a check that come from its function: the judge, the docstring and the module."""
    return {"judge": judge, "doc": inspect.cleandoc(judge.__doc__ or ""), "module": judge.__module__}
