"""Evals: their criteria and the schema of their data. Runs are in ``eval_runs.py``."""

from __future__ import annotations

import re
from typing import Any

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.objects import Value, changed, deleted, ids, members
from conformance.emulator.store import Collection
from conformance.evidence.exchange import Response

__all__ = ["found_eval"]


def _evals(call: Call) -> Collection:
    """The evals in the requested order: by creation, or by the last change."""
    return call.store.collection("evals-by-change" if call.query.get("order_by") == "updated_at" else "evals")


def found_eval(call: Call) -> Value:
    """The eval that the path names. Raises 404."""
    found: Value = call.found(call.store.collection("evals"), ids(call)[0], "eval")
    return found


def _put(call: Call, found: Value) -> Value:
    """Store an eval, as the one that was changed last."""
    by_change = call.store.collection("evals-by-change")
    by_change.remove(found["id"])
    by_change.put(found["id"], found)
    call.store.collection("evals").put(found["id"], found)
    return found


def _source(asked: Value) -> Value:
    """The data source as answers show it: with the schema of what a grader can read."""
    item = asked.get("item_schema", {"type": "object"})
    properties: Value = {"item": item}
    if asked["type"] != "custom" or asked.get("include_sample_schema"):
        properties["sample"] = {"type": "object", "properties": {"output_text": {"type": "string"}}}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    shown = {"type": asked["type"], "schema": schema}
    return shown if asked["type"] == "custom" else {**shown, "metadata": members(asked.get("metadata"))}


def _criterion(asked: Value) -> Value:
    """A criterion as answers show it: plain text in an input becomes a content part."""
    if not isinstance(asked.get("input"), list):
        return asked
    items = [
        {**item, "type": "message", "content": {"type": "input_text", "text": item["content"]}}
        if isinstance(item.get("content"), str)
        else item
        for item in asked["input"]
    ]
    return {**asked, "input": items}


#: A variable of the data in a template, such as ``{{ item.answer }}``: its name.
_VARIABLE = re.compile(r"\{\{\s*item\.(\w+)\s*\}\}")


def _refuse_unknown_variables(source: Value, criteria: list[Value]) -> None:
    """Raise 400 for a template that names a variable which the schema of the items doesn't have."""
    schema = members(source.get("item_schema"))
    known = schema.get("properties")
    if not isinstance(known, dict) or schema.get("additionalProperties"):
        return
    for place, criterion in enumerate(criteria):
        texts = [text for text in (criterion.get("input"), criterion.get("reference")) if isinstance(text, str)]
        for name in (found for text in texts for found in _VARIABLE.findall(text)):
            if name not in known:
                raise errors.invalid(f"The data has no variable item.{name}.", param=f"testing_criteria[{place}]")


@handles("evals.create")
def create(call: Call) -> Response:
    """A new evaluation."""
    _refuse_unknown_variables(call.body["data_source_config"], call.body["testing_criteria"])
    found: dict[str, Any] = {
        "id": call.store.new_id("eval_"),
        "object": "eval",
        "created_at": call.clock.now(),
        "name": call.get("name", ""),
        "data_source_config": _source(call.body["data_source_config"]),
        "testing_criteria": [_criterion(one) for one in call.body["testing_criteria"]],
        "metadata": call.get("metadata", {}),
    }
    return call.json(_put(call, found))


@handles("evals.list")
def list_(call: Call) -> Response:
    """A page of evaluations, oldest first unless asked otherwise."""
    return call.json(call.page(_evals(call), order="asc"))


@handles("evals.get")
def get(call: Call) -> Response:
    """One evaluation."""
    return call.json(found_eval(call))


@handles("evals.modify")
def modify(call: Call) -> Response:
    """Replace name or metadata."""
    return call.json(_put(call, changed(found_eval(call), call.body, {"name": "", "metadata": {}})))


@handles("evals.delete")
def delete(call: Call) -> Response:
    """Remove the evaluation with its runs."""
    id = found_eval(call)["id"]
    for run in call.store.collection("eval-runs", id):
        call.store.drop("eval-output-items", run["id"])
    for kind in ("evals", "evals-by-change"):
        call.store.collection(kind).remove(id)
    call.store.drop("eval-runs", id)
    return deleted(call, id, "eval.deleted", key="eval_id")
