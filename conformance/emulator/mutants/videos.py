"""Mutants of videos of later documents: states, times and errors that don't fit, and remixes without an origin."""

from __future__ import annotations

from conformance.emulator.call import Call
from conformance.emulator.edits import (
    Value,
    each_object,
    edited,
    memory,
    path_ids,
    with_field,
    with_fields,
    with_items,
)
from conformance.emulator.error_answers import Problem, Refused
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.evidence.exchange import Response

CREATE, GET, LIST, REMIX = "videos.create", "videos.get", "videos.list", "videos.remix"
#: The operations that show a video.
SHOWN = (CREATE, GET, LIST, REMIX)


# -- states ------------------------------------------------------------------------------------------------------------


@mutant("videos.queued-again", "A video that is in progress is not queued again.", GET)
def queued_again(call: Call, answer: Handler) -> Response:
    def back(one: Value) -> None:
        # The third look shows it in the queue, after the second one showed it at work.
        if one["status"] == "completed" and looks < 3:
            one.update(status="queued", progress=0)
            one.pop("completed_at", None)

    looks = call.store.count(f"looks at {path_ids(call)[0]}")
    return edited(answer(call), back)


@mutant("videos.never-ends", "A video reaches a final state.", GET, LIST)
def never_ends(call: Call, answer: Handler) -> Response:
    def hold(one: Value) -> None:
        if one["status"] == "completed":
            one.update(status="in_progress", progress=99)
            one.pop("completed_at", None)

    return each_object(answer(call), hold)


@mutant("videos.never-begins", "A video leaves the queue.", GET, LIST)
def never_begins(call: Call, answer: Handler) -> Response:
    def hold(one: Value) -> None:
        one.update(status="queued", progress=0)
        one.pop("completed_at", None)

    return each_object(answer(call), hold)


@mutant("videos.terminal-changes", "A completed video does not change any more.", GET)
def terminal_changes(call: Call, answer: Handler) -> Response:
    response, ended = answer(call), memory(call, "ended videos")
    if response.json["status"] != "completed":
        return response
    if path_ids(call)[0] not in ended:
        ended.put(path_ids(call)[0], True)
        return response
    return edited(response, lambda one: {**_unfinished(one), "status": "in_progress"})


@mutant("videos.fails-afterwards", "A completed video does not fail any more.", GET)
def fails_afterwards(call: Call, answer: Handler) -> Response:
    response, ended = answer(call), memory(call, "ended videos")
    if response.json["status"] != "completed":
        return response
    if path_ids(call)[0] not in ended:
        ended.put(path_ids(call)[0], True)
        return response
    error = {"code": "server_error", "message": "It was lost."}
    return edited(response, lambda one: {**_unfinished(one), "status": "failed", "error": error})


@mutant("videos.fails-in-silence", "A failed video says why.", GET, LIST)
def fails_in_silence(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.update(status="failed") if one["status"] == "completed" else None)


@mutant("videos.error-while-working", "Only a failed video has an error.", *SHOWN)
def error_while_working(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.update(error={"code": "none", "message": "No error."}))


@mutant("videos.state-no-text", "The state of a video is a text.", *SHOWN)
def state_no_text(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), status=3)


@mutant("videos.list-one-state-behind", "A list shows a completed video as completed.", LIST)
def list_one_state_behind(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.update(_unfinished(one), status="queued", progress=0))


def _unfinished(one: Value) -> Value:
    """The video without the time of its end."""
    one.pop("completed_at", None)
    return one


# -- progress and times ------------------------------------------------------------------------------------------------


@mutant("videos.no-progress", "A video tells its progress.", *SHOWN)
def no_progress(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.pop("progress"))


@mutant("videos.queue-without-progress", "A video in the queue tells its progress.", CREATE, REMIX)
def queue_without_progress(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.pop("progress"))


@mutant("videos.progress-as-share", "The progress of a video is a whole number.", *SHOWN)
def progress_as_share(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.update(progress=one["progress"] / 100 + 0.005))


@mutant("videos.progress-above", "The progress of a video is at most 100 percent.", GET, LIST)
def progress_above(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.update(progress=one["progress"] * 10))


@mutant("videos.progress-negative", "The progress of a video is at least 0 percent.", CREATE, REMIX)
def progress_negative(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), progress=-1)


@mutant("videos.progress-falls", "The progress of a video does not fall.", GET)
def progress_falls(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.update(progress=100 - one["progress"]))


@mutant("videos.completed-at-too-early", "Only a completed video has the time of its completion.", *SHOWN)
def completed_at_too_early(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.setdefault("completed_at", one["created_at"]))


@mutant("videos.completed-at-missing", "A completed video has the time of its completion.", GET, LIST)
def completed_at_missing(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.pop("completed_at", None))


@mutant("videos.completed-before-created", "A video is completed after it was created.", GET, LIST)
def completed_before_created(call: Call, answer: Handler) -> Response:
    return with_field(answer(call), "completed_at", lambda one: one["created_at"] - 60)


@mutant("videos.expires-before-created", "A video expires after it was created.", GET, LIST)
def expires_before_created(call: Call, answer: Handler) -> Response:
    return with_field(answer(call), "expires_at", lambda one: one["created_at"] - 60)


@mutant("videos.expires-in-milliseconds", "The time at which a video expires is in seconds.", GET, LIST)
def expires_in_milliseconds(call: Call, answer: Handler) -> Response:
    return with_field(answer(call), "expires_at", lambda one: one["expires_at"] * 1000)


@mutant("videos.completed-as-text", "The time of the completion is a number.", GET, LIST)
def completed_as_text(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), completed_at="2026-01-01T00:00:00Z")


# -- what was asked for ------------------------------------------------------------------------------------------------


@mutant("videos.length-changed", "A video is as long as was asked for.", *SHOWN)
def length_changed(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), seconds="12")


@mutant("videos.size-turned", "A video has the size that was asked for.", *SHOWN)
def size_turned(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.update(size="x".join(one["size"].split("x")[::-1])))


@mutant("videos.length-as-number", "The length of a video is a text.", *SHOWN)
def length_as_number(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.update(seconds=int(one["seconds"])))


@mutant("videos.length-default", "Without a length a video has the documented one.", CREATE)
def length_default(call: Call, answer: Handler) -> Response:
    return answer(call) if "seconds" in call.body else with_fields(answer(call), seconds="8")


@mutant("videos.size-default", "Without a size a video has the documented one.", CREATE)
def size_default(call: Call, answer: Handler) -> Response:
    return answer(call) if "size" in call.body else with_fields(answer(call), size="1280x720")


@mutant("videos.model-lost", "A video names its model.", *SHOWN)
def model_lost(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), model="")


@mutant("videos.called-a-job", "The object of a video is video.", *SHOWN)
def called_a_job(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.update(object="video.generation.job"))


# -- remixes -----------------------------------------------------------------------------------------------------------


@mutant("videos.remix-names-none", "A remix names the video that it changes.", GET, LIST, REMIX)
def remix_names_none(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.pop("remixed_from_video_id", None))


@mutant("videos.remix-names-itself", "A remix names another video as its origin.", GET, LIST, REMIX)
def remix_names_itself(call: Call, answer: Handler) -> Response:
    return with_field(answer(call), "remixed_from_video_id", lambda one: one["id"])


@mutant("videos.remix-names-another", "A remix names the video that it changes, and no other one.", REMIX)
def remix_names_another(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), remixed_from_video_id="video_000000000000000000000000")


@mutant("videos.remix-forgets-later", "A remix names the video that it changes, at each look.", GET, LIST)
def remix_forgets_later(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.pop("remixed_from_video_id", None))


@mutant("videos.all-are-remixes", "A video that is no remix names no origin.", *SHOWN)
def all_are_remixes(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.setdefault("remixed_from_video_id", f"{one['id'][:-3]}abc"))


@mutant("videos.remix-no-new-video", "A remix is a new video.", REMIX)
def remix_no_new_video(call: Call, answer: Handler) -> Response:
    origin = call.store.collection("videos").get(path_ids(call)[0])
    made = answer(call)
    call.store.collection("videos").remove(made.json["id"])
    return call.json(origin)


@mutant("videos.remix-in-place", "A remix does not change the video that it is made of.", REMIX)
def remix_in_place(call: Call, answer: Handler) -> Response:
    response = answer(call)
    origin = call.store.collection("videos").get(path_ids(call)[0])
    if origin is not None:
        origin.update(status="queued", progress=0, completed_at=None)
    return response


@mutant("videos.remix-unreadable", "A remix can be read.", REMIX, GET)
def remix_unreadable(call: Call, answer: Handler) -> Response:
    remixes = memory(call, "remixes")
    if call.operation.id == GET and path_ids(call)[0] in remixes:
        raise Refused(Problem(404, "NotFound", "No such video.", flat=True))
    response = answer(call)
    if call.operation.id == REMIX:
        remixes.put(response.json["id"], True)
    return response


@mutant("videos.remix-unlisted", "A remix is in the list of videos.", LIST)
def remix_unlisted(call: Call, answer: Handler) -> Response:
    return with_items(answer(call), lambda data: [one for one in data if not one.get("remixed_from_video_id")])
