"""Members that are null on one side of the gateway and absent on the other, in requests, answers and streams."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from conformance.evidence.exchange import Response
from conformance.passage.counterexamples import in_answer, in_json_answer, in_json_request, rewritten
from conformance.passage.nulls import Null, in_events, in_request
from conformance.passage.nulls import in_answer as nulls_in_answer
from conformance.passage.passage import Side
from conformance.passage.rule import Found, document_rule
from conformance.passage.rules.request_body import json_requests
from conformance.passage.streams import DONE, is_stream, payloads
from conformance.passage.views import Pair, answers, narrowed, same_status
from conformance.requests.request import Request
from conformance.spec.spec import Spec
from conformance.verdict import Level

__all__ = ["answer_breaks", "answer_nulls", "request_breaks", "request_nulls"]

_SAME = "A member that is null and one that is absent mean the same in most places, and not in all."
_BREAKS = "The document says which members must be there, and which may be null."
_NULL = "RFC 8259 section 3: null is a value"
_DOCUMENT = "the document of the api-version: required, and the types of the member"


def _found(nulls: Iterator[Null], *, breaks: bool) -> Iterator[Found]:
    for one in nulls:
        if one.standing.breaks is breaks:
            yield one.where or "/", one.kind, "null", "null", one.standing.value


def _of_request(seen: Pair[Request], spec: Spec) -> Iterator[Null]:
    return in_request(spec, seen.passage.case, seen.before.json, seen.after.json)


def _of_answer(seen: Pair[Response], spec: Spec) -> Iterator[Null]:
    case = seen.passage.case
    if is_stream(seen.before):
        return in_events(spec, case, payloads(seen.before), payloads(seen.after))
    return nulls_in_answer(spec, case, seen.before.status, seen.before.json, seen.after.json)


def _readable(seen: Pair[Response]) -> str:
    """Both answers are JSON, or both are event streams."""
    both = (seen.before, seen.after)
    if not (all(map(is_stream, both)) or all(one.is_json and not is_stream(one) for one in both)):
        return "the answers are neither JSON nor event streams"
    return same_status(seen)


def _with(name: str) -> Any:
    """A change of a JSON object: a member more, which is null. None for another value."""

    def change(value: Any) -> Any:
        return {**value, name: None} if isinstance(value, dict) and name not in value else None

    return change


@document_rule(
    "via.request.nulls",
    Level.OBS,
    Side.REQUEST,
    clause=_SAME,
    source=_NULL,
    counterexample=in_json_request(_with("altered")),
    sees=json_requests,
)
def request_nulls(seen: Pair[Request], spec: Spec) -> Iterator[Found]:
    """A member that is null reaches the upstream as null, and none is added that is null."""
    yield from _found(_of_request(seen, spec), breaks=False)


@document_rule(
    "via.request.nulls-documented",
    Level.SHOULD,
    Side.REQUEST,
    clause=_BREAKS,
    source=_DOCUMENT,
    counterexample=in_json_request(_with("user")),
    sees=json_requests,
)
def request_breaks(seen: Pair[Request], spec: Spec) -> Iterator[Found]:
    """No null that a request must have is dropped, and none is added where the document allows no null."""
    yield from _found(_of_request(seen, spec), breaks=True)


@document_rule(
    "via.answer.nulls",
    Level.OBS,
    Side.ANSWER,
    clause=_SAME,
    source=_NULL,
    counterexample=in_json_answer(_with("altered")),
    sees=narrowed(answers, _readable),
)
def answer_nulls(seen: Pair[Response], spec: Spec) -> Iterator[Found]:
    """A member that is null arrives as null, and none is added that is null."""
    yield from _found(_of_answer(seen, spec), breaks=False)


def _without_reason(response: Response) -> Response | None:
    """A chat stream whose chunks have no ``finish_reason`` until the last one."""
    if not is_stream(response) or response.status >= 400:
        return None
    data = [event.data for event in payloads(response)]
    shorter = [json.dumps(_bare(json.loads(one))) if one != DONE else one for one in data]
    return rewritten(response, shorter) if data != shorter else None


def _bare(chunk: Any) -> Any:
    for choice in chunk.get("choices") or ():
        if choice.get("finish_reason", "") is None:
            del choice["finish_reason"]
    return chunk


@document_rule(
    "via.answer.nulls-documented",
    Level.MUST,
    Side.ANSWER,
    clause=_BREAKS,
    source=_DOCUMENT,
    counterexample=in_answer(_without_reason),
    sees=narrowed(answers, _readable),
)
def answer_breaks(seen: Pair[Response], spec: Spec) -> Iterator[Found]:
    """No null that an answer must have is dropped, and none is added where the document allows no null."""
    yield from _found(_of_answer(seen, spec), breaks=True)
