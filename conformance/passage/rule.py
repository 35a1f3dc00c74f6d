"""What a rule of transparency is: a pure function from what is seen to differences, with what proves it.

A rule has a level, a clause with its source, the direction that it is about, a view of the evidence (``views.py``), and
a counterexample: a function that breaks exactly this rule in an honest passage. ``entails`` names the rules that are
broken with it by logic.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TypeVar

from attrs import field, frozen

from conformance.errors import HarnessError
from conformance.passage.passage import Difference, Kind, Passage, Record, Side
from conformance.passage.values import shown
from conformance.passage.views import View
from conformance.requests.case import Case
from conformance.spec.spec import Spec
from conformance.verdict import Level

__all__ = ["Found", "RecordRule", "Rule", "all_rules", "document_rule", "record_rule", "record_rules", "rule"]

V = TypeVar("V")

#: (where, kind, before, after, told): what a rule found. Values are shown as JSON, texts as they are.
Found = tuple[str, Kind, object, object, str]
Counterexample = Callable[[Passage], Passage | None]


@frozen
class Rule:
    """One rule of transparency."""

    id: str
    level: Level
    side: Side
    clause: str
    source: str
    doc: str
    look: Callable[[Passage, Spec], Iterable[Found]] = field(repr=False)
    counterexample: Counterexample = field(repr=False)
    entails: tuple[str, ...] = ()

    def judge(self, passage: Passage, spec: Spec) -> tuple[Difference, ...]:
        """The differences that the rule finds. Raises :class:`NotSeen` if it can't judge the passage."""
        return tuple(_difference(self, one, passage.case) for one in self.look(passage, spec))


@frozen
class RecordRule:
    """A rule that only several passages together can break."""

    id: str
    level: Level
    side: Side
    clause: str
    source: str
    doc: str
    look: Callable[[Record], Iterable[tuple[Case | None, Found]]] = field(repr=False)
    counterexample: Callable[[Record], Record | None] = field(repr=False)
    entails: tuple[str, ...] = ()

    def judge(self, record: Record) -> tuple[Difference, ...]:
        """The differences that the rule finds. Raises :class:`NotSeen` if it can't judge the record."""
        return tuple(_difference(self, one, case) for case, one in self.look(record))


def _difference(rule: Rule | RecordRule, found: Found, case: Case | None) -> Difference:
    where, kind, before, after, told = found
    return Difference(
        rule=rule.id,
        level=rule.level,
        side=rule.side,
        kind=kind,
        where=where,
        case=case.id if case is not None else "",
        operation=case.operation if case is not None else "",
        before="" if kind is Kind.ADDED else _text(before),
        after="" if kind is Kind.DROPPED else _text(after),
        told=told,
    )


def _text(value: object) -> str:
    """A value for people."""
    return value if isinstance(value, str) else shown(value)


def rule(
    id: str,
    level: Level,
    side: Side,
    *,
    clause: str,
    source: str,
    counterexample: Counterexample,
    sees: View[V],
    entails: tuple[str, ...] = (),
) -> Callable[[Callable[[V], Iterable[Found]]], Rule]:
    """Turn ``what is seen → found`` into a rule. Ids are dotted and never change."""

    def make(judge: Callable[[V], Iterable[Found]]) -> Rule:
        def look(passage: Passage, _spec: Spec) -> Iterable[Found]:
            return judge(sees(passage))

        return Rule(id, level, side, clause, source, _doc(judge), look, counterexample, entails)

    return make


def document_rule(
    id: str,
    level: Level,
    side: Side,
    *,
    clause: str,
    source: str,
    counterexample: Counterexample,
    sees: View[V],
    entails: tuple[str, ...] = (),
) -> Callable[[Callable[[V, Spec], Iterable[Found]]], Rule]:
    """As :func:`rule`, for a judge that also asks the document of the api-version."""

    def make(judge: Callable[[V, Spec], Iterable[Found]]) -> Rule:
        def look(passage: Passage, spec: Spec) -> Iterable[Found]:
            return judge(sees(passage), spec)

        return Rule(id, level, side, clause, source, _doc(judge), look, counterexample, entails)

    return make


def record_rule(
    id: str,
    level: Level,
    side: Side,
    *,
    clause: str,
    source: str,
    counterexample: Callable[[Record], Record | None],
    sees: Callable[[Record], V],
    entails: tuple[str, ...] = (),
) -> Callable[[Callable[[V], Iterable[tuple[Case | None, Found]]]], RecordRule]:
    """As :func:`rule`, for a judge of what several passages show together."""

    def make(judge: Callable[[V], Iterable[tuple[Case | None, Found]]]) -> RecordRule:
        def look(record: Record) -> Iterable[tuple[Case | None, Found]]:
            return judge(sees(record))

        return RecordRule(id, level, side, clause, source, _doc(judge), look, counterexample, entails)

    return make


def _doc(judge: object) -> str:
    return inspect.cleandoc(inspect.getdoc(judge) or "")


@cache
def all_rules() -> Mapping[str, Rule]:
    """Every rule about one passage by id."""
    return {id: one for id, one in _walked().items() if isinstance(one, Rule)}


@cache
def record_rules() -> Mapping[str, RecordRule]:
    """Every rule about several passages by id."""
    return {id: one for id, one in _walked().items() if isinstance(one, RecordRule)}


@cache
def _walked() -> Mapping[str, Rule | RecordRule]:
    """Every rule by id, found by walking ``conformance/passage/rules``. Raises :class:`HarnessError` if two have the
    same id or one entails an unknown rule.
    """
    from conformance.passage import rules

    found: dict[str, Rule | RecordRule] = {}
    for info in pkgutil.iter_modules(rules.__path__, rules.__name__ + "."):
        for value in vars(importlib.import_module(info.name)).values():
            if isinstance(value, Rule | RecordRule):
                if value.id in found:
                    raise HarnessError(f"two rules are called {value.id}", where=info.name)
                found[value.id] = value
    for one in found.values():
        for name in one.entails:
            if name not in found:
                raise HarnessError(f"{one.id} entails {name}, which does not exist")
    return dict(sorted(found.items()))
