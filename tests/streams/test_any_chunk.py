"""No check of a stream raises an exception, whatever stands in a chunk; an odd value is reported or left alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from wild_answers import LATER, Wild, observed, spec_of

from conformance.checks.catalogue import all_checks
from conformance.evidence.exchange import Chunk, Response
from conformance.evidence.trace import Trace
from conformance.judging.check import Check, Scope
from conformance.judging.judge import judge
from conformance.streams.final_answer import FinalAnswer, from_plain
from conformance.verdict import Outcome

CREATE = "chat.completions.create"
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ASKED = {
    "messages": [{"role": "user", "content": "What is the weather in Rome?"}],
    "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS, "strict": True}}],
    "tool_choice": "required",
    "stream": True,
    "stream_options": {"include_usage": True},
    "logprobs": True,
    "top_logprobs": 1,
}
TOKEN = {"token": "a", "logprob": -1.0, "bytes": [97]}
CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": ""}}
CHOICES: tuple[list[dict[str, Any]], ...] = (
    [{"index": 0, "delta": {"role": "assistant", "content": None, "tool_calls": [CALL]}, "finish_reason": None}],
    [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": '{"city":"Rome"}'}}]},
      "logprobs": {"content": [{**TOKEN, "top_logprobs": [TOKEN]}]}, "finish_reason": None}],
    [{"index": 0, "finish_reason": None, "content_filter_results": {}, "content_filter_offsets": {"check_offset": 1}}],
    [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}],
)  # fmt: skip
CHUNKS = [{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": c} for c in CHOICES]
ODD = (None, 5, True, "x", [5], [[]], {"a": 5})
CHECKS = [
    check
    for check in all_checks().values()
    if check.covers(CREATE) and (check.scope is Scope.EXCHANGE or check.concerns(f"corpus.{CREATE}", [CREATE]))
]


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*place, key)
        yield from places(each, (*place, key))


def errors(checks: Sequence[Check], chunks: list[Any]) -> Iterator[str]:
    """Yield what checks raise when they judge a stream of these chunks, which is read once for all of them."""
    data = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    response = Response(200, (("content-type", "text/event-stream"),), (Chunk(0.0, data.encode()),))
    seen = observed(Wild("", "", CREATE, ASKED, bad=response, version=LATER), response)
    for check in checks:
        verdict = judge(spec_of(LATER), check, Trace(f"corpus.{CREATE}", (seen,)))
        if verdict.outcome is Outcome.ERROR:
            yield f"{check.id}: {verdict.reason}"


def replaced(place: tuple[Any, ...], odd: Any) -> list[Any]:
    """The chunks with an odd value in one place."""
    chunks: Any = copy.deepcopy(CHUNKS)
    inner = chunks
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = odd
    return list(chunks)


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_odd_value_anywhere_in_a_chunk_raises_nothing(odd: Any) -> None:
    """Only the checks that look at chunks can stumble over one, so the others are left out."""
    looking = [check for check in CHECKS if check.id.startswith(("stream.", "chat."))]
    assert [] == [f"{place}: {told}" for place in places(CHUNKS) for told in errors(looking, replaced(place, odd))]


@pytest.mark.parametrize("odd", [None, 5, "x", [5], [[]], {"a": 5}], ids=str)
@pytest.mark.parametrize("name", ["choices", "index", "tool_calls"])
def test_an_odd_plain_answer_is_compared_without_an_exception(name: str, odd: Any) -> None:
    message = {"content": "a", "tool_calls": odd if name == "tool_calls" else []}
    choice = {"index": odd if name == "index" else 0, "message": message}
    assert isinstance(from_plain({"choices": odd if name == "choices" else [choice]}), FinalAnswer)
