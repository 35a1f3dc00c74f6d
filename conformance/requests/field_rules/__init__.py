"""An independent judgement of cross-field rules: does a request body keep every rule of its operation?

The strategies, which build the requests, interpret the rules on their own. This package shares no code with them, is
written from the clauses alone, and judges the finished corpus, so that a misunderstood rule is noticed. Schema rules
are judged by ``jsonschema`` itself, not by the fast validator. Each other rule is a file of this folder that has its
name, and is found by walking; its ``broken`` yields what is wrong with a body. What isn't of the documented form can't
break a rule between its fields, so no body makes a rule raise.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from attrs import frozen

from conformance.pointer import matches, pointer_to
from conformance.requests.case import Case, JsonBody, Multipart
from conformance.schema.validators import validator_for
from conformance.spec.spec import Clause, Spec

__all__ = ["Broken", "body_of", "broken_rules", "known_names"]

#: Yields a message for each place in which a body breaks the rule.
Rule = Callable[[Mapping[str, Any]], Iterator[str]]


@frozen
class Broken:
    """A rule that a body breaks, and what is wrong."""

    clause: str
    message: str


@cache
def _rules() -> Mapping[str, Rule]:
    """The rules of this folder by the names that clauses give them."""
    found: dict[str, Rule] = {}
    for info in pkgutil.iter_modules(__path__):
        rule = getattr(importlib.import_module(f"{__name__}.{info.name}"), "broken", None)
        if rule is not None:
            found[info.name.replace("_", "-")] = rule
    return found


def known_names() -> frozenset[str]:
    """The named rules that can be judged."""
    return frozenset(_rules())


def body_of(case: Case) -> Any:
    """The content of a case's body: its JSON, or the fields of a form (files by name). None for anything else."""
    if isinstance(case.body, JsonBody):
        return case.body.value
    if isinstance(case.body, Multipart):
        fields: dict[str, Any] = {}
        for part in case.body.parts:
            fields.setdefault(part.name, []).append(part.filename or part.data.decode("utf-8", "replace"))
        return {name: values if len(values) > 1 else values[0] for name, values in fields.items()}
    return None


def broken_rules(spec: Spec, operation: str, body: Any) -> tuple[Broken, ...]:
    """The cross-field rules of an operation that a body breaks, in the order of the clauses."""
    found: list[Broken] = []
    for clause in spec.clauses:
        if clause.rule is not None and operation in clause.operations and isinstance(body, Mapping):
            found += [Broken(clause.id, message) for message in _judged(spec, clause, body)]
    return tuple(found)


def _judged(spec: Spec, clause: Clause, body: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a body by one clause."""
    rule = clause.rule
    if rule is None:
        return
    if rule.named:
        judge = _rules().get(rule.named)
        if judge is None:
            yield f"no judge for the rule {rule.named}"
        else:
            yield from judge(body)
        return
    authority = validator_for(spec, rule.schema).authority
    for path, value in matches(body, rule.pointer):
        if not authority.is_valid(value):
            yield f"{pointer_to(path) or 'the body'} breaks {clause.id}"
