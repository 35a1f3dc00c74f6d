"""What an error of a schema amounts to: a mistake, or drift where the service may have added what is unknown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.evidence.trace import Observation
from conformance.requests.case import OTHER_VERSION
from conformance.schema.drift import drift_of
from conformance.schema.validators import SchemaError
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

__all__ = ["drift_findings", "level_of_error", "unknown_event"]


def drift_findings(
    spec: Spec, seen: Observation, error: SchemaError, value: Any, *, place: str = "", kind: str = ""
) -> tuple[Finding, ...]:
    """A note for each undocumented value, if that is all that is wrong; empty if the error is a mistake.

    ``place`` stands before the pointers into the value, as ``event:4`` does; ``kind`` names an event.
    """
    return tuple(
        seen.finding(
            f"the document doesn't list {found.value!r}; the service may have added it",
            place=place + found.pointer,
            actual=found.value,
            note=True,
            pointer=error.schema_pointer,
            drift=f"{kind}{' ' if kind else ''}{found.path}",
        )
        for found in drift_of(spec, error, value)
    )


def unknown_event(seen: Observation, place: str, name: str) -> Iterator[Finding]:
    """Yield the note on an event of a type that the document doesn't list."""
    yield seen.finding(f"unknown event type {name}", place=place, actual=name, note=True, drift="event")


def level_of_error(seen: Observation, error: SchemaError) -> Level | None:
    """The level of a mistake; None for that of the check.

    A field may have come with a later api-version: where the document is that of another one, its absence is SHOULD.
    """
    return Level.SHOULD if seen.case.role == OTHER_VERSION and _only_absent(error) else None


def _only_absent(error: SchemaError) -> bool:
    """True if nothing but an absent field is wrong. Of a union that is so if one of its branches lacks nothing else."""
    branches: dict[int, list[SchemaError]] = {}
    for cause in error.causes if error.keyword in ("oneOf", "anyOf") else ():
        branches.setdefault(cause.branch, []).append(cause)
    return error.keyword == "required" or any(all(map(_only_absent, causes)) for causes in branches.values())
