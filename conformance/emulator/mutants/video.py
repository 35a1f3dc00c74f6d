"""Mutants of video jobs: jobs that do not end, wrong content and content types."""

from __future__ import annotations

from attrs import evolve

from conformance.emulator.call import Call
from conformance.emulator.edits import Value, each_object, edited, memory, path_ids, with_fields
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

JOBS = ("video.generations.jobs.create", "video.generations.jobs.get", "video.generations.jobs.list")
CONTENT, HEAD = "video.generations.content", "video.generations.head_content"


@mutant("video.never-done", "A video job reaches a final state.", "video.generations.jobs.get")
def never_done(call: Call, answer: Handler) -> Response:
    def hold(one: Value) -> None:
        if one["status"] == "succeeded":
            one.update(status="running", generations=[], finished_at=None)

    return edited(answer(call), hold)


@mutant("video.terminal-changes", "A succeeded video job does not change any more.", "video.generations.jobs.get")
def terminal_changes(call: Call, answer: Handler) -> Response:
    response = answer(call)
    ended = memory(call, "ended video jobs")
    if response.json["status"] != "succeeded":
        return response
    if path_ids(call)[0] not in ended:
        ended.put(path_ids(call)[0], True)
        return response
    return with_fields(response, status="queued")


@mutant("video.variants-missing", "A video job has as many generations as variants were requested.", *JOBS)
def variants_missing(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.update(generations=(one.get("generations") or [])[1:]))


@mutant(
    "video.generation-of-another-job", "A generation contains the id of its video job.", "video.generations.get", *JOBS
)
def generation_of_another_job(call: Call, answer: Handler) -> Response:
    def wrong(one: Value) -> None:
        for generation in one.get("generations") or [one]:
            if "job_id" in generation:
                generation["job_id"] = "task_000000000000000000000000"

    return each_object(answer(call), wrong)


@mutant("video.prompt-lost", "A video job keeps the prompt from its creation.", *JOBS)
def prompt_lost(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), prompt="")


@mutant("video.size-changed", "A video job keeps width and height from its creation.", *JOBS)
def size_changed(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), width=1080, height=1080)


@mutant("video.finished-at-while-running", "The field finished_at of a video job is set only in a final state.", *JOBS)
def finished_at_while_running(call: Call, answer: Handler) -> Response:
    def early(one: Value) -> None:
        if one["status"] not in ("succeeded", "failed", "cancelled"):
            one["finished_at"] = one["created_at"]

    return each_object(answer(call), early)


@mutant("video.content-type-wrong", "A video has the content type video/mp4.", CONTENT)
def content_type_wrong(call: Call, answer: Handler) -> Response:
    return answer(call).with_header("content-type", "application/octet-stream")


@mutant("video.content-empty", "A video has content.", CONTENT)
def content_empty(call: Call, answer: Handler) -> Response:
    return answer(call).with_body(b"")


@mutant("video.head-type-wrong", "HEAD and GET of a video have the same content type.", HEAD)
def head_type_wrong(call: Call, answer: Handler) -> Response:
    return answer(call).with_header("content-type", "text/html")


@mutant("video.head-refused", "HEAD succeeds if GET succeeds.", HEAD)
def head_refused(call: Call, answer: Handler) -> Response:
    return evolve(answer(call), status=404)


@mutant("video.thumbnail-type-wrong", "A thumbnail has an image content type.", "video.generations.thumbnail")
def thumbnail_type_wrong(call: Call, answer: Handler) -> Response:
    return answer(call).with_header("content-type", "text/plain")


@mutant("video.thumbnail-empty", "A thumbnail has content.", "video.generations.thumbnail")
def thumbnail_empty(call: Call, answer: Handler) -> Response:
    return answer(call).with_body(b"")


@mutant(
    "video.deletion-with-body",
    "The answer to the deletion of a video job has no content.",
    "video.generations.jobs.delete",
)
def deletion_with_body(call: Call, answer: Handler) -> Response:
    return evolve(answer(call), status=200).with_json({"deleted": False})


@mutant(
    "video.generation-outlives-job",
    "The generations of a deleted video job can't be read.",
    "video.generations.jobs.delete",
)
def generation_outlives_job(call: Call, answer: Handler) -> Response:
    job = call.store.collection("video-jobs").get(path_ids(call)[0])
    response = answer(call)
    for generation in job["generations"] if job else ():
        call.store.collection("video-generations").put(generation["id"], generation)
    return response
