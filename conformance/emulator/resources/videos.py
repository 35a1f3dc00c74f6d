"""Videos of later documents (``/videos``): one object for each video. Each read takes it one state further; its content
can be fetched when it is completed, and a remix of it is a new video.
"""

from __future__ import annotations

from conformance.emulator import error_answers as errors
from conformance.emulator.call import Call
from conformance.emulator.handlers import handles
from conformance.emulator.resources.objects import Value, ids
from conformance.emulator.resources.video import JPEG, MP4, flat
from conformance.emulator.store import Collection
from conformance.evidence.exchange import Response

#: The state after each state, and how much of the work is done then, in percent.
_NEXT = {"queued": ("in_progress", 50), "in_progress": ("completed", 100)}
_DAY = 86_400


def _videos(call: Call) -> Collection:
    return call.store.collection("videos")


def _video(call: Call) -> Value:
    found: Value = call.found(_videos(call), ids(call)[0], "video")
    return found


def _queued(call: Call, **fields: object) -> Response:
    """Store a new video with these fields, and answer with it."""
    video = {
        "id": call.store.new_id("video_"),
        "object": "video",
        "created_at": call.clock.now(),
        "status": "queued",
        "progress": 0,
        "prompt": call.body["prompt"],
        "completed_at": None,
        "expires_at": None,
        "error": None,
        "remixed_from_video_id": None,
        **fields,
    }
    _videos(call).put(video["id"], video)
    return call.json(video)


@handles("videos.create")
@flat
def create(call: Call) -> Response:
    """A new video in the queue."""
    call.deployment("video")
    return _queued(call, model=call.body["model"], seconds=call.get("seconds", "4"), size=call.get("size", "720x1280"))


@handles("videos.remix")
@flat
def remix(call: Call) -> Response:
    """A new video like another one that is completed, by another prompt."""
    other = _completed(call)
    kept = {name: other[name] for name in ("model", "seconds", "size")}
    return _queued(call, **kept, remixed_from_video_id=other["id"])


@handles("videos.list")
@flat
def list_(call: Call) -> Response:
    """A page of videos, newest first."""
    return call.json(call.page(_videos(call)))


@handles("videos.get")
@flat
def get(call: Call) -> Response:
    """One video. Each read takes it one state further."""
    video = _video(call)
    if video["status"] in _NEXT:
        video["status"], video["progress"] = _NEXT[video["status"]]
        if video["status"] == "completed":
            video["completed_at"] = call.clock.now()
            video["expires_at"] = call.clock.now() + _DAY
    return call.json(video)


@handles("videos.delete")
@flat
def delete(call: Call) -> Response:
    """Remove a video."""
    video = _videos(call).remove(_video(call)["id"])
    return call.json({"id": video["id"], "object": "video.deleted", "deleted": True})


def _completed(call: Call) -> Value:
    """The video of the path. Raises 400 if it isn't completed."""
    video = _video(call)
    if video["status"] != "completed":
        raise errors.invalid(f"The video is {video['status']}.", code="video_not_completed")
    return video


@handles("videos.content")
@flat
def content(call: Call) -> Response:
    """The film, or a picture of it."""
    video = _completed(call)
    if call.query.get("variant", "video") != "video":
        # The documented name; the registered one is image/jpeg.
        return call.bytes(JPEG, "image/jpg")
    return call.bytes(MP4 + video["id"].encode(), "video/mp4")
