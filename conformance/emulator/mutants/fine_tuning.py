"""Mutants of fine-tuning jobs: wrong states, lost fields, events and checkpoints."""

from __future__ import annotations

from conformance.emulator.call import Call
from conformance.emulator.edits import Value, each_object, edited, memory, path_ids, with_fields, with_items
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

JOBS = ("fine_tuning.jobs.create", "fine_tuning.jobs.get", "fine_tuning.jobs.list")
EVENTS = "fine_tuning.jobs.events.list"
CHECKPOINTS = "fine_tuning.jobs.checkpoints.list"


@mutant("tuning.events-out-of-order", "The events of a fine-tuning job are sorted by time.", EVENTS)
def events_out_of_order(call: Call, answer: Handler) -> Response:
    def late(page: Value) -> None:
        for place, event in enumerate(page["data"]):
            event["created_at"] += 10 * (place % 2) + place

    return edited(with_items(answer(call), lambda data: [*data[1::2], *data[::2]]), late)


@mutant("tuning.first-event-missing", "The first event of a fine-tuning job reports its creation.", EVENTS)
def first_event_missing(call: Call, answer: Handler) -> Response:
    return with_items(answer(call), lambda data: [one for one in data if not one["message"].startswith("Created")])


@mutant("tuning.cancel-ignored", "A cancelled fine-tuning job does not continue.", "fine_tuning.jobs.cancel")
def cancel_ignored(call: Call, answer: Handler) -> Response:
    job = call.store.collection("fine-tuning-jobs").get(path_ids(call)[0])
    before = dict(job) if job else {}
    response = answer(call)
    if job:
        job.update(before)
    return response


@mutant("tuning.never-ends", "A fine-tuning job reaches a final state.", "fine_tuning.jobs.get")
def never_ends(call: Call, answer: Handler) -> Response:
    return edited(answer(call), lambda one: {**one, "status": "running"} if one["status"] == "succeeded" else one)


@mutant(
    "tuning.terminal-changes",
    "A fine-tuning job in a final state does not change any more.",
    "fine_tuning.jobs.get",
    JOBS[2],
)
def terminal_changes(call: Call, answer: Handler) -> Response:
    ended = memory(call, "ended jobs")

    def again(one: Value) -> None:
        if one["status"] in ("succeeded", "failed", "cancelled"):
            if one["id"] in ended:
                one["status"] = "running"
            ended.put(one["id"], True)

    return each_object(answer(call), again)


@mutant(
    "tuning.finished-at-while-running",
    "The field finished_at of a fine-tuning job is set only in a final state.",
    *JOBS,
)
def finished_at_while_running(call: Call, answer: Handler) -> Response:
    def early(one: Value) -> None:
        if one["status"] not in ("succeeded", "failed", "cancelled"):
            one["finished_at"] = one["created_at"]

    return each_object(answer(call), early)


@mutant("tuning.model-missing", "A succeeded fine-tuning job names the tuned model.", *JOBS)
def model_missing(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), fine_tuned_model=None)


@mutant("tuning.model-too-early", "A fine-tuning job names a tuned model only after it has succeeded.", *JOBS)
def model_too_early(call: Call, answer: Handler) -> Response:
    def early(one: Value) -> None:
        if one["status"] != "succeeded":
            one["fine_tuned_model"] = "gpt-4o.ft-early"

    return each_object(answer(call), early)


@mutant("tuning.checkpoint-of-another", "A checkpoint contains the id of its fine-tuning job.", CHECKPOINTS)
def checkpoint_of_another(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), fine_tuning_job_id="ftjob-000000000000000000000000")


@mutant("tuning.training-file-lost", "A fine-tuning job keeps the training file from its creation.", *JOBS)
def training_file_lost(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), training_file="file-000000000000000000000000")


@mutant("tuning.seed-lost", "A fine-tuning job keeps the seed from its creation.", *JOBS)
def seed_lost(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), seed=1_234_567)


@mutant("tuning.result-file-unknown", "The result files of a fine-tuning job exist.", *JOBS)
def result_file_unknown(call: Call, answer: Handler) -> Response:
    def wrong(one: Value) -> None:
        one["result_files"] = ["file-000000000000000000000000" for _ in one["result_files"]]

    return each_object(answer(call), wrong)


@mutant(
    "tuning.reward-wrong", "A string check for equality rewards an equal text with 1.", "fine_tuning.alpha.graders.run"
)
def reward_wrong(call: Call, answer: Handler) -> Response:
    return edited(answer(call), lambda one: {**one, "reward": 1 - one["reward"]})


@mutant(
    "tuning.grader-changed",
    "Validating a grader answers with the grader that was sent.",
    "fine_tuning.alpha.graders.validate",
)
def grader_changed(call: Call, answer: Handler) -> Response:
    return edited(answer(call), lambda one: {"grader": {**one["grader"], "name": "another"}})
