"""Tool calls whose arguments get lost or are told twice, and calls that end in the wrong way."""

from __future__ import annotations

import json
from typing import Any

from wild_answers import LATER
from wire_stage import Example, Played, WireCase, answer, exchanged, lines, played

from .content_coding import HEAD

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": CITY}}
NAMED = {"type": "function", "function": {"name": "get_weather"}}
WEATHER = [{"role": "user", "content": "What is the weather in Rome?"}]
PLAIN = {"id": "c", "object": "chat.completion", "created": 1, "model": "m"}
USAGE = {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}


def asked(choice: Any, tool: Any = TOOL, **more: Any) -> dict[str, Any]:
    """A request with one tool."""
    return {"messages": WEATHER, "tools": [tool], "tool_choice": choice, **more}


def stream_of(*arguments: str, finish: str = "stop") -> str:
    """A stream of one call."""
    head = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": ""}}
    deltas: list[Any] = [{"role": "assistant", "content": None, "tool_calls": [head]}]
    deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": one}}]} for one in arguments]
    chunks = [{**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    return lines(*chunks, {**HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})


def plain_of(arguments: str, finish: str = "stop") -> dict[str, Any]:
    """A plain answer with one call."""
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": arguments}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    choice = {"index": 0, "finish_reason": finish, "message": message, "logprobs": None}
    return {**PLAIN, "choices": [choice], "usage": USAGE}


def twice(example: Example) -> Played:
    """A forced call, streamed."""
    body = stream_of(*example["deltas"])
    return played(exchanged("chat.completions.create", asked(NAMED, stream=True), answer({"body": body})))


def lost(example: Example) -> Played:
    """A forced call: plain, and five times streamed."""
    tool = example.get("tool", TOOL)
    tool = tool if "function" in tool else {"type": "function", "function": tool}
    plain = exchanged(
        "chat.completions.create", asked(NAMED, tool), answer({"body": plain_of(example["plain_arguments"])}), LATER
    )
    texts = [one["arguments"] for one in example["streamed"]]
    each = answer({"body": stream_of(*texts)})
    streams = [
        exchanged("chat.completions.create", asked(NAMED, tool, stream=True, seed=seed), each, LATER)
        for seed in range(5)
    ]
    return played(plain, *streams, version=LATER, scenario="corpus.chat.completions.create")


def ends(example: Example) -> Played:
    """A call that the model chose to make, streamed or plain."""
    if "choices" in example:
        body: Any = {**PLAIN, "choices": example["choices"], "usage": USAGE}
        body["choices"] = [{"logprobs": None, **choice} for choice in body["choices"]]
        return played(exchanged("chat.completions.create", asked("auto"), answer({"body": body})))
    events = [json.loads(event.removeprefix("data: ")) for event in example["events"]]
    events[0]["choices"][0]["delta"] = {"role": "assistant", "content": None, **events[0]["choices"][0]["delta"]}
    body = lines(*({**HEAD, **event} for event in events))
    return played(exchanged("chat.completions.create", asked("auto", stream=True), answer({"body": body})))


def _called(finish: str) -> dict[str, Any]:
    call = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"city":"x"}'},
    }
    events = [
        {"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
    ]
    return {"events": ["data: " + json.dumps(event) for event in events]}


CASES = (
    WireCase(
        "streamed-arguments-lost",
        "fail",
        lost,
        {"plain_arguments": '{"city":"Rome"}', "streamed": [{"arguments": ""}, {"arguments": "{}"}]},
        told={"chat.tool.arguments.always-lost": "city"},
        near=[{"plain_arguments": '{"city":"Rome"}', "streamed": [{"arguments": '{"city":"Oslo"}'}]}],
    ),
    WireCase(
        "arguments-told-twice",
        "fail",
        twice,
        {"deltas": ['{"ci', 'ty":"Rome"}', '{"city":"Rome"}']},
        told={"chat.tool.arguments.once": "two"},
        near=[{"deltas": ['{"ci', 'ty":"Rome"}']}],
    ),
    WireCase(
        "tool-calls-end-with-stop-stream",
        "fail",
        ends,
        _called("stop"),
        told={"stream.finish-reason.tool-calls": "stop"},
        near=[_called("tool_calls"), _called("length")],
    ),
    WireCase(
        "tool-calls-end-with-stop-plain",
        "fail",
        ends,
        {"choices": plain_of('{"city":"Rome"}')["choices"]},
        told={"chat.finish-reason.tool-calls": "stop"},
        near=[{"choices": plain_of('{"city":"Rome"}', "tool_calls")["choices"]}],
    ),
)
