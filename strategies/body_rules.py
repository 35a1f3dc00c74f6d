"""Cross-field rules of a request body, as the strategies apply them: does a body keep a rule, and how is it repaired.

A rule is a clause of the Spec. Most rules are JSON Schemas; those that JSON Schema can't express have a name in
``named_rules/``. ``conformance/requests/field_rules/`` checks the finished corpus independently and shares no code
with this module.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from attrs import field, frozen

from conformance.pointer import matches
from conformance.schema.validators import Validator, validator_for
from conformance.spec.spec import Clause, Spec

from .named_rules import named_rules

__all__ = ["BodyRules", "merge_patch"]


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply a JSON Merge Patch (RFC 7396) to a JSON value and return the result. The arguments are not changed."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    made = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merge_patch(made.get(key), value)
    return made


@frozen
class BodyRules:
    """The cross-field rules of one operation."""

    spec: Spec = field(repr=False)
    clauses: tuple[Clause, ...] = ()
    _validators: dict[str, Validator] = field(factory=dict, repr=False, init=False, eq=False)

    @classmethod
    def of(cls, spec: Spec, operation: str) -> BodyRules:
        """The rules of one operation: every clause of the Spec that has a rule and names the operation."""
        return cls(spec, tuple(c for c in spec.clauses if c.rule is not None and operation in c.operations))

    def holds(self, clause: Clause, body: Any) -> bool:
        """Return True if a body keeps one rule. A rule of an unknown name counts as kept."""
        rule = clause.rule
        if rule is None or not isinstance(body, dict):
            return True
        if rule.named:
            known = named_rules().get(rule.named)
            # An unknown name is reported by ``spec lint``; it must not stop the corpus.
            return known is None or all(known.holds(value) for _, value in matches(body, rule.pointer))
        check = self._validators.get(clause.id)
        if check is None:
            check = self._validators[clause.id] = validator_for(self.spec, rule.schema)
        return all(check.is_valid(value) for _, value in matches(body, rule.pointer))

    def broken(self, body: Any) -> tuple[Clause, ...]:
        """The clauses whose rules a body breaks, in the order of the Spec."""
        return tuple(clause for clause in self.clauses if not self.holds(clause, body))

    def mend(self, body: Any, keep: str, sample: Callable[[str], Any]) -> Any | None:
        """Change a body by as few steps as possible so that it keeps all rules. Return None if three steps are not
        enough.

        ``keep`` is the top-level field that must stay as it is; ``sample`` makes a value for another field, or None.
        """
        tried = [body]
        # Breadth first, so that the result differs from the original in as few fields as possible. Three rounds and 40
        # candidates bound the search; no rule of the published documents needs more.
        for _ in range(3):
            following = []
            for candidate in tried:
                broken = self.broken(candidate)
                if not broken:
                    return candidate
                # One rule at a time: its repair often keeps the others too.
                following += list(self._changes(candidate, broken[0], keep, sample))
            tried = following[:40]
        return next((candidate for candidate in tried if not self.broken(candidate)), None)

    def _changes(self, body: Any, clause: Clause, keep: str, sample: Callable[[str], Any]) -> Iterator[Any]:
        """Yield bodies with one field changed, added or removed that may repair a broken rule, the mildest change
        first.
        """
        rule = clause.rule
        if rule is None:
            return
        known = named_rules().get(rule.named) if rule.named else None
        if known is not None and known.mended is not None:
            yield known.mended(body)
        words = _mentioned(rule.schema) | set(known.fields if known is not None else ())
        # First give a field the value that the rule asks for, then add a missing field, last remove one.
        for key, value in _wanted(rule.schema):
            if key != keep:
                yield {**body, key: value}
        for key in sorted(words):
            if key != keep and key not in body:
                made = sample(key)
                if made is not None:
                    yield {**body, key: made}
        for key in sorted(words):
            if key != keep and key in body:
                yield {k: v for k, v in body.items() if k != key}


def _mentioned(schema: Any) -> set[str]:
    """The names of all top-level properties that the schema of a rule mentions."""
    found: set[str] = set()
    if isinstance(schema, dict):
        found.update(schema.get("required", ()))
        found.update(schema.get("properties", {}))
        for key in ("if", "then", "else", "not"):
            found |= _mentioned(schema.get(key))
        for key in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(key, ()):
                found |= _mentioned(part)
    return found


def _wanted(schema: Any) -> Iterator[tuple[str, Any]]:
    """Yield (property, value) for each value that the consequence of a rule prescribes."""
    if isinstance(schema, dict):
        for name, inner in (schema.get("properties") or {}).items():
            if isinstance(inner, dict) and "const" in inner:
                yield name, inner["const"]
            elif isinstance(inner, dict) and inner.get("enum"):
                yield name, inner["enum"][0]
            # For a number that is too large, the bound is the nearest allowed value.
            elif isinstance(inner, dict) and "maximum" in inner:
                yield name, inner["maximum"]
        for key in ("then", "else"):
            yield from _wanted(schema.get(key))
        for key in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(key, ()):
                yield from _wanted(part)
