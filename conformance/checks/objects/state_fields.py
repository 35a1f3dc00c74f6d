"""Fields that go with a state: a time of failure belongs to what failed, an error to what has one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from conformance.checks.objects.jobs import objects_in, on_objects
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

__all__ = ["LAWS", "Law", "fields_fit"]


@frozen
class Law:
    """``field`` is null, or absent, but in ``states``."""

    field: str
    states: frozenset[str]
    level: Level | None = None


def _only(*states: str) -> frozenset[str]:
    return frozenset(states)


#: By the object's name: its documented states, then the fields that go with some of them. In another state nothing is
#: said: what a future state carries is not known.
LAWS: Mapping[str, tuple[frozenset[str], tuple[Law, ...]]] = {
    "thread.run.step": (
        _only("in_progress", "cancelled", "failed", "completed", "expired"),
        (
            Law("failed_at", _only("failed")),
            Law("completed_at", _only("completed")),
            Law("cancelled_at", _only("cancelled")),
            Law("expired_at", _only("expired")),
            Law("last_error", _only("failed", "expired", "cancelled")),
            Law("usage", _only("cancelled", "failed", "completed", "expired")),
        ),
    ),
    "thread.message": (
        _only("in_progress", "incomplete", "completed"),
        (
            Law("incomplete_at", _only("incomplete")),
            Law("incomplete_details", _only("incomplete")),
            Law("completed_at", _only("completed", "incomplete")),
        ),
    ),
    "vector_store.file": (
        _only("in_progress", "completed", "cancelled", "failed"),
        (Law("last_error", _only("failed", "cancelled")),),
    ),
    "response": (
        _only("completed", "failed", "in_progress", "incomplete", "cancelled", "queued"),
        (Law("error", _only("failed")), Law("incomplete_details", _only("incomplete"))),
    ),
    "eval.run": (_only("queued", "in_progress", "completed", "canceled", "failed"), (Law("error", _only("failed")),)),
    "fine_tuning.job": (
        _only("validating_files", "queued", "pending", "running", "succeeded", "failed", "cancelled"),
        (
            Law("trained_tokens", _only("succeeded", "failed", "cancelled")),
            Law("estimated_finish", _only("validating_files", "queued", "pending", "running"), Level.SHOULD),
        ),
    ),
    "video.generation.job": (
        _only("preprocessing", "queued", "running", "processing", "cancelled", "succeeded", "failed"),
        (Law("failure_reason", _only("failed"), Level.SHOULD),),
    ),
}

#: What a counterexample puts where nothing should be.
_WRONG: Mapping[str, Any] = {
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    "incomplete_details": {"reason": "max_tokens"},
    "error": {"code": "server_error", "message": "Something went wrong."},
    "last_error": {"code": "server_error", "message": "Something went wrong."},
}


def _unfit(item: dict[str, Any]) -> Any:
    known, laws = LAWS.get(str(item.get("object")), (frozenset(), ()))
    for law in laws:
        if law.level is None and item.get("status") in known - law.states and law.field in item:
            return {**item, law.field: _WRONG.get(law.field, item.get("created_at", 1))}
    return None


@check(
    "state.fields",
    Level.MUST,
    clause="state-fields",
    counterexample=on_objects("", _unfit),
    operations=("threads.*", "vector_stores.*", "responses.*", "evals.*", "fine_tuning.*", "video.generations.jobs.*"),
    needs=Needs.SUCCESS,
)
def fields_fit(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """What belongs to one state is null in the others: times of an end, errors, reasons, counts of what is not done.

    Programs ask for these fields before they ask for the state.
    """
    for item in objects_in(seen):
        known, laws = LAWS.get(str(item.get("object")), (frozenset(), ()))
        status = item.get("status")
        for law in laws:
            value = item.get(law.field)
            # An empty object in the place of an error says that there is none.
            if status in known - law.states and value is not None and value != {}:
                yield seen.finding(
                    f"{law.field} of a {item['object']} that is {status}",
                    place=f"/{law.field}",
                    expected=None,
                    actual=value,
                    level=law.level,
                )
