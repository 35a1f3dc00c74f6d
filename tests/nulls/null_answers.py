"""Answers that a target gives to everything, and the few rules that such an answer keeps by itself. Data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from conformance.evidence.exchange import Chunk, Response
from conformance.requests.request import Request

#: What comes of a request; None: the connection is closed without a byte.
NullAnswer = Callable[[Request], Response | None]

JSON = "application/json"


def _always(status: int, body: bytes | str = b"", media: str = JSON, **headers: str) -> NullAnswer:
    data = body.encode() if isinstance(body, str) else body
    fields = (*((("content-type", media),) if media else ()), *headers.items())
    response = Response(status, fields, (Chunk(0.0, data),) if data else ())
    return lambda request: response


def _refusing(status: int) -> NullAnswer:
    return _always(status, json.dumps({"error": {"code": str(status), "message": "No."}}))


def _echo(request: Request) -> Response:
    media = request.header("content-type") or JSON
    return Response(200, (("content-type", media),), (Chunk(0.0, request.body),) if request.body else ())


#: By name: what the target answers to every request, those of the preflight included.
ANSWERS: Mapping[str, NullAnswer] = {
    "404": _refusing(404),
    "404 as text": _always(404, "page not found", "text/plain"),
    "400": _refusing(400),
    "403": _refusing(403),
    "500": _refusing(500),
    "object": _always(200, "{}"),
    "array": _always(200, "[]"),
    "null": _always(200, "null"),
    "empty list": _always(200, '{"object":"list","data":[],"has_more":false}'),
    "page": _always(200, "<!doctype html><title>Welcome</title>", "text/html"),
    "nothing": _always(204, media=""),
    "empty body": _always(200),
    "redirect": _always(302, media="", location="https://elsewhere.example/"),
    "closed": lambda request: None,
    "only [DONE]": _always(200, "data: [DONE]\n\n", "text/event-stream"),
    "echo": _echo,
}

REFUSALS = frozenset({"404", "404 as text", "400", "403"})
JSON_VALUES = frozenset({"object", "array", "null", "empty list"})
SUCCESSES = JSON_VALUES | {"page", "nothing", "empty body", "only [DONE]", "echo"}
BELOW_500 = REFUSALS | SUCCESSES | {"redirect"}

_FRAMING = "two lines of this stream are framed as they should be"

#: Check → the answers that keep its rule by themselves, and why. Nothing else may pass.
SATISFIED: Mapping[str, tuple[frozenset[str], str]] = {
    "http.message.whole": (BELOW_500 | {"500"}, "the message is whole"),
    "http.no-server-error": (BELOW_500, "the status is below 500"),
    "http.request-id": (BELOW_500, "an observation: a missing header field is noted, nothing fails for it"),
    "http.content-coding": (BELOW_500 - {"nothing", "empty body", "redirect"}, "no coding is named"),
    "http.content-coding.accepted": (JSON_VALUES | {"404", "400", "403", "echo"}, "no coding is named"),
    "http.framing.one-length": (SUCCESSES - {"nothing", "empty body"}, "one field at most says where the body ends"),
    "http.framing.nothing-after": (BELOW_500, "no byte comes after the end of the answer"),
    "http.no-content": (frozenset({"nothing"}), "a 204 without content"),
    "http.json.charset": (JSON_VALUES | {"404", "400", "403", "echo"}, "no charset is named"),
    "http.text": (frozenset({"empty list", "echo"}), "its texts are whole"),
    "http.secret-echoed": (BELOW_500, "the key isn't shown"),
    "http.accepted": (SUCCESSES, "a valid request is answered with 2xx"),
    "http.status.documented": (SUCCESSES - {"nothing"}, "200 is the documented status"),
    "http.retry-after": (SUCCESSES, "nobody is told to come back later, so there is no time to name"),
    "http.media-type": (JSON_VALUES | {"echo"}, "application/json is the documented media type"),
    "http.json": (JSON_VALUES | {"echo"}, "the body is JSON"),
    "schema.response": (frozenset({"empty list"}), "a list without objects is a valid list where nothing is required"),
    "stream.only-when-asked": (JSON_VALUES | {"empty body", "echo"}, "no stream comes where none was asked for"),
    "errors.envelope": (frozenset({"404", "400"}), "the refusal has the documented form"),
    "errors.media-type": (frozenset({"404", "400", "403"}), "the refusal is labelled as JSON"),
    "sse.content-type": (frozenset({"only [DONE]"}), "the stream is labelled as one"),
    "sse.not-compressed": (frozenset({"only [DONE]"}), "the stream is not compressed"),
    "sse.utf8": (frozenset({"only [DONE]"}), _FRAMING),
    "sse.comments": (frozenset({"only [DONE]"}), _FRAMING),
    "sse.fields": (frozenset({"only [DONE]"}), _FRAMING),
    "sse.data.space": (frozenset({"only [DONE]"}), _FRAMING),
    "sse.event.terminated": (frozenset({"only [DONE]"}), _FRAMING),
    "graders.validate": (frozenset({"echo"}), "a grader is answered as it was sent"),
    "model.named": (frozenset({"echo"}), "the request's own model is named"),
}

#: The same for rules and answers that only some api-versions show.
SELDOM: Mapping[str, tuple[frozenset[str], str]] = {
    "http.status.documented": (frozenset({"nothing"}), "a deletion that needs no object of ours is answered 204"),
    "schema.response": (frozenset({"echo"}), "a realtime session is answered as it was sent, and its fields are alike"),
    "realtime.secrets.session": (frozenset({"echo"}), "the session that was sent is named"),
    "realtime.call.media": (frozenset({"echo"}), "the offer comes back, with all of its media"),
}
