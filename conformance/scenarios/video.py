"""Video scenario: a job from the queue to the video, its thumbnail and its deletion. It costs money on a live
target.
"""

from __future__ import annotations

from typing import Any

from conformance.requests.case import Case, Cost, Expect
from conformance.scenarios.resource_kinds import kind
from conformance.scenarios.scenario import Script, Settings, scenario
from conformance.scenarios.steps import call, create, created_id, listed_in, poll_status, status_of
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec

JOBS = "video.generations.jobs"
PARTS = "video.generations"

#: States of a job that has ended.
ENDS = ("succeeded", "failed", "cancelled")


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
