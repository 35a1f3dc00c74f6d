"""Checks of token counts in chat and completion streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.evidence.trace import Observation
from conformance.judging.check import Needs, check
from conformance.judging.stream_counterexamples import Draft, on_events
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.requests.selectors import asks, every, without
from conformance.schema.integers import is_integer
from conformance.spec.operations import operations_of
from conformance.spec.spec import Spec
from conformance.streams.chunks import pieces, usage_chunks
from conformance.streams.reading import DATA_ONLY, Reading, over_stream, streamed
from conformance.verdict import Finding, Level

_ASKS = asks("/stream_options/include_usage", True)
#: A usage that adds up, for counterexamples.
_COUNTS = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


def documents(spec: Spec, operation: str, name: str) -> bool:
    """Return True if this version documents a field in the JSON body of an operation."""
    found = operations_of(spec).get(operation)
    media = found.body.get("application/json") if found else None
    return media is not None and _has(spec, media.schema, name)


def _has(spec: Spec, node: Any, name: str) -> bool:
    """Return True if a schema has the property, through references and combinations."""
    schema = spec.deref(node)
    parts = [part for keyword in ("allOf", "anyOf", "oneOf") for part in schema.get(keyword, ())]
    return name in schema.get("properties", {}) or any(_has(spec, part, name) for part in parts)


def _documented(spec: Spec, case: Case) -> bool:
    """The version documents ``stream_options``."""
    return documents(spec, case.operation, "stream_options")


#: Selects streams whose request asks for the usage, in versions that document it.
_ASKED = streamed(*DATA_ONLY, also=every(_ASKS, _documented))


def _asked(request: Request) -> bool:
    """Return True if a request asks for the usage."""
    body = request.json
    options = body.get("stream_options") if isinstance(body, dict) else None
    return isinstance(options, dict) and options.get("include_usage") is True


def _usage_chunk(events: Sequence[Draft]) -> tuple[int, Mapping[str, Any]] | None:
    """(index, chunk) of the first chunk with a usage, or None."""
    for index, event in enumerate(events):
        value = event.json
        if isinstance(value, dict) and isinstance(value.get("usage"), dict):
            return index, value
    return None


def _uninvited(events: list[Draft], request: Request) -> Sequence[Draft] | None:
    """Counterexample: a usage that nobody requested."""
    last = next((e for e in reversed(events) if isinstance(e.json, dict) and e.json.get("choices")), None)
    if last is None or _asked(request):
        return None
    extra = last.with_json({**last.json, "choices": [], "usage": _COUNTS})
    # Before the sentinel: nothing may follow it.
    at = next((i for i, e in enumerate(events) if e.data == "[DONE]"), len(events))
    return [*events[:at], extra, *events[at:]]


@check(
    "stream.usage.only-when-asked",
    Level.SHOULD,
    clause="chat-stream-usage-unasked",
    counterexample=on_events(_uninvited, *DATA_ONLY),
    about=streamed(*DATA_ONLY, also=without(_ASKS)),
    needs=Needs.SUCCESS,
    provenance="observed",
    entails=("stream.equals-plain.prompt-tokens",),
)
@over_stream
def usage_unasked(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """Without ``include_usage: true`` no chunk contains token counts.

    The chunk with the counts has no choices, and clients that did not ask for it read the first choice of every chunk.
    ``usage: null`` is allowed.
    """
    for event, chunk in list(usage_chunks(reading))[:1]:
        yield seen.finding(
            "token counts that were not asked for",
            place=f"{event.place}/usage",
            expected="no usage, or null",
            actual=chunk["usage"],
        )


def _without_usage(events: list[Draft], request: Request) -> Sequence[Draft] | None:
    """Counterexample: the requested usage is missing."""
    found = _usage_chunk(events)
    return None if found is None or not _asked(request) else [*events[: found[0]], *events[found[0] + 1 :]]


@check(
    "stream.usage.once",
    Level.SHOULD,
    clause="chat-stream-usage-chunk",
    counterexample=on_events(_without_usage, *DATA_ONLY),
    about=_ASKED,
    needs=Needs.SUCCESS,
)
@over_stream
def usage_once(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """With ``include_usage: true`` exactly one chunk contains token counts; in the others ``usage`` is null.

    Clients take the first counts for the end of the stream. After a content filter they may be missing.
    """
    found = list(usage_chunks(reading))
    filtered = any(piece.finish == "content_filter" for piece in pieces(reading))
    if len(found) > 1:
        yield seen.finding(
            f"{len(found)} chunks carry token counts", place=f"{found[1][0].place}/usage", expected=1, actual=len(found)
        )
    elif not found and reading.ended and not filtered:
        yield seen.finding("no chunk carries the token counts that were asked for", expected=1, actual=0)


def _no_nulls(events: list[Draft], request: Request) -> Sequence[Draft] | None:
    """Counterexample: the chunks with content have no ``usage`` at all."""
    changed = list(events)
    for index, event in enumerate(events):
        value = event.json
        if isinstance(value, dict) and value.get("choices") and "usage" in value and value.pop("usage") is None:
            changed[index] = event.with_json(value)
    return changed if changed != events and _asked(request) else None


@check(
    "stream.usage.null",
    Level.SHOULD,
    clause="chat-stream-usage-null",
    counterexample=on_events(_no_nulls, *DATA_ONLY),
    about=_ASKED,
    needs=Needs.SUCCESS,
    features=("chat.stream_options",),
)
@over_stream
def usage_null(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """With ``include_usage: true`` each chunk with a choice has the field ``usage``, null until the counts come.

    Typed clients that read a required field fail without it. The service's own chunk of filter results, which has no
    choices, lacks it in recordings.
    """
    bare = next((piece for piece in pieces(reading) if "usage" not in piece.chunk), None)
    if bare is not None:
        yield seen.finding(
            "a chunk has no field usage", place=bare.event.place, expected="usage: null", actual="absent"
        )


def _usage_in_content(events: list[Draft], request: Request) -> Sequence[Draft] | None:
    """Counterexample: the counts are in a chunk with content."""
    found = _usage_chunk(events)
    # There must be a chunk before it, into which the counts are moved.
    if found is None or not _asked(request) or found[0] == 0:
        return None
    index, value = found
    before = events[index - 1].json
    if not isinstance(before, dict) or not before.get("choices"):
        return None
    merged = events[index - 1].with_json({**before, "usage": value["usage"]})
    return [*events[: index - 1], merged, *events[index + 1 :]]


@check(
    "stream.usage.alone",
    Level.SHOULD,
    clause="chat-stream-usage-chunk",
    counterexample=on_events(_usage_in_content, *DATA_ONLY),
    about=_ASKED,
    needs=Needs.SUCCESS,
)
@over_stream
def usage_alone(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """The token counts come in a chunk of their own: without choices, after the last choice has ended."""
    found = list(usage_chunks(reading))
    if len(found) != 1:
        return
    event, chunk = found[0]
    if chunk.get("choices"):
        yield seen.finding("the chunk with the token counts has choices", place=f"{event.place}/choices", expected="[]")
    late = next((piece for piece in pieces(reading) if piece.event.index > event.index), None)
    if late is not None:
        yield seen.finding("a choice goes on after the token counts", place=late.place)


def _off_by_one(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: the total is one too high."""
    found = _usage_chunk(events)
    if found is not None:
        index, value = found
        wrong = {**value, "usage": {**value["usage"], "total_tokens": value["usage"]["total_tokens"] + 1}}
    else:
        index = next((i for i in range(len(events) - 1, -1, -1) if isinstance(events[i].json, dict)), -1)
        if index < 0:
            return None
        # A stream without counts gets wrong ones, so that this rule has a witness in such streams too.
        wrong = {**events[index].json, "usage": {**_COUNTS, "total_tokens": 8}}
    return [*events[:index], events[index].with_json(wrong), *events[index + 1 :]]


@check(
    "stream.usage.adds-up",
    Level.MUST,
    clause="usage-total",
    counterexample=on_events(_off_by_one, *DATA_ONLY),
    about=streamed(*DATA_ONLY),
    needs=Needs.SUCCESS,
    entails=("stream.usage.only-when-asked", "stream.usage.alone", "stream.equals-plain.prompt-tokens"),
)
@over_stream
def usage_total(spec: Spec, seen: Observation, reading: Reading) -> Iterator[Finding]:
    """``total_tokens`` is the sum of prompt and completion tokens. Costs are computed from it."""
    for event, chunk in usage_chunks(reading):
        usage = chunk["usage"]
        counts = [usage.get(name) for name in _COUNTS] if isinstance(usage, dict) else []
        whole = [count for count in counts if is_integer(count)]
        # Missing counts are reported by the schema.
        if len(whole) == 3 and whole[0] + whole[1] != whole[2]:
            place = f"{event.place}/usage/total_tokens"
            yield seen.finding("the total does not add up", place=place, expected=whole[0] + whole[1], actual=whole[2])
