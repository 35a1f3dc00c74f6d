"""Checks of objects that change while the target works on them, such as jobs, runs and batches.

They judge final states, times, counts, and the parent that an object names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from conformance.checks.objects.lists import items_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Needs, Question, check, trace_check
from conformance.judging.counterexamples import on_json, path_of
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.scenarios.files import READY
from conformance.scenarios.steps import path_names
from conformance.schema.integers import is_integer
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

#: Scenarios with objects that take time.
SCENARIOS = ("vector_stores.*", "evals.*", "fine_tuning.*", "video.*", "videos.*", "responses.*", "batches.*")

#: Final states. A vector store is not concerned: it becomes active again whenever a file is added.
ENDS = frozenset({"succeeded", "completed", "failed", "cancelled", "canceled", "incomplete", "expired"})

#: States of unfinished work. A state that is in neither set is unknown and not judged.
UNDER_WAY = frozenset({
    "queued", "pending", "validating", "validating_files", "preprocessing", "running", "in_progress", "processing",
    "finalizing", "cancelling",
})  # fmt: skip

#: Returns a changed object, or None if it can't be changed.
Change = Callable[[dict[str, Any]], Any]


def objects_in(seen: Observation) -> Iterator[Mapping[str, Any]]:
    """Yield the object of an answer, or the objects of a page."""
    value = seen.json if seen.exchange.ok else None
    if isinstance(value, dict):
        yield from items_of(seen) if isinstance(value.get("data"), list) else [value]


def state_of(item: Mapping[str, Any]) -> str:
    """The ``status`` of an object; "" if it is no text, which the schema reports."""
    status = item.get("status")
    return status if isinstance(status, str) else ""


def on_objects(kind: str, change: Change, *, method: str = "") -> Any:
    """A counterexample that changes every object whose ``object`` begins with ``kind``, alone or in a page."""

    def changed(value: Any, request: Request) -> Any:
        if method and request.method != method:
            return None
        data = value.get("data")
        alone = not isinstance(data, list)
        found = [x for x in ([value] if alone else data) if isinstance(x, dict)]
        made = [change(x) if str(x.get("object", "")).startswith(kind) else None for x in found]
        if all(new is None for new in made):
            return None
        merged = [old if new is None else new for old, new in zip(found, made, strict=True)]
        return merged[0] if alone else {**value, "data": merged}

    return on_json(changed)


def at_rest(trace: Trace) -> str:
    """A text with the last state that an answer named, if the object was still worked on then; else ""."""
    objects = [seen.json for seen in trace if seen.exchange.ok and isinstance(seen.json, dict)]
    states = [value.get("status") for value in objects if value.get("status") in (*ENDS, *READY, *UNDER_WAY)]
    under_way = bool(states) and states[-1] in UNDER_WAY
    return f"it did not come to its end; the last state was {states[-1]!r}" if under_way else ""


def reached(role: str, *states: str) -> Question:
    """Make a prerequisite of a check: the last answer to the steps with ``role`` shows one of ``states``.

    The prerequisite is a function of a trace. It returns "" if that is so, else the reason in words.
    """

    def question(trace: Trace) -> str:
        looks = [seen.json.get("status") for seen in trace.role(role) if isinstance(seen.json, dict)]
        if looks and looks[-1] in states:
            return ""
        return f"the last state at {role!r} was {looks[-1]!r}" if looks else f"there was no look at {role!r}"

    return question


def _restarted(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: an object is in progress again after its end."""
    response = exchange.response
    if response is None or not exchange.ok or not isinstance(response.json, dict) or exchange.request.method != "GET":
        return None
    value = response.json
    if value.get("status") not in ENDS or value.get("object") in ("vector_store", "thread.run"):
        return None
    for past in earlier:
        old = past.response.json if past.ok and past.response else None
        same = path_of(past.request) == path_of(exchange.request) and isinstance(old, dict)
        if same and old is not None and old.get("status") == value["status"]:
            # An end time in an unfinished job would break another rule as well.
            back = {"finished_at": None} if "finished_at" in value else {}
            return exchange.answered(response.with_json({**value, **back, "status": "in_progress"}))
    return None


def _under_way(item: dict[str, Any]) -> Any:
    """Witness: an object that has ended is in progress."""
    return {**item, "status": "in_progress"} if item.get("status") in ENDS else None


@trace_check(
    "jobs.end.stays",
    Level.MUST,
    clause="jobs-end-stays",
    counterexample=_restarted,
    witness=on_objects("", _under_way),
    scenarios=SCENARIOS,
    entails=(
        "responses.cancel.kept",
        "schema.response",
        "tuning.model",
        "stores.counts",
        "lifecycle.modify.kept",
        "responses.kept",
        "state.fields",
    ),
)
def end_stays(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """An object in a final state does not change its state: a job, a run, a batch, a file in a store, a response."""
    ended: dict[str, str] = {}
    for seen in trace:
        for item in objects_in(seen):
            # A file has one state in each store, so the id alone doesn't identify it.
            key = f"{item.get('object')} {item.get('id')} {item.get('vector_store_id', '')}"
            status = state_of(item)
            # Vector stores become active again with each new file; files have states of their own.
            if item.get("object") in ("vector_store", "file") or "id" not in item or status not in (ENDS | UNDER_WAY):
                continue
            if key in ended and status != ended[key]:
                yield seen.finding(
                    "the state changes after a final state", place="/status", expected=ended[key], actual=status
                )
            elif status in ENDS:
                ended[key] = status


def _early(item: dict[str, Any]) -> Any:
    """Counterexample: an unfinished job has a ``finished_at``."""
    return {**item, "finished_at": item.get("created_at")} if item.get("status") not in ENDS else None


@trace_check(
    "jobs.finished-at",
    Level.MUST,
    clause="jobs-finished-at",
    counterexample=on_objects("", lambda item: _early(item) if "finished_at" in item else None),
    scenarios=("fine_tuning.*", "video.*"),
)
def finished_at(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """``finished_at`` is set only in a final state. Clients detect the end by it.

    A state that no document lists may be a final one.
    """
    for seen in trace:
        for item in objects_in(seen):
            status = state_of(item)
            if item.get("finished_at") is not None and status in (UNDER_WAY | {"paused"}):
                yield seen.finding(
                    f"finished_at of a job that is {status}", place="/finished_at", actual=item["finished_at"]
                )


#: Fields whose parts add up to their ``total``.
COUNTS = ("file_counts", "result_counts")


def _one_more(item: dict[str, Any]) -> Any:
    """Counterexample: the total is one too high."""
    for name in COUNTS:
        counts = item.get(name)
        if isinstance(counts, dict) and isinstance(counts.get("total"), int):
            return {**item, name: {**counts, "total": counts["total"] + 1}}
    return None


@trace_check(
    "stores.counts",
    Level.MUST,
    clause="jobs-counts",
    counterexample=on_objects("", _one_more),
    scenarios=("vector_stores.*", "evals.run", "evals.cancelled"),
    needs=(at_rest,),
    entails=("stores.total", "evals.items", "assistants.stores.made"),
)
def counts(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The counts of a finished object add up to their total: files of stores and batches, results of eval runs."""
    for seen in trace:
        for item in objects_in(seen):
            for name in COUNTS:
                given = item.get(name)
                if not isinstance(given, dict) or state_of(item) not in ENDS:
                    continue
                parts = [part for key, part in given.items() if key != "total" and is_integer(part)]
                if given.get("total") != sum(parts):
                    yield seen.finding(
                        "the counts don't add up", place=f"/{name}", expected=sum(parts), actual=given.get("total")
                    )
                if state_of(item) == "completed" and given.get("in_progress"):
                    yield seen.finding(
                        "completed, but files are in progress", place=f"/{name}/in_progress", expected=0,
                        actual=given["in_progress"],
                    )  # fmt: skip


#: Path parameters whose value appears in the objects below them.
PARENTS = (
    "vector_store_id",
    "eval_id",
    "fine_tuning_job_id",
    "assistant_id",
    "message_id",
    "thread_id",
    "run_id",
)

#: Paths of collections, and of what lies in them.
_OWN = {"vector_store_id", "eval_id", "assistant_id"}


def _children(spec: Spec, case: Case) -> bool:
    """The operation is about objects below a parent."""
    operation = operations_of(spec).get(case.operation)
    return operation is not None and case.method != "DELETE" and bool(set(path_names(operation)) & set(PARENTS))


def _orphans(value: Any, request: Request) -> Any:
    """Counterexample: an object names another parent."""
    if request.method == "DELETE":
        return None
    parts = path_of(request).split("/")

    def moved(item: Any) -> Any:
        name = next((n for n in ("vector_store_id", "eval_id", "fine_tuning_job_id", "message_id") if n in item), None)
        return {**item, name: "another_parent"} if name and item[name] in parts else item

    data = value.get("data")
    if isinstance(data, list):
        made = [moved(item) if isinstance(item, dict) else item for item in data]
        return {**value, "data": made} if made != data else None
    return moved(value) if moved(value) != value else None


@check(
    "state.parent",
    Level.MUST,
    clause="state-names-parent",
    counterexample=on_json(_orphans),
    about=_children,
    needs=Needs.SUCCESS,
    entails=("lifecycle.list.same", "video.generation"),
)
def parent(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """An object contains the id of the parent in its path: the store, eval, job, assistant, message or thread."""
    for name, raw in seen.case.path_params.items():
        wanted = seen.case.bindings.get(raw.strip("{}"), raw)
        # An unbound placeholder was never sent, so there is nothing to compare.
        if name not in PARENTS or wanted.startswith("{"):
            continue
        for item in objects_in(seen):
            if isinstance(item.get(name), str) and item[name] != wanted:
                yield seen.finding(
                    f"{name} is not the parent in the path", place=f"/{name}", expected=wanted, actual=item[name]
                )
                break
