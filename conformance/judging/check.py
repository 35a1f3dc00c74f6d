"""What a check is: a pure function from evidence to findings, with everything that proves it.

A check carries its level, the clause it rests on, a docstring (what the target must do and why it matters), a
counterexample that breaks exactly this rule, and the checks that then fail with it by logic (``entails``).

Exchange checks judge one observation at a time; trace checks judge a whole scenario.
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
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

__all__ = ["Check", "Counterexample", "Needs", "Question", "Scope", "check", "trace_check"]

#: (exchange, earlier exchanges on the same server) → a broken exchange, or None where this one can't show the defect.
Counterexample = Callable[[Exchange, Sequence[Exchange]], Exchange | None]
About = Callable[[Spec, Case], bool]
ExchangeJudge = Callable[[Spec, Observation], Iterable[Finding]]
TraceJudge = Callable[[Spec, Trace], Iterable[Finding]]

#: A question to a trace. It gives "" where the rule can be judged, else the reason why it can't, in words for a report.
Question = Callable[[Trace], str]

#: What a trace check must have seen: the role of a step that must have succeeded, or a question.
Prerequisite = str | Question


class Scope(StrEnum):
    """What a check looks at."""

    EXCHANGE = "exchange"
    TRACE = "trace"


class Needs(StrEnum):
    """What must have come before an exchange can be judged.

    ``ANY`` also judges faults; ``ANSWER`` needs a status that isn't 429 or 5xx; ``SUCCESS`` a 2xx; ``REFUSAL`` a 4xx.
    An accept case whose answer isn't a success is ``not_testable`` for checks that need one.
    """

    ANY = "any"
    ANSWER = "answer"
    SUCCESS = "success"
    REFUSAL = "refusal"


def _always(_spec: Spec, _case: Case) -> bool:
    return True


_EVERYTHING = ("*",)


@frozen
class Check:
    """A rule as a value. ``operations`` and ``scenarios`` are globs that limit where it can apply at all.

    ``prerequisites`` say what a trace check must have seen. ``unless`` are questions that say why a rule doesn't speak
    of a story in which nothing is missing: others changed what the story looks at. ``witness`` is a second
    counterexample, for rules whose first one shows only on a living server, which would have answered the following
    requests in another way too; it is given all other exchanges of the trace. ``contrast`` marks rules about refusals:
    a refusal says something only where the same target answered a request without that fault in another way.
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
    witness: Counterexample | None = field(default=None, repr=False)
    contrast: bool = False
    features: tuple[str, ...] = ()
    module: str = ""

    @property
    def title(self) -> str:
        """The first line of the docstring."""
        return self.doc.splitlines()[0] if self.doc else self.id

    def covers(self, operation: str) -> bool:
        """True when the check can apply to an operation."""
        return self.operations == _EVERYTHING or any(fnmatchcase(operation, glob) for glob in self.operations)

    def concerns(self, scenario: str, operations: Iterable[str]) -> bool:
        """True when the check can apply to a scenario that sends these operations."""
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
    """Turn ``(spec, observation) → findings`` into a frozen exchange check. Ids are dotted, stable and greppable."""

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
            **_told_by(judge),
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
    witness: Counterexample | None = None,
    entails: Sequence[str] = (),
    operations: Sequence[str] = ("*",),
    provenance: str = "docs",
    features: Sequence[str] = (),
) -> Callable[[TraceJudge], Check]:
    """Turn ``(spec, trace) → findings`` into a frozen trace check.

    ``needs`` names what must have been seen, ``unless`` what makes the rule silent. Where something is missing, or
    where no answer of the trace could have broken the rule, the judge says so; the check itself only tells what is
    wrong.
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
            witness=witness,
            features=tuple(features),
            **_told_by(judge),
        )

    return make


def _told_by(judge: ExchangeJudge | TraceJudge) -> dict[str, Any]:
    return {"judge": judge, "doc": inspect.cleandoc(judge.__doc__ or ""), "module": judge.__module__}
