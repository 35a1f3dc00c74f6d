"""Fine-tuning jobs that run on, end twice or lose their history."""

from __future__ import annotations

from conformance.emulator.call import Call
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.emulator.mutants.edit import Value, edited, fields, ids, listed, memory, objects
from conformance.evidence.exchange import Response

JOBS = ("fine_tuning.jobs.create", "fine_tuning.jobs.get", "fine_tuning.jobs.list")
EVENTS = "fine_tuning.jobs.events.list"
CHECKPOINTS = "fine_tuning.jobs.checkpoints.list"


@mutant("tuning.events-out-of-order", "Events are in the order of their time.", EVENTS)
def events_out_of_order(call: Call, answer: Handler) -> Response:
    def late(page: Value) -> None:
        for place, event in enumerate(page["data"]):
            event["created_at"] += 10 * (place % 2) + place

    return edited(listed(answer(call), lambda data: [*data[1::2], *data[::2]]), late)


@mutant("tuning.first-event-missing", "The events of a job begin with its creation.", EVENTS)
def first_event_missing(call: Call, answer: Handler) -> Response:
    return listed(answer(call), lambda data: [one for one in data if not one["message"].startswith("Created")])


@mutant("tuning.cancel-ignored", "A job that was cancelled does not go on.", "fine_tuning.jobs.cancel")
def cancel_ignored(call: Call, answer: Handler) -> Response:
    job = call.store.collection("fine-tuning-jobs").get(ids(call)[0])
    before = dict(job) if job else {}
    response = answer(call)
    if job:
        job.update(before)
    return response


@mutant("tuning.never-ends", "A job ends.", "fine_tuning.jobs.get")
def never_ends(call: Call, answer: Handler) -> Response:
    return edited(answer(call), lambda one: {**one, "status": "running"} if one["status"] == "succeeded" else one)


@mutant("tuning.terminal-changes", "A job that has ended stays as it is.", "fine_tuning.jobs.get", JOBS[2])
def terminal_changes(call: Call, answer: Handler) -> Response:
    ended = memory(call, "ended jobs")

    def again(one: Value) -> None:
        if one["status"] in ("succeeded", "failed", "cancelled"):
            if one["id"] in ended:
                one["status"] = "running"
            ended.put(one["id"], True)

    return objects(answer(call), again)


@mutant("tuning.finished-at-while-running", "finished_at is set only when the job has ended.", *JOBS)
def finished_at_while_running(call: Call, answer: Handler) -> Response:
    def early(one: Value) -> None:
        if one["status"] not in ("succeeded", "failed", "cancelled"):
            one["finished_at"] = one["created_at"]

    return objects(answer(call), early)


@mutant("tuning.model-missing", "A job that succeeded names its model.", *JOBS)
def model_missing(call: Call, answer: Handler) -> Response:
    return fields(answer(call), fine_tuned_model=None)


@mutant("tuning.model-too-early", "A job names its model only when it has succeeded.", *JOBS)
def model_too_early(call: Call, answer: Handler) -> Response:
    def early(one: Value) -> None:
        if one["status"] != "succeeded":
            one["fine_tuned_model"] = "gpt-4o.ft-early"

    return objects(answer(call), early)


@mutant("tuning.checkpoint-of-another", "A checkpoint names its job.", CHECKPOINTS)
def checkpoint_of_another(call: Call, answer: Handler) -> Response:
    return fields(answer(call), fine_tuning_job_id="ftjob-000000000000000000000000")


@mutant("tuning.training-file-lost", "The training file that was given is kept.", *JOBS)
def training_file_lost(call: Call, answer: Handler) -> Response:
    return fields(answer(call), training_file="file-000000000000000000000000")


@mutant("tuning.seed-lost", "A seed that was given is kept.", *JOBS)
def seed_lost(call: Call, answer: Handler) -> Response:
    return fields(answer(call), seed=1_234_567)


@mutant("tuning.result-file-unknown", "The result files of a job can be looked at.", *JOBS)
def result_file_unknown(call: Call, answer: Handler) -> Response:
    def wrong(one: Value) -> None:
        one["result_files"] = ["file-000000000000000000000000" for _ in one["result_files"]]

    return objects(answer(call), wrong)


@mutant("tuning.reward-wrong", "Equal texts give a string check its full reward.", "fine_tuning.alpha.graders.run")
def reward_wrong(call: Call, answer: Handler) -> Response:
    return edited(answer(call), lambda one: {**one, "reward": 1 - one["reward"]})


@mutant("tuning.grader-changed", "A grader is validated as it was sent.", "fine_tuning.alpha.graders.validate")
def grader_changed(call: Call, answer: Handler) -> Response:
    return edited(answer(call), lambda one: {"grader": {**one["grader"], "name": "another"}})
