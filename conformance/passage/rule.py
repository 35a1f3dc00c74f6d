"""What a rule of transparency is: a pure function from a passage to differences, with what proves it.

A rule has a level, a clause with its source, the direction that it is about, and a counterexample: a function that
breaks exactly this rule in an honest passage. ``entails`` names the rules that are broken with it by logic.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from attrs import field, frozen

from conformance.errors import HarnessError
from conformance.passage.passage import Difference, Kind, Passage, Side
from conformance.passage.values import shown
from conformance.verdict import Level

__all__ = ["Found", "Needs", "Rule", "all_rules", "rule"]

#: (where, kind, before, after, told): what a rule found. Values are shown as JSON, texts as they are.
Found = tuple[str, Kind, object, object, str]
Judge = Callable[[Passage], Iterable[Found]]
Counterexample = Callable[[Passage], Passage | None]
#: A function of a passage. It returns "" if the rule can judge it, else the reason why it can't.
Needs = Callable[[Passage], str]


@frozen
class Rule:
    """One rule of transparency."""

    id: str
    level: Level
    side: Side
    clause: str
    source: str
    doc: str
    judge: Judge = field(repr=False)
    counterexample: Counterexample = field(repr=False)
    needs: Needs = field(repr=False)
    entails: tuple[str, ...] = ()

    def differences(self, passage: Passage) -> Iterator[Difference]:
        """Yield the differences that the rule finds. The passage must be one that it can judge."""
        for where, kind, before, after, told in self.judge(passage):
            yield Difference(
                rule=self.id,
                level=self.level,
                side=self.side,
                kind=kind,
                where=where,
                case=passage.case.id,
                operation=passage.case.operation,
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
    needs: Needs,
    entails: tuple[str, ...] = (),
) -> Callable[[Judge], Rule]:
    """Turn ``passage → found`` into a rule. Ids are dotted and never change."""

    def make(judge: Judge) -> Rule:
        doc = inspect.cleandoc(judge.__doc__ or "")
        return Rule(id, level, side, clause, source, doc, judge, counterexample, needs, entails)

    return make


@cache
def all_rules() -> Mapping[str, Rule]:
    """Every rule by id, found by walking ``conformance/passage/rules``. Raises :class:`HarnessError` if two have the
    same id or one entails an unknown rule.
    """
    from conformance.passage import rules

    found: dict[str, Rule] = {}
    for info in pkgutil.iter_modules(rules.__path__, rules.__name__ + "."):
        for value in vars(importlib.import_module(info.name)).values():
            if isinstance(value, Rule):
                if value.id in found:
                    raise HarnessError(f"two rules are called {value.id}", where=info.name)
                found[value.id] = value
    for one in found.values():
        for name in one.entails:
            if name not in found:
                raise HarnessError(f"{one.id} entails {name}, which does not exist")
    return dict(sorted(found.items()))
