"""What reaches the upstream of the body that the client sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import evolve

from conformance.passage.counterexamples import in_arrival, in_json_request
from conformance.passage.forms import parts_of
from conformance.passage.members import altered, without_one
from conformance.passage.passage import Kind, Passage, Side
from conformance.passage.rule import Found, rule
from conformance.passage.values import changes
from conformance.passage.views import Pair, narrowed, requests
from conformance.requests.request import Request
from conformance.verdict import Level

__all__ = ["body_bytes", "body_fields", "form_parts", "json_requests", "media_type"]

_TRANSPARENT = "A gateway that says nothing of a change passes on what the client asked for, and nothing else."
_SOURCE = "RFC 9110 section 7.7: a transformation of content is a deliberate change by an intermediary"


def _media_type(request: Request) -> str:
    """Type and subtype of the Content-Type; "" if absent."""
    return (request.header("content-type") or "").split(";", 1)[0].strip().lower()


def _json(seen: Pair[Request]) -> str:
    return "" if seen.before.json is not None else "the client sent no JSON"


#: The request at both taps, where the client sent JSON.
json_requests = narrowed(requests, _json)


def _values(passage: Passage) -> Pair[Any]:
    """The JSON value that the client sent, and what arrived: a value, or text where it is no JSON any more."""
    seen = json_requests(passage)
    text = seen.after.body.decode("utf-8", "replace")
    return Pair(seen.before.json, seen.after.json if seen.after.json is not None else text, passage)


@rule(
    "via.request.body",
    Level.MUST,
    Side.REQUEST,
    clause=_TRANSPARENT,
    source=_SOURCE,
    counterexample=in_json_request(without_one),
    sees=_values,
)
def body_fields(seen: Pair[Any]) -> Iterator[Found]:
    """Every field of the request reaches the upstream with its value, and no field is added.

    A dropped field means that the caller doesn't get what was asked for; an added one changes the answer or the price.
    """
    yield from altered(seen.before, seen.after)


def _spelled(request: Request) -> Request | None:
    """The same JSON with a blank more."""
    return evolve(request, body=b" " + request.body) if request.json is not None else None


@rule(
    "via.request.bytes",
    Level.OBS,
    Side.REQUEST,
    clause="Key order, white space and the form of numbers may change: JSON is the same value in any spelling.",
    source="RFC 8259 sections 2 and 4",
    counterexample=in_arrival(_spelled),
    sees=json_requests,
)
def body_bytes(seen: Pair[Request]) -> Iterator[Found]:
    """The body reaches the upstream byte for byte. That it is written anew is legal, and told as a note."""
    if seen.before.body == seen.after.body or seen.after.json is None:
        return
    if next(changes(seen.before.json, seen.after.json), None) is None:
        yield "/", Kind.SPELLED, f"{len(seen.before.body)} bytes", f"{len(seen.after.body)} bytes", "the same value"


def _other_type(request: Request) -> Request | None:
    """The request with another media type."""
    if not request.body:
        return None
    kept = tuple(pair for pair in request.headers if pair[0].lower() != "content-type")
    return evolve(request, headers=(*kept, ("content-type", "text/x-altered")))


def _body(seen: Pair[Request]) -> str:
    return "" if seen.before.body else "the client sent no body"


@rule(
    "via.request.media-type",
    Level.MUST,
    Side.REQUEST,
    clause="Content-Type says how the content is to be read; with another one it is another content.",
    source="RFC 9110 section 8.3",
    counterexample=in_arrival(_other_type),
    sees=narrowed(requests, _body),
    entails=("via.request.form",),
)
def media_type(seen: Pair[Request]) -> Iterator[Found]:
    """The media type of the body reaches the upstream. The boundary of a form may be another one."""
    before, after = _media_type(seen.before), _media_type(seen.after)
    if before != after:
        yield "header:content-type", Kind.CHANGED if after else Kind.DROPPED, before, after, ""


def _form(seen: Pair[Request]) -> str:
    return "" if _media_type(seen.before) == "multipart/form-data" else "the client sent no form"


def _without_last_part(request: Request) -> Request | None:
    """The form without the bytes of its last part."""
    return evolve(request, body=request.body[: len(request.body) // 2]) if parts_of(request) else None


@rule(
    "via.request.form",
    Level.MUST,
    Side.REQUEST,
    clause=_TRANSPARENT,
    source=f"{_SOURCE}; RFC 7578",
    counterexample=in_arrival(_without_last_part),
    sees=narrowed(requests, _form),
)
def form_parts(seen: Pair[Request]) -> Iterator[Found]:
    """Every part of a form reaches the upstream: name, file name, and content byte for byte."""
    for where, kind, one, other in changes(parts_of(seen.before), parts_of(seen.after)):
        yield where, kind, one, other, ""
