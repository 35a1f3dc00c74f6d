"""Mutants of the contents of videos, of their deletion and of their refusals."""

from __future__ import annotations

from attrs import evolve

from conformance.emulator.call import Call
from conformance.emulator.edits import answer_unless_refused, edited, memory, path_ids
from conformance.emulator.error_answers import Problem, Refused
from conformance.emulator.handlers import Handler
from conformance.emulator.mutants import mutant
from conformance.emulator.resources.video import MP4
from conformance.evidence.exchange import Response

CONTENT, DELETE = "videos.content", "videos.delete"


def _film(call: Call) -> bool:
    """The film is asked for, and not a picture of it."""
    return bool(call.query.get("variant", "video") == "video")


@mutant("videos.content-empty", "A video has content.", CONTENT)
def content_empty(call: Call, answer: Handler) -> Response:
    return answer(call).with_body(b"") if _film(call) else answer(call)


@mutant("videos.content-type-wrong", "A film has the media type of a film.", CONTENT)
def content_type_wrong(call: Call, answer: Handler) -> Response:
    return answer(call).with_header("content-type", "application/octet-stream") if _film(call) else answer(call)


@mutant("videos.content-as-text", "A film is no text.", CONTENT)
def content_as_text(call: Call, answer: Handler) -> Response:
    return answer(call).with_header("content-type", "text/plain") if _film(call) else answer(call)


@mutant("videos.content-as-json", "A film is sent as it is, not inside JSON.", CONTENT)
def content_as_json(call: Call, answer: Handler) -> Response:
    made = answer(call)
    inside = made.with_json({"content": "AAAAGGZ0eXA="}).with_header("content-type", "application/json")
    return inside if _film(call) else made


@mutant("videos.content-no-film", "A film is an MP4 file if its media type says so.", CONTENT)
def content_no_film(call: Call, answer: Handler) -> Response:
    return answer(call).with_body(b"The film is being prepared.") if _film(call) else answer(call)


@mutant("videos.content-a-picture", "Without a variant the film is sent, not a picture.", CONTENT)
def content_a_picture(call: Call, answer: Handler) -> Response:
    return answer(evolve(call, query={**call.query, "variant": "thumbnail"}))


@mutant("videos.thumbnail-a-film", "A thumbnail is a picture, not the film.", CONTENT)
def thumbnail_a_film(call: Call, answer: Handler) -> Response:
    return answer(evolve(call, query={}))


@mutant("videos.thumbnail-empty", "A thumbnail has content.", CONTENT)
def thumbnail_empty(call: Call, answer: Handler) -> Response:
    return answer(call) if _film(call) else answer(call).with_body(b"")


@mutant("videos.thumbnail-no-picture", "A thumbnail has the media type of a picture.", CONTENT)
def thumbnail_no_picture(call: Call, answer: Handler) -> Response:
    return answer(call) if _film(call) else answer(call).with_header("content-type", "application/octet-stream")


@mutant("videos.thumbnail-refused", "A completed video has a thumbnail.", CONTENT)
def thumbnail_refused(call: Call, answer: Handler) -> Response:
    if not _film(call):
        raise Refused(Problem(404, "NotFound", "There is no thumbnail.", flat=True))
    return answer(call)


@mutant("videos.content-missing", "A completed video has a film.", CONTENT)
def content_missing(call: Call, answer: Handler) -> Response:
    if _film(call):
        raise Refused(Problem(404, "NotFound", "There is no film.", flat=True))
    return answer(call)


@mutant("videos.content-of-nothing", "A video that isn't completed has no empty film.", CONTENT)
def content_of_nothing(call: Call, answer: Handler) -> Response:
    made = answer_unless_refused(call, answer)
    known = path_ids(call)[0] in call.store.collection("videos")
    return made if made is not None else call.bytes(b"", "video/mp4") if known else answer(call)


@mutant("videos.content-too-early", "A video that isn't completed has no film.", CONTENT)
def content_too_early(call: Call, answer: Handler) -> Response:
    made = answer_unless_refused(call, answer)
    known = path_ids(call)[0] in call.store.collection("videos")
    return made if made is not None else call.bytes(MP4, "video/mp4") if known else answer(call)


@mutant("videos.content-crashes-early", "Asking for a film too early is not answered with a 5xx.", CONTENT)
def content_crashes_early(call: Call, answer: Handler) -> Response:
    made = answer_unless_refused(call, answer)
    if made is None:
        raise Refused(Problem(500, "InternalServerError", "Object reference not set.", flat=True))
    return made


@mutant("videos.film-outlives-video", "The film of a deleted video can't be read.", DELETE, CONTENT)
def film_outlives_video(call: Call, answer: Handler) -> Response:
    gone = memory(call, "deleted videos")
    if call.operation.id == DELETE:
        response = answer(call)
        gone.put(path_ids(call)[0], True)
        return response
    return call.bytes(MP4, "video/mp4") if path_ids(call)[0] in gone else answer(call)


@mutant("videos.deletion-without-id", "The answer to a deletion names the video.", DELETE)
def deletion_without_id(call: Call, answer: Handler) -> Response:
    return edited(answer(call), lambda one: {name: value for name, value in one.items() if name != "id"})


@mutant("videos.deletion-shows-video", "The answer to a deletion says that the video is deleted.", DELETE)
def deletion_shows_video(call: Call, answer: Handler) -> Response:
    video = call.store.collection("videos").get(path_ids(call)[0])
    return answer(call).with_json(video)


@mutant("videos.deletes-all", "A deletion removes one video.", DELETE)
def deletes_all(call: Call, answer: Handler) -> Response:
    response = answer(call)
    for one in [*call.store.collection("videos")]:
        call.store.collection("videos").remove(one["id"])
    return response


@mutant("videos.errors-empty", "A refusal has a code and a message.", "videos.*")
def errors_empty(call: Call, answer: Handler) -> Response:
    try:
        return answer(call)
    except Refused as refused:
        return call.json({}, refused.problem.status)


@mutant("videos.errors-without-message", "A refusal has a message.", "videos.*")
def errors_without_message(call: Call, answer: Handler) -> Response:
    try:
        return answer(call)
    except Refused as refused:
        return call.json({"code": refused.problem.code}, refused.problem.status)
