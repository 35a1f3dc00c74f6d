"""What reaches the upstream of the body that the client sent."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from conformance.passage.counterexamples import in_arrival, in_json_request
from conformance.passage.forms import parts_of
from conformance.passage.members import altered, null_or_absent, with_null, without_one
from conformance.passage.needs import reached
from conformance.passage.passage import Kind, Passage, Side
from conformance.passage.rule import Found, rule
from conformance.passage.values import changes
from conformance.requests.request import Request
from conformance.verdict import Level

__all__ = ["body_bytes", "body_fields", "form_parts", "media_type", "nulls"]

_TRANSPARENT = "A gateway that says nothing of a change passes on what the client asked for, and nothing else."
_SOURCE = "RFC 9110 section 7.7: a transformation of content is a deliberate change by an intermediary"


def _media_type(request: Request) -> str:
    """Type and subtype of the Content-Type; "" if absent."""
    return (request.header("content-type") or "").split(";", 1)[0].strip().lower()


def _both(passage: Passage) -> tuple[Request, Request] | None:
    """The request at both taps."""
    return (passage.through.request, passage.call.request) if passage.call is not None else None


def _needs_json(passage: Passage) -> str:
    """The client's body is JSON, and a request reached the upstream."""
    if missing := reached(passage):
        return missing
    return "" if passage.through.request.json is not None else "the client sent no JSON"


@rule(
    "via.request.body",
    Level.MUST,
    Side.REQUEST,
    clause=_TRANSPARENT,
    source=_SOURCE,
    counterexample=in_json_request(without_one),
    needs=_needs_json,
)
def body_fields(passage: Passage) -> Iterator[Found]:
    """Every field of the request reaches the upstream with its value, and no field is added.

    A dropped field means that the caller doesn't get what was asked for; an added one changes the answer or the price.
    """
    both = _both(passage)
    if both is None:
        return
    sent, received = both
    if received.json is None:
        yield "/", Kind.CHANGED, sent.json, received.body.decode("utf-8", "replace"), "it is no JSON any more"
        return
    yield from altered(sent.json, received.json)


@rule(
    "via.request.nulls",
    Level.OBS,
    Side.REQUEST,
    clause="A member that is null and one that is absent ask for the same in most places, and not in all.",
    source="RFC 8259 section 3: null is a value",
    counterexample=in_json_request(with_null),
    needs=_needs_json,
)
def nulls(passage: Passage) -> Iterator[Found]:
    """A member that is null reaches the upstream as null, and none is added that is null."""
    both = _both(passage)
    if both is not None and both[1].json is not None:
        yield from null_or_absent(both[0].json, both[1].json)


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
    needs=_needs_json,
)
def body_bytes(passage: Passage) -> Iterator[Found]:
    """The body reaches the upstream byte for byte. That it is written anew is legal, and told as a note."""
    both = _both(passage)
    if both is None or both[0].body == both[1].body or both[1].json is None:
        return
    if next(changes(both[0].json, both[1].json), None) is None:
        yield "/", Kind.SPELLED, f"{len(both[0].body)} bytes", f"{len(both[1].body)} bytes", "the same value"


def _other_type(request: Request) -> Request | None:
    """The request with another media type."""
    if not request.body:
        return None
    kept = tuple(pair for pair in request.headers if pair[0].lower() != "content-type")
    return evolve(request, headers=(*kept, ("content-type", "text/x-altered")))


def _needs_body(passage: Passage) -> str:
    """The client sent a body, and a request reached the upstream."""
    return reached(passage) or ("" if passage.through.request.body else "the client sent no body")


@rule(
    "via.request.media-type",
    Level.MUST,
    Side.REQUEST,
    clause="Content-Type says how the content is to be read; with another one it is another content.",
    source="RFC 9110 section 8.3",
    counterexample=in_arrival(_other_type),
    needs=_needs_body,
    entails=("via.request.form",),
)
def media_type(passage: Passage) -> Iterator[Found]:
    """The media type of the body reaches the upstream. The boundary of a form may be another one."""
    both = _both(passage)
    if both is not None and _media_type(both[0]) != _media_type(both[1]):
        kind = Kind.CHANGED if _media_type(both[1]) else Kind.DROPPED
        yield "header:content-type", kind, _media_type(both[0]), _media_type(both[1]), ""


def _needs_form(passage: Passage) -> str:
    """The client's body is a form."""
    form = _media_type(passage.through.request) == "multipart/form-data"
    return reached(passage) or ("" if form else "the client sent no form")


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
    needs=_needs_form,
)
def form_parts(passage: Passage) -> Iterator[Found]:
    """Every part of a form reaches the upstream: name, file name, and content byte for byte."""
    both = _both(passage)
    if both is None:
        return
    before, after = parts_of(both[0]), parts_of(both[1])
    for where, kind, one, other in changes(before, after):
        yield where, kind, one, other, ""
