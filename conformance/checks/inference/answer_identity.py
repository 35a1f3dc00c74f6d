"""Checks of the id and the time of a model's answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.checks.objects.isolation import SECONDS
from conformance.evidence.created_ids import values_of
from conformance.evidence.exchange import Exchange
from conformance.evidence.trace import Observation, Trace
from conformance.judging.check import Needs, check, trace_check
from conformance.judging.counterexamples import asked, on_json
from conformance.judging.stream_counterexamples import each_json
from conformance.requests.case import Case
from conformance.requests.request import Request
from conformance.requests.selectors import streams
from conformance.schema.integers import is_integer
from conformance.spec.spec import Spec
from conformance.streams.chunks import content_chunks
from conformance.streams.reading import read
from conformance.verdict import Finding, Level

#: Operations whose answers have an id.
TEXTS = ("chat.completions.create", "completions.create")
#: Operations whose answers have a creation time.
MADE = (*TEXTS, "images.generations.create", "images.edits.create")
_posted = asked("POST", r"/completions|/images/(generations|edits)")


def _plain(spec: Spec, case: Case) -> bool:
    """The request asks for no stream."""
    return not streams(spec, case)


def _milliseconds(value: Any, _request: Request) -> Any:
    """Counterexample: the time is in milliseconds."""
    stamp = value.get("created")
    return {**value, "created": stamp * 1000} if is_integer(stamp) else None


@check(
    "model.created",
    Level.MUST,
    clause="model-created-seconds",
    counterexample=on_json(_milliseconds, when=_posted),
    operations=MADE,
    about=_plain,
    needs=Needs.SUCCESS,
)
def created(spec: Spec, seen: Observation) -> Iterator[Finding]:
    """``created`` is in seconds since 1970.

    A client that takes milliseconds for seconds computes a date 50,000 years ahead.
    """
    stamp = seen.json.get("created") if isinstance(seen.json, dict) else None
    if is_integer(stamp) and stamp >= SECONDS:
        yield seen.finding("the time is not in seconds", place="/created", actual=stamp)


def _called(id: str, exchange: Exchange, others: Sequence[Exchange]) -> Exchange | None:
    """The answer with another id, in every chunk of a stream."""

    def called(value: dict[str, Any], _request_or_index: object) -> dict[str, Any] | None:
        return {**value, "id": id} if value.get("id") and "choices" in value else None

    plain = on_json(called, when=asked("POST", r"/completions"))
    return plain(exchange, others) or each_json(called, "chat-chunks", "completion-chunks")(exchange, others)


def _always_this(exchange: Exchange, earlier: Sequence[Exchange]) -> Exchange | None:
    """Counterexample: every answer has the same id."""
    return _called("chatcmpl-always-this", exchange, earlier)


def _id(spec: Spec, seen: Observation) -> str | None:
    """The id of an answer; of a stream that of its first chunk with content, because a chunk of filter results may have
    an empty one.
    """
    if not streams(spec, seen.case):
        found = seen.json.get("id") if isinstance(seen.json, dict) else None
    else:
        reading = read(spec, seen)
        found = next((chunk.get("id") for _, chunk in content_chunks(reading)), None) if reading is not None else None
    return found if isinstance(found, str) and (found or not streams(spec, seen.case)) else None


def _id_of_another(exchange: Exchange, others: Sequence[Exchange]) -> Exchange | None:
    """Witness: an answer has the id of another one."""
    values = (value for other in others if other.ok and other.response for value in values_of(other.response))
    ids = (value.get("id") for value in values if isinstance(value, dict))
    id = next((id for id in ids if isinstance(id, str) and id), None)
    return _called(id, exchange, others) if id is not None else None


@trace_check(
    "model.answer-ids",
    Level.SHOULD,
    clause="model-answer-ids",
    counterexample=_always_this,
    witness=_id_of_another,
    scenarios=("corpus.chat.completions.create", "corpus.completions.create"),
    operations=TEXTS,
)
def answer_ids(spec: Spec, trace: Trace) -> Iterator[Finding]:
    """Two answers have different ids, streamed or not. Logs and invoices identify answers by them.

    An empty id of a plain answer is told here too; for streams ``stream.id.constant`` does it.
    """
    first: dict[str, Observation] = {}
    for seen in trace:
        id_ = _id(spec, seen) if seen.exchange.ok else None
        if id_ == "":
            yield seen.finding("the id is empty", place="/id", expected="an id", actual=id_)
            return
        if id_ is not None and id_ in first:
            yield seen.finding(
                "the id of another answer", place="/id", expected=f"another than case {first[id_].case.id}", actual=id_
            )
            return
        if id_ is not None:
            first[id_] = seen
