"""Drift: values of an answer that the document doesn't list although the service may add such values at any time.

Item types, tool types, event types, content parts and annotations grow on the service without a new api-version. An
unknown member of such an open union is no mistake; a known member with wrong fields is one. The values of plain enums,
such as states and reasons, grow too. Both are open unless ``operations.toml`` names the union, or the property, as
closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from conformance.pointer import look_up, tokens
from conformance.schema.validators import SchemaError
from conformance.spec.spec import Spec

__all__ = ["Drift", "drift_of"]

#: The property that tells the members of a union apart where the document names no discriminator.
_TAG = "type"


@frozen
class Drift:
    """A value that the document doesn't list: where it stands, and what it is.

    ``path`` is a pattern such as ``/output/*/type``, ``pointer`` the place in this answer.
    """

    path: str
    pointer: str
    value: str


def drift_of(spec: Spec, error: SchemaError, value: Any) -> tuple[Drift, ...]:
    """What an error of a value amounts to, if it is nothing but drift; empty if the value is wrong."""
    found = dict.fromkeys(_drift(spec, error, value))
    return () if None in found else tuple(each for each in found if each is not None)


def _drift(spec: Spec, error: SchemaError, value: Any) -> Iterator[Drift | None]:
    """Yield the drift in an error; None where there is a real mistake."""
    at = error.instance_pointer
    if _closed(spec, error):
        yield None
    elif error.keyword == "discriminator":
        yield _unknown(value, f"{at}/{error.tag}")
    elif error.keyword in ("oneOf", "anyOf") and error.causes:
        yield from _of_union(spec, error, value)
    elif error.keyword == "enum" and not spec.facts.closed_values & set(tokens(at)[-1:]):
        yield _unknown(value, at)
    else:
        yield None


def _of_union(spec: Spec, error: SchemaError, value: Any) -> Iterator[Drift | None]:
    """Yield the drift in the error of a union: no branch has this type, or one of them fits but for drift inside."""
    branches: dict[int, list[SchemaError]] = {}
    for cause in error.causes:
        branches.setdefault(cause.branch, []).append(cause)
    tag = f"{error.instance_pointer}/{_TAG}"
    # A branch of another type is no branch for this value, even if the type is all that it lacks.
    own = [causes for causes in branches.values() if not any(_names_another(cause, tag) for cause in causes)]
    if not own:
        yield _unknown(value, tag)
        return
    for causes in own:
        inner = [drift_of(spec, cause, value) for cause in causes]
        if all(inner):
            yield from (each for found in inner for each in found)
            return
    yield None


def _names_another(error: SchemaError, tag: str) -> bool:
    """True if a branch, or each branch of a union within it, doesn't fit because its type is another one."""
    if error.keyword not in ("oneOf", "anyOf") or not error.causes:
        return error.instance_pointer == tag and error.keyword in ("const", "enum")
    known = {cause.branch for cause in error.causes if not _names_another(cause, tag)}
    return {cause.branch for cause in error.causes if _names_another(cause, tag)} >= known


def _unknown(value: Any, pointer: str) -> Drift | None:
    """The drift in a place; None if no name stands there."""
    name = look_up(value, pointer)
    return Drift(re.sub(r"/\d+(?=/|$)", "/*", pointer), pointer, name) if isinstance(name, str) and name else None


def _closed(spec: Spec, error: SchemaError) -> bool:
    """True if the document's list of members is complete."""
    place = error.schema_pointer
    return any(place == closed or place.startswith(closed + "/") for closed in spec.facts.closed_unions)
