"""Checks that compare a streamed response with its plain twin, with what is stored, and with the response before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.checks.objects.lifecycle import one
from conformance.checks.responses.answers import output_of, texts_in
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import trace_check
from conformance.judging.counterexamples import asked, on_json
from conformance.pointer import look_up
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.streams.reading import read
from conformance.streams.responses import Outline
from conformance.verdict import Finding, Level

STREAMED = ("responses.streamed",)


def final_response(spec: Spec, seen: Observation) -> Mapping[str, Any] | None:
    """The response that the last event of a whole stream holds, or None."""
    reading = read(spec, seen) if seen.exchange.ok else None
    if reading is None or not reading.ended:
        return None
    final = Outline.of(reading).final
    return final[1] if final is not None else None


def _said(response: Any) -> list[tuple[str, str]]:
    """The items of a response, each as its type and its text, or its function and arguments."""
    found = []
    for item in output_of(response):
        parts = item.get("content")
        texts = [str(look_up(part, "/text", "")) for part in parts] if isinstance(parts, list) else []
        found.append((str(item.get("type")), "".join(texts) or f"{item.get('name')} {item.get('arguments')}"))
    return found


def _outcome(response: Mapping[str, Any]) -> dict[str, Any]:
    """What two answers to one request have in common, whatever the model writes: the called functions, the cut."""
    calls = [item.get("name") for item in output_of(response) if item.get("type") == "function_call"]
    return {"functions": calls[:1], "reason": look_up(response, "/incomplete_details/reason")}


def _otherwise(value: Any, request: Request) -> Any:
    """Counterexample: a plain answer that isn't stored has another text."""
    if look_up(request.json, "/store") is not False or look_up(request.json, "/input") != "Say hello in one sentence.":
        return None
    for _, part in texts_in(value):
        part["text"] = "Something else."
        return value
    return None


@trace_check(
    "responses.stream.equals-plain",
    Level.SHOULD,
    clause="responses-stream-equals-plain",
    counterexample=on_json(_otherwise, when=asked("POST", r"/responses")),
    scenarios=STREAMED,
)
def equals_plain(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A streamed response says the same as the plain answer to the same request.

    On a deterministic target all items are compared; elsewhere the forced function and the reason of a cut.
    """
    for key in ("text", "call", "cut"):
        streams, plains = trace.role(key), trace.role(f"plain.{key}")
        if not streams or not plains or not plains[0].exchange.ok or not isinstance(plains[0].json, dict):
            continue
        final, plain = final_response(spec, streams[0]), plains[0]
        if final is None:
            continue
        full = plain.case.role.endswith(".full")
        pairs = ((_outcome(plain.json), _outcome(final)), *([(_said(plain.json), _said(final))] if full else []))
        for wanted, found in pairs:
            if wanted != found:
                yield streams[0].finding(
                    "the stream differs from the plain answer", place="/response/output", expected=str(wanted)[:200],
                    actual=str(found)[:200],
                )  # fmt: skip
                break


def _stored_otherwise(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a response that was streamed is stored with another text."""
    response = exchange.response
    if response is None or not exchange.ok or not isinstance(response.json, dict) or exchange.request.method != "GET":
        return None
    name = str(response.json.get("id")).encode()
    streams = [x.response for x in earlier if x.response and x.response.media_type == "text/event-stream"]
    if not any(name in stream.body for stream in streams):
        return None

    def changed(value: Any, _request: Request) -> Any:
        for _, part in texts_in(value):
            part["text"] = "Something else."
            return value
        return None

    return on_json(changed)(exchange, earlier)


@trace_check(
    "responses.stream.stored",
    Level.SHOULD,
    clause="responses-stream-equals-state",
    counterexample=_stored_otherwise,
    scenarios=STREAMED,
    needs=("kept.get",),
)
def stored(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """After a stream the stored response reads as the last event said: its status, its items, their texts."""
    streams, look = trace.role("kept"), one(trace, "kept.get")
    final = final_response(spec, streams[0]) if streams else None
    if final is None or look is None:
        return
    for name, wanted, found in (
        ("status", final.get("status"), look.json.get("status")),
        ("output", _said(final), _said(look.json)),
    ):
        if wanted != found:
            yield look.finding(
                f"{name} is not what the stream said", place=f"/{name}", expected=str(wanted)[:200],
                actual=str(found)[:200],
            )  # fmt: skip


def _carried(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: a response has the instructions of the one that it continues."""
    response, sent = exchange.response, exchange.request.json
    if response is None or not exchange.ok or not isinstance(response.json, dict) or not isinstance(sent, dict):
        return None
    previous = sent.get("previous_response_id")
    if not previous or "instructions" in sent:
        return None
    for past in earlier:
        old = past.response.json if past.ok and past.response else None
        if isinstance(old, dict) and old.get("id") == previous and old.get("instructions"):
            return exchange.answered(response.with_json({**response.json, "instructions": old["instructions"]}))
    return None


@trace_check(
    "responses.instructions.own",
    Level.SHOULD,
    clause="responses-instructions-not-carried",
    counterexample=_carried,
    scenarios=("responses.chain",),
    needs=("first", "second"),
    entails=("responses.kept",),
)
def instructions_own(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """A response that continues another one does not show the instructions of that one: they are not carried over."""
    second = one(trace, "second")
    shown = second.json.get("instructions") if second is not None else None
    if second is not None and shown:
        yield second.finding(
            "the instructions of the previous response are carried over", place="/instructions", expected=None,
            actual=shown,
        )  # fmt: skip
