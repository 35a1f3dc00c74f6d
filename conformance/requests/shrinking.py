"""Smallest witness: which of many failing cases is shown first, and how a failing case is made smaller.

This module is pure: it proposes cases; the caller sends them and judges the answers. A proposal is of the same kind as
its case: one that must be accepted stays valid and keeps every cross-field rule; one that must be refused breaks the
same constraint and no cross-field rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from attrs import evolve

from conformance.requests.case import Case, Expect, JsonBody
from conformance.requests.field_rules import broken_rules
from conformance.requests.wire import encode_body
from conformance.schema.validators import validator_for
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

__all__ = ["proposals", "shrink", "size", "smallest"]

#: Longer texts are halved.
SHORT = 8


def size(case: Case) -> tuple[int, int, str]:
    """The size of a case, for sorting: bytes of the body, number of other parameters, id."""
    body, _ = encode_body(case.body, {})
    return len(body), len(case.query) + len(case.headers), case.id


def smallest(cases: Iterable[Case]) -> tuple[Case, int]:
    """The smallest case and the number of other cases. Raises :class:`ValueError` if there is none."""
    ordered = sorted(cases, key=size)
    if not ordered:
        raise ValueError("no case to choose from")
    return ordered[0], len(ordered) - 1


def _smaller_lists(value: list[Any]) -> Iterator[Any]:
    """Yield arrays with fewer or smaller items: halves first."""
    if len(value) > 1:
        yield value[: len(value) // 2]
        yield value[len(value) // 2 :]
    for index in range(len(value)):
        yield value[:index] + value[index + 1 :]
    # Items beyond the eighth are removed above rather than made smaller one by one.
    for index, item in enumerate(value[:8]):
        for less in _smaller_values(item):
            yield [*value[:index], less, *value[index + 1 :]]


def _smaller_values(value: Any) -> Iterator[Any]:
    """Yield values with one thing removed, the largest pieces first."""
    if isinstance(value, dict):
        for key in sorted(value, key=lambda key: (-len(str(value[key])), str(key))):
            yield {k: v for k, v in value.items() if k != key}
        for key, item in value.items():
            for less in _smaller_values(item):
                yield {**value, key: less}
    elif isinstance(value, list):
        yield from _smaller_lists(value)
    # A text with braces may hold a placeholder, which must stay whole.
    elif isinstance(value, str) and len(value) > SHORT and "{" not in value:
        yield value[: len(value) // 2]


def _same_kind(spec: Spec, case: Case, body: Any) -> bool:
    """Return True if a smaller body is valid, or broken, in the same way as the case's own."""
    operation = operations_of(spec).get(case.operation)
    media = operation.body.get("application/json") if operation is not None else None
    if media is None:
        return False
    rules = {broken.clause for broken in broken_rules(spec, case.operation, body)}
    if case.expect is not Expect.REJECT:
        return not rules and validator_for(spec, media.pointer).is_valid(body)
    wanted = case.breaks
    if wanted is None:
        return False
    if wanted.clause:
        return rules == {wanted.clause} and validator_for(spec, media.pointer).is_valid(body)
    # Exactly one error, and the same keyword: otherwise the smaller request fails for another reason.
    errors = validator_for(spec, media.pointer).errors(body)
    return not rules and len(errors) == 1 and any(error.keyword == wanted.keyword for error in errors[0].walk())


def proposals(spec: Spec, case: Case) -> Iterator[Case]:
    """Yield smaller cases of the same kind. Only JSON bodies and optional query parameters are made smaller."""
    for index in range(len(case.query)):
        # The parameter may be the fault itself.
        if case.breaks is None:
            yield evolve(case, query=case.query[:index] + case.query[index + 1 :])
    if isinstance(case.body, JsonBody):
        seen: set[str] = set()
        for value in _smaller_values(case.body.value):
            made = evolve(case, body=evolve(case.body, value=value))
            if made.id not in seen and _same_kind(spec, case, value):
                seen.add(made.id)
                yield made


def shrink(spec: Spec, case: Case, fails: Callable[[Case], bool], budget: int) -> tuple[Case, int]:
    """(the smallest failing case found, the number of requests). At most ``budget`` calls of ``fails`` are made.

    The search is greedy: a smaller case that still fails is the next one to be made smaller.
    """
    spent = 0
    found = True
    while found and spent < budget:
        found = False
        for made in proposals(spec, case):
            if spent >= budget:
                break
            # Each step must be smaller, otherwise the search could go in circles.
            if size(made) >= size(case):
                continue
            spent += 1
            if fails(made):
                case, found = made, True
                break
    return case, spent
