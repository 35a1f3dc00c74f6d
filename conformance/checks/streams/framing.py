"""Checks of the bytes of a stream: media type, encoding, lines and blank lines."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from conformance.evidence.event_stream import Deviation, Kind, stream_of
from conformance.evidence.exchange import Exchange, Response
from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import Draft, assemble, drafts, on_body, on_events
from conformance.requests.request import Request
from conformance.requests.selectors import plain
from conformance.spec.spec import Spec
from conformance.streams.reading import Reading, begins_as_stream, compressed, over_stream, streamed
from conformance.verdict import Finding, Level

if TYPE_CHECKING:
    from conformance.requests.case import Case

#: The number of findings of one kind that are reported for one stream.
MOST = 5


def _odd_bytes(seen: Observation, found: Sequence[Deviation], what: str, expected: str) -> Iterator[Finding]:
    """Yield a finding for each deviation from the standard form, up to the limit."""
    for deviation in found[:MOST]:
        yield seen.finding(what, place=f"byte:{deviation.start}", expected=expected, actual=deviation.detail)


def _as_json_type(_exchange: Exchange, response: Response) -> Response:
    """Counterexample: the stream is labelled as JSON."""
    return response.with_header("content-type", "application/json")


@check(
    "sse.content-type",
    Level.MUST,
    clause="sse-framing",
    counterexample=on_body(_as_json_type),
    about=streamed(),
    needs=Needs.SUCCESS,
    provenance="standard",
)
def content_type(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A streamed answer is labelled ``text/event-stream`` (WHATWG HTML, section "Server-sent events").

    Clients choose the reader by it. With another label, or none, they refuse the stream or take it for one document. A
    ``charset`` parameter can only be utf-8.
    """
    # ``media_type`` has no parameters, and the charset must be judged too.
    header = seen.response.header("content-type")
    _, _, parameters = (header or "").partition(";")
    charset = parameters.lower().replace('"', "").replace(" ", "")
    wrong = seen.response.media_type != "text/event-stream"
    if wrong or (charset.startswith("charset=") and "utf-8" not in charset):
        yield seen.finding(
            "the answer to a request for a stream is not labelled as one"
            if wrong
            else f"a stream is labelled with the {charset.replace('=', ' ')}, and is always UTF-8",
            place="header:content-type",
            expected="text/event-stream",
            actual=header or "absent",
        )


def _as_stream(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a plain answer comes as a stream."""
    response, body = exchange.response, exchange.request.json
    if response is None or not exchange.ok or response.media_type != "application/json" or not isinstance(body, dict):
        return None
    value = response.json
    # Only answers of models have a stream; a list of files could not come as one.
    if body.get("stream") or not isinstance(value, dict) or not ("choices" in value or "output" in value):
        return None
    streamed_body = b"data: " + response.body + b"\n\ndata: [DONE]\n\n"
    return exchange.answered(response.with_body(streamed_body).with_header("content-type", "text/event-stream"))


def _labelled_as_stream(exchange: Exchange, _others: Sequence[Exchange]) -> Exchange | None:
    """Witness: any JSON answer comes as a stream."""
    response = exchange.response
    if response is None or not exchange.ok or response.media_type != "application/json":
        return None
    labelled = response.with_body(b"data: " + response.body + b"\n\n").with_header("content-type", "text/event-stream")
    return exchange.answered(labelled)


def _plain_to_its_end(spec: Spec, case: Case) -> bool:
    """The request asks for no stream and the answer is read to its end."""
    return plain(spec, case) and case.cancel_after is None


@check(
    "stream.only-when-asked",
    Level.MUST,
    clause="stream-only-when-asked",
    counterexample=_as_stream,
    witness=_labelled_as_stream,
    about=_plain_to_its_end,
    needs=Needs.SUCCESS,
    entails=(
        "responses.ended",
        "http.media-type",
        "http.json",
        "schema.response",
        "chat.choices.count",
        "completions.choices.count",
        "chat.role",
        "chat.logprobs",
        "chat.tool.forced",
    ),
)
def only_when_asked(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """Without a request for a stream the answer is one document: no event stream, no ``data:`` lines after it.

    A client that did not ask for a stream parses the body as JSON and fails on anything else.
    """
    response = seen.response
    if response.media_type == "text/event-stream":
        yield seen.finding(
            "a stream came although none was asked for", place="header:content-type", actual=response.media_type
        )
    elif response.media_type in ("application/json", "") and not response.is_json and stream_of(response).events:
        event = stream_of(response).events[0]
        yield seen.finding("the body holds stream events", place=f"byte:{event.data_start}", actual=event.data[:80])


def _deflated(_exchange: Exchange, response: Response) -> Response:
    """Counterexample: the stream is compressed."""
    # Our requests accept no coding but identity, so any coding breaks the rule.
    packed = zlib.compress(response.body)
    return response.with_body(packed).with_header("content-encoding", "deflate")


@check(
    "sse.not-compressed",
    Level.SHOULD,
    clause="sse-not-compressed",
    counterexample=on_body(_deflated),
    about=streamed(),
    needs=Needs.SUCCESS,
    provenance="standard",
)
def not_compressed(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A stream has a content coding only if the request accepts it (RFC 9110 sections 8.4 and 12.5.3).

    A proxy that compresses a stream also delays it, and a client that did not ask for it can't read it.
    """
    coding = compressed(seen.response)
    accepted = (seen.exchange.request.header("accept-encoding") or "").lower()
    # That the bytes are no stream in this coding is told by the check of content codings.
    if coding and coding not in accepted and "*" not in accepted and not begins_as_stream(seen.response):
        yield seen.finding(
            "the stream is compressed although the request did not accept that",
            place="header:content-encoding",
            expected=accepted or "identity",
            actual=coding,
        )


def _bad_utf8(events: list[Draft], _request: Request) -> list[Draft] | None:
    """Counterexample: a comment in Latin-1."""
    first = events[0]
    return [Draft(first.data, first.name, first.at, b": caf\xe9\n" + first.bytes), *events[1:]]


@check(
    "sse.utf8",
    Level.MUST,
    clause="sse-framing",
    counterexample=on_events(_bad_utf8),
    about=streamed(),
    needs=Needs.SUCCESS,
    provenance="standard",
    entails=("sse.comments",),
)
@over_stream
def utf8(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """A stream is valid UTF-8 from beginning to end.

    Code points may be split between chunks, but not between events. Clients stop at invalid bytes, or show replacement
    characters.
    """
    yield from _odd_bytes(seen, reading.stream.of(Kind.INVALID_UTF8), "bytes that are not UTF-8", "UTF-8")


def _no_last_blank(_exchange: Exchange, response: Response) -> Response:
    """Counterexample: the last blank line is missing."""
    events = drafts(response)
    last = events[-1]
    trimmed = last.bytes.rstrip(b"\r\n") + b"\n"
    return assemble(response, [*events[:-1], Draft(last.data, last.name, last.at, trimmed)])


@check(
    "sse.event.terminated",
    Level.MUST,
    clause="sse-framing",
    counterexample=on_body(_no_last_blank),
    about=streamed(),
    needs=Needs.SUCCESS,
    provenance="standard",
    entails=("responses.terminal.once", "audio.terminal.once"),
)
@over_stream
def terminated(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """A blank line follows every event, including the last one.

    By the standard an event without a blank line is not dispatched. Clients lose it silently, and with it the
    finish_reason or the end of the answer. A stream that was cut off is judged by ``sse.ends`` instead.
    """
    if reading.whole:
        found = reading.stream.of(Kind.UNFINISHED_EVENT)
        yield from _odd_bytes(seen, found, "the last event is never dispatched", "a blank line after the last event")


def _mix(events: list[Draft], _request: Request) -> list[Draft] | None:
    """Counterexample: the last event has other line ends."""
    if len(events) < 2:
        return None
    last = events[-1]
    # The other kind than that of the stream, so that the last event differs from those before it.
    other = b"\n" if b"\r\n" in last.bytes else b"\r\n"
    body = last.bytes.rstrip(b"\r\n").replace(b"\r\n", b"\n").replace(b"\n", other)
    return [*events[:-1], Draft(last.data, last.name, last.at, body + other * 2)]


@check(
    "sse.line-ends",
    Level.SHOULD,
    clause="sse-line-ends",
    counterexample=on_events(_mix),
    about=streamed(),
    needs=Needs.SUCCESS,
    provenance="observed",
)
@over_stream
def line_ends(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """All lines of a stream end in the same way.

    The standard allows a mix of LF, CR and CRLF, but a client that looks for one kind of blank line holds an event back
    until the next one comes.
    """
    yield from _odd_bytes(seen, reading.stream.of(Kind.MIXED_LINE_ENDS), "line ends change", "one kind of line end")


def _no_blank(events: list[Draft], _request: Request) -> list[Draft] | None:
    """Counterexample: there is no space after ``data:``."""
    changed = [Draft(event.data, event.name, event.at, event.bytes.replace(b"data: ", b"data:", 1)) for event in events]
    return changed if events else None


@check(
    "sse.data.space",
    Level.SHOULD,
    clause="sse-data-space",
    counterexample=on_events(_no_blank),
    about=streamed(),
    needs=Needs.SUCCESS,
    provenance="observed",
)
@over_stream
def data_space(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """One space follows ``data:``, as the service sends it.

    The standard makes the space optional, but clients that look for the prefix ``data: `` would ignore every event.
    """
    yield from _odd_bytes(seen, reading.stream.of(Kind.NO_SPACE)[:1], "no blank after data:", "data: …")


def _split_lines(events: list[Draft], _request: Request) -> list[Draft] | None:
    """Counterexample: the data of an event is spread over two lines."""
    for index, event in enumerate(events):
        if isinstance(event.json, dict):
            split = event.with_data(event.data.replace("{", "{\n", 1))
            return [*events[:index], split, *events[index + 1 :]]
    return None


@check(
    "sse.data.one-line",
    Level.SHOULD,
    clause="sse-data-one-line",
    counterexample=on_events(_split_lines),
    about=streamed(),
    needs=Needs.SUCCESS,
    provenance="observed",
)
@over_stream
def data_one_line(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The data of an event is on one line.

    Several ``data:`` lines are legal and are joined with line breaks, but clients that parse line by line see broken
    JSON.
    """
    found = reading.stream.of(Kind.MULTI_LINE)
    yield from _odd_bytes(seen, found, "an event's data is spread over several lines", "one data line")


def _comment(events: list[Draft], _request: Request) -> list[Draft] | None:
    """Counterexample: a comment is inserted."""
    first = events[0]
    return [Draft(first.data, first.name, first.at, b": keep-alive\n\n" + first.bytes), *events[1:]]


@check(
    "sse.comments",
    Level.OBS,
    clause="sse-comments",
    counterexample=on_events(_comment),
    about=streamed(),
    needs=Needs.SUCCESS,
    provenance="observed",
)
@over_stream
def comments(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """A stream has no comments: the service is not known to send any. They are legal, and clients must skip them."""
    found = reading.stream.comments
    if found:
        text = found[0].text[:80] or "an empty comment"
        yield seen.finding(f"{len(found)} comment lines", place=f"byte:{found[0].start}", actual=text)


def _stray_field(events: list[Draft], _request: Request) -> list[Draft] | None:
    """Counterexample: a line with an unknown field name."""
    first = events[0]
    return [Draft(first.data, first.name, first.at, b"stray: line\n" + first.bytes), *events[1:]]


@check(
    "sse.fields",
    Level.OBS,
    clause="sse-fields",
    counterexample=on_events(_stray_field),
    about=streamed(),
    needs=Needs.SUCCESS,
    provenance="standard",
)
@over_stream
def fields(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Lines are ``data``, ``event``, ``id``, ``retry`` or comments, used as the standard says.

    Clients ignore any other line, an event name without data, a second name and a malformed ``retry`` or ``id``.
    Information in such lines is lost.
    """
    kinds = (Kind.UNKNOWN_FIELD, Kind.NO_DATA, Kind.REPEATED_NAME, Kind.BAD_RETRY, Kind.BAD_ID)
    yield from _odd_bytes(seen, reading.stream.of(*kinds), "a line that readers ignore", "data, event, id or retry")
