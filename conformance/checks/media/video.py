"""Checks of video jobs: as many videos as requested, each with content, and deleted with their job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve

from conformance.checks.objects.jobs import on_objects, reached
from conformance.checks.objects.lifecycle import one, sent_in
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import still_readable
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

JOB = ("video.job",)
#: The same of later documents, where a video is one object.
LIVES = (*JOB, "videos.life")
SUCCEEDED = reached("job.get", "succeeded")
DONE = reached("job.get", "succeeded", "completed")


def _fewer(item: dict[str, Any]) -> Any:
    """Counterexample: a video is missing."""
    videos = item.get("generations")
    return {**item, "generations": videos[1:]} if isinstance(videos, list) and videos else None


@trace_check(
    "video.variants",
    Level.MUST,
    clause="video-variants",
    counterexample=on_objects("video.generation.job", _fewer),
    scenarios=JOB,
    needs=(SUCCEEDED,),
)
def variants(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A succeeded job has one generation for each requested variant. Each is billed."""
    made, done = one(trace, "job.create"), one(trace, "job.get")
    if made is None or done is None or done.json.get("status") != "succeeded":
        return
    wanted, videos = sent_in(made).get("n_variants"), done.json.get("generations")
    # A list of another type is reported by the schema.
    if isinstance(videos, list) and len(videos) != wanted:
        yield done.finding("another number of videos", place="/generations", expected=wanted, actual=len(videos))


def _of_another(item: dict[str, Any]) -> Any:
    """Counterexample: a video names another job."""
    return {**item, "job_id": "task_of_another"} if "job_id" in item else None


@trace_check(
    "video.generation",
    Level.MUST,
    clause="state-names-parent",
    counterexample=on_objects("video", _of_another),
    scenarios=JOB,
    needs=(SUCCEEDED,),
)
def generation(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A video contains the id of the job that made it."""
    done, seen = one(trace, "job.get"), one(trace, "get")
    if done is None:
        return
    videos = [(done, video) for video in done.json.get("generations") or ()]
    for look, video in [*videos, *([(seen, seen.json)] if seen else [])]:
        if isinstance(video, dict) and video.get("job_id", done.json.get("id")) != done.json.get("id"):
            yield look.finding("a video of another job", place="/job_id", expected=done.json.get("id"),
                               actual=video.get("job_id"))  # fmt: skip


def _hollow(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the content is empty."""
    response = exchange.response
    if response is None or not exchange.ok or exchange.request.method != "GET":
        return None
    media = response.media_type
    return exchange.answered(response.with_body(b"")) if media.startswith(("video/", "image/")) else None


@trace_check(
    "video.content",
    Level.MUST,
    clause="video-content",
    counterexample=_hollow,
    scenarios=LIVES,
    needs=(DONE,),
)
def content(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A video and its thumbnail have content, and the media type says which kind of content."""
    for seen in trace.role("content", "thumbnail"):
        if not seen.exchange.ok:
            continue
        kind = "video/" if seen.case.role == "content" else "image/"
        if not seen.response.body:
            yield seen.finding("no content", place="body", expected="some bytes", actual=0)
        elif not seen.response.media_type.startswith(kind):
            yield seen.finding("another media type", place="header:content-type", expected=f"{kind}*",
                               actual=seen.response.media_type, level=Level.SHOULD)  # fmt: skip


def _other_head(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: HEAD has another status."""
    response = exchange.response
    if response is None or exchange.request.method != "HEAD" or not exchange.ok:
        return None
    # The media type is that of an error, so that the refusal is well-formed in itself.
    return exchange.answered(evolve(response, status=404).with_header("content-type", "application/json"))


@trace_check(
    "video.head",
    Level.MUST,
    clause="video-head",
    counterexample=_other_head,
    scenarios=JOB,
    needs=(SUCCEEDED, "content"),
    entails=("http.accepted",),
    provenance="standard",
)
def head(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """HEAD has the same status and media type as GET, without the content (RFC 9110 section 9.3.2)."""
    got, asked = trace.role("content"), trace.role("head_content")
    if not got or not asked or not got[0].exchange.ok:
        return
    whole, alone = got[0].response, asked[0].exchange.response
    # Throttling, server errors and silence are judged by other checks.
    if alone is None or alone.status == 429 or alone.status >= 500:
        return
    if alone.status != whole.status:
        yield asked[0].finding("another status", place="status", expected=whole.status, actual=alone.status)
    elif alone.media_type != whole.media_type:
        yield asked[0].finding("another media type", place="header:content-type", expected=whole.media_type,
                               actual=alone.media_type)  # fmt: skip
    elif alone.body:
        yield asked[0].finding("HEAD has content", place="body", expected=0, actual=len(alone.body))


@trace_check(
    "video.deleted.films",
    Level.SHOULD,
    clause="video-deleted",
    counterexample=still_readable(r"/video(?:/generations/gen|s/video_\w+/content)"),
    scenarios=LIVES,
    needs=(DONE,),
)
def deleted_videos(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The videos of a deleted job can't be read any more."""
    for seen in trace.role("gone.film"):
        if seen.exchange.ok:
            yield seen.finding("the video is still there", place="status", expected=404, actual=seen.exchange.status)


#: State of a job → how far it is. States that no document lists have no place.
_PROGRESS = {
    "preprocessing": 0,
    "queued": 0,
    "running": 1,
    "in_progress": 1,
    "processing": 2,
    "succeeded": 3,
    "completed": 3,
    "failed": 3,
    "cancelled": 3,
}


#: What a job and a video of later documents call themselves.
KINDS = ("video.generation.job", "video")


def _back_in_line(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a job that was running is queued again."""
    response = exchange.response
    value = response.json if response is not None and exchange.ok else None
    if response is None or not isinstance(value, dict) or value.get("object") not in KINDS:
        return None
    if _PROGRESS.get(value.get("status", "")) not in (1, 2):
        return None
    return _queued_after_work(exchange, earlier)


def _queued_after_work(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Witness: a job, or a video, that was running is queued, whatever it is now."""
    response = exchange.response
    value = response.json if response is not None and exchange.ok else None
    if response is None or not isinstance(value, dict) or value.get("object") not in KINDS:
        return None
    for past in earlier:
        old = past.response.json if past.ok and past.response else None
        if past.request.url == exchange.request.url and isinstance(old, dict) and _PROGRESS.get(str(old.get("status"))):
            return exchange.answered(response.with_json({**value, "status": "queued"}))
    return None


@trace_check(
    "video.states",
    Level.SHOULD,
    clause="video-states",
    counterexample=_back_in_line,
    witness=_queued_after_work,
    scenarios=LIVES,
    needs=("job.get",),
)
def states(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A job goes from the queue to its work and to its end. It may skip states, but does not go back."""
    far, last = 0, ""
    for seen in trace.role("job.get"):
        status = seen.json.get("status") if seen.exchange.ok and isinstance(seen.json, dict) else None
        reached_now = _PROGRESS.get(str(status))
        if reached_now is None:
            continue
        if reached_now < far:
            yield seen.finding("the job went back to an earlier state", place="/status", expected=f"{last} or later",
                               actual=status)  # fmt: skip
            return
        far, last = reached_now, str(status)
