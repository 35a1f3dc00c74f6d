"""Completions: prompts times n choices, echo, logprobs, limits, stops; streamed the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from conformance.emulator.documented_fields import Shape
from conformance.evidence.event_stream import parse
from conformance.evidence.exchange import Response

Infer = Callable[..., Response]
Complete = Callable[..., Any]


@pytest.fixture
def complete(completions_version: str, inference: Infer) -> Complete:
    def call(**body: Any) -> Any:
        answer = inference(completions_version, "/completions", "gpt-35-turbo-instruct", body)
        assert 200 == answer.status, answer.body
        return answer.json

    return call


@pytest.fixture
def streamed(completions_version: str, inference: Infer) -> Complete:
    """Text, finish reasons and logprob tokens of each choice, from the chunks."""

    def call(**body: Any) -> Any:
        answer = inference(completions_version, "/completions", "gpt-35-turbo-instruct", {**body, "stream": True})
        data = [event.data for event in parse(answer.chunks).events]
        assert "[DONE]" == data[-1]
        found: dict[int, Any] = {}
        for chunk in map(json.loads, data[:-1]):
            for choice in chunk["choices"]:
                one = found.setdefault(choice["index"], ["", [], [], []])
                one[0] += choice["text"]
                one[1] += [choice["finish_reason"]] if choice["finish_reason"] else []
                one[2] += (choice["logprobs"] or {}).get("tokens", [])
                one[3] += (choice["logprobs"] or {}).get("text_offset", [])
        return found

    return call


def test_choices_are_counted_over_prompts_and_n(complete: Complete) -> None:
    answer = complete(prompt=["one", "two"], n=3)
    assert [0, 1, 2, 3, 4, 5] == [choice["index"] for choice in answer["choices"]]
    assert 2 == len(answer["prompt_filter_results"])


def test_sixteen_tokens_by_default(complete: Complete) -> None:
    answer = complete(prompt="a b c")
    assert ("length", 16) == (answer["choices"][0]["finish_reason"], answer["usage"]["completion_tokens"])


def test_usage_adds_up(complete: Complete) -> None:
    usage = complete(prompt=["a b", "c"], n=2, max_tokens=5)["usage"]
    assert {"prompt_tokens": 3, "completion_tokens": 20, "total_tokens": 23}.items() <= usage.items()


def test_echo_puts_the_prompt_first(complete: Complete) -> None:
    assert complete(prompt="Hello, world!", echo=True)["choices"][0]["text"].startswith("Hello, world!")
    assert not complete(prompt="Hello, world!")["choices"][0]["text"].startswith("Hello")


def test_echo_of_no_new_tokens(complete: Complete) -> None:
    answer = complete(prompt="Hello, world!", echo=True, max_tokens=0, logprobs=1)
    choice = answer["choices"][0]
    assert ("Hello, world!", "length") == (choice["text"], choice["finish_reason"])
    assert "Hello, world!" == "".join(choice["logprobs"]["tokens"])


def test_stop_is_not_in_the_text(complete: Complete) -> None:
    choice = complete(prompt="Count to 30", stop="5,", max_tokens=100)["choices"][0]
    assert (" 1, 2, 3, 4, ", "stop") == (choice["text"], choice["finish_reason"])


@pytest.mark.parametrize("many", [0, 1, 5])
def test_logprobs_are_parallel_lists(complete: Complete, many: int) -> None:
    choice = complete(prompt="a", logprobs=many, echo=True)["choices"][0]
    logprobs = choice["logprobs"]
    assert 1 == len({len(logprobs[name]) for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset")})
    assert choice["text"] == "".join(logprobs["tokens"])
    for token, offset in zip(logprobs["tokens"], logprobs["text_offset"], strict=True):
        assert choice["text"][offset:].startswith(token)
    assert {many} == {len(one) for one in logprobs["top_logprobs"]}


@pytest.mark.parametrize(
    "asked",
    [
        {"prompt": "a"},
        {"prompt": ["a", "b"], "n": 2},
        {"prompt": "héllo 👋", "echo": True, "logprobs": 2},
        {"prompt": "Count to 9", "stop": ["4"]},
    ],
)
def test_streamed_it_says_the_same(complete: Complete, streamed: Complete, asked: dict[str, Any]) -> None:
    whole = {
        choice["index"]: [
            choice["text"],
            [choice["finish_reason"]],
            (choice["logprobs"] or {}).get("tokens", []),
            (choice["logprobs"] or {}).get("text_offset", []),
        ]
        for choice in complete(**asked)["choices"]
    }
    assert whole == streamed(**asked)


def test_token_ids_are_a_prompt(
    complete: Complete, completions_version: str, documented: Callable[[str, str], Shape]
) -> None:
    prompt = documented(completions_version, "completions.create").at("prompt")
    if prompt is None or not any(one.allows("integer") for one in [prompt.child("*")] if one):
        pytest.skip("only texts are documented in this version")
    assert 1 == len(complete(prompt=[1, 2, 3])["choices"])


def test_the_prompt_may_be_left_out(
    complete: Complete, completions_version: str, documented: Callable[[str, str], Shape]
) -> None:
    if any("prompt" in one.required for one in documented(completions_version, "completions.create").alternatives):
        pytest.skip("this version requires a prompt")
    assert complete()["choices"][0]["text"]
