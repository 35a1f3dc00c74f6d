"""Video scenarios: a job, and a video of later documents, from the queue to the video, its thumbnail and its deletion.
They cost money on a live target.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from conformance.evidence.exchange import Exchange
from conformance.requests.case import Case, Cost, Expect
from conformance.scenarios.cursors import LARGEST
from conformance.scenarios.resource_kinds import kind
from conformance.scenarios.scenario import Script, Settings, Step, scenario
from conformance.scenarios.steps import call, create, created_id, listed_in, poll_status, request_body, status_of
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

JOBS = "video.generations.jobs"
PARTS = "video.generations"

#: States of a job that has ended.
ENDS = ("succeeded", "failed", "cancelled")

VIDEOS = "videos"

#: States of a video of later documents that has ended.
VIDEO_ENDS = ("completed", "failed")


@scenario("video.job", operations=(f"{JOBS}.create", f"{JOBS}.get", f"{PARTS}.get"), requests=60, expensive="video")
def job(spec: Spec, settings: Settings) -> Script:
    """A job with two variants ends; each video can be read, with the same headers for HEAD and GET, and has a
    thumbnail.
    """
    name = "video.job"
    item = kind("video_job")
    # Two variants are the least number with which a lost one is noticed.
    made = create(spec, item, "job", wanted={"n_variants": 2}, role="job.create", cost=Cost(seconds=2.0))
    (seen,) = yield (made.at(name, "job"),)
    job_id = created_id(seen)
    if job_id is None:
        return
    known = {"job": job_id}

    def on(operation: str, placeholder: str, role: str, expect: Expect = Expect.ACCEPT, **more: Any) -> Case:
        return call(spec, operation, placeholder, role=role, known=known, expect=expect, **more).at(name, role)

    look = on(f"{JOBS}.get", "{job}", "job.get")
    ended = yield from poll_status(look, "job.get", ENDS, settings)
    if status_of(ended) != "succeeded":
        return
    yield (
        look.at(name, "job.again"),
        *(
            call(spec, f"{JOBS}.list", role=f"jobs.{state}", query={"statuses": state, "limit": 10}).at(name, state)
            for state in ("succeeded", "failed")
        ),
    )
    films = [x["id"] for x in listed_in(ended, "generations") if isinstance(x.get("id"), str)]
    # Reported by ``video.variants``; there is nothing to read.
    if not films:
        return
    known["film"] = films[0]
    yield tuple(
        on(f"{PARTS}.{verb}", "{film}", verb)
        for verb in ("get", "content", "head_content", "thumbnail")
        if f"{PARTS}.{verb}" in operations_of(spec)
    )
    (gone,) = yield (on(f"{JOBS}.delete", "{job}", "delete"),)
    if gone.ok:
        yield (
            on(f"{JOBS}.get", "{job}", "gone.job", Expect.EITHER),
            on(f"{PARTS}.get", "{film}", "gone.film", Expect.EITHER),
        )


@scenario("videos.life", operations=(f"{VIDEOS}.create", f"{VIDEOS}.get"), requests=120, expensive="video")
def video(spec: Spec, settings: Settings) -> Script:
    """A video ends; it can be read, with its thumbnail, and remixed into another one. Both are deleted."""
    name = "videos.life"
    has = operations_of(spec)
    made = create(spec, kind("video"), "video", role="job.create", cost=Cost(seconds=4.0))
    (seen,) = yield (made.at(name, "video"),)
    video_id = created_id(seen)
    if video_id is None:
        return
    known = {"video": video_id}

    def on(verb: str, role: str, which: str = "video", expect: Expect = Expect.ACCEPT, **more: Any) -> Case:
        placeholder = f"{{{which}}}"
        return call(spec, f"{VIDEOS}.{verb}", placeholder, role=role, known=known, expect=expect, **more).at(name, role)

    if f"{VIDEOS}.content" in has:
        # Nothing says how a film is refused that isn't ready yet.
        yield (on("content", "early", expect=Expect.EITHER),)
    look = on("get", "job.get")
    ended = yield from poll_status(look, "job.get", VIDEO_ENDS, settings)
    if status_of(ended) != "completed":
        return
    # What it is in the end stays so.
    yield (look.at(name, "job.again"), *_pictures(spec, on))
    if f"{VIDEOS}.remix" in has:
        yield from _remixed(spec, settings, on, known)
        yield (look.at(name, "job.remixed"),)
    if f"{VIDEOS}.list" in has:
        # The largest page: others may create videos meanwhile.
        limited = operations_of(spec)[f"{VIDEOS}.list"].parameter("query", "limit") is not None
        largest = {"limit": LARGEST} if limited else None
        yield (call(spec, f"{VIDEOS}.list", role="listed", query=largest).at(name, "listed"),)
    if f"{VIDEOS}.delete" not in has:
        return
    (gone,) = yield (on("delete", "delete"),)
    if gone.ok:
        looks = [("get", "gone.job"), ("content", "gone.film")]
        yield tuple(on(verb, role, expect=Expect.EITHER) for verb, role in looks if f"{VIDEOS}.{verb}" in has)


def _pictures(spec: Spec, on: Callable[..., Case]) -> tuple[Case, ...]:
    """The film of a video and its thumbnail, where the version has them."""
    content = operations_of(spec).get(f"{VIDEOS}.content")
    if content is None:
        return ()
    film = on("content", "content")
    if content.parameter("query", "variant") is None:
        return (film,)
    return film, on("content", "thumbnail", query={"variant": "thumbnail"})


def _remixed(
    spec: Spec, settings: Settings, on: Callable[..., Case], known: dict[str, str]
) -> Generator[Step, tuple[Exchange, ...], None]:
    """A remix, which is a video of its own: it ends too."""
    undo = None
    if f"{VIDEOS}.delete" in operations_of(spec):
        undo = call(spec, f"{VIDEOS}.delete", "{remix}", role="undo")
    costs: dict[str, Any] = {"cost": Cost(seconds=4.0), "capability": "video", "expensive": "video"}
    body = request_body(spec, f"{VIDEOS}.remix", {"prompt": "The same boat at night."})
    (seen,) = yield (on("remix", "remix", body=body, creates={"remix": "/id"}, undo=undo, **costs),)
    remix_id = created_id(seen)
    if remix_id is not None:
        known["remix"] = remix_id
        yield from poll_status(on("get", "remix.get", "remix"), "remix.get", VIDEO_ENDS, settings)
