"""Checks that compare streams with other requests: the plain answer, a refusal, the request after a closed stream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from attrs import evolve

from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Needs, check, trace_check
from conformance.judging.excuses import excuse
from conformance.judging.stream_counterexamples import Draft, on_events
from conformance.requests.case import Case, Expect
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.streams.chunks import choices_in
from conformance.streams.final_answer import FinalAnswer, from_plain, from_stream
from conformance.streams.reading import DATA_ONLY, read, streamed
from conformance.verdict import Finding, Level

EQUALITY = ("streams.equality.*",)
CANCELLED = ("streams.cancelled",)

#: The text of the requests that the scenario sends after it closed a stream.
NEXT = "Answer after a stream was given up."


def _complete(exchange: Exchange) -> bool:
    """Return True for a successful, complete answer."""
    return exchange.ok and exchange.response is not None and exchange.response.complete


def _pairs(spec: Spec, trace: Trace) -> Iterator[tuple[str, Observation, Observation]]:
    """Yield (kind, plain answer, streamed answer) of the requests that were sent both ways."""
    kinds: dict[str, dict[str, Observation]] = {}
    for seen in trace.role("equality"):
        _, kind, way, *_ = seen.case.role.split(".")
        kinds.setdefault(kind, {})[way] = seen
    for kind, ways in kinds.items():
        if len(ways) == 2:
            yield kind, ways["plain"], ways["stream"]


def _answers(spec: Spec, plain: Observation, stream: Observation) -> tuple[FinalAnswer, FinalAnswer] | None:
    """Both answers put together; None where one of them didn't come whole, or can't be read."""
    reading = read(spec, stream) if _complete(plain.exchange) and _complete(stream.exchange) else None
    if reading is None or not isinstance(plain.json, dict):
        return None
    return from_plain(plain.json), from_stream(reading)


def _claims_stop(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: the stream hides that it was cut off."""
    changed = list(events)
    for index, event in enumerate(events):
        value = event.json
        for _, choice in choices_in(value):
            if choice.get("finish_reason") == "length":
                choice["finish_reason"] = "stop"
                changed[index] = event.with_json(value)
    return changed if changed != events else None


@trace_check(
    "stream.equals-plain",
    Level.MUST,
    clause="chat-stream-equals-plain",
    counterexample=on_events(_claims_stop, *DATA_ONLY),
    scenarios=EQUALITY,
)
def equals_plain(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A stream, put together, is the same answer as the plain one to the same request.

    If the target claims to be deterministic, everything is compared: text, tool calls and finish reasons of every
    choice. Otherwise only the name of the forced tool, the keys of its arguments (a warning: a model may leave one out)
    and the finish_reason ``length``. A choice that the content filter stopped is not compared.
    """
    for kind, plain, stream in _pairs(spec, trace):
        wholes = _answers(spec, plain, stream)
        if wholes is not None:
            yield from _differences(stream, kind, *wholes, full=stream.case.role.endswith(".full"))


def _differences(
    seen: Observation, kind: str, plain: FinalAnswer, stream: FinalAnswer, *, full: bool
) -> Iterator[Finding]:
    """Yield a finding for each choice that differs."""
    for index in sorted({*plain.choices, *stream.choices}, key=str):
        one, other = plain.choices.get(index), stream.choices.get(index)
        # Without determinism the number of choices is judged by the checks of single answers.
        if one is None or other is None:
            if full:
                where = "the stream" if other is None else "the plain answer"
                yield seen.finding(f"choice {index} is missing in {where}", place=f"/choices/{index}")
            continue
        if "content_filter" in (one.finish, other.finish):
            continue  # the filter may stop one answer and not the other
        if kind == "tool":
            names = [name for name, _ in one.calls], [name for name, _ in other.calls]
            # A model may call further tools in one of the answers; only the forced one is certain.
            if names[0][:1] != names[1][:1]:
                yield seen.finding(
                    "another tool is called", place=f"/choices/{index}", expected=names[0], actual=names[1]
                )
                continue
            lost = _keys(one.calls[0][1]) - _keys(other.calls[0][1]) if names[0] and other.finish != "length" else set()
            if lost:
                yield seen.finding(
                    f"the streamed arguments lack {', '.join(sorted(lost))}, which the plain answer has",
                    place=f"/choices/{index}",
                    expected=one.calls[0][1][:160],
                    actual=other.calls[0][1][:160],
                    level=Level.MUST if full else Level.SHOULD,
                )
                continue
        if "length" in (one.finish, other.finish) and one.finish != other.finish:
            yield seen.finding(
                "another finish_reason", place=f"/choices/{index}", expected=one.finish, actual=other.finish
            )
        # Two answers of a real model differ in their text; only a deterministic target can be held to it.
        elif full and one != other:
            yield seen.finding(
                "the stream differs from the plain answer",
                place=f"/choices/{index}",
                expected=str(one)[:200],
                actual=str(other)[:200],
            )


def _keys(arguments: str) -> set[str]:
    """The keys of the arguments of a call; none if they aren't a JSON object."""
    try:
        value = json.loads(arguments)
    except (ValueError, RecursionError):
        return set()
    return set(value) if isinstance(value, dict) else set()


def _more_prompt(events: list[Draft], _request: Request) -> Sequence[Draft] | None:
    """Counterexample: the stream counts one prompt token more."""
    changed = list(events)
    for index, event in enumerate(events):
        value = event.json
        if isinstance(value, dict) and isinstance(value.get("usage"), dict):
            value["usage"]["prompt_tokens"] += 1
            value["usage"]["total_tokens"] += 1
            changed[index] = event.with_json(value)
    return changed if changed != events else None


@trace_check(
    "stream.equals-plain.prompt-tokens",
    Level.SHOULD,
    clause="chat-stream-equals-plain",
    counterexample=on_events(_more_prompt, *DATA_ONLY),
    scenarios=EQUALITY,
)
def equal_prompt_tokens(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """The same prompt has the same number of tokens in a stream and in a plain answer."""
    for _, plain, stream in _pairs(spec, trace):
        wholes = _answers(spec, plain, stream)
        one, other = (whole.prompt_tokens for whole in wholes) if wholes is not None else (None, None)
        if one is not None and other is not None and one != other:
            yield stream.finding("another number of prompt tokens", place="/usage", expected=one, actual=other)


def _busy(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the request after a closed stream is refused."""
    response = exchange.response
    if response is None or not exchange.ok or NEXT.encode() not in exchange.request.body:
        return None
    refused = evolve(response, status=409, chunks=response.chunks[:1]).with_header("content-type", "application/json")
    return exchange.answered(refused.with_json({"error": {"code": "busy", "message": "A stream is in progress."}}))


def gave_up(trace: Trace) -> str:
    """The reason why the check can't be applied: the client closed no stream that was still running. Else ""."""
    for seen in trace.role("streams.cancelled.give-up"):
        response = seen.exchange.response
        if seen.exchange.ok and response is not None and response.media_type == "text/event-stream":
            return "the stream was over before it could be given up" if response.complete else ""
    return "no stream began that could be given up"


@trace_check(
    "stream.cancel.next-answers",
    Level.MUST,
    clause="stream-given-up",
    counterexample=_busy,
    scenarios=CANCELLED,
    needs=(gave_up,),
    entails=("http.accepted",),
    provenance="standard",
)
def next_answers(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """After a client closes a stream early, the target answers its next requests (RFC 9112 section 9.5).

    Users press "stop". The check reveals a target that goes on generating after the client has left, or that keeps
    a lock because of it.
    """
    if gave_up(trace):
        return
    for seen in trace.role("streams.cancelled.next"):
        status = seen.exchange.status or 0
        # A model's refusal, a quota and a server error are judged elsewhere; none of them comes of the given-up stream.
        if excuse(seen) is None and status != 429 and status < 500 and not _complete(seen.exchange):
            fault = seen.exchange.fault
            yield seen.finding(
                "no complete answer after a stream was closed early",
                place="status",
                expected="2xx and a whole body",
                actual=seen.exchange.status if fault is None else f"{fault.kind}: {fault.message}",
            )


def _refused_stream(spec: Spec, case: Case) -> bool:
    """The request asks for a stream and must be refused."""
    return streamed(*DATA_ONLY)(spec, case) and case.expect is Expect.REJECT


def _error_as_event(exchange: Exchange, _earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: the refusal comes as an event of a stream."""
    response, body = exchange.response, exchange.request.json
    asks = isinstance(body, dict) and body.get("stream") is True and ("messages" in body or "prompt" in body)
    if response is None or response.status not in (400, 422) or not asks:
        return None
    sent = evolve(response, status=200).with_header("content-type", "text/event-stream")
    return exchange.answered(sent.with_body(b"data: " + response.body + b"\n\ndata: [DONE]\n\n"))


@check(
    "stream.error.before-stream",
    Level.MUST,
    clause="stream-error-before-first-byte",
    counterexample=_error_as_event,
    about=_refused_stream,
    needs=Needs.ANSWER,
    contrast=True,
    entails=(
        "errors.rejected",
        "stream.no-error",
        "stream.error.envelope",
        "sse.event.schema",
        "stream.finish-reason.once",
    ),
)
def error_before_stream(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """A request for a stream that can't be served is refused with an HTTP status, before the stream begins.

    After a status 200 a client no longer expects a refusal: it shows an empty answer, or hangs.
    """
    if not 200 <= seen.response.status < 300:
        return
    reading = read(spec, seen)
    first = reading.events[0] if reading is not None and reading.events else None
    if reading is not None and (first is None or first in reading.errors or not isinstance(first.json, dict)):
        yield seen.finding(
            "the refusal came as an event of a stream",
            place=first.place if first else "status",
            expected="a 4xx status",
            actual=first.data[:120] if first else "an empty stream",
            level=seen.case.level,
        )
