"""The check that fields belong to the state of their object: ``failed_at`` to a failed one, an error to one with an
error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from conformance.checks.objects.jobs import objects_in, on_objects, state_of
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

__all__ = ["STATE_FIELDS", "StateField", "fields_fit"]


@frozen
class StateField:
    """A field that may be set only in some states; in all other documented states it is null or absent."""

    field: str
    states: frozenset[str]
    level: Level | None = None


def _states(*states: str) -> frozenset[str]:
    """A set of states."""
    return frozenset(states)


#: Value of ``object`` → (its documented states, its fields that belong to states). In an undocumented state nothing is
#: judged: nobody knows which fields such a state has.
STATE_FIELDS: Mapping[str, tuple[frozenset[str], tuple[StateField, ...]]] = {
    "thread.run.step": (
        _states("in_progress", "cancelled", "failed", "completed", "expired"),
        (
            StateField("failed_at", _states("failed")),
            StateField("completed_at", _states("completed")),
            StateField("cancelled_at", _states("cancelled")),
            StateField("expired_at", _states("expired")),
            StateField("last_error", _states("failed", "expired", "cancelled")),
            StateField("usage", _states("cancelled", "failed", "completed", "expired")),
        ),
    ),
    "thread.message": (
        _states("in_progress", "incomplete", "completed"),
        (
            StateField("incomplete_at", _states("incomplete")),
            StateField("incomplete_details", _states("incomplete")),
            StateField("completed_at", _states("completed", "incomplete")),
        ),
    ),
    "vector_store.file": (
        _states("in_progress", "completed", "cancelled", "failed"),
        (StateField("last_error", _states("failed", "cancelled")),),
    ),
    "response": (
        _states("completed", "failed", "in_progress", "incomplete", "cancelled", "queued"),
        (StateField("error", _states("failed")), StateField("incomplete_details", _states("incomplete"))),
    ),
    "eval.run": (
        _states("queued", "in_progress", "completed", "canceled", "failed"),
        (StateField("error", _states("failed")),),
    ),
    "fine_tuning.job": (
        _states("validating_files", "queued", "pending", "running", "succeeded", "failed", "cancelled"),
        (
            StateField("trained_tokens", _states("succeeded", "failed", "cancelled")),
            StateField("estimated_finish", _states("validating_files", "queued", "pending", "running"), Level.OBS),
        ),
    ),
    "video.generation.job": (
        _states("preprocessing", "queued", "running", "processing", "cancelled", "succeeded", "failed"),
        (StateField("failure_reason", _states("failed"), Level.SHOULD),),
    ),
    "video": (
        _states("queued", "in_progress", "completed", "failed"),
        # A video that failed is finished too.
        (StateField("completed_at", _states("completed", "failed")), StateField("error", _states("failed"))),
    ),
}

#: The values that a counterexample sets where nothing should be.
_WRONG: Mapping[str, Any] = {
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    "incomplete_details": {"reason": "max_tokens"},
    "error": {"code": "server_error", "message": "Something went wrong."},
    "last_error": {"code": "server_error", "message": "Something went wrong."},
}


def _unfit(item: dict[str, Any]) -> Any:
    """Counterexample: a field is set in a state to which it doesn't belong."""
    known, entries = STATE_FIELDS.get(str(item.get("object")), (frozenset(), ()))
    for entry in entries:
        # Videos leave out what isn't set.
        there = entry.field in item or item.get("object") == "video"
        # Fields of a lower level are skipped: the counterexample must make the check fail, not warn.
        if entry.level is None and item.get("status") in known - entry.states and there:
            return {**item, entry.field: _WRONG.get(entry.field, item.get("created_at", 1))}
    return None


@check(
    "state.fields",
    Level.MUST,
    clause="state-fields",
    counterexample=on_objects("", _unfit),
    operations=(
        "threads.*",
        "vector_stores.*",
        "responses.*",
        "evals.*",
        "fine_tuning.*",
        "video.generations.jobs.*",
        "videos.*",
    ),
    needs=Needs.SUCCESS,
)
def fields_fit(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A field that belongs to one state is null in the others: end times, errors, reasons, results.

    Programs look at these fields before they look at the state.
    """
    for item in objects_in(seen):
        known, entries = STATE_FIELDS.get(str(item.get("object")), (frozenset(), ()))
        status = state_of(item)
        for entry in entries:
            value = item.get(entry.field)
            # An empty object in place of an error means that there is none.
            if status in known - entry.states and value is not None and value != {}:
                yield seen.finding(
                    f"{entry.field} of a {item['object']} that is {status}",
                    place=f"/{entry.field}",
                    expected=None,
                    actual=value,
                    level=entry.level,
                )
