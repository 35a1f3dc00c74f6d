"""What right servers of videos do differently: states that are skipped or kept, progress that jumps, other ids."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from answers import Named, Served

from conformance.emulator.call import Call
from conformance.emulator.edits import Value, each_object, edited, path_ids, with_fields
from conformance.emulator.error_answers import Problem, Refused
from conformance.emulator.handlers import Handler
from conformance.emulator.resources.video import JPEG, MP4
from conformance.emulator.variants import Change as Variant
from conformance.evidence.exchange import Response

VARIATIONS: Named = {}

CREATE, GET, LIST, REMIX = "videos.create", "videos.get", "videos.list", "videos.remix"
CONTENT, DELETE = "videos.content", "videos.delete"
SHOWN = (CREATE, GET, LIST, REMIX)


def put(name: str, about: str, *operations: str) -> Callable[[Variant], Variant]:
    """A decorator that makes a variation of a function of a call and the handler that answers it as it is."""

    def mark(change: Variant) -> Variant:
        VARIATIONS[f"videos.{name}"] = about, Served(operations, change)
        return change

    return mark


def stored(call: Call, id: str) -> Value:
    found: Value = call.store.collection("videos").get(id)
    return found


def moved(*states: tuple[str, int]) -> Variant:
    """The looks at a video show it in these states (with their progress), and completed after them."""

    def change(call: Call, answer: Handler) -> Response:
        video = stored(call, path_ids(call)[0]) or {}
        if video.get("status") not in ("completed", "failed") and video:
            count = call.store.count(f"looks at {video['id']}")
            if count <= len(states):
                video["status"], video["progress"] = states[count - 1]
                return call.json(video)
            video.update(status="in_progress", progress=99)
        return answer(call)

    return change


put("skips-work", "a video that was in the queue is completed at the next look", GET)(moved())
put("stays-queued", "a video is in the queue for some looks", GET)(moved(*[("queued", 0)] * 4))
put("progress-jumps", "the progress stays 0 until the end", GET)(moved(("in_progress", 0), ("in_progress", 0)))
put("progress-slow", "the progress rises step by step", GET)(
    moved(*[("in_progress", done) for done in (1, 7, 7, 33, 66, 99)])
)
put("unknown-state", "a video is in a state that the document doesn't list", GET)(
    moved(("moderating", 10), ("in_progress", 50))
)


@put("remix-done-at-once", "a remix is completed when it is created", REMIX)
@put("done-at-once", "a video is completed when it is created", CREATE, REMIX)
def done_at_once(call: Call, answer: Handler) -> Response:
    video = stored(call, answer(call).json["id"])
    now = call.clock.now()
    video.update(status="completed", progress=100, completed_at=now, expires_at=now + 60)
    return call.json(video)


@put("works-at-once", "a video is in progress when it is created", CREATE, REMIX)
def works_at_once(call: Call, answer: Handler) -> Response:
    video = stored(call, answer(call).json["id"])
    video.update(status="in_progress", progress=1)
    return call.json(video)


@put("progress-approximate", "a completed video says 99 percent", GET, LIST)
def progress_approximate(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.update(progress=min(one["progress"], 99)))


@put("more-fields", "a video has fields that the document doesn't have", *SHOWN)
def more_fields(call: Call, answer: Handler) -> Response:
    more: dict[str, Any] = {"prompt": "A boat.", "quality": "standard", "usage": {"seconds": 4}, "variants": []}
    return each_object(answer(call), lambda one: one.update(more))


@put("other-ids", "ids have another form", CREATE, REMIX)
def other_ids(call: Call, answer: Handler) -> Response:
    old = answer(call).json["id"]
    video = call.store.collection("videos").remove(old)
    number = call.store.count("other ids")
    video["id"] = f"5f1c0a3e-0000-4000-8000-{number:012x}"
    call.store.collection("videos").put(video["id"], video)
    return call.json(video)


@put("other-model", "a video names the model behind its deployment", *SHOWN)
def other_model(call: Call, answer: Handler) -> Response:
    return with_fields(answer(call), model="sora-2-2025-10-06")


@put("never-expires", "a video doesn't say when it expires", GET, LIST)
def never_expires(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.pop("expires_at", None))


@put("expires-known", "a video says from the beginning when it expires", *SHOWN)
def expires_known(call: Call, answer: Handler) -> Response:
    return each_object(answer(call), lambda one: one.update(expires_at=one["created_at"] + 86_400))


@put("completed-later", "a video is completed an hour after it was created, and expires a year later", GET, LIST)
def completed_later(call: Call, answer: Handler) -> Response:
    def late(one: Value) -> None:
        if "completed_at" in one:
            one.update(completed_at=one["created_at"] + 3600, expires_at=one["created_at"] + 31_536_000)

    return each_object(answer(call), late)


@put("early-404", "a film that isn't ready is not found", CONTENT)
def early_404(call: Call, answer: Handler) -> Response:
    return refused(call, answer, 404)


@put("early-409", "a film that isn't ready is a conflict", CONTENT)
def early_409(call: Call, answer: Handler) -> Response:
    return refused(call, answer, 409)


def refused(call: Call, answer: Handler, status: int) -> Response:
    try:
        return answer(call)
    except Refused as told:
        if told.problem.status != 400:
            raise
        raise Refused(Problem(status, "VideoNotReady", "Come back later.", flat=True)) from None


@put("film-with-parameters", "the media type of a film has a parameter", CONTENT)
def film_with_parameters(call: Call, answer: Handler) -> Response:
    response = answer(call)
    return response.with_header("content-type", f'{response.media_type}; codecs="avc1"') if film(call) else response


@put("film-begins-otherwise", "a film begins with a box of media data", CONTENT)
def film_begins_otherwise(call: Call, answer: Handler) -> Response:
    return answer(call).with_body(b"\0\0\0\x08free" + MP4) if film(call) else answer(call)


@put("thumbnail-webp", "a thumbnail is a WebP picture", CONTENT)
def thumbnail_webp(call: Call, answer: Handler) -> Response:
    if film(call):
        return answer(call)
    webp = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0"
    return answer(call).with_body(webp).with_header("content-type", "image/webp")


@put("thumbnail-large", "a thumbnail is a large picture", CONTENT)
def thumbnail_large(call: Call, answer: Handler) -> Response:
    return answer(call) if film(call) else answer(call).with_body(JPEG + bytes(200_000))


def film(call: Call) -> bool:
    return call.query.get("variant", "video") == "video"


@put("ends-absent", "a page has no first_id and no last_id", LIST)
def ends_absent(call: Call, answer: Handler) -> Response:
    return edited(answer(call), lambda page: {n: v for n, v in page.items() if n not in ("first_id", "last_id")})


@put("foreign-videos", "the list has older videos of others", LIST)
def foreign_videos(call: Call, answer: Handler) -> Response:
    videos, number = call.store.collection("videos"), call.store.count("foreign videos")
    at = 1_600_000_000 - number
    made: Value = {"id": call.store.new_id("video_"), "object": "video", "created_at": at, "status": "completed",
                   "progress": 100, "model": "sora", "seconds": "12", "size": "1024x1792", "completed_at": at + 9,
                   "expires_at": at + 90}  # fmt: skip
    # As the oldest of all.
    old = [videos.remove(one["id"]) for one in [*videos]] if number < 9 else []
    for one in (made, *old) if old else ():
        videos.put(one["id"], one)
    return answer(call)


@put("deleted-again", "a deletion that is repeated is confirmed", DELETE)
def deleted_again(call: Call, answer: Handler) -> Response:
    gone, id_ = call.store.collection("variation", "deleted videos"), path_ids(call)[0]
    if id_ in gone:
        return call.json({"id": id_, "object": "video.deleted", "deleted": True})
    response = answer(call)
    gone.put(id_, True)
    return response


@put("remix-longer", "a remix has another length than its origin", REMIX)
def remix_longer(call: Call, answer: Handler) -> Response:
    video = stored(call, answer(call).json["id"])
    video["seconds"] = "12"
    return call.json(video)


@put("errors-detailed", "errors have more than a code and a message", *SHOWN, CONTENT, DELETE)
def errors_detailed(call: Call, answer: Handler) -> Response:
    try:
        return answer(call)
    except Refused as told:
        raise Refused(Problem(told.problem.status, "VideoError", "Nein.", flat=True,
                              extra=(("innererror", {"code": "Detail"}), ("param", None)))) from None  # fmt: skip
