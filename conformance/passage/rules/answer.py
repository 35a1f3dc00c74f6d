"""What the client gets of the upstream's answer: status, header fields, body."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from typing import Any

from attrs import evolve

from conformance.evidence.exchange import Chunk, Response
from conformance.passage.counterexamples import in_answer, in_json_answer, without_used_fields
from conformance.passage.fields import OWN_ANSWER, kept_fields, used_by_clients
from conformance.passage.members import altered, fields_altered, without_one
from conformance.passage.passage import Kind, Passage, Side
from conformance.passage.rule import Found, rule
from conformance.passage.streams import is_stream
from conformance.passage.views import NotSeen, Pair, answers, json_answers, narrowed, same_status
from conformance.requests.headers import EMULATOR_HEADER, is_secret
from conformance.verdict import Level

__all__ = ["body", "content", "errors", "headers", "inside", "media_type", "other_headers", "status", "vectors"]

_TRANSPARENT = "A gateway that says nothing of a change passes on what the service answered, and nothing else."
_SOURCE = "RFC 9110 section 7.7: a transformation of content is a deliberate change by an intermediary"


def _other_status(response: Response) -> Response:
    """The answer with a neighbouring status of the same class."""
    return evolve(response, status=response.status + 1 if response.status % 100 < 50 else response.status - 1)


def _readable(seen: Pair[Response]) -> str:
    """A gateway that can't read the upstream's answer says so (RFC 9110 section 15.6.3)."""
    broken = seen.before.media_type == "application/json" and seen.before.body and not seen.before.is_json
    return "the upstream's answer was malformed" if broken and seen.after.status >= 500 else ""


@rule(
    "via.answer.status",
    Level.MUST,
    Side.ANSWER,
    clause="The status code is the service's verdict on the request; clients decide by it.",
    source="RFC 9110 section 15",
    counterexample=in_answer(_other_status),
    sees=narrowed(answers, _readable),
)
def status(seen: Pair[Response]) -> Iterator[Found]:
    """The client gets the status of the upstream's answer."""
    if seen.after.status != seen.before.status:
        yield "status", Kind.CHANGED, f"{seen.before.status}", f"{seen.after.status}", ""


def _status_of(seen: Pair[Any]) -> int:
    answer = seen.passage.answer
    return answer.status if answer is not None else 0


def _success(seen: Pair[Any]) -> str:
    return "the upstream answered with an error" if _status_of(seen) >= 400 else ""


def _error(seen: Pair[Any]) -> str:
    return "" if _status_of(seen) >= 400 else "the upstream answered with a success"


@rule(
    "via.answer.body",
    Level.MUST,
    Side.ANSWER,
    clause=_TRANSPARENT,
    source=_SOURCE,
    counterexample=in_json_answer(without_one),
    sees=narrowed(json_answers, _success),
)
def body(seen: Pair[Any]) -> Iterator[Found]:
    """Every field of a success reaches the client with its value (ids, filter results, usage), and none is added."""
    yield from altered(seen.before, seen.after)


@rule(
    "via.answer.error",
    Level.MUST,
    Side.ANSWER,
    clause="Clients decide by the code and the parameter of an error, people by its message.",
    source=f"{_SOURCE}; Azure REST API guidelines: the error object",
    counterexample=in_json_answer(without_one),
    sees=narrowed(json_answers, _error),
)
def errors(seen: Pair[Any]) -> Iterator[Found]:
    """The error object of the upstream reaches the client: code, message, parameter, inner error."""
    yield from altered(seen.before, seen.after)


def _rows(value: Any) -> list[Any]:
    """The embeddings of an answer, in whatever form."""
    rows = value.get("data") if isinstance(value, dict) else None
    return [row["embedding"] for row in rows if isinstance(row, dict) and "embedding" in row] if rows else []


def _vectors(seen: Pair[Any]) -> str:
    return "" if _rows(seen.after) else "the answer has no vectors"


def _form_asked(passage: Passage) -> type:
    """The form of vectors that the client asked for: text is base64, a list has the numbers."""
    sent = passage.through.request.json
    return str if isinstance(sent, dict) and sent.get("encoding_format") == "base64" else list


def _other_form(value: Any) -> Any:
    """The vectors of an answer in the other form."""
    if not _rows(value):
        return None
    for row in value["data"]:
        if isinstance(row.get("embedding"), list):
            row["embedding"] = base64.b64encode(struct.pack(f"<{len(row['embedding'])}f", *row["embedding"])).decode()
        elif isinstance(row.get("embedding"), str):
            row["embedding"] = [number for (number,) in struct.iter_unpack("<f", base64.b64decode(row["embedding"]))]
    return value


@rule(
    "via.answer.vectors",
    Level.MUST,
    Side.ANSWER,
    clause="A client reads vectors in the form that it asked for, as numbers unless it asked for base64.",
    source="REST API reference: encoding_format of embeddings",
    counterexample=in_json_answer(_other_form),
    sees=narrowed(narrowed(json_answers, _success), _vectors),
)
def vectors(seen: Pair[Any]) -> Iterator[Found]:
    """Vectors arrive in the form that the client asked for, whichever the gateway asked the upstream for."""
    form = _form_asked(seen.passage)
    if any(not isinstance(one, form) for one in _rows(seen.after)):
        yield "/data/0/embedding", Kind.CHANGED, "base64" if form is str else "numbers", _rows(seen.after)[0], ""


def _other_content(seen: Pair[Response]) -> str:
    """Both answers have a content that is neither JSON nor an event stream."""
    other = seen.before.body and not seen.before.is_json and not is_stream(seen.before)
    return same_status(seen) if other else "the answer is JSON, an event stream or empty"


def _half(response: Response) -> Response | None:
    """The first half of a body."""
    return response.with_body(response.body[: len(response.body) // 2]) if len(response.body) > 1 else None


@rule(
    "via.answer.content",
    Level.MUST,
    Side.ANSWER,
    clause=_TRANSPARENT,
    source=_SOURCE,
    counterexample=in_answer(_half),
    sees=narrowed(answers, _other_content),
)
def content(seen: Pair[Response]) -> Iterator[Found]:
    """Audio, files and texts arrive byte for byte."""
    if seen.before.content != seen.after.content:
        yield "/", Kind.CHANGED, f"{len(seen.before.content)} bytes", f"{len(seen.after.content)} bytes", ""


def _other_type(response: Response) -> Response | None:
    """The answer with another media type."""
    return response.with_header("content-type", "text/x-altered") if response.body else None


@rule(
    "via.answer.media-type",
    Level.MUST,
    Side.ANSWER,
    clause="Content-Type says how the content is to be read.",
    source="RFC 9110 section 8.3",
    counterexample=in_answer(_other_type),
    sees=answers,
)
def media_type(seen: Pair[Response]) -> Iterator[Found]:
    """The media type of the answer is that of the upstream's answer."""
    if seen.before.body and seen.after.media_type != seen.before.media_type:
        yield "header:content-type", Kind.CHANGED, seen.before.media_type, seen.after.media_type, ""


@rule(
    "via.answer.headers",
    Level.SHOULD,
    Side.ANSWER,
    clause="Clients use the ids, the region, the rate limits and the time of the next attempt.",
    source="REST API reference: response headers; RFC 9110 section 10.2.3",
    counterexample=in_answer(without_used_fields),
    sees=answers,
)
def headers(seen: Pair[Response]) -> Iterator[Found]:
    """Request ids, region, rate limits and Retry-After arrive under their names with their values.

    A value that arrives under another name is told as renamed.
    """
    received = {name.lower(): value for name, value in seen.after.headers}
    for name, value in used_by_clients(seen.before).items():
        if name not in received:
            other = next((key for key, held in received.items() if held == value and name in key), None)
            if other is not None:
                yield f"header:{name}", Kind.RENAMED, name, other, value
            else:
                yield f"header:{name}", Kind.DROPPED, value, None, ""
        elif received[name] != value:
            yield f"header:{name}", Kind.CHANGED, value, received[name], ""


def _more(response: Response) -> Response:
    """The answer with a field that the upstream didn't send."""
    return response.with_header("x-altered", "1")


def _others(response: Response) -> dict[str, str]:
    """The fields that no rule of their own speaks of, without cookies."""
    used = used_by_clients(response)
    fields = kept_fields(response.headers, OWN_ANSWER)
    skipped = ("content-type", "content-encoding", "vary", EMULATOR_HEADER)
    return {
        name: value
        for name, value in fields.items()
        # ``X-Accel-…`` are orders for a proxy, which it takes out.
        if name not in (*used, *skipped) and not is_secret(name) and not name.startswith("x-accel-")
    }


@rule(
    "via.answer.other-headers",
    Level.OBS,
    Side.ANSWER,
    clause="An intermediary may add and drop fields that no rule of their own names; people want to know.",
    source="RFC 9110 section 5.1",
    counterexample=in_answer(_more),
    sees=answers,
)
def other_headers(seen: Pair[Response]) -> Iterator[Found]:
    """Other header fields arrive, and none is added. What an intermediary may write itself isn't compared."""
    yield from fields_altered(_others(seen.before), _others(seen.after), "header")


#: What shows the inside of a program: tracebacks, files of installed packages, addresses in memory.
_INSIDE = (
    b"Traceback (most recent call last)",
    b"site-packages/",
    b"/usr/lib/",
    b"/usr/local/",
    b"node_modules/",
    b"\tat ",
)


def _telling(passage: Passage) -> Passage | None:
    """An answer that names the upstream."""
    got = passage.got
    if got is None or not passage.upstream:
        return None
    more = Chunk(got.chunks[-1].at if got.chunks else got.headers_at, f" {passage.upstream}".encode())
    return evolve(passage, through=evolve(passage.through, response=evolve(got, chunks=(*got.chunks, more))))


def _received(passage: Passage) -> Pair[Response | None]:
    """The answer that the client got, and that of the upstream if it gave one."""
    if passage.got is None:
        raise NotSeen("the client got no answer")
    return Pair(passage.answer, passage.got, passage)


@rule(
    "via.answer.inside",
    Level.SHOULD,
    Side.ANSWER,
    clause="Addresses, paths and tracebacks of the gateway tell attackers where to look, and clients nothing.",
    source="CWE-209: generation of an error message with sensitive information",
    counterexample=_telling,
    sees=_received,
    entails=(
        "via.answer.content",
        "via.answer.body",
        "via.answer.error",
        "via.stream.events",
        "via.stream.complete",
        "via.shape.members",
    ),
)
def inside(seen: Pair[Response | None]) -> Iterator[Found]:
    """No answer shows the address of the upstream, a traceback or a path of the gateway."""
    got, upstream = seen.after, seen.passage.upstream
    if got is None:
        return
    own = seen.before.body if seen.before is not None else b""
    for sign in (*_INSIDE, *([upstream.encode()] if upstream else [])):
        shown = sign.decode("latin-1").strip()
        if sign in got.body and sign not in own:
            yield "/", Kind.LEAKED, "", shown, "in the answer to the client"
        for name, value in got.headers:
            if sign in value.encode("latin-1", "replace"):
                yield f"header:{name.lower()}", Kind.LEAKED, "", shown, "in the answer to the client"
