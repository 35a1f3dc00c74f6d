"""What the client gets of the upstream's answer: status, header fields, body."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from conformance.evidence.exchange import Chunk, Response
from conformance.passage.counterexamples import in_answer, in_json_answer, without_used_fields
from conformance.passage.fields import OWN_ANSWER, kept_fields, used_by_clients
from conformance.passage.members import altered, null_or_absent, with_null, without_one
from conformance.passage.needs import both_answers, both_json, same_status
from conformance.passage.passage import Kind, Passage, Side
from conformance.passage.rule import Found, rule
from conformance.passage.streams import is_stream
from conformance.requests.headers import EMULATOR_HEADER, is_secret
from conformance.verdict import Level

__all__ = ["body", "content", "errors", "headers", "inside", "media_type", "nulls", "other_headers", "status"]

_TRANSPARENT = "A gateway that says nothing of a change passes on what the service answered, and nothing else."
_SOURCE = "RFC 9110 section 7.7: a transformation of content is a deliberate change by an intermediary"


def _other_status(response: Response) -> Response:
    """The answer with a neighbouring status of the same class."""
    return evolve(response, status=response.status + 1 if response.status % 100 < 50 else response.status - 1)


@rule(
    "via.answer.status",
    Level.MUST,
    Side.ANSWER,
    clause="The status code is the service's verdict on the request; clients decide by it.",
    source="RFC 9110 section 15",
    counterexample=in_answer(_other_status),
    needs=both_answers,
)
def status(passage: Passage) -> Iterator[Found]:
    """The client gets the status of the upstream's answer."""
    if passage.got is not None and passage.answer is not None and passage.got.status != passage.answer.status:
        yield "status", Kind.CHANGED, f"{passage.answer.status}", f"{passage.got.status}", ""


def _is_error(passage: Passage) -> bool:
    return passage.answer is not None and passage.answer.status >= 400


def _needs_success(passage: Passage) -> str:
    """Both answers are JSON, and the upstream's is a success."""
    return both_json(passage) or ("the upstream answered with an error" if _is_error(passage) else "")


def _needs_error(passage: Passage) -> str:
    """Both answers are JSON, and the upstream's is an error."""
    return both_json(passage) or ("" if _is_error(passage) else "the upstream answered with a success")


def _json_changes(passage: Passage) -> Iterator[Found]:
    """Yield the differences of two JSON answers."""
    if passage.got is not None and passage.answer is not None:
        yield from altered(passage.answer.json, passage.got.json)


@rule(
    "via.answer.nulls",
    Level.OBS,
    Side.ANSWER,
    clause="A member that is null and one that is absent are the same to most clients, and not to all.",
    source="RFC 8259 section 3: null is a value",
    counterexample=in_json_answer(with_null),
    needs=both_json,
)
def nulls(passage: Passage) -> Iterator[Found]:
    """A member that is null arrives as null, and none is added that is null."""
    if passage.got is not None and passage.answer is not None:
        yield from null_or_absent(passage.answer.json, passage.got.json)


@rule(
    "via.answer.body",
    Level.MUST,
    Side.ANSWER,
    clause=_TRANSPARENT,
    source=_SOURCE,
    counterexample=in_json_answer(without_one),
    needs=_needs_success,
)
def body(passage: Passage) -> Iterator[Found]:
    """Every field of a success reaches the client with its value (ids, filter results, usage), and none is added."""
    yield from _json_changes(passage)


@rule(
    "via.answer.error",
    Level.MUST,
    Side.ANSWER,
    clause="Clients decide by the code and the parameter of an error, people by its message.",
    source=f"{_SOURCE}; Azure REST API guidelines: the error object",
    counterexample=in_json_answer(without_one),
    needs=_needs_error,
)
def errors(passage: Passage) -> Iterator[Found]:
    """The error object of the upstream reaches the client: code, message, parameter, inner error."""
    yield from _json_changes(passage)


def _needs_other_content(passage: Passage) -> str:
    """Both answers have a content that is neither JSON nor an event stream."""
    if missing := both_answers(passage):
        return missing
    answer = passage.answer
    other = answer is not None and answer.body and not answer.is_json and not is_stream(answer)
    return same_status(passage) if other else "the answer is JSON, an event stream or empty"


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
    needs=_needs_other_content,
)
def content(passage: Passage) -> Iterator[Found]:
    """Audio, files and texts arrive byte for byte."""
    got, answer = passage.got, passage.answer
    if got is not None and answer is not None and got.content != answer.content:
        yield "/", Kind.CHANGED, f"{len(answer.content)} bytes", f"{len(got.content)} bytes", ""


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
    needs=both_answers,
)
def media_type(passage: Passage) -> Iterator[Found]:
    """The media type of the answer is that of the upstream's answer."""
    got, answer = passage.got, passage.answer
    if got is not None and answer is not None and answer.body and got.media_type != answer.media_type:
        yield "header:content-type", Kind.CHANGED, answer.media_type, got.media_type, ""


@rule(
    "via.answer.headers",
    Level.SHOULD,
    Side.ANSWER,
    clause="Clients use the ids, the region, the rate limits and the time of the next attempt.",
    source="REST API reference: response headers; RFC 9110 section 10.2.3",
    counterexample=in_answer(without_used_fields),
    needs=both_answers,
)
def headers(passage: Passage) -> Iterator[Found]:
    """Request ids, region, rate limits and Retry-After arrive under their names with their values.

    A value that arrives under another name is told as renamed.
    """
    got, answer = passage.got, passage.answer
    if got is None or answer is None:
        return
    received = {name.lower(): value for name, value in got.headers}
    for name, value in used_by_clients(answer).items():
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
    needs=both_answers,
)
def other_headers(passage: Passage) -> Iterator[Found]:
    """Other header fields arrive, and none is added. What an intermediary may write itself isn't compared."""
    if passage.got is None or passage.answer is None:
        return
    sent, received = _others(passage.answer), _others(passage.got)
    for name in sorted({*sent, *received}):
        if sent.get(name) != received.get(name):
            kind = Kind.DROPPED if name not in received else Kind.ADDED if name not in sent else Kind.CHANGED
            yield f"header:{name}", kind, sent.get(name, ""), received.get(name, ""), ""


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


def _needs_body(passage: Passage) -> str:
    """The client got an answer."""
    return "" if passage.got is not None else "the client got no answer"


@rule(
    "via.answer.inside",
    Level.SHOULD,
    Side.ANSWER,
    clause="Addresses, paths and tracebacks of the gateway tell attackers where to look, and clients nothing.",
    source="CWE-209: generation of an error message with sensitive information",
    counterexample=_telling,
    needs=_needs_body,
    entails=(
        "via.answer.content",
        "via.answer.body",
        "via.answer.error",
        "via.stream.events",
        "via.stream.complete",
        "via.shape.members",
    ),
)
def inside(passage: Passage) -> Iterator[Found]:
    """No answer shows the address of the upstream, a traceback or a path of the gateway."""
    got = passage.got
    if got is None:
        return
    own = passage.answer.body if passage.answer is not None else b""
    heads = " ".join(value for _, value in got.headers).encode("latin-1", "replace")
    for sign in (*_INSIDE, *([passage.upstream.encode()] if passage.upstream else [])):
        if (sign in got.body or sign in heads) and sign not in own:
            yield "/", Kind.LEAKED, "", sign.decode("latin-1").strip(), "in the answer to the client"
