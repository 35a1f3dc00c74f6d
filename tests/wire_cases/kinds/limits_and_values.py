"""Counts and values that contradict the request: token limits, log probabilities, the usage of a stream."""

from __future__ import annotations

import json
from typing import Any

from wild_answers import LATER
from wire_stage import Example, Played, WireCase, answer, exchanged, lines, played

from .content_coding import HEAD
from .tool_calls import PLAIN

LONG = [{"role": "user", "content": "Count from one to five hundred in words."}]


def chat(example: Example) -> Played:
    """A plain answer with the example's usage and choices."""
    said = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "a b c"}}
    choices = [{"logprobs": None, **choice} for choice in example.get("choices", [said])]
    body = {**PLAIN, "choices": choices, "usage": example["usage"]}
    asked = {"messages": LONG, **example["request"]}
    return played(exchanged("chat.completions.create", asked, answer({"body": body}), role="chat.length"))


def logprobs(example: Example) -> Played:
    """A plain answer with log probabilities."""
    text = "".join(entry["token"] for entry in example["content"])
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text},
              "logprobs": {"content": example["content"], "refusal": None}}  # fmt: skip
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": len(example["content"]),
        "total_tokens": 5 + len(example["content"]),
    }
    body = {**PLAIN, "choices": [choice], "usage": usage}
    asked = {"messages": LONG, "logprobs": True, "top_logprobs": 2}
    return played(exchanged("chat.completions.create", asked, answer({"body": body})))


def usage_stream(example: Example) -> Played:
    """A stream with its usage."""
    events = [json.loads(event.removeprefix("data: ")) for event in example["events"]]
    for event in events:
        for choice in event["choices"]:
            choice["delta"] = {"role": "assistant", **choice["delta"]}
    nulls = {"usage": None} if "usage" in events[-2] else {}
    last = {**HEAD, **nulls, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    whole = [
        {**HEAD, "object": "", "created": 0, "model": "", **events[0]},
        *({**events[1], **HEAD} for _ in [0]),
        last,
    ]
    whole += [{**events[-1], **HEAD}]
    asked = {"messages": LONG, **example["request"]}
    return played(exchanged("chat.completions.create", asked, answer({"body": lines(*whole)}), LATER), version=LATER)


def _entry(token: str, *others: str) -> dict[str, Any]:
    tops = [{"token": one, "logprob": -0.1 - place, "bytes": None} for place, one in enumerate(others)]
    return {"token": token, "logprob": -0.1, "bytes": None, "top_logprobs": tops}


def _usage(counted: int, prompt: int = 12) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": counted, "total_tokens": prompt + counted}


def _cut(text: str, finish: str = "length") -> list[Any]:
    return [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}]


_ASK = {"stream": True, "stream_options": {"include_usage": True}}
_FILTERS = {"id": "", "choices": [], "prompt_filter_results": []}
_SAYS = {"id": "c", "choices": [{"index": 0, "delta": {"content": "A"}, "finish_reason": None}]}
_COUNT = {"id": "c", "choices": [], "usage": _usage(1, 1)}


def _events(*events: Any) -> list[str]:
    return ["data: " + json.dumps(event) for event in events]


CASES = (
    WireCase(
        "cut-one-token-early",
        "fail",
        chat,
        {"request": {"max_tokens": 1}, "usage": _usage(0), "choices": _cut("")},
        told={"chat.finish-reason.length.counted": "nothing was generated"},
        near=[{"request": {"max_tokens": 8}, "usage": _usage(8), "choices": _cut("a b c d")}],
    ),
    WireCase(
        "cut-one-token-early-of-eight",
        "warn",
        chat,
        {"request": {"max_tokens": 8}, "usage": _usage(7), "choices": _cut("a b c d")},
        told={"chat.finish-reason.length.counted": "before"},
    ),
    WireCase(
        "limit-by-max-tokens",
        "fail",
        chat,
        {"request": {"max_tokens": 16}, "usage": _usage(40)},
        told={"usage.limit": "more tokens"},
        near=[{"request": {"max_tokens": 16}, "usage": _usage(16), "choices": _cut("a b c d")}],
    ),
    WireCase(
        "not-cut-at-all",
        "quiet",
        chat,
        {"request": {"max_tokens": 16}, "usage": _usage(5), "choices": _cut("a", "stop")},
    ),
    WireCase(
        "alternatives-without-token",
        "fail",
        logprobs,
        {"content": [_entry("Hi", "", ""), _entry(" you", "", "")]},
        told={"chat.logprobs.alternatives": "empty"},
        near=[{"content": [_entry("Hi", "Hi", "Ho")]}, {"content": [_entry("Hi", "Hi", ""), _entry("!", "!", ".")]}],
    ),
    WireCase(
        "usage-null-missing",
        "warn",
        usage_stream,
        {"request": _ASK, "events": _events(_FILTERS, _SAYS, _COUNT)},
        told={"stream.usage.null": "usage"},
        near=[{"request": _ASK, "events": _events(_FILTERS, {**_SAYS, "usage": None}, _COUNT)}],
    ),
)
