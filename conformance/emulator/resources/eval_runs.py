"""Eval runs: queued, in progress, then completed with one output item for each row of data."""

from __future__ import annotations

from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.inference.text import count, reply
from conformance.emulator.resources.evals import found_eval
from conformance.emulator.resources.files import content_of, rows_of
from conformance.emulator.resources.grading import grade, passes
from conformance.emulator.resources.objects import Value, ids, members
from conformance.emulator.store import Collection
from conformance.evidence.exchange import Response

_ENDED = frozenset({"completed", "failed", "canceled"})


def _runs(call: Call) -> Collection:
    return call.store.collection("eval-runs", found_eval(call)["id"])


def _found(call: Call) -> Value:
    found: Value = call.found(_runs(call), ids(call)[1], "eval run")
    return found


def _items(call: Call, run: Value) -> Collection:
    return call.store.collection("eval-output-items", run["id"])


def _rows(call: Call, source: Value) -> list[Value] | None:
    """The rows of a data source; None for a file that is missing or isn't JSON Lines."""
    if source["type"] == "file_content":
        return [row if "item" in row else {"item": row} for row in source["content"]]
    if source["type"] == "file_id":
        data = content_of(call, source["id"])
        rows = None if data is None else rows_of(data)
        return None if rows is None else [row if "item" in row else {"item": row} for row in rows]
    # Sources that would have to ask a model get one row that names them.
    return [{"item": {"source": source["type"]}}]


def _advance(call: Call, run: Value) -> None:
    """Take the run one state further; the last step grades all rows."""
    if run["status"] == "queued":
        run["status"] = "in_progress"
    # All rows at once: a run has no documented state between the first row and the last.
    elif run["status"] == "in_progress":
        rows = _rows(call, run["data_source"]["source"])
        if rows is None:
            run |= {"status": "failed", "error": {"code": "invalid_file", "message": "The data can't be read."}}
            return
        for index, row in enumerate(rows):
            _judge(call, run, index, row)
        _sum_up(call, run)
        run["status"] = "completed"


def _judge(call: Call, run: Value, index: int, row: Value) -> None:
    """Store the output item of one row, with the result of each criterion."""
    prompt = str(row.get("item"))
    # A row may bring the answer that is to be graded; otherwise the model makes one.
    announced = str(members(row.get("sample")).get("output_text") or reply(prompt))
    known = {"item": members(row.get("item")), "sample": {"output_text": announced}}
    results = []
    for criterion in found_eval(call)["testing_criteria"]:
        score = grade(criterion, known)
        results.append({"name": criterion["name"], "score": score, "passed": passes(criterion, score)})
    item = {
        "id": call.store.new_id("outputitem_"),
        "object": "eval.run.output_item",
        "created_at": call.clock.now(),
        "run_id": run["id"],
        "eval_id": run["eval_id"],
        "status": "pass" if all(one["passed"] for one in results) else "fail",
        "datasource_item_id": index,
        "datasource_item": known["item"],
        "results": results,
        "sample": {
            "input": [{"role": "user", "content": prompt}],
            "output": [{"role": "assistant", "content": announced}],
            "finish_reason": "stop",
            "model": run["model"],
            "usage": _spent(count(prompt), count(announced)),
            "error": None,
            "temperature": 1.0,
            "max_completion_tokens": 2048,
            "top_p": 1.0,
            "seed": 42,
        },
    }
    _items(call, run).put(item["id"], item)


def _spent(prompt: int, completion: int) -> dict[str, Any]:
    """Token counts in the form of eval runs."""
    total = prompt + completion
    return {
        "total_tokens": total,
        "completion_tokens": completion,
        "prompt_tokens": prompt,
        "cached_tokens": 0,
    }


def _sum_up(call: Call, run: Value) -> None:
    """Fill in the counts and usage of the run from its output items."""
    items = list(_items(call, run))
    passed = sum(item["status"] == "pass" for item in items)
    run["result_counts"] = {"total": len(items), "errored": 0, "failed": len(items) - passed, "passed": passed}
    used = [item["sample"]["usage"] for item in items]
    spent = _spent(sum(one["prompt_tokens"] for one in used), sum(one["completion_tokens"] for one in used))
    run["per_model_usage"] = [{"model_name": run["model"], "invocation_count": len(items), **spent}]
    run["per_testing_criteria_results"] = [
        {
            "testing_criteria": criterion["name"],
            "passed": sum(item["results"][place]["passed"] for item in items),
            "failed": sum(not item["results"][place]["passed"] for item in items),
        }
        for place, criterion in enumerate(found_eval(call)["testing_criteria"])
    ]


@handles("evals.runs.create")
def create(call: Call) -> Response:
    """A new run."""
    source = call.body["data_source"]
    run = {
        "id": call.store.new_id("evalrun_"),
        "object": "eval.run",
        "eval_id": found_eval(call)["id"],
        "report_url": "",
        "status": "queued",
        "model": source.get("model") or "",
        "name": call.get("name", ""),
        "created_at": call.clock.now(),
        "result_counts": {"total": 0, "errored": 0, "failed": 0, "passed": 0},
        "per_model_usage": [],
        "per_testing_criteria_results": [],
        "data_source": source,
        "error": None,
        "metadata": call.get("metadata", {}),
    }
    run["report_url"] = f"https://example.com/evals/{run['eval_id']}/runs/{run['id']}"
    _runs(call).put(run["id"], run)
    return call.json(run)


@handles("evals.runs.list")
def list_(call: Call) -> Response:
    """A page of runs, oldest first unless asked otherwise, filtered by state on request."""
    status = call.query.get("status")
    where = (lambda run: run["status"] == status) if status else None
    return call.json(call.page(_runs(call), where=where, order="asc"))


@handles("evals.runs.get")
def get(call: Call) -> Response:
    """One run. Each read takes it one state further."""
    run = _found(call)
    _advance(call, run)
    return call.json(run)


@handles("evals.runs.cancel")
def cancel(call: Call) -> Response:
    """Stop a run."""
    run = _found(call)
    if run["status"] in _ENDED:
        raise errors.conflict(f"The run {run['id']} has status '{run['status']}' and can't be cancelled.")
    run["status"] = "canceled"
    return call.json(run)


@handles("evals.runs.delete")
def delete(call: Call) -> Response:
    """Remove a run with its output items."""
    run = _found(call)
    _runs(call).remove(run["id"])
    # The items have no life of their own.
    call.store.drop("eval-output-items", run["id"])
    # Documents disagree about the name of the id, so both are sent; fields that aren't documented are cut.
    gone = {"object": "eval_run.deleted", "deleted": True, "eval_run_id": run["id"], "run_id": run["id"]}
    return call.json(gone)


@handles("evals.runs.output_items.list")
def list_items(call: Call) -> Response:
    """A page of output items, oldest first unless asked otherwise, filtered by result on request."""
    status = call.query.get("status")
    where = (lambda item: item["status"] == status) if status else None
    return call.json(call.page(_items(call, _found(call)), where=where, order="asc"))


@handles("evals.runs.output_items.get")
def get_item(call: Call) -> Response:
    """One output item."""
    return call.json(call.found(_items(call, _found(call)), ids(call)[2], "output item"))
