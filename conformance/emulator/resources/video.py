"""Video generation jobs. Each read takes a job one state further; its videos can be fetched when it has succeeded.

Errors have no envelope, as the video operations document them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from attrs import evolve

from conformance.emulator.call import Call, Part
from conformance.emulator.error_answers import Refused
from conformance.emulator.handlers import handles
from conformance.emulator.resources.objects import Value, ids
from conformance.evidence.exchange import Response

__all__ = ["JPEG", "MP4", "flat"]

#: The state after each state.
_NEXT = {"queued": "preprocessing", "preprocessing": "running", "running": "processing", "processing": "succeeded"}
_DAY = 86_400

#: A minimal MP4 file: its type box, an empty movie box and a media data box.
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0\0\0\x08moov" + b"\0\0\0\x10mdat"
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0" + b"\xff\xd9"


def flat(handler: Callable[[Call], Response]) -> Callable[[Call], Response]:
    """Decorator: error answers without the envelope."""

    @wraps(handler)
    def answered(call: Call) -> Response:
        try:
            return handler(call)
        except Refused as refused:
            problem = refused.problem
            # The flat form requires a code, which the envelope may leave null.
            code = problem.code or ("NotFound" if problem.status == 404 else "BadRequest")
            raise Refused(evolve(problem, flat=True, full=False, code=code)) from None

    return answered


def _advance(call: Call, job: Value) -> None:
    """Take the job one state further; the last step creates the videos."""
    if job["status"] not in _NEXT:
        return
    job["status"] = _NEXT[job["status"]]
    if job["status"] == "succeeded":
        job["finished_at"] = call.clock.now()
        job["expires_at"] = call.clock.now() + _DAY
        for _ in range(job["n_variants"]):
            generation = {
                "id": call.store.new_id("gen_"),
                "object": "video.generation",
                "job_id": job["id"],
                "created_at": call.clock.now(),
                **{name: job[name] for name in ("width", "height", "n_seconds", "prompt")},
            }
            call.store.collection("video-generations").put(generation["id"], generation)
            job["generations"].append(generation)


def _job(call: Call) -> Value:
    found: Value = call.found(call.store.collection("video-jobs"), ids(call)[0], "video generation job")
    return found


def _generation(call: Call) -> Value:
    found: Value = call.found(call.store.collection("video-generations"), ids(call)[0], "video generation")
    return found


def _items(call: Call) -> list[Any] | None:
    """The pictures that the video starts from. A form sends them as JSON text."""
    given = call.get("inpaint_items")
    if given is None:
        return None
    texts = given if isinstance(given, list) else [given]
    try:
        return [json.loads(one) if isinstance(one, str) else one for one in texts if not isinstance(one, Part)]
    except ValueError:
        return []


@handles("video.generations.jobs.create")
@flat
def create(call: Call) -> Response:
    """A new job."""
    call.deployment("video")
    job = {
        "id": call.store.new_id("task_"),
        "object": "video.generation.job",
        "created_at": call.clock.now(),
        "status": "queued",
        "model": call.body["model"],
        "prompt": call.body["prompt"],
        "width": call.body["width"],
        "height": call.body["height"],
        "n_seconds": call.choice("n_seconds", 5),
        "n_variants": call.choice("n_variants", 1),
        "inpaint_items": _items(call),
        "generations": [],
        "finished_at": None,
        "expires_at": None,
        "failure_reason": None,
    }
    call.store.collection("video-jobs").put(job["id"], job)
    return call.json(job)


@handles("video.generations.jobs.list")
@flat
def list_(call: Call) -> Response:
    """A page of jobs, newest first, filtered by states on request."""
    statuses = call.query.get("statuses")
    jobs = call.store.collection("video-jobs")
    return call.json(call.page(jobs, where=(lambda job: job["status"] in statuses) if statuses else None))


@handles("video.generations.jobs.get")
@flat
def get(call: Call) -> Response:
    """One job. Each read takes it one state further."""
    job = _job(call)
    _advance(call, job)
    return call.json(job)


@handles("video.generations.jobs.delete")
@flat
def delete(call: Call) -> Response:
    """Remove a job with its videos."""
    job = call.store.collection("video-jobs").remove(_job(call)["id"])
    for generation in job["generations"]:
        call.store.collection("video-generations").remove(generation["id"])
    return call.empty()


@handles("video.generations.get")
@flat
def get_generation(call: Call) -> Response:
    """One generation."""
    return call.json(_generation(call))


def _video(call: Call) -> bytes:
    """The bytes of the video. The better quality is a longer file."""
    # Each video has bytes of its own, so that an exchanged one would be noticed.
    name = f"{_generation(call)['id']}:{call.query.get('quality', 'high')}".encode()
    return MP4 + name


@handles("video.generations.content")
@flat
def content(call: Call) -> Response:
    """The video."""
    return call.bytes(_video(call), "video/mp4")


@handles("video.generations.head_content")
@flat
def head_content(call: Call) -> Response:
    """The headers of the video without its content (RFC 9110 section 9.3.2)."""
    return evolve(call.bytes(_video(call), "video/mp4"), chunks=())


@handles("video.generations.thumbnail")
@flat
def thumbnail(call: Call) -> Response:
    """A picture of the video."""
    _generation(call)
    # The documented name; the registered one is image/jpeg.
    return call.bytes(JPEG, "image/jpg")
