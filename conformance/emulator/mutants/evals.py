"""Mutants of evals and their runs: wrong counts, lost fields, runs that do not end."""

from __future__ import annotations

from conformance.emulator.call import Call
from conformance.emulator.edits import Value, each_object, edited, memory, path_ids, with_fields, with_items
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

RUNS = ("evals.runs.create", "evals.runs.get", "evals.runs.list")
ITEMS = ("evals.runs.output_items.list", "evals.runs.output_items.get")
_ENDED = ("completed", "failed", "canceled")


@mutant("evals.counts-do-not-add-up", "Passed, failed and errored add up to the total.", *RUNS)
def counts_do_not_add_up(call: Call, answer: Handler) -> Response:
    def wrong(one: Value) -> None:
        one["result_counts"]["total"] += 1

    return each_object(answer(call), wrong)


@mutant("evals.never-ends", "An eval run reaches a final state.", "evals.runs.get")
def never_ends(call: Call, answer: Handler) -> Response:
    return edited(answer(call), lambda one: {**one, "status": "in_progress"} if one["status"] == "completed" else one)


@mutant("evals.terminal-changes", "An eval run in a final state does not change any more.", "evals.runs.get")
def terminal_changes(call: Call, answer: Handler) -> Response:
    response = answer(call)
    ended = memory(call, "ended eval runs")
    if response.json["status"] not in _ENDED:
        return response
    if path_ids(call)[1] not in ended:
        ended.put(path_ids(call)[1], True)
        return response
    return with_fields(response, status="in_progress")


@mutant("evals.cancel-ignored", "A cancelled eval run does not end completed.", "evals.runs.cancel")
def cancel_ignored(call: Call, answer: Handler) -> Response:
    run = call.store.collection("eval-runs", path_ids(call)[0]).get(path_ids(call)[1])
    before = run["status"] if run else None
    response = answer(call)
    if run:
        run["status"] = before
    return response


@mutant("evals.item-missing", "A run has an output item for each row.", "evals.runs.output_items.list")
def item_missing(call: Call, answer: Handler) -> Response:
    def first(data: list[Value]) -> list[Value]:
        return [one for one in data if one["datasource_item_id"] != 0]

    return with_items(answer(call), first)


@mutant("evals.item-of-another-run", "An output item contains the id of its run.", *ITEMS)
def item_of_another_run(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), run_id="evalrun_000000000000000000000000")


@mutant("evals.pass-with-failed-result", "An output item passes only if all its results pass.", *ITEMS)
def pass_with_failed_result(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), status="pass")


@mutant(
    "evals.criteria-lost",
    "An eval keeps the testing criteria from its creation.",
    "evals.get",
    "evals.list",
    "evals.create",
)
def criteria_lost(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), testing_criteria=[])


@mutant("evals.data-source-lost", "An eval run keeps the data source from its creation.", *RUNS)
def data_source_lost(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), data_source={"type": "completions"})


@mutant("evals.run-of-another", "An eval run contains the id of its eval.", *RUNS)
def run_of_another(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), eval_id="eval_000000000000000000000000")
