"""Checks of videos of later documents: what a video calls itself, progress and times, the reason of a failure, the
origin of a remix, the list, and the form of films and pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import evolve

from conformance.checks.objects.isolation import SECONDS, documented_defaults
from conformance.checks.objects.jobs import UNDER_WAY, objects_in, on_objects, state_of
from conformance.checks.objects.lifecycle import one
from conformance.checks.objects.lists import ids_of, items_of, page_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Needs, check, trace_check
from conformance.judging.counterexamples import on_json, path_of
from conformance.requests.case import Expect
from conformance.requests.request import Request
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.verdict import Finding, Level

LIFE = ("videos.life",)
#: Every script in which videos are seen.
SEEN = (*LIFE, "lifecycle.videos", "lists.videos")
#: What every video calls itself.
VIDEO = "video"
#: The field of a remix that names the video which it changes.
REMIXED = "remixed_from_video_id"


def _of_videos(exchange: Exchange) -> bool:
    """The request is about videos of later documents, and not about the deletion of one."""
    return "/videos" in path_of(exchange.request) and exchange.request.method != "DELETE"


def _videos(trace: Trace) -> Iterator[tuple[Observation, dict[str, Any]]]:
    """Yield each video of a trace with the answer that shows it."""
    for seen in trace:
        yield from ((seen, dict(item)) for item in objects_in(seen) if item.get("object") == VIDEO)


def _misnamed(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a video calls itself a job."""
    response = exchange.response
    value = response.json if response is not None and exchange.ok and _of_videos(exchange) else None
    if response is None or not isinstance(value, dict) or value.get("object") != VIDEO:
        return None
    return exchange.answered(response.with_json({**value, "object": "video.generation.job"}))


@check(
    "video.object",
    Level.MUST,
    clause="video-object",
    counterexample=_misnamed,
    operations=("videos.create", "videos.get", "videos.list", "videos.remix"),
    needs=Needs.SUCCESS,
)
def named(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """The ``object`` of a video is always ``video``. Clients tell by it what they got."""
    for item in objects_in(seen):
        # A missing one is reported by the schema.
        if item.get("object", VIDEO) != VIDEO:
            yield seen.finding("a video is called otherwise", place="/object", expected=VIDEO, actual=item["object"])


def _beyond(item: dict[str, Any]) -> Any:
    """Counterexample: more than the whole is done."""
    return {**item, "progress": 250} if is_integer(item.get("progress")) else None


@trace_check(
    "video.progress",
    Level.SHOULD,
    clause="video-progress",
    counterexample=on_objects(VIDEO, _beyond),
    scenarios=SEEN,
)
def progress(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """``progress`` is a percentage, from 0 to 100. That it falls is only noted: it is called approximate."""
    furthest: dict[str, int] = {}
    for seen, item in _videos(trace):
        done, name = item.get("progress"), str(item.get("id"))
        if not is_integer(done):
            continue
        if not 0 <= done <= 100:
            yield seen.finding("no percentage", place="/progress", expected="0 to 100", actual=done)
        elif done < furthest.get(name, 0):
            yield seen.finding("the progress falls", place="/progress", expected=f"{furthest[name]} or more",
                               actual=done, level=Level.OBS)  # fmt: skip
        furthest[name] = max(done, furthest.get(name, 0))


#: The times of a video in their order.
_TIMES = ("created_at", "completed_at", "expires_at")


def _expired(item: dict[str, Any]) -> Any:
    """Counterexample: a video expired before it was created."""
    stamp = item.get("created_at")
    return {**item, "expires_at": stamp - 60} if is_integer(stamp) and is_integer(item.get("expires_at")) else None


@trace_check(
    "video.times",
    Level.SHOULD,
    clause="video-times",
    counterexample=on_objects(VIDEO, _expired),
    scenarios=SEEN,
)
def times(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A video is created, completed and expires in this order, all in seconds; once completed it has that time.

    A client that trusts ``expires_at`` fetches the film too late, or never.
    """
    for seen, item in _videos(trace):
        stamps = {name: item[name] for name in _TIMES if is_integer(item.get(name))}
        if item.get("status") == "completed" and item.get("completed_at") is None:
            yield seen.finding("no time of the completion", place="/completed_at", expected="a time", actual=None)
        # That of the creation is judged where objects are created.
        late = next((name for name, at in stamps.items() if at >= SECONDS and name != "created_at"), None)
        if late is not None:
            yield seen.finding("the time is not in seconds", place=f"/{late}", actual=stamps[late])
        elif [*stamps.values()] != sorted(stamps.values()):
            yield seen.finding("the times are not in order", place="/created_at", expected=_TIMES, actual=stamps)


def _unexplained(item: dict[str, Any]) -> Any:
    """Counterexample: a video failed, and doesn't say why."""
    if item.get("status") not in ("failed", "completed"):
        return None
    return {name: value for name, value in {**item, "status": "failed"}.items() if name != "error"}


@trace_check(
    "video.failure",
    Level.SHOULD,
    clause="video-failure",
    counterexample=on_objects(VIDEO, _unexplained),
    scenarios=SEEN,
)
def failure(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A video that failed says why. Without a reason nobody can tell a wrong prompt from a broken service."""
    for seen, item in _videos(trace):
        if item.get("status") == "failed" and not item.get("error"):
            yield seen.finding("a failure without a reason", place="/error", expected="a code and a message",
                               actual=item.get("error"))  # fmt: skip


#: The fields of a video that say how it was asked for.
_ASKED = ("seconds", "size")


def _others(value: Any, request: Request) -> Any:
    """Counterexample: what was not asked for is another than the documented one."""
    body = request.json
    if not isinstance(body, dict) or not path_of(request).endswith("/videos") or value.get("object") != VIDEO:
        return None
    unsent = [name for name in _ASKED if name in value and name not in body]
    return {**value, **dict.fromkeys(unsent, "none")} if unsent else None


@check(
    "video.defaults",
    Level.SHOULD,
    clause="state-defaults",
    counterexample=on_json(_others),
    operations=("videos.create",),
    about=lambda _spec, case: case.expect is not Expect.REJECT,
    needs=Needs.SUCCESS,
    provenance="spec",
)
def defaults(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A video whose length or size was not asked for has the documented one. It is billed by both."""
    sent = seen.exchange.request.json
    if not isinstance(sent, dict) or not isinstance(seen.json, dict):
        return
    for name, wanted in documented_defaults(spec, seen):
        found = seen.json.get(name)
        if name in _ASKED and name not in sent and found is not None and found != wanted:
            yield seen.finding(f"{name} has another default", place=f"/{name}", expected=wanted, actual=found)


def _of_another(item: dict[str, Any]) -> Any:
    """Counterexample: a remix names another video."""
    return {**item, REMIXED: "video_of_another"} if item.get(REMIXED) is not None else None


def _remixes(trace: Trace) -> tuple[Observation, Any, Any] | None:
    """The answer that made a remix, its id and that of the video that it changes; None if either was not made."""
    made, origin = one(trace, "remix"), one(trace, "job.create")
    return None if made is None or origin is None else (made, made.json.get("id"), origin.json.get("id"))


@trace_check(
    "video.remix",
    Level.MUST,
    clause="video-remix",
    counterexample=on_objects(VIDEO, _of_another),
    scenarios=LIFE,
    needs=("remix",),
)
def remix(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A remix is a video of its own, which names no other video than the one that it changes; what is no remix names
    none.
    """
    found = _remixes(trace)
    if found is None:
        return
    made, own, known = found
    if own == known:
        yield made.finding("the remix is no new video", place="/id", expected="another id", actual=known)
        return
    for seen, item in _videos(trace):
        named = item.get(REMIXED)
        if item.get("id") == known and named is not None:
            yield seen.finding("a video that is no remix names an origin", place=f"/{REMIXED}", expected=None,
                               actual=named)  # fmt: skip
        elif item.get("id") == own and named not in (None, known):
            yield seen.finding("a remix of another video", place=f"/{REMIXED}", expected=known, actual=named)


def _of_none(item: dict[str, Any]) -> Any:
    """Counterexample: a remix names no video."""
    return {name: value for name, value in item.items() if name != REMIXED} if item.get(REMIXED) is not None else None


@trace_check(
    "video.remix.named",
    Level.SHOULD,
    clause="video-remix-named",
    counterexample=on_objects(VIDEO, _of_none),
    scenarios=LIFE,
    needs=("remix",),
)
def remix_named(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A remix names the video that it changes, at each look. The field is documented, and no required one."""
    found = _remixes(trace)
    if found is None:
        return
    _, own, known = found
    for seen, item in _videos(trace):
        if item.get("id") == own != known and item.get(REMIXED) is None:
            yield seen.finding("a remix without an origin", place=f"/{REMIXED}", expected=known, actual=None)


def _without_remixes(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the list of videos has no remixes."""
    response, value = exchange.response, page_of(exchange)
    if response is None or value is None or not _of_videos(exchange):
        return None
    data = [x for x in value["data"] if not (isinstance(x, dict) and x.get(REMIXED))]
    # A page without an end would break another rule.
    if not data or len(data) == len(value["data"]):
        return None
    ends = {name: data[place].get("id") for name, place in (("first_id", 0), ("last_id", -1)) if name in value}
    return exchange.answered(response.with_json({**value, **ends, "data": data}))


@trace_check(
    "video.listed",
    Level.SHOULD,
    clause="video-listed",
    counterexample=_without_remixes,
    scenarios=LIFE,
    needs=("listed",),
)
def listed(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A video and its remix are in the list of videos, among those that are as new."""
    for seen in trace.role("listed"):
        # What is no page is reported by the schema.
        if not seen.exchange.ok or not isinstance(seen.json, dict) or not isinstance(seen.json.get("data"), list):
            continue
        stamps = [x["created_at"] for x in items_of(seen) if is_integer(x.get("created_at"))]
        for made in (one(trace, "job.create"), one(trace, "remix")):
            if made is None or made.json.get("id") in ids_of(seen):
                continue
            stamp = made.json.get("created_at")
            # Where only newer ones have room on the page, others created many meanwhile. A list that begins with older
            # ones has it on a later page.
            behind = is_integer(stamp) and stamps[:1] > stamps[-1:] and any(at < stamp for at in stamps)
            if seen.json.get("has_more") is False or behind:
                yield seen.finding("a video is not listed", place="/data", expected=made.json.get("id"),
                                   actual=ids_of(seen))  # fmt: skip


#: Media type → how such files begin: at which byte, and with what (ISO/IEC 14496-12 section 4.2 and the boxes that may
#: come first, ISO/IEC 10918-1 annex B, RFC 9649 section 2.5).
_BEGINS = {
    "video/mp4": (4, (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"pdin", b"uuid")),
    "image/jpeg": (0, (b"\xff\xd8\xff",)),
    "image/jpg": (0, (b"\xff\xd8\xff",)),
    "image/webp": (8, (b"WEBP",)),
}


def _no_file(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a film or a picture is a text."""
    response = exchange.response
    if response is None or not exchange.ok or not _of_videos(exchange) or response.media_type not in _BEGINS:
        return None
    return exchange.answered(response.with_body(b"It is being prepared."))


@trace_check(
    "video.format",
    Level.SHOULD,
    clause="video-format",
    counterexample=_no_file,
    scenarios=LIFE,
    needs=("content",),
    provenance="standard",
)
def form(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A film and its thumbnail are files of the kind that their media type names. Players choose a decoder by it."""
    for seen in trace.role("content", "thumbnail"):
        # What is coded is judged where codings are.
        if not seen.exchange.ok or seen.response.header("content-encoding"):
            continue
        place, marks = _BEGINS.get(seen.response.media_type, (0, (b"",)))
        body = seen.response.body
        if body and not body.startswith(marks, place):
            yield seen.finding(f"the content isn't {seen.response.media_type}", place=f"byte:{place}",
                               expected=marks[0], actual=body[: place + 8])  # fmt: skip


def _told_early(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the film of a video that is not completed is there, without a byte."""
    response = exchange.response
    if response is None or exchange.ok or not path_of(exchange.request).endswith("/content"):
        return None
    video = path_of(exchange.request).removesuffix("/content").rpartition("/")[2]
    for past in reversed(earlier):
        value = past.response.json if past.ok and past.response else None
        if isinstance(value, dict) and value.get("id") == video and "deleted" not in value:
            if state_of(value) not in UNDER_WAY:
                return None
            empty = response.with_body(b"").with_header("content-type", "video/mp4")
            return exchange.answered(evolve(empty, status=200))
    return None


@trace_check(
    "video.early",
    Level.MUST,
    clause="video-content",
    counterexample=_told_early,
    scenarios=LIFE,
    needs=("job.create",),
)
def early(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A film that is asked for before its video is completed is no empty file. One with content is only noted."""
    looks = trace.role("job.get")
    working = bool(looks) and isinstance(looks[0].json, dict) and state_of(looks[0].json) in UNDER_WAY
    for seen in trace.role("early"):
        # What was cut off is judged where the framing of messages is.
        if not seen.exchange.ok or seen.exchange.status != 200:
            continue
        if not seen.response.body:
            yield seen.finding("an empty film", place="body", expected="a refusal, or some bytes", actual=0)
        elif working:
            yield seen.finding("a film before its video is completed", place="status", expected="4xx", actual=200,
                               level=Level.OBS)  # fmt: skip
