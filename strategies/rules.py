"""Cross-field rules of a request body, as the strategies apply them: does a body keep them, and what mends it.

Rules are clauses of the Spec. Most are JSON Schemas; what JSON Schema can't say has a name and a function here.
``conformance/rules.py`` judges the finished corpus and shares nothing with this module.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import field, frozen

from conformance.schema import validator_for
from conformance.spec import Clause, Spec

__all__ = ["NAMED", "BodyRules", "NamedRule", "merge_patch", "spots_of"]

Judge = Callable[[Any], bool]
Breaker = Callable[[Any], Any]


@frozen
class NamedRule:
    """A rule that JSON Schema can't say: does a body keep it, and a body that breaks it (None where it can't)."""

    holds: Judge
    broken: Breaker
    pointer: str = ""


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    made = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = merge_patch(made.get(key), value)
    return made


def spots_of(body: Any, pattern: str) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """The concrete places that a pattern such as ``/messages/*`` names in a body, with their values."""

    def walk(value: Any, tokens: list[str], spot: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
        if not tokens:
            yield spot, value
        elif tokens[0] == "*" and isinstance(value, list):
            for index, item in enumerate(value):
                yield from walk(item, tokens[1:], (*spot, index))
        elif isinstance(value, dict) and tokens[0] in value:
            yield from walk(value[tokens[0]], tokens[1:], (*spot, tokens[0]))

    yield from walk(body, [token for token in pattern.split("/") if token], ())


def _messages(body: Any) -> list[dict[str, Any]]:
    found = body.get("messages") if isinstance(body, dict) else None
    return [m for m in found if isinstance(m, dict)] if isinstance(found, list) else []


def _calls(message: Mapping[str, Any]) -> list[str]:
    return [call.get("id", "") for call in message.get("tool_calls") or () if isinstance(call, dict)]


def _answered(body: Any) -> bool:
    open_calls: set[str] = set()
    for message in _messages(body):
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in open_calls:
                return False
            open_calls.discard(message["tool_call_id"])
            continue
        if open_calls:
            return False
        open_calls = set(_calls(message))
    return not open_calls


def _stray_tool_message(body: Any) -> Any:
    stray = {"role": "tool", "tool_call_id": "call_none", "content": "7"}
    return {**body, "messages": [*body["messages"], stray]}


def _tool_names(body: Any, key: str) -> set[str]:
    names: set[str] = set()
    for tool in body.get(key) or ():
        if isinstance(tool, dict):
            inner = tool.get("function", tool)
            names.add(inner.get("name", "") if isinstance(inner, dict) else "")
    return names


def _choice_named(body: Any) -> bool:
    choice = body.get("tool_choice") if isinstance(body, dict) else None
    if not isinstance(choice, dict):
        return True
    inner = choice.get("function", choice)
    name = inner.get("name") if isinstance(inner, dict) else None
    return name is None or name in _tool_names(body, "tools")


def _choice_unknown(body: Any) -> Any:
    choice = body.get("tool_choice")
    if not isinstance(choice, dict):
        return None
    made = copy.deepcopy(body)
    inner = made["tool_choice"].get("function", made["tool_choice"])
    if "name" not in inner:
        return None
    inner["name"] = "not_among_the_tools"
    return made


def _function_named(body: Any) -> bool:
    call = body.get("function_call") if isinstance(body, dict) else None
    return not isinstance(call, dict) or call.get("name") in _tool_names(body, "functions")


def _function_unknown(body: Any) -> Any:
    if not isinstance(body.get("function_call"), dict):
        return None
    return {**body, "function_call": {"name": "not_among_the_functions"}}


def _asks_json(body: Any) -> bool:
    shape = body.get("response_format") if isinstance(body, dict) else None
    if not isinstance(shape, dict) or shape.get("type") != "json_object":
        return True
    return "json" in str([m.get("content") for m in _messages(body)]).lower()


def _without_json_word(body: Any) -> Any:
    if "response_format" not in body:
        return None
    return {**body, "messages": [{"role": "user", "content": "Say hello."}]}


def _best_of(body: Any) -> bool:
    best, count = body.get("best_of"), body.get("n")
    if not isinstance(best, int) or isinstance(best, bool):
        return True
    return best >= (count if isinstance(count, int) else 1)


NAMED: Mapping[str, NamedRule] = {
    "tool-message-answers-call": NamedRule(_answered, _stray_tool_message, "/messages"),
    "tool-choice-names-tool": NamedRule(_choice_named, _choice_unknown, "/tool_choice"),
    "function-call-names-function": NamedRule(_function_named, _function_unknown, "/function_call"),
    "json-mode-mentions-json": NamedRule(_asks_json, _without_json_word, "/messages"),
    "best-of-at-least-n": NamedRule(_best_of, lambda body: {**body, "n": 2, "best_of": 1}, "/best_of"),
}


@frozen
class BodyRules:
    """The cross-field rules of one operation."""

    spec: Spec = field(repr=False)
    clauses: tuple[Clause, ...] = ()

    @classmethod
    def of(cls, spec: Spec, operation: str) -> BodyRules:
        """The clauses with a rule that name the operation."""
        return cls(spec, tuple(c for c in spec.clauses if c.rule is not None and operation in c.operations))

    def holds(self, clause: Clause, body: Any) -> bool:
        """True when a body keeps one rule."""
        rule = clause.rule
        if rule is None or not isinstance(body, dict):
            return True
        if rule.named:
            known = NAMED.get(rule.named)
            return known is None or all(known.holds(value) for _, value in spots_of(body, rule.pointer))
        check = validator_for(self.spec, rule.schema)
        return all(check.is_valid(value) for _, value in spots_of(body, rule.pointer))

    def broken(self, body: Any) -> tuple[Clause, ...]:
        """The rules that a body breaks."""
        return tuple(clause for clause in self.clauses if not self.holds(clause, body))

    def mend(self, body: Any, keep: str, sample: Callable[[str], Any]) -> Any | None:
        """The nearest body that keeps all rules; None when two changes aren't enough.

        ``keep`` is the top-level field that must stay as it is; ``sample`` makes a value for another field.
        """
        tried = [body]
        for _ in range(3):
            following = []
            for candidate in tried:
                broken = self.broken(candidate)
                if not broken:
                    return candidate
                following += list(self._changes(candidate, broken[0], keep, sample))
            tried = following[:40]
        return next((candidate for candidate in tried if not self.broken(candidate)), None)

    def _changes(self, body: Any, clause: Clause, keep: str, sample: Callable[[str], Any]) -> Iterator[Any]:
        words = _mentioned(clause.rule.schema if clause.rule else None) | set(_NAMED_FIELDS.get(_name(clause), ()))
        for key, value in _wanted(clause.rule.schema if clause.rule else None):
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
        if _name(clause) == "best-of-at-least-n" and isinstance(body.get("n"), int):
            yield {**body, "best_of": max(body["n"], 1)}


def _name(clause: Clause) -> str:
    return clause.rule.named if clause.rule else ""


_NAMED_FIELDS: Mapping[str, tuple[str, ...]] = {
    "tool-choice-names-tool": ("tools", "tool_choice"),
    "function-call-names-function": ("functions", "function_call"),
    "json-mode-mentions-json": ("response_format",),
    "best-of-at-least-n": ("n", "best_of"),
}


def _mentioned(schema: Any) -> set[str]:
    """Every property that a rule's schema speaks of at its top level."""
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
    """(property, value) that the consequence of a rule asks for."""
    if isinstance(schema, dict):
        for name, inner in (schema.get("properties") or {}).items():
            if isinstance(inner, dict) and "const" in inner:
                yield name, inner["const"]
            elif isinstance(inner, dict) and inner.get("enum"):
                yield name, inner["enum"][0]
            elif isinstance(inner, dict) and "maximum" in inner:
                yield name, inner["maximum"]
        for key in ("then", "else"):
            yield from _wanted(schema.get(key))
        for key in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(key, ()):
                yield from _wanted(part)
